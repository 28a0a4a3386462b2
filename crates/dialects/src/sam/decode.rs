//! SAM frames to the model. Each field is judged by itself, so that an error can name it.

use std::borrow::Cow;
use std::sync::Arc;

use countersign_model::canonical::too_deep;
use countersign_model::{Ask, Extra, Json, NewEvent, Origin, Verdict, empty_object, fields, kind};
use serde_json::value::RawValue;

use crate::cloud;
use crate::fields::{raw_fields, rest_of};
use crate::hive::{EventType, Payload, said};
use crate::limits::{MAX_KIND, MAX_MESSAGE, MAX_NAME, MAX_RESULT_KEPT, MAX_SCALAR};
use crate::shrink;

/// Who is on the other end, for frames that do not say.
#[derive(Clone, Debug)]
pub struct Peer {
    /// By which door it came.
    pub origin: Origin,
    /// The agent's name, when a frame has none.
    pub agent: Arc<str>,
    /// The agent's session, when a frame has none; without one, the agent's name stands for it.
    pub session: Option<Arc<str>>,
}

/// A frame that was understood.
#[derive(Debug)]
pub struct Decoded {
    /// What it says.
    pub inbound: Inbound,
    /// The token to acknowledge it with, once it is committed.
    pub ack: Option<Json>,
}

/// What a frame says.
#[derive(Debug)]
pub enum Inbound {
    /// A fact for the log.
    Event(NewEvent),
    /// A question for a person.
    Ask(Box<Ask>),
    /// A person's answer.
    Answer(Reply),
}

/// `approval_response`, as an approver sends it.
#[derive(Debug)]
pub struct Reply {
    /// The request's own id, or the hub's.
    pub request_id: String,
    /// Narrows the request down to one agent's.
    pub agent: Option<String>,
    /// The answer.
    pub response: Verdict,
    /// A word to the agent.
    pub message: Option<String>,
}

/// A frame that was not understood; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct WireError {
    /// What is wrong and what to do.
    pub error: String,
    /// Which field, as a path; `None` when it is the frame as a whole.
    pub field: Option<&'static str>,
}

pub(crate) fn wrong(field: &'static str, error: impl Into<String>) -> WireError {
    WireError {
        error: error.into(),
        field: Some(field),
    }
}

raw_fields! {
    struct Frame {
        r#type: "type",
        timestamp: "timestamp",
        data: "data",
        agent: "agent",
        session: "session",
        stream: "stream",
        stream_id: "stream_id",
        execution_id: "execution_id",
        ack: "ack",
        request_id: "request_id",
        response: "response",
        message: "message",
    }
}

raw_fields! {
    struct Request {
        request_id: "request_id",
        tool_name: "tool_name",
        arguments: "arguments",
        tool_info: "tool_info",
        cwd: "cwd",
        timeout: "timeout",
        accepts_edits: "accepts_edits",
    }
}

/// Reads one frame.
///
/// # Errors
/// When it is not an event, a request or an answer; the error names the field.
pub fn decode(text: &str, peer: &Peer) -> Result<Decoded, WireError> {
    check_depth(text)?;
    decode_checked(text, peer)
}

fn check_depth(text: &str) -> Result<(), WireError> {
    if too_deep(text.as_bytes()) {
        return Err(WireError {
            error: format!("nested deeper than {} levels", countersign_model::canonical::MAX_DEPTH),
            field: None,
        });
    }
    Ok(())
}

fn decode_checked(text: &str, peer: &Peer) -> Result<Decoded, WireError> {
    if !text.trim_start().starts_with('{') {
        // A derived struct would also read an array, by position.
        let error = match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => "a frame is a JSON object with `type` and `data`".to_owned(),
            Err(error) => format!("not JSON: {error}"),
        };
        return Err(WireError { error, field: None });
    }
    let frame: Frame<'_> = serde_json::from_str(text).map_err(|error| WireError {
        error: format!("not JSON that can be read: {error}"),
        field: None,
    })?;
    from_frame(frame, peer)
}

/// Reads one frame that is already known to be a JSON value, from a batch.
///
/// # Errors
/// As [`decode`].
pub fn decode_value(value: &RawValue, peer: &Peer) -> Result<Decoded, WireError> {
    decode(value.get(), peer)
}

