//! What a client says: input for its agent, and answers to what the agent asks. Each field is judged by itself, so that an
//! error can name it.

use countersign_model::canonical::{MAX_DEPTH, too_deep};
use countersign_model::{Json, Scope, Verdict};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::limits::{MAX_KIND, MAX_MESSAGE, MAX_NAME};

/// A message that was understood (seed 003, "Client to Server"). Its own id is not kept: the client picks it, and nothing
/// refers to it but the id of a request that an answer may repeat.
#[derive(Debug)]
pub struct Message {
    /// The message's id, where it has one.
    pub id: Option<String>,
    /// What it says.
    pub said: Said,
}

/// What a message says.
#[derive(Debug)]
pub enum Said {
    /// `user_input`.
    Input(Input),
    /// `approval_response`.
    Response(Response),
}

/// What the user says to the agent.
#[derive(Clone, Debug)]
pub struct Input {
    /// The items, as they came.
    pub items: Vec<Json>,
    /// The response that it goes on from.
    pub previous_response_id: Option<String>,
}

/// What the user says to a request.
#[derive(Clone, Debug)]
pub struct Response {
    /// The answer.
    pub review: Review,
    /// A patch in place of the one that was asked about, as it came.
    pub apply_patch: Option<Json>,
    /// A word to the agent, with a denial.
    pub deny_message: Option<String>,
}

/// The five answers (seed 003, "Approval Decisions").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    /// Approve this command.
    Yes,
    /// Deny it, and stop.
    No,
    /// Deny it, and go on with something else.
    NoContinue,
    /// Approve it, now and from now on.
    Always,
    /// Say what it does; the question stays.
    Explain,
}

impl Review {
    const ALL: [Self; 5] = [Self::Yes, Self::No, Self::NoContinue, Self::Always, Self::Explain];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "YES",
            Self::No => "NO",
            Self::NoContinue => "NO_CONTINUE",
            Self::Always => "ALWAYS",
            Self::Explain => "EXPLAIN",
        }
    }

    /// The review of that name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|review| review.as_str() == word)
    }

    /// The hub's word for it; `None` for a question back.
    pub fn verdict(self) -> Option<(Verdict, Scope)> {
        match self {
            Self::Yes => Some((Verdict::Approve, Scope::Once)),
            Self::Always => Some((Verdict::Approve, Scope::Always)),
            Self::NoContinue => Some((Verdict::Deny, Scope::Once)),
            Self::No => Some((Verdict::Stop, Scope::Once)),
            Self::Explain => None,
        }
    }

    /// This dialect's word for a decision of the hub.
    pub fn of(verdict: Verdict, scope: Scope) -> Self {
        match (verdict, scope) {
            (Verdict::Approve, Scope::Once) => Self::Yes,
            (Verdict::Approve, Scope::Session | Scope::Always) => Self::Always,
            (Verdict::Deny, _) => Self::NoContinue,
            (Verdict::Stop, _) => Self::No,
        }
    }
}

/// A message that was not understood; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WireError {
    /// What is wrong and what to do.
    pub message: String,
    /// Which field, as a path; `None` when it is the message as a whole.
    pub field: Option<&'static str>,
    /// The id of the message, where it could be read.
    pub id: Option<String>,
}

fn wrong(field: &'static str, message: impl Into<String>) -> WireError {
    WireError {
        message: message.into(),
        field: Some(field),
        id: None,
    }
}

fn whole(message: impl Into<String>) -> WireError {
    WireError {
        message: message.into(),
        field: None,
        id: None,
    }
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    r#type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct InputPayload<'a> {
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    previous_response_id: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct ResponsePayload<'a> {
    #[serde(borrow, default)]
    review: Option<&'a RawValue>,
    #[serde(borrow, default)]
    apply_patch: Option<&'a RawValue>,
    #[serde(borrow, default)]
    custom_deny_message: Option<&'a RawValue>,
}

