//! What readers that outlive the hub note beside the log: their places, and what their targets refused for good.
//! The writer commits it with the events, or by itself when none come.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_hub::{ArchiveError, Place};
use countersign_model::Seq;
use rusqlite::{OptionalExtension, Transaction};
use tokio::sync::{Notify, watch};

use crate::reads::Reads;
use crate::rows;

/// Bytes of an error that are kept.
const MAX_ERROR: usize = 500;

/// An event that a reader's target refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event.
    pub seq: Seq,
    /// What the target said.
    pub error: String,
}

#[derive(Clone, Debug)]
enum Note {
    Place(Place),
    Bury(Arc<str>, DeadLetter),
    Dug(Arc<str>, Seq),
}

#[derive(Debug, Default)]
struct Shared {
    /// What is not committed yet, numbered, and the last number; of one reader's places only the newest.
    notes: Mutex<(Vec<(u64, Note)>, u64)>,
    wake: Notify,
    written: watch::Sender<u64>,
}

/// A handle on the notes.
#[derive(Clone)]
pub struct Notes {
    shared: Arc<Shared>,
    reads: Arc<Reads>,
}

impl std::fmt::Debug for Notes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notes").finish_non_exhaustive()
    }
}

impl Notes {
    pub(crate) fn new(reads: Arc<Reads>) -> Self {
        Self {
            shared: Arc::default(),
            reads,
        }
    }

    fn lock(&self) -> MutexGuard<'_, (Vec<(u64, Note)>, u64)> {
        self.shared.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, note: Note) -> u64 {
        let number = {
            let (notes, number) = &mut *self.lock();
            if let Note::Place(new) = &note {
                notes.retain(|(_, old)| !matches!(old, Note::Place(old) if old.reader == new.reader));
            }
            *number += 1;
            notes.push((*number, note));
            *number
        };
        self.shared.wake.notify_one();
        number
    }

    async fn committed(&self, number: u64) {
        let mut written = self.shared.written.subscribe();
        // It lives as long as this handle.
        let _ = written.wait_for(|written| *written >= number).await;
    }

    /// Where a reader is, if it has been before.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn place(&self, reader: &str) -> Result<Option<String>, ArchiveError> {
        let reader = reader.to_owned();
        let find = move |connection: &rusqlite::Connection| {
            connection
                .prepare_cached("SELECT place FROM places WHERE reader = ?1")?
                .query_row([reader], |row| row.get(0))
                .optional()
        };
        self.reads.ask(find).await
    }

    /// Notes a reader's place; the newest counts, and is committed soon.
    pub fn set_place(&self, reader: &Arc<str>, at: String) {
        self.push(Note::Place(Place {
            reader: reader.clone(),
            at,
        }));
    }

    /// Notes a reader's place, and waits until it is committed.
    pub async fn keep_place(&self, reader: &Arc<str>, at: String) {
        let number = self.push(Note::Place(Place {
            reader: reader.clone(),
            at,
        }));
        self.committed(number).await;
    }

    /// What a reader's target refused, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn dead_letters(&self, reader: &str) -> Result<Vec<DeadLetter>, ArchiveError> {
        let reader = reader.to_owned();
        let find = move |connection: &rusqlite::Connection| {
            connection
                .prepare_cached("SELECT seq, error FROM dead_letters WHERE reader = ?1 ORDER BY seq")?
                .query_map([reader], |row| {
                    Ok(DeadLetter {
                        seq: rows::to_seq(row.get(0)?),
                        error: row.get(1)?,
                    })
                })?
                .collect()
        };
        self.reads.ask(find).await
    }

    /// Sets an event aside, and waits until that is committed.
    pub async fn bury(&self, reader: &Arc<str>, mut letter: DeadLetter) {
        let mut end = letter.error.len().min(MAX_ERROR);
        while !letter.error.is_char_boundary(end) {
            end -= 1;
        }
        letter.error.truncate(end);
        let number = self.push(Note::Bury(reader.clone(), letter));
        self.committed(number).await;
    }

    /// An event that was set aside got there after all, or is no more; waits until that is committed.
    pub async fn dig_up(&self, reader: &Arc<str>, seq: Seq) {
        let number = self.push(Note::Dug(reader.clone(), seq));
        self.committed(number).await;
    }

    /// Waits until there may be something to write.
    pub(crate) async fn ready(&self) {
        self.shared.wake.notified().await;
    }

    /// Writes what there is; gives the number to say once it is committed.
    pub(crate) fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
        let (notes, number) = self.lock().clone();
        for (_, note) in &notes {
            match note {
                Note::Place(place) => rows::write_place(transaction, &place.reader, &place.at)?,
                Note::Bury(reader, letter) => {
                    transaction
                        .prepare_cached("INSERT OR REPLACE INTO dead_letters VALUES (?1, ?2, ?3)")?
                        .execute(rusqlite::params![&**reader, rows::from_seq(letter.seq), letter.error])?;
                }
                Note::Dug(reader, seq) => {
                    transaction
                        .prepare_cached("DELETE FROM dead_letters WHERE reader = ?1 AND seq = ?2")?
                        .execute(rusqlite::params![&**reader, rows::from_seq(*seq)])?;
                }
            }
        }
        Ok(number)
    }

    /// Whether something waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().0.is_empty()
    }

    /// What [`Notes::write`] gave is committed.
    pub(crate) fn mark(&self, number: u64) {
        self.lock().0.retain(|(newer, _)| *newer > number);
        self.shared.written.send_if_modified(|written| {
            let higher = number > *written;
            if higher {
                *written = number;
            }
            higher
        });
    }
}
