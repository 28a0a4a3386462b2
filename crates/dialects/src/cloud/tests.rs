//! The Cloud Agents codec against the seed's own messages, against frames that a client cannot send, and as the view of what other
//! dialects' agents do.

mod malformed;
mod others;
mod seed;

use countersign_model::{Epoch, Event, Extra, Millis, Origin, to_json};
use serde_json::Value;

use super::messages;

/// 2025-12-26T13:00:00Z, as in the seed.
const NOW: Millis = Millis(1_766_754_000_000);

/// An event as the hub has it in its log.
fn event(origin: Origin, kind: &str, data: &Value) -> Event {
    Event {
        seq: 12,
        epoch: Epoch::new("e1"),
        time: NOW,
        origin,
        agent: "builder".into(),
        session: Some("run 7".into()),
        stream: None,
        kind: kind.into(),
        timestamp: None,
        data: to_json(data),
        extra: Extra::default(),
        via: Vec::new(),
    }
}

/// What a client is told, as JSON.
fn told(event: &Event) -> Vec<Value> {
    messages(event)
        .iter()
        .map(|text| serde_json::from_str(text).expect("JSON"))
        .collect()
}
