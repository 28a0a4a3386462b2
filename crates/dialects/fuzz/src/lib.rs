//! What must hold of any bytes that a peer sends. Plain functions: libFuzzer drives them with a nightly compiler, and
//! `tests/fuzz_smoke.rs` of the crate drives them with seeds and random changes in every test run.

mod cloud;
mod codex;

pub use cloud::{fuzz_cloud_decode, fuzz_cloud_encode};
pub use codex::fuzz_codex;

use countersign_dialects::hive::{self, Action};
use countersign_dialects::limits::{MAX_KIND, MAX_MESSAGE, MAX_NAME, MAX_OUT, MAX_RESULT_OUT, MAX_SCALAR};
use countersign_dialects::sam::{self, Inbound, Peer, WireError};
use countersign_dialects::shrink;
use countersign_model::canonical::{self, too_deep};
use countersign_model::{Ask, Epoch, Event, Millis, NewEvent, Origin, Verdict, kind};
use serde_json::Value;
use serde_json::value::RawValue;

fn peer() -> Peer {
    Peer {
        origin: Origin::Sam,
        agent: "sam".into(),
        session: None,
    }
}

fn logged(new: NewEvent) -> Event {
    new.placed(u64::MAX, Epoch::new("e1"), Millis(0))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control)
}

fn names_its_field(error: &WireError) {
    let frame: Value = serde_json::from_str(&sam::error(&error.error, error.field)).expect("an error frame is JSON");
    assert_eq!(frame["type"], "error");
    assert_eq!(frame["data"]["field"].as_str(), error.field);
    assert!(!error.error.is_empty());
}

/// The event is within bounds, goes out as JSON of a size that clients take, and comes in again as the same event.
fn holds_as_event(event: NewEvent) {
    assert!(!event.kind.is_empty() && event.kind.len() <= MAX_KIND);
    assert!(is_name(&event.agent) && event.session.as_deref().is_some_and(is_name));
    assert!(event.stream.as_deref().is_none_or(is_name));
    assert!(
        event
            .timestamp
            .as_ref()
            .is_none_or(|timestamp| timestamp.get().len() <= MAX_SCALAR)
    );
    assert!(event.data.get().starts_with('{'));
    // Cloud's status goes out with SAM's fields beside its own.
    let whole = event.data.get().len() <= MAX_RESULT_OUT && &*event.kind != kind::AGENT_STATUS;
    let (kind, data) = (event.kind.clone(), event.data.get().to_owned());
    let out = sam::event(&logged(event));
    assert!(out.len() < MAX_OUT);
    assert!(!whole || out.contains(&data), "what is small goes out to the letter");
    if matches!(&*kind, kind::APPROVAL_REQUEST | kind::APPROVAL_RESPONSE) {
        return;
    }
    let again = sam::decode(&out, &peer()).expect("what went out can come in");
    let Inbound::Event(again) = again.inbound else {
        panic!("another kind of frame")
    };
    assert_eq!(again.kind, kind);
    assert!(!whole || again.data.get() == data);
}

/// What a person would see of the question is what is bound, whatever way its JSON is spelled.
fn holds_as_question(ask: &Ask) {
    assert!(is_name(&ask.request_id) && is_name(&ask.tool_name) && is_name(&ask.agent) && is_name(&ask.session));
    assert!(ask.timeout.is_none_or(|seconds| (1..=31_536_000).contains(&seconds)));
    if canonical::digest(&ask.tool_name, &ask.arguments, ask.cwd.as_deref()).is_err() {
        return;
    }
    let Ok(data) = serde_json::from_str::<Value>(ask.data.get()) else {
        return;
    };
    assert_eq!(data["tool_name"], ask.tool_name);
    assert_eq!(data["cwd"].as_str(), ask.cwd.as_deref());
    let arguments: Value = serde_json::from_str(ask.arguments.get()).expect("bound, and so readable");
    assert!(data["arguments"] == arguments || data["arguments"].is_null());
}

/// Any frame on a SAM socket.
pub fn fuzz_sam_decode(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let decoded = match sam::decode(text, &peer()) {
        Ok(decoded) => decoded,
        Err(error) => return names_its_field(&error),
    };
    assert!(!too_deep(bytes));
    if let Some(token) = &decoded.ack {
        let receipt = sam::ack(token, &Epoch::new("e1"), 1);
        serde_json::from_str::<&RawValue>(&receipt).expect("a receipt is JSON");
    }
    match decoded.inbound {
        Inbound::Event(event) => {
            assert!(!matches!(
                &*event.kind,
                kind::APPROVAL_REQUEST | kind::APPROVAL_RESPONSE
            ));
            holds_as_event(event);
        }
        Inbound::Ask(ask) => {
            holds_as_question(&ask);
            let (_, event) = ask.asked("apr-1".into(), String::new(), 1, Millis(0));
            holds_as_event(event);
        }
        Inbound::Answer(reply) => {
            assert!(is_name(&reply.request_id) && reply.agent.as_deref().is_none_or(is_name));
            assert!(reply.message.is_none_or(|message| message.len() <= MAX_MESSAGE));
            if let Ok(frame) = serde_json::from_str::<Value>(text) {
                let said = frame["response"] == "approve";
                assert_eq!(reply.response == Verdict::Approve, said, "nothing else approves");
            }
        }
    }
}

