//! The SAM codec against the seed's own messages, against frames that are wrong in one place each, and against its promise
//! that what comes in goes out to the letter.

mod bounds;
mod malformed;
mod round_trip;
mod seed;

use std::sync::Arc;

use countersign_model::{Ask, Epoch, Event, Millis, NewEvent, Origin};

use super::{Decoded, Inbound, Peer, Reply, WireError, decode};

/// 2026-01-17T10:30:00Z.
const NOW: Millis = Millis(1_768_645_800_000);

fn peer() -> Peer {
    Peer {
        origin: Origin::Sam,
        agent: "sam".into(),
        session: Some("connection 7".into()),
    }
}

fn read(text: &str) -> Result<Decoded, WireError> {
    decode(text, &peer())
}

fn event_in(text: &str) -> NewEvent {
    match read(text).expect("well-formed").inbound {
        Inbound::Event(event) => event,
        other => panic!("not an event: {other:?}"),
    }
}

fn ask_in(text: &str) -> Ask {
    match read(text).expect("well-formed").inbound {
        Inbound::Ask(ask) => *ask,
        other => panic!("not a question: {other:?}"),
    }
}

fn reply_in(text: &str) -> Reply {
    match read(text).expect("well-formed").inbound {
        Inbound::Answer(reply) => reply,
        other => panic!("not an answer: {other:?}"),
    }
}

/// The event as the hub would put it into its log.
fn logged(new: NewEvent) -> Event {
    new.placed(12, Epoch::new("e1"), NOW)
}

/// The frame of an event of that kind, with that data.
fn frame(kind: &str, data: &str) -> String {
    format!(r#"{{"type":"{kind}","data":{data}}}"#)
}

fn name(text: &str) -> Option<Arc<str>> {
    Some(text.into())
}
