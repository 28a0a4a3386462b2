//! Cloud Agents' frames to what a client can say: that it is there, and how its person is.

use std::borrow::Cow;

use countersign_model::canonical::{MAX_DEPTH, too_deep};
use countersign_model::kind;
use serde::Deserialize;
use serde_json::value::RawValue;

/// How the seed's own `error` begins.
const INVALID: &str = "Invalid message format";

/// What a client says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// It asks for a `pong`.
    Ping,
    /// It answers a `ping`.
    Pong,
    /// How its person is.
    Presence(Presence),
}

/// How a person is, as they can say it. `offline` is what the hub says once they are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Active.
    Online,
    /// Idle.
    Away,
    /// Not to be disturbed.
    Busy,
}

impl Presence {
    /// Its word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Busy => "busy",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Online, Self::Away, Self::Busy]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// A frame that was not understood; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WireError(pub String);

fn invalid(why: impl std::fmt::Display) -> WireError {
    WireError(format!("{INVALID}: {why}"))
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default)]
    r#type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    // A string without escapes is borrowed as it stands.
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(value.get()).ok().map(|text| text.0)
}

/// Reads one frame.
///
/// # Errors
/// When it is nothing that a client can say; the error says what it can.
pub fn decode(text: &str) -> Result<Inbound, WireError> {
    if too_deep(text.as_bytes()) {
        return Err(invalid(format!("nested deeper than {MAX_DEPTH} levels")));
    }
    if !text.trim_start().starts_with('{') {
        // A derived struct would also read an array, by position.
        return Err(match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => invalid("a message is a JSON object with `type`"),
            Err(error) => invalid(format!("not JSON: {error}")),
        });
    }
    let frame: Frame<'_> = serde_json::from_str(text).map_err(|error| invalid(format!("not JSON: {error}")))?;
    let kind = frame
        .r#type
        .and_then(string)
        .ok_or_else(|| invalid("`type` is missing: a string such as \"ping\""))?;
    match &*kind {
        "ping" => Ok(Inbound::Ping),
        "pong" => Ok(Inbound::Pong),
        kind::USER_PRESENCE => {
            let status = frame.data.and_then(string).as_deref().and_then(Presence::parse);
            status
                .map(Inbound::Presence)
                .ok_or_else(|| invalid("`data` of `user_presence` is \"online\", \"away\" or \"busy\""))
        }
        kind::AGENT_STATUS | kind::CHAT_MESSAGE | kind::NOTIFICATION => Err(WireError(format!(
            "`{kind}` goes from the server to clients: agents publish it at /publish, or with POST /api/events"
        ))),
        "auth" | "error" => Err(WireError(format!("`{kind}` goes from the server to clients"))),
        _ => Err(WireError(
            "Unknown message type: a client sends `ping`, `pong` or `user_presence`".to_owned(),
        )),
    }
}