fn from_frame(frame: Frame<'_>, peer: &Peer) -> Result<Decoded, WireError> {
    let kind = string("type", frame.r#type, MAX_KIND)?
        .ok_or_else(|| wrong("type", "`type` is missing: a string such as \"tool_call_start\""))?;
    if kind.is_empty() {
        return Err(wrong("type", "`type` is empty"));
    }
    let ack = scalar("ack", frame.ack)?;
    let agent = name("agent", frame.agent)?;
    if kind == kind::APPROVAL_RESPONSE {
        let inbound = Inbound::Answer(reply(&frame, agent)?);
        return Ok(Decoded { inbound, ack });
    }
    let data = frame
        .data
        .filter(|data| data.get() != "null")
        .ok_or_else(|| wrong("data", "`data` is missing: an object, which may be empty"))?;
    if !data.get().starts_with('{') {
        return Err(wrong("data", "`data` must be an object"));
    }
    let hive = EventType::parse(&kind);
    let kind = hive.map_or(kind, |hive| Cow::Borrowed(hive.as_str()));
    let data = own(&kind, data);
    let mut stream = first_name([("stream", frame.stream), ("stream_id", frame.stream_id)])?;
    let mut session = first_name([("session", frame.session), ("execution_id", frame.execution_id)])?;
    let mut origin = peer.origin;
    let mut agent = agent.map(Arc::from);
    if let Some(hive) = hive {
        let payload = Payload::read(hive, &data);
        stream = stream.or_else(|| payload.stream_id().and_then(said));
        session = session.or_else(|| payload.execution_id().and_then(said));
        agent = agent.or_else(|| stream.clone());
        if origin == Origin::Sam {
            origin = Origin::Hive;
            agent = agent.or_else(|| Some("hive".into()));
        }
    }
    if let Some(about) = cloud::about(&kind, &data) {
        session = session.or(about.session);
        agent = agent.or(about.agent);
        if origin == Origin::Sam {
            origin = Origin::Cloud;
            agent = agent.or_else(|| Some("cloud".into()));
        }
    }
    let agent = agent.unwrap_or_else(|| peer.agent.clone());
    let mut rest = frame.rest;
    // Words of an answer mean nothing in an event, and are kept as anything else is.
    for (name, value) in [
        ("request_id", frame.request_id),
        ("response", frame.response),
        ("message", frame.message),
    ] {
        rest.extend(value.map(|value| (Cow::Borrowed(name), value)));
    }
    let event = NewEvent {
        origin,
        session: Some(
            session
                .or_else(|| peer.session.clone())
                .unwrap_or_else(|| agent.clone()),
        ),
        agent,
        stream,
        timestamp: scalar("timestamp", frame.timestamp)?,
        data,
        kind: kind.as_ref().into(),
        extra: rest_of(rest),
    };
    let inbound = if kind == kind::APPROVAL_REQUEST {
        Inbound::Ask(Box::new(request(event)?))
    } else {
        Inbound::Event(event)
    };
    Ok(Decoded { inbound, ack })
}

/// The first of these names that is there: SAM's word for it, then Hive's.
fn first_name(names: [(&'static str, Option<&RawValue>); 2]) -> Result<Option<Arc<str>>, WireError> {
    for (field, value) in names {
        if let Some(name) = name(field, value)? {
            return Ok(Some(name.into()));
        }
    }
    Ok(None)
}

/// The data as it is kept: as it came, but for a result larger than the store takes.
pub(crate) fn own(kind: &str, data: &RawValue) -> Json {
    if kind == kind::TOOL_CALL_RESULT
        && let Some(cut) = shrink::kept(data, "result", MAX_RESULT_KEPT)
        && let Ok(cut) = RawValue::from_string(cut)
    {
        return cut;
    }
    data.to_owned()
}

/// Reads the body of a question that comes without an envelope: the data of an `approval_request`, and beside it `agent`,
/// `session` and `stream`. Without a `request_id` it gets `fallback_id`.
///
/// # Errors
/// As [`decode`]; fields are named as the body has them.
pub fn decode_ask(text: &str, peer: &Peer, fallback_id: &str) -> Result<Ask, WireError> {
    let bad = |error: String| WireError { error, field: None };
    check_depth(text)?;
    let mut fields = fields::read(text).map_err(|error| bad(format!("not a JSON object that can be read: {error}")))?;
    let mut take = |name: &str| {
        let place = fields.iter().position(|(field, _)| field == name)?;
        Some(fields.remove(place).1.into_owned())
    };
    let envelope: Vec<_> = ["agent", "session", "stream"]
        .into_iter()
        .map(|name| (name, take(name)))
        .collect();
    if !fields
        .iter()
        .any(|(name, value)| name == "request_id" && value != "null")
    {
        fields.retain(|(name, _)| name != "request_id");
        fields.insert(0, ("request_id".to_owned(), Cow::Owned(format!("\"{fallback_id}\""))));
    }
    let mut frame = vec![
        ("type".to_owned(), Cow::Borrowed("\"approval_request\"")),
        ("data".to_owned(), Cow::Owned(fields::write(&fields))),
    ];
    frame.extend(
        envelope
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), Cow::Owned(value?)))),
    );
    // The envelope is ours: its level is not the caller's.
    let decoded = decode_checked(&fields::write(&frame), peer).map_err(|error| without_envelope(&error))?;
    match decoded.inbound {
        Inbound::Ask(ask) => Ok(*ask),
        Inbound::Event(_) | Inbound::Answer(_) => Err(bad("not a request".to_owned())),
    }
}

fn without_envelope(error: &WireError) -> WireError {
    WireError {
        error: error.error.replace("`data.", "`"),
        field: error
            .field
            .map(|field| field.strip_prefix("data.").unwrap_or(field))
            .filter(|field| *field != "data"),
    }
}

