//! The Hive codec against the seed's own messages, against frames that are wrong in one place each, and against its bounds.

mod malformed;
mod publish;
mod seed;

use countersign_model::{Ask, Epoch, Event, Millis, NewEvent, Origin};

use super::{Action, Subscription, decode};
use crate::sam::{Decoded, Inbound, Peer, WireError};

/// 2026-01-17T10:30:00Z.
const NOW: Millis = Millis(1_768_645_800_000);

fn peer() -> Peer {
    Peer {
        origin: Origin::Hive,
        agent: "hive".into(),
        session: Some("c-0123456789ab".into()),
    }
}

fn read(text: &str) -> Result<Action, WireError> {
    decode(text, &peer())
}

fn subscription_in(text: &str) -> Subscription {
    match read(text).expect("well-formed") {
        Action::Subscribe(subscription) => subscription,
        other => panic!("not a subscription: {other:?}"),
    }
}

fn published(text: &str) -> Decoded {
    match read(text).expect("well-formed") {
        Action::Publish(decoded) => *decoded,
        other => panic!("not published: {other:?}"),
    }
}

fn event_in(text: &str) -> NewEvent {
    match published(text).inbound {
        Inbound::Event(event) => event,
        other => panic!("not an event: {other:?}"),
    }
}

fn ask_in(text: &str) -> Ask {
    match published(text).inbound {
        Inbound::Ask(ask) => *ask,
        other => panic!("not a question: {other:?}"),
    }
}

/// The event as the hub would put it into its log.
fn logged(new: NewEvent) -> Event {
    new.placed(12, Epoch::new("e1"), NOW)
}
