//! The model to Hive frames: `{"type":"event","event":{…}}` with the seed's five fields, and beside them `seq` and `agent`.

use std::borrow::Cow;

use countersign_model::{Approval, Epoch, Event, Json, Millis, Origin, Seq, SessionKey, Surface, Verdict};
use serde::Serialize;
use serde_json::value::RawValue;

use super::decode::Subscription;
use crate::shrink;

fn text<T: Serialize>(frame: &T) -> String {
    serde_json::to_string(frame).expect("the dialect's frames serialise")
}

/// The stream that monitors are told: the event's own, else its agent.
pub fn stream_id(event: &Event) -> &str {
    event.stream.as_deref().unwrap_or(&event.agent)
}

/// The execution that monitors are told: the event's session. A Hive agent that named no execution has none, although the
/// log files its events under the connection that they came by.
pub fn execution_id(event: &Event) -> Option<&str> {
    execution(event.origin, event.session.as_deref())
}

fn execution(origin: Origin, session: Option<&str>) -> Option<&str> {
    session.filter(|session| origin != Origin::Hive || !SessionKey::is_connection(session))
}

/// In lower case, as the seed's clients compare it.
fn lower(kind: &str) -> Cow<'_, str> {
    if kind.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(kind.to_ascii_lowercase())
    } else {
        Cow::Borrowed(kind)
    }
}

#[derive(Serialize)]
struct Told<'a, D, T> {
    r#type: &'a str,
    stream_id: &'a str,
    execution_id: Option<&'a str>,
    data: D,
    timestamp: T,
}

#[derive(Serialize)]
struct Framed<'a, E> {
    r#type: &'a str,
    event: E,
}

/// An event without its frame, as monitors and webhooks get it. Large data is cut; the whole is in the store under its `seq`.
pub fn event_object(event: &Event) -> String {
    let data = shrink::outgoing(&event.kind, &event.data);
    let mut out = String::with_capacity(data.len() + 200);
    push_event(&mut out, event, &data);
    out
}

/// An event, as a Hive monitor gets it.
pub fn event(event: &Event) -> String {
    let data = shrink::outgoing(&event.kind, &event.data);
    let mut out = String::with_capacity(data.len() + 232);
    out.push_str("{\"type\":\"event\",\"event\":");
    push_event(&mut out, event, &data);
    out.push('}');
    out
}

/// The fields of an event itself.
const OWN: [&str; 8] = [
    "type",
    "stream_id",
    "execution_id",
    "data",
    "timestamp",
    "seq",
    "agent",
    "via",
];

fn push_event(out: &mut String, event: &Event, data: &str) {
    out.push_str("{\"type\":");
    push_string(out, &lower(&event.kind));
    out.push_str(",\"stream_id\":");
    push_string(out, stream_id(event));
    out.push_str(",\"execution_id\":");
    match execution_id(event) {
        Some(execution) => push_string(out, execution),
        None => out.push_str("null"),
    }
    out.push_str(",\"data\":");
    out.push_str(data);
    out.push_str(",\"timestamp\":");
    match &event.timestamp {
        Some(given) => out.push_str(given.get()),
        None => push_string(out, &event.time.to_rfc3339()),
    }
    out.push_str(",\"seq\":");
    out.push_str(&event.seq.to_string());
    out.push_str(",\"agent\":");
    push_string(out, &event.agent);
    if !event.via.is_empty() {
        out.push_str(",\"via\":");
        out.push_str(&text(&event.via));
    }
    event.extra.write_after(out, &OWN);
    out.push('}');
}

fn push_string(out: &mut String, value: &str) {
    // Names rarely need escapes, and this runs for each event.
    if value.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(value);
        out.push('"');
    } else {
        out.push_str(&text(&value));
    }
}

/// Confirms a subscription as it is understood; what follows `seq` comes next, as far as it fits.
pub fn subscribed(subscription: &Subscription, epoch: &Epoch, seq: Seq) -> String {
    #[derive(Serialize)]
    struct Subscribed<'a> {
        r#type: &'a str,
        stream_id: Option<&'a str>,
        execution_id: Option<&'a str>,
        event_types: Option<&'a [String]>,
        binary: bool,
        epoch: &'a str,
        seq: Seq,
    }
    text(&Subscribed {
        r#type: "subscribed",
        stream_id: subscription.stream_id.as_deref(),
        execution_id: subscription.execution_id.as_deref(),
        event_types: subscription.event_types.as_deref(),
        binary: subscription.binary,
        epoch: epoch.as_str(),
        seq,
    })
}

/// Confirms that nothing more comes.
pub fn unsubscribed() -> &'static str {
    r#"{"type":"unsubscribed"}"#
}

/// The token is good.
pub fn authenticated() -> &'static str {
    r#"{"type":"authenticated"}"#
}

/// Says that the events after a resume point are not kept; live events follow. `last` is the last event kept of the epoch that
/// the resume point named, where that is known: whoever saw more of it resumes there.
pub fn history_lost(epoch: &Epoch, oldest: Seq, head: Seq, last: Option<Seq>) -> String {
    #[derive(Serialize)]
    struct Lost<'a> {
        r#type: &'a str,
        epoch: &'a str,
        oldest: Seq,
        head: Seq,
        #[serde(skip_serializing_if = "Option::is_none")]
        last: Option<Seq>,
    }
    text(&Lost {
        r#type: "history_lost",
        epoch: epoch.as_str(),
        oldest,
        head,
        last,
    })
}

/// The receipt for a published event that is committed.
pub fn ack(token: &Json, epoch: &Epoch, seq: Seq) -> String {
    crate::sam::ack(token, epoch, seq)
}

/// The answer to a request, in the shape of an event. Anything but an approval is a "no"; a request that is still pending has
/// no answer and gives `None`.
pub fn answer(approval: &Approval, now: Millis) -> Option<String> {
    #[derive(Serialize)]
    struct Response<'a> {
        request_id: &'a str,
        response: Verdict,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<Surface>,
        #[serde(skip_serializing_if = "Option::is_none")]
        arguments: Option<&'a RawValue>,
    }
    let response = approval.status.verdict()?;
    let decision = approval.decision.as_ref();
    Some(text(&Framed {
        r#type: "event",
        event: Told {
            r#type: "approval_response",
            stream_id: approval.stream.as_deref().unwrap_or(&approval.agent),
            execution_id: execution(approval.origin, Some(&approval.session)),
            data: Response {
                request_id: &approval.request_id,
                response,
                message: decision.and_then(|decision| decision.message.as_deref()),
                by: decision.map(|decision| decision.by),
                arguments: decision.and_then(|decision| decision.arguments.as_deref()),
            },
            timestamp: decision.map_or(now, |decision| decision.at),
        },
    }))
}

/// Tells an agent that a person ended its run, in the shape of an event.
pub fn stop(key: &SessionKey, message: Option<&str>, at: Millis) -> String {
    #[derive(Serialize)]
    struct Data<'a> {
        session: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
    }
    text(&Framed {
        r#type: "event",
        event: Told {
            r#type: "stop",
            stream_id: &key.agent,
            execution_id: execution(Origin::Hive, Some(&key.session)),
            data: Data {
                session: &key.session,
                message,
            },
            timestamp: at,
        },
    })
}

/// Says what was wrong with a frame, and in which field; the connection lives on.
pub fn error(error: &str, field: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Failed<'a> {
        r#type: &'a str,
        error: &'a str,
        field: Option<&'a str>,
    }
    text(&Failed {
        r#type: "error",
        error,
        field,
    })
}