/// Any body of a question over REST.
pub fn fuzz_sam_ask(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match sam::decode_ask(text, &peer(), "fallback") {
        Ok(ask) => holds_as_question(&ask),
        Err(error) => names_its_field(&error),
    }
}

/// Any data that is to be cut to size.
pub fn fuzz_shrink(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(data) = serde_json::from_str::<&RawValue>(text) else {
        return;
    };
    if too_deep(bytes) || !data.get().starts_with('{') {
        return;
    }
    for kind in ["x", kind::TOOL_CALL_RESULT] {
        let out = shrink::outgoing(kind, data);
        assert!(out.len() < MAX_OUT);
        serde_json::from_str::<&RawValue>(&out).expect("still JSON");
    }
    if let Some(kept) = shrink::kept(data, "result", 16) {
        serde_json::from_str::<&RawValue>(&kept).expect("still JSON");
    }
}

/// Any frame on a Hive socket.
pub fn fuzz_hive_decode(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let peer = Peer {
        origin: Origin::Hive,
        agent: "hive".into(),
        session: Some("c-0123456789ab".into()),
    };
    let action = match hive::decode(text, &peer) {
        Ok(action) => action,
        Err(error) => {
            let frame: Value =
                serde_json::from_str(&hive::error(&error.error, error.field)).expect("an error frame is JSON");
            assert_eq!(frame["type"], "error");
            assert_eq!(frame["field"].as_str(), error.field);
            assert_eq!(frame["error"].as_str(), Some(&*error.error));
            return;
        }
    };
    assert!(!too_deep(bytes) && hive::is_hive(text));
    match action {
        Action::Unsubscribe | Action::Auth { .. } => {}
        Action::Subscribe(subscription) => {
            assert!(subscription.stream_id.as_deref().is_none_or(is_name));
            assert!(subscription.execution_id.as_deref().is_none_or(is_name));
            if let Some(types) = &subscription.event_types {
                assert!(!types.is_empty() && types.len() <= 256);
                let is_type = |name: &String| !name.bytes().any(|byte| byte.is_ascii_uppercase());
                assert!(types.iter().all(is_type));
            }
            let told = hive::subscribed(&subscription, &Epoch::new("e1"), 1);
            serde_json::from_str::<Value>(&told).expect("a confirmation is JSON");
        }
        Action::Publish(decoded) => match decoded.inbound {
            Inbound::Event(event) => holds_as_hive_event(event),
            Inbound::Ask(ask) => holds_as_question(&ask),
            Inbound::Answer(reply) => {
                if let Ok(frame) = serde_json::from_str::<Value>(text) {
                    let said = frame["event"]["data"]["response"] == "approve";
                    assert_eq!(reply.response == Verdict::Approve, said, "nothing else approves");
                }
            }
        },
    }
}

/// The event goes out as JSON of a size that clients take, in lower case, and its data to the letter when it is small.
fn holds_as_hive_event(event: NewEvent) {
    assert!(is_name(&event.agent) && event.session.as_deref().is_some_and(is_name));
    assert!(!event.kind.bytes().any(|byte| byte.is_ascii_uppercase()));
    let whole = event.data.get().len() <= MAX_RESULT_OUT;
    let (kind, data) = (event.kind.clone(), event.data.get().to_owned());
    let out = hive::event(&logged(event));
    assert!(out.len() < MAX_OUT);
    assert!(!whole || out.contains(&data), "what is small goes out to the letter");
    serde_json::from_str::<&RawValue>(&out).expect("JSON");
    if let Ok(frame) = serde_json::from_str::<Value>(&out) {
        assert_eq!(frame["type"], "event");
        assert_eq!(frame["event"]["type"].as_str(), Some(&*kind));
        assert!(frame["event"]["stream_id"].is_string());
    }
}

/// Any message of a Socket.IO client: a packet, and what is asked in it.
pub fn fuzz_amiga(bytes: &[u8]) {
    use countersign_dialects::amiga::{self, Command, Packet, packet};
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let asked = match packet::read(text) {
        Ok(Packet::Event { text, .. }) => text,
        Ok(_) | Err(_) => text,
    };
    match amiga::decode(asked) {
        Ok(Command::Subscribe(wants)) => {
            assert!((1..=168).contains(&wants.hours) && (1..=60).contains(&wants.interval));
        }
        Ok(Command::SetInterval(interval)) => assert!((1..=60).contains(&interval)),
        Ok(Command::History { hours, step, .. }) => assert!((1..=168).contains(&hours) && (1..=1440).contains(&step)),
        Ok(Command::Refresh { hours, .. } | Command::Join(_, hours)) => {
            assert!(hours.is_none_or(|hours| (1..=168).contains(&hours)));
        }
        Ok(Command::Unsubscribe | Command::Leave(_)) => {}
        Err(refused) => {
            let error = amiga::error(&refused.to_string(), Millis(0));
            let error: Value = serde_json::from_str(error.get()).expect("an error is JSON");
            assert!(error["error"].as_str().is_some_and(|text| !text.is_empty()));
        }
    }
    if let Ok(hours) = amiga::query_hours(Some(text)) {
        assert!((1..=168).contains(&hours));
    }
}
