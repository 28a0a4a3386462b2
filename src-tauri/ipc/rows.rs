//! Events on their way to the page, written once as JSON text: no second tree of values between the log and the channel.

use countersign_model::{Epoch, Event, EventRow, Seq};
use serde::Serialize;

/// What the page is told when the place it asked for is gone; events go on from `head`.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Lost {
    pub(crate) oldest: Seq,
    pub(crate) head: Seq,
}

/// A message of the channel. All events have `from <= seq <= to`.
#[derive(Serialize)]
struct Batch<'a> {
    epoch: &'a Epoch,
    from: Seq,
    to: Seq,
    events: Vec<EventRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<Lost>,
}

#[derive(Serialize)]
struct Page<'a> {
    events: Vec<EventRow<'a>>,
    next: Option<Seq>,
}

/// A batch of what was read after `seen`.
pub(crate) fn batch<'a>(epoch: &Epoch, seen: Seq, to: Seq, events: impl Iterator<Item = &'a Event>) -> String {
    text(&Batch {
        epoch,
        from: seen + 1,
        to,
        events: events.map(EventRow::from).collect(),
        lost: None,
    })
}

/// The first message of a follower whose place is gone.
pub(crate) fn lost(epoch: &Epoch, lost: Lost) -> String {
    text(&Batch {
        epoch,
        from: lost.head,
        to: lost.head,
        events: Vec::new(),
        lost: Some(lost),
    })
}

/// A page of history.
pub(crate) fn page(events: &[Event], next: Option<Seq>) -> String {
    let events = events.iter().map(EventRow::from).collect();
    text(&Page { events, next })
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("the project's values serialise")
}
