//! The model to SAM frames: the seed's envelope, and beside it `seq`, `agent`, `session`, `stream`, and `origin` for those who ask.

use std::borrow::Cow;

use countersign_model::{Approval, Epoch, Event, Json, Millis, Seq, Verdict, fields, kind};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::shrink;

fn text<T: Serialize>(frame: &T) -> String {
    serde_json::to_string(frame).expect("the dialect's frames serialise")
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

/// The fields of an event's frame itself; `request_id` and `response` belong to answers, which no publisher gives.
const OWN: [&str; 11] = [
    "type",
    "timestamp",
    "data",
    "seq",
    "agent",
    "session",
    "stream",
    "via",
    "origin",
    "request_id",
    "response",
];

/// An event, as a SAM monitor gets it. Large data is cut; the whole is in the store under its `seq`.
pub fn event(event: &Event) -> String {
    frame(event, false)
}

/// The same, and which dialect or part of the hub made it.
pub fn event_with_origin(event: &Event) -> String {
    frame(event, true)
}

fn frame(event: &Event, origin: bool) -> String {
    let status = (&*event.kind == kind::AGENT_STATUS)
        .then(|| status(&event.data))
        .flatten();
    let data = shrink::outgoing(&event.kind, status.as_ref().unwrap_or(&event.data));
    let mut out = String::with_capacity(data.len() + 160);
    out.push_str("{\"type\":");
    push_string(&mut out, &event.kind);
    out.push_str(",\"timestamp\":");
    match &event.timestamp {
        Some(given) => out.push_str(given.get()),
        None => push_string(&mut out, &event.time.to_rfc3339()),
    }
    out.push_str(",\"data\":");
    out.push_str(&data);
    out.push_str(",\"seq\":");
    out.push_str(&event.seq.to_string());
    out.push_str(",\"agent\":");
    push_string(&mut out, &event.agent);
    if let Some(session) = &event.session {
        out.push_str(",\"session\":");
        push_string(&mut out, session);
    }
    if let Some(stream) = &event.stream {
        out.push_str(",\"stream\":");
        push_string(&mut out, stream);
    }
    if origin {
        out.push_str(",\"origin\":\"");
        out.push_str(event.origin.as_str());
        out.push('"');
    }
    if !event.via.is_empty() {
        out.push_str(",\"via\":");
        out.push_str(&text(&event.via));
    }
    event.extra.write_after(&mut out, &OWN);
    out.push('}');
    out
}

/// Cloud Agents' `agent_status` in SAM's words, its own fields beside them; `None` when it is SAM's already, or says nothing.
fn status(data: &RawValue) -> Option<Json> {
    let given = fields::read(data.get()).ok()?;
    let find = |name: &str| given.iter().find(|(field, _)| field == name);
    if find("status").is_some() {
        return None;
    }
    let (_, state) = find("state").filter(|(_, state)| state.starts_with('"'))?;
    let details: Vec<_> = ["currentTask", "progress"]
        .into_iter()
        .filter_map(find)
        .cloned()
        .collect();
    let mut said = vec![("status".to_owned(), state.clone())];
    if find("details").is_none() {
        said.push(("details".to_owned(), Cow::Owned(fields::write(&details))));
    }
    said.extend(given.iter().cloned());
    RawValue::from_string(fields::write(&said)).ok()
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    r#type: &'a str,
    timestamp: Millis,
    data: T,
}

/// The first frame to a monitor that asked for a place, types or agents.
pub fn hello(epoch: &Epoch, head: Seq, version: &str, now: Millis) -> String {
    #[derive(Serialize)]
    struct Data<'a> {
        epoch: &'a str,
        head: Seq,
        version: &'a str,
    }
    text(&Envelope {
        r#type: "hello",
        timestamp: now,
        data: Data {
            epoch: epoch.as_str(),
            head,
            version,
        },
    })
}

/// Says that the events after a resume point are not kept; live events follow. `last` is the last event kept of the epoch that
/// the resume point named, where that is known: whoever saw more of it resumes there.
pub fn history_lost(epoch: &Epoch, oldest: Seq, head: Seq, last: Option<Seq>, now: Millis) -> String {
    #[derive(Serialize)]
    struct Data<'a> {
        epoch: &'a str,
        oldest: Seq,
        head: Seq,
        #[serde(skip_serializing_if = "Option::is_none")]
        last: Option<Seq>,
    }
    text(&Envelope {
        r#type: "history_lost",
        timestamp: now,
        data: Data {
            epoch: epoch.as_str(),
            oldest,
            head,
            last,
        },
    })
}

/// The receipt for a frame that is committed.
pub fn ack(token: &Json, epoch: &Epoch, seq: Seq) -> String {
    #[derive(Serialize)]
    struct Ack<'a> {
        r#type: &'a str,
        ack: &'a Json,
        epoch: &'a str,
        seq: Seq,
    }
    text(&Ack {
        r#type: "ack",
        ack: token,
        epoch: epoch.as_str(),
        seq,
    })
}

/// The answer to a request: the seed's `approval_response`, and beside it `message` and `by`.
///
/// Anything but an approval is a "no"; a request that is still pending has no answer and gives `None`.
pub fn answer(approval: &Approval) -> Option<String> {
    #[derive(Serialize)]
    struct Response<'a> {
        r#type: &'a str,
        request_id: &'a str,
        response: Verdict,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<countersign_model::Surface>,
        #[serde(skip_serializing_if = "Option::is_none")]
        arguments: Option<&'a Json>,
    }
    let response = approval.status.verdict()?;
    let decision = approval.decision.as_ref();
    Some(text(&Response {
        r#type: "approval_response",
        request_id: &approval.request_id,
        response,
        message: decision.and_then(|decision| decision.message.as_deref()),
        by: decision.map(|decision| decision.by),
        arguments: decision.and_then(|decision| decision.arguments.as_ref()),
    }))
}

/// Tells an agent that a person ended its run.
pub fn stop(session: &str, message: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Data<'a> {
        session: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
    }
    #[derive(Serialize)]
    struct Stop<'a> {
        r#type: &'a str,
        data: Data<'a>,
    }
    text(&Stop {
        r#type: "stop",
        data: Data { session, message },
    })
}

/// Says what was wrong with a frame.
pub fn error(error: &str, field: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Data<'a> {
        error: &'a str,
        field: Option<&'a str>,
    }
    #[derive(Serialize)]
    struct Failed<'a> {
        r#type: &'a str,
        data: Data<'a>,
    }
    text(&Failed {
        r#type: "error",
        data: Data { error, field },
    })
}
