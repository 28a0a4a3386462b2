//! Where readers start: at a place in the log, at its head, or where the store is.

use countersign_model::{Epoch, Seq, Since};

use super::Hub;
use crate::Cursor;

/// A resume point that cannot be honoured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the events after this place are not kept")]
pub struct HistoryLost {
    /// The current epoch.
    pub epoch: Epoch,
    /// The oldest event that is kept.
    pub oldest: Seq,
    /// The newest event.
    pub head: Seq,
    /// The last event that was kept of the epoch that the place names, where that one is known.
    pub last: Option<Seq>,
}

impl Hub {
    /// A cursor at `since`, or at the newest event.
    ///
    /// # Errors
    /// When the log does not hold what came after `since`; see [`Hub::from_head`] for where to go on.
    pub fn cursor(&self, since: Option<&Since>) -> Result<Cursor, HistoryLost> {
        let Some(since) = since else {
            return Ok(self.from_head());
        };
        let before = since.epoch.as_ref().filter(|epoch| **epoch != self.epoch);
        let last = before.and_then(|epoch| self.epochs.iter().find(|(known, _)| known == epoch));
        let last = last.map(|(_, last)| *last);
        let end = if before.is_some() { last } else { Some(self.log.tail()) };
        match end {
            Some(end) if since.seq <= end && since.seq + 1 >= self.oldest => {
                Ok(Cursor::after(since.seq, self.log.clone(), self.archive.clone()))
            }
            _ => Err(HistoryLost {
                epoch: self.epoch.clone(),
                oldest: self.oldest,
                head: self.log.head(),
                last,
            }),
        }
    }

    /// A cursor at the newest event.
    pub fn from_head(&self) -> Cursor {
        Cursor::after(self.log.head(), self.log.clone(), self.archive.clone())
    }

    /// The store's cursor: it sees what is not committed yet.
    pub fn store_cursor(&self) -> Cursor {
        Cursor::of_store(self.start, self.log.clone(), self.archive.clone())
    }
}
