//! Publishing what may be sent again: what was taken in before is recognised, over restarts too, and adds nothing.

use countersign_model::{NewEvent, Seq};

use super::publish::publishable;
use super::{Hub, PublishError, lock};
use crate::entry::{Change, Entry};
use crate::seen::Mark;

/// What became of events with marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// For each in its order: where it is in the log, and whether it is there only now.
    pub places: Vec<(Seq, bool)>,
    /// Once this place is committed, so are all of them.
    pub last: Seq,
}

impl Hub {
    /// Publishes those of the events whose marks are new, in order; a mark is recorded in the commit of its event.
    ///
    /// # Errors
    /// As [`Hub::publish`].
    pub async fn publish_once(&self, events: Vec<(NewEvent, Mark)>) -> Result<Once, PublishError> {
        events.iter().try_for_each(|(event, _)| publishable(event))?;
        if events.is_empty() {
            return Err(PublishError::Empty);
        }
        self.room().await;
        let _order = lock(&self.state);
        let mut seen = lock(&self.seen);
        let now = self.clock.now();
        let mut places = Vec::with_capacity(events.len());
        for (new, mark) in events {
            if let Some(seq) = seen.get(mark) {
                places.push((seq, false));
                continue;
            }
            let mut new = Some(new);
            let seq = self.log.append(1, |seq| {
                let new = new.take().expect("one");
                let change = Change::Seen(seen.put(mark, seq));
                Entry::new(self.event_of(new, seq, now), vec![change])
            });
            places.push((seq, true));
        }
        let last = places.iter().map(|(seq, _)| *seq).max().unwrap_or_default();
        Ok(Once { places, last })
    }

    /// Where the event of this mark is, if it was taken in.
    pub fn seen(&self, mark: Mark) -> Option<Seq> {
        lock(&self.seen).get(mark)
    }
}
