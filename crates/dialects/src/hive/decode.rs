//! Hive frames to the model: what a client asks for with `action`, and the events that its agents publish.

use std::borrow::Cow;
use std::sync::Arc;

use countersign_model::canonical::{MAX_DEPTH, too_deep};
use countersign_model::{NewEvent, Since, Verdict, kind};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::events::{EventType, Payload};
use crate::fields::{raw_fields, rest_of};
use crate::limits::{MAX_KIND, MAX_MESSAGE, MAX_NAME};
use crate::sam::{Decoded, Inbound, Peer, Reply, WireError, name, own, request, scalar, string, wrong};

/// Names in `event_types` at most.
const MAX_TYPES: usize = 256;
/// Bytes of a token at most.
const MAX_TOKEN: usize = 16 * 1024;

/// What a frame asks for.
#[derive(Debug)]
pub enum Action {
    /// From now on only what fits.
    Subscribe(Subscription),
    /// From now on nothing.
    Unsubscribe,
    /// Says who it is.
    Auth {
        /// The token, or nothing.
        token: String,
    },
    /// An event, a question or an answer.
    Publish(Box<Decoded>),
}

/// What a client wants to see. Every field that is there must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// Only this stream.
    pub stream_id: Option<String>,
    /// Only this execution.
    pub execution_id: Option<String>,
    /// Only these types, in lower case; the hub's own come only when named here, or with `*`.
    pub event_types: Option<Vec<String>>,
    /// Events in binary frames.
    pub binary: bool,
    /// From this place on, not from now.
    pub since: Option<Since>,
}

raw_fields! {
    struct Frame {
        action: "action",
        stream_id: "stream_id",
        execution_id: "execution_id",
        event_types: "event_types",
        binary: "binary",
        since: "since",
        token: "token",
        event: "event",
        ack: "ack",
    }
}

raw_fields! {
    struct Published {
        r#type: "type",
        stream_id: "stream_id",
        execution_id: "execution_id",
        data: "data",
        timestamp: "timestamp",
        agent: "agent",
    }
}

raw_fields! {
    struct Response {
        request_id: "request_id",
        response: "response",
        message: "message",
    }
}

/// Whether a frame is one of Hive's: an object with an `action`. Where several dialects are spoken, the first frame decides.
pub fn is_hive(text: &str) -> bool {
    !too_deep(text.as_bytes())
        && text.trim_start().starts_with('{')
        && serde_json::from_str::<Frame<'_>>(text).is_ok_and(|frame| frame.action.is_some())
}

/// Reads one frame.
///
/// # Errors
/// When it is not an action that is known, or one that is not well-formed; the error names the field.
pub fn decode(text: &str, peer: &Peer) -> Result<Action, WireError> {
    let frame: Frame<'_> = object(text)?;
    let action = string("action", frame.action, MAX_NAME)?.ok_or_else(|| {
        wrong(
            "action",
            "`action` is missing: \"subscribe\", \"unsubscribe\", \"publish\" or \"auth\"",
        )
    })?;
    match &*action {
        "subscribe" => Ok(Action::Subscribe(subscription(&frame)?)),
        "unsubscribe" => Ok(Action::Unsubscribe),
        "auth" => {
            let token = string("token", frame.token, MAX_TOKEN)?.unwrap_or_default();
            Ok(Action::Auth {
                token: token.into_owned(),
            })
        }
        "publish" => Ok(Action::Publish(Box::new(published(&frame, peer)?))),
        _ => Err(wrong(
            "action",
            "this `action` is not known: it is \"subscribe\", \"unsubscribe\", \"publish\" or \"auth\"",
        )),
    }
}

fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, WireError> {
    let whole = |error: String| WireError { error, field: None };
    if too_deep(text.as_bytes()) {
        return Err(whole(format!("nested deeper than {MAX_DEPTH} levels")));
    }
    if !text.trim_start().starts_with('{') {
        // A derived struct would also read an array, by position.
        return Err(whole(match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => "a frame is a JSON object with `action`".to_owned(),
            Err(error) => format!("not JSON: {error}"),
        }));
    }
    serde_json::from_str(text).map_err(|error| whole(format!("not JSON that can be read: {error}")))
}

fn given(value: Option<&RawValue>) -> Option<&RawValue> {
    value.filter(|value| value.get() != "null")
}

fn subscription(frame: &Frame<'_>) -> Result<Subscription, WireError> {
    let owned = |name: Option<Cow<'_, str>>| name.map(Cow::into_owned);
    Ok(Subscription {
        stream_id: owned(name("stream_id", frame.stream_id)?),
        execution_id: owned(name("execution_id", frame.execution_id)?),
        event_types: given(frame.event_types).map(event_types).transpose()?.flatten(),
        binary: match given(frame.binary).map(RawValue::get) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(wrong("binary", "`binary` is true or false")),
        },
        since: given(frame.since).map(since).transpose()?,
    })
}

/// An empty list names no type in particular, and so leaves none out.
fn event_types(value: &RawValue) -> Result<Option<Vec<String>>, WireError> {
    let bad = || {
        wrong(
            "event_types",
            "`event_types` is a list of types, such as [\"GOAL_PROGRESS\"]",
        )
    };
    let names: Vec<String> = serde_json::from_str(value.get()).map_err(|_| bad())?;
    if names.len() > MAX_TYPES {
        return Err(wrong(
            "event_types",
            format!("`event_types` has more than {MAX_TYPES} names"),
        ));
    }
    if names.iter().any(|name| name.is_empty() || name.len() > MAX_KIND) {
        return Err(wrong(
            "event_types",
            format!("a type has 1 to {MAX_KIND} bytes: {}", bad().error),
        ));
    }
    let names: Vec<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    Ok((!names.is_empty()).then_some(names))
}