/// Reads one message.
///
/// # Errors
/// When it is none that a client says; the error names the field.
pub fn decode(text: &str) -> Result<Message, WireError> {
    if too_deep(text.as_bytes()) {
        return Err(whole(format!("nested deeper than {MAX_DEPTH} levels")));
    }
    if !text.trim_start().starts_with('{') {
        // A derived struct would also read an array, by position.
        return Err(whole(match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => "a message is a JSON object with `id`, `type` and `payload`".to_owned(),
            Err(error) => format!("not JSON: {error}"),
        }));
    }
    let frame: Frame<'_> =
        serde_json::from_str(text).map_err(|error| whole(format!("not JSON that can be read: {error}")))?;
    let id = string("id", frame.id, MAX_NAME)?;
    match said(&frame) {
        Ok(said) => Ok(Message { id, said }),
        Err(error) => Err(WireError { id, ..error }),
    }
}

fn said(frame: &Frame<'_>) -> Result<Said, WireError> {
    let kind = string("type", frame.r#type, MAX_KIND)?
        .ok_or_else(|| wrong("type", "`type` is missing: \"user_input\" or \"approval_response\""))?;
    match &*kind {
        "user_input" => input(payload(frame)?).map(Said::Input),
        "approval_response" => response(payload(frame)?).map(Said::Response),
        _ => Err(wrong(
            "type",
            format!("unknown message type {kind:?}: a client sends \"user_input\" and \"approval_response\""),
        )),
    }
}

fn payload<'a>(frame: &Frame<'a>) -> Result<&'a RawValue, WireError> {
    match frame.payload {
        Some(payload) if payload.get().starts_with('{') => Ok(payload),
        Some(payload) if payload.get() != "null" => Err(wrong("payload", "`payload` must be an object")),
        _ => Err(wrong("payload", "`payload` is missing: an object")),
    }
}

fn input(payload: &RawValue) -> Result<Input, WireError> {
    let payload: InputPayload<'_> =
        serde_json::from_str(payload.get()).map_err(|error| wrong("payload", format!("cannot be read: {error}")))?;
    let input = given(payload.input)
        .ok_or_else(|| wrong("payload.input", "`payload.input` is missing: an array of input items"))?;
    let items: Vec<Json> = serde_json::from_str(input.get())
        .map_err(|_| wrong("payload.input", "`payload.input` must be an array of input items"))?;
    if items.is_empty() {
        return Err(wrong(
            "payload.input",
            "`payload.input` is empty: there is nothing to say to the agent",
        ));
    }
    if items.iter().any(|item| !item.get().starts_with('{')) {
        return Err(wrong(
            "payload.input",
            "each of `payload.input` must be an object with a `type`",
        ));
    }
    let field = "payload.previousResponseId";
    Ok(Input {
        items,
        previous_response_id: string(field, payload.previous_response_id, MAX_NAME)?,
    })
}

fn response(payload: &RawValue) -> Result<Response, WireError> {
    let payload: ResponsePayload<'_> =
        serde_json::from_str(payload.get()).map_err(|error| wrong("payload", format!("cannot be read: {error}")))?;
    let unknown = || "`payload.review` must be YES, NO, NO_CONTINUE, ALWAYS or EXPLAIN".to_owned();
    let word = given(payload.review).ok_or_else(|| wrong("payload.review", unknown()))?;
    let review = serde_json::from_str::<String>(word.get())
        .ok()
        .and_then(|word| Review::parse(&word));
    let review = review.ok_or_else(|| {
        let shown: String = word.get().chars().take(80).collect();
        wrong("payload.review", format!("unknown review {shown}: {}", unknown()))
    })?;
    let apply_patch = given(payload.apply_patch);
    if apply_patch.is_some_and(|patch| !patch.get().starts_with('{')) {
        return Err(wrong("payload.applyPatch", "`payload.applyPatch` must be an object"));
    }
    Ok(Response {
        review,
        apply_patch: apply_patch.map(RawValue::to_owned),
        deny_message: string("payload.customDenyMessage", payload.custom_deny_message, MAX_MESSAGE)?,
    })
}

fn given(value: Option<&RawValue>) -> Option<&RawValue> {
    value.filter(|value| value.get() != "null")
}

fn string(field: &'static str, value: Option<&RawValue>, limit: usize) -> Result<Option<String>, WireError> {
    let Some(value) = given(value) else { return Ok(None) };
    let text: String =
        serde_json::from_str(value.get()).map_err(|_| wrong(field, format!("`{field}` must be a string")))?;
    if text.len() > limit {
        return Err(wrong(field, format!("`{field}` is longer than {limit} bytes")));
    }
    Ok(Some(text))
}