/// The question that an event of kind `approval_request` asks.
pub(crate) fn request(event: NewEvent) -> Result<Ask, WireError> {
    let request: Request<'_> =
        serde_json::from_str(event.data.get()).map_err(|error| wrong("data", format!("cannot be read: {error}")))?;
    let request_id = name("data.request_id", request.request_id)?.ok_or_else(|| {
        wrong(
            "data.request_id",
            "`request_id` is missing: a string of the agent's choice, new for each request",
        )
    })?;
    let tool_name = name("data.tool_name", request.tool_name)?
        .ok_or_else(|| wrong("data.tool_name", "`tool_name` is missing: the tool that is to run"))?;
    let given = |value: Option<&RawValue>| value.filter(|value| value.get() != "null").map(RawValue::to_owned);
    let timeout = match request.timeout.filter(|value| value.get() != "null") {
        None => None,
        Some(value) => {
            let seconds = value
                .get()
                .parse::<f64>()
                .ok()
                .filter(|seconds| *seconds > 0.0 && *seconds <= 31_536_000.0);
            let seconds = seconds.ok_or_else(|| {
                wrong(
                    "data.timeout",
                    "`timeout` is a number of seconds, more than 0, up to a year",
                )
            })?;
            Some(seconds.ceil() as i64)
        }
    };
    let ask = Ask {
        origin: event.origin,
        request_id: request_id.as_ref().into(),
        tool_name: tool_name.into_owned(),
        arguments: given(request.arguments).unwrap_or_else(empty_object),
        tool_info: given(request.tool_info),
        cwd: string("data.cwd", request.cwd, 4096)?.map(Cow::into_owned),
        timeout,
        // REST's reply shows the arguments to whoever reads it; a SAM agent must say that it looks.
        edits: match request.accepts_edits {
            Some(edits) => edits.get() == "true",
            None => event.origin == Origin::Rest,
        },
        stops: true,
        grants: Vec::new(),
        agent: event.agent.clone(),
        session: event.session.clone().unwrap_or_else(|| event.agent.clone()),
        stream: event.stream.clone(),
        timestamp: event.timestamp.clone(),
        data: empty_object(),
        extra: Extra::default(),
    };
    Ok(Ask {
        data: event.data,
        extra: event.extra,
        ..ask
    })
}

fn reply(frame: &Frame<'_>, agent: Option<Cow<'_, str>>) -> Result<Reply, WireError> {
    let request_id = name("request_id", frame.request_id)?
        .ok_or_else(|| wrong("request_id", "`request_id` is missing: the id of the request to answer"))?;
    let response = string("response", frame.response, MAX_NAME)?;
    let response = match response.as_deref() {
        Some("approve") => Verdict::Approve,
        Some("deny") => Verdict::Deny,
        Some("stop") => Verdict::Stop,
        _ => return Err(wrong("response", "`response` is \"approve\", \"deny\" or \"stop\"")),
    };
    Ok(Reply {
        request_id: request_id.into_owned(),
        agent: agent.map(Cow::into_owned),
        response,
        message: string("message", frame.message, MAX_MESSAGE)?.map(Cow::into_owned),
    })
}

pub(crate) fn string<'a>(
    field: &'static str,
    value: Option<&'a RawValue>,
    limit: usize,
) -> Result<Option<Cow<'a, str>>, WireError> {
    let Some(value) = value.filter(|value| value.get() != "null") else {
        return Ok(None);
    };
    let text = if let Some(plain) = plain(value.get()) {
        Cow::Borrowed(plain)
    } else {
        let text: String =
            serde_json::from_str(value.get()).map_err(|_| wrong(field, format!("`{field}` must be a string")))?;
        Cow::Owned(text)
    };
    if text.len() > limit {
        return Err(wrong(field, format!("`{field}` is longer than {limit} bytes")));
    }
    Ok(Some(text))
}

/// The inside of a string literal that has no escapes: its value as it stands.
fn plain(literal: &str) -> Option<&str> {
    let inside = literal.strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains('\\')).then_some(inside)
}

pub(crate) fn name<'a>(field: &'static str, value: Option<&'a RawValue>) -> Result<Option<Cow<'a, str>>, WireError> {
    let name = string(field, value, MAX_NAME)?;
    match &name {
        Some(text) if text.is_empty() => Err(wrong(field, format!("`{field}` is empty"))),
        Some(text) if text.chars().any(char::is_control) => {
            Err(wrong(field, format!("`{field}` has control characters")))
        }
        _ => Ok(name),
    }
}

pub(crate) fn scalar(field: &'static str, value: Option<&RawValue>) -> Result<Option<Json>, WireError> {
    let Some(value) = value.filter(|value| value.get() != "null") else {
        return Ok(None);
    };
    let text = value.get();
    if !text.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit()) {
        return Err(wrong(field, format!("`{field}` must be a string or a number")));
    }
    if text.len() > MAX_SCALAR {
        return Err(wrong(field, format!("`{field}` is longer than {MAX_SCALAR} bytes")));
    }
    Ok(Some(value.to_owned()))
}