fn since(value: &RawValue) -> Result<Since, WireError> {
    let place = if value.get().starts_with('"') {
        string("since", Some(value), MAX_NAME)?.unwrap_or_default()
    } else {
        Cow::Borrowed(value.get())
    };
    place
        .parse()
        .map_err(|error: countersign_model::cursor::SinceError| wrong("since", error.to_string()))
}

fn published(frame: &Frame<'_>, peer: &Peer) -> Result<Decoded, WireError> {
    let event =
        given(frame.event).ok_or_else(|| wrong("event", "`event` is missing: an object with `type` and `data`"))?;
    if !event.get().starts_with('{') {
        return Err(wrong("event", "`event` must be an object"));
    }
    let ack = scalar("ack", frame.ack)?;
    let event: Published<'_> = object(event.get()).map_err(|error| wrong("event", error.error))?;
    let inbound = inbound(event, peer).map_err(|error| WireError {
        field: error.field.map(in_event),
        ..error
    })?;
    Ok(Decoded { inbound, ack })
}

/// Where a field of an event stands in a frame that publishes one.
fn in_event(field: &'static str) -> &'static str {
    match field {
        "type" => "event.type",
        "data" => "event.data",
        "agent" => "event.agent",
        "stream" | "stream_id" => "event.stream_id",
        "session" | "execution_id" => "event.execution_id",
        "timestamp" => "event.timestamp",
        "request_id" | "data.request_id" => "event.data.request_id",
        "response" | "data.response" => "event.data.response",
        "message" | "data.message" => "event.data.message",
        "data.tool_name" => "event.data.tool_name",
        "data.arguments" => "event.data.arguments",
        "data.timeout" => "event.data.timeout",
        "data.cwd" => "event.data.cwd",
        other => other,
    }
}

fn inbound(event: Published<'_>, peer: &Peer) -> Result<Inbound, WireError> {
    // Hive writes its types in capitals in code and in small letters on the wire: small letters are what the log knows.
    let kind = string("type", event.r#type, MAX_KIND)?
        .ok_or_else(|| wrong("type", "`type` is missing: a string such as \"EXECUTION_STARTED\""))?
        .to_ascii_lowercase();
    if kind.is_empty() {
        return Err(wrong("type", "`type` is empty"));
    }
    let data = given(event.data).ok_or_else(|| wrong("data", "`data` is missing: an object, which may be empty"))?;
    if !data.get().starts_with('{') {
        return Err(wrong("data", "`data` must be an object"));
    }
    let agent = name("agent", event.agent)?;
    if kind == kind::APPROVAL_RESPONSE {
        return Ok(Inbound::Answer(reply(data, agent)?));
    }
    let data = own(&kind, data);
    let (mut stream, mut session) = (
        name("stream_id", event.stream_id)?.map(Arc::<str>::from),
        name("execution_id", event.execution_id)?.map(Arc::<str>::from),
    );
    if let Some(event_type) = EventType::parse(&kind)
        && (stream.is_none() || session.is_none())
    {
        let payload = Payload::read(event_type, &data);
        stream = stream.or_else(|| payload.stream_id().and_then(said));
        session = session.or_else(|| payload.execution_id().and_then(said));
    }
    let agent = agent.map(Arc::from).or_else(|| stream.clone());
    let event = NewEvent {
        origin: peer.origin,
        agent: agent.unwrap_or_else(|| peer.agent.clone()),
        session: session.or_else(|| peer.session.clone()),
        stream,
        timestamp: scalar("timestamp", event.timestamp)?,
        data,
        kind: kind.into(),
        extra: rest_of(event.rest),
    };
    if &*event.kind == kind::APPROVAL_REQUEST {
        return Ok(Inbound::Ask(Box::new(request(event)?)));
    }
    Ok(Inbound::Event(event))
}

/// A name that the data says beside what it is for: one that is none says nothing.
pub(crate) fn said(name: &str) -> Option<Arc<str>> {
    (!name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control)).then(|| name.into())
}

fn reply(data: &RawValue, agent: Option<Cow<'_, str>>) -> Result<Reply, WireError> {
    let response: Response<'_> = object(data.get()).map_err(|error| wrong("data", error.error))?;
    let request_id = name("data.request_id", response.request_id)?.ok_or_else(|| {
        wrong(
            "data.request_id",
            "`request_id` is missing: the id of the request to answer",
        )
    })?;
    let verdict = match string("data.response", response.response, MAX_NAME)?.as_deref() {
        Some("approve") => Verdict::Approve,
        Some("deny") => Verdict::Deny,
        Some("stop") => Verdict::Stop,
        _ => {
            return Err(wrong(
                "data.response",
                "`response` is \"approve\", \"deny\" or \"stop\"",
            ));
        }
    };
    Ok(Reply {
        request_id: request_id.into_owned(),
        agent: agent.map(Cow::into_owned),
        response: verdict,
        message: string("data.message", response.message, MAX_MESSAGE)?.map(Cow::into_owned),
    })
}
