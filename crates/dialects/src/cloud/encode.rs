//! The model to Cloud Agents' frames: `type`, `data`, `timestamp`, and beside them `seq`, `agent` and `session` of what is in the log.

use countersign_model::{Event, Json, Millis};
use serde::Serialize;

use super::project::{Told, told};
use crate::shrink;

fn text<T: Serialize>(frame: &T) -> String {
    serde_json::to_string(frame).expect("the dialect's frames serialise")
}

#[derive(Serialize)]
struct Frame<'a, T> {
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
    timestamp: Millis,
}

/// The first frame on a connection: whether its token was taken, and whose it is.
pub fn auth(success: bool, user: Option<&str>, now: Millis) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Data<'a> {
        success: bool,
        user_id: Option<&'a str>,
    }
    text(&Frame {
        r#type: "auth",
        data: Some(Data { success, user_id: user }),
        timestamp: now,
    })
}

/// Asks whether the client is still there.
pub fn ping(now: Millis) -> String {
    bare("ping", now)
}

/// The answer to a client's `ping`.
pub fn pong(now: Millis) -> String {
    bare("pong", now)
}

fn bare(kind: &str, now: Millis) -> String {
    text(&Frame::<()> {
        r#type: kind,
        data: None,
        timestamp: now,
    })
}

/// Says what was wrong with a frame.
pub fn error(error: &str, now: Millis) -> String {
    #[derive(Serialize)]
    struct Data<'a> {
        error: &'a str,
    }
    text(&Frame {
        r#type: "error",
        data: Some(Data { error }),
        timestamp: now,
    })
}

/// What a Cloud client is told of an event: nothing, one message, or two (a run that failed is a state and a notification).
/// Large data is cut; the whole is in the store under its `seq`.
pub fn messages(event: &Event) -> Vec<String> {
    told(event)
        .into_iter()
        .map(|Told { kind, data }| message(event, kind, data.as_ref()))
        .collect()
}

/// The fields of a message itself.
const OWN: [&str; 7] = ["type", "data", "timestamp", "seq", "agent", "session", "via"];

/// `projected` when the event's own data is not told to the letter: its envelope is not, either.
fn message(event: &Event, kind: &str, projected: Option<&Json>) -> String {
    let to_the_letter = projected.is_none();
    let data = shrink::outgoing(kind, projected.unwrap_or(&event.data));
    let mut out = String::with_capacity(data.len() + 200);
    out.push_str("{\"type\":");
    out.push_str(&text(&kind));
    out.push_str(",\"data\":");
    out.push_str(&data);
    out.push_str(",\"timestamp\":");
    match event.timestamp.as_ref().filter(|given| is_iso_8601(given.get())) {
        Some(given) => out.push_str(given.get()),
        None => out.push_str(&text(&event.time)),
    }
    out.push_str(",\"seq\":");
    out.push_str(&event.seq.to_string());
    out.push_str(",\"agent\":");
    out.push_str(&text(&event.agent));
    if let Some(session) = &event.session {
        out.push_str(",\"session\":");
        out.push_str(&text(&session));
    }
    if !event.via.is_empty() {
        out.push_str(",\"via\":");
        out.push_str(&text(&event.via));
    }
    if to_the_letter {
        event.extra.write_after(&mut out, &OWN);
    }
    out.push('}');
    out
}

/// Whether a JSON value is a string that begins as a date: the seed's clients read it as ISO 8601.
fn is_iso_8601(value: &str) -> bool {
    let bytes = value.as_bytes();
    let shape = b"\"dddd-dd-dd";
    bytes.len() > shape.len()
        && bytes.iter().zip(shape).all(|(byte, of)| match of {
            b'd' => byte.is_ascii_digit(),
            mark => byte == mark,
        })
}
