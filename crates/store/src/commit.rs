//! The one place that writes: a batch of the log as one transaction, events and their rows together. A commit that failed is tried
//! again, and may have been written all the same.

use std::collections::HashSet;

use countersign_hub::Batch;
use countersign_model::{Seq, SessionKey};
use rusqlite::Connection;

use crate::notes::Notes;
use crate::rows;

/// Sessions that are remembered as written; forgetting one costs a write that changes nothing.
const MAX_KNOWN: usize = 10_000;

/// The connection that writes, and what it need not write again.
pub(crate) struct Pen {
    connection: Connection,
    known: HashSet<SessionKey>,
    /// Up to here the store was told to commit, and said that it could not; it may have done so. What is found there is our own,
    /// and is written over, for since then the hub may have said "no" in its place. Anywhere else another row is an error.
    doubtful: Seq,
}

impl Pen {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            known: HashSet::new(),
            doubtful: 0,
        }
    }

    /// Writes all of it or nothing.
    #[cfg(test)]
    fn commit(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        self.commit_with(batch, None)
    }

    /// Writes all of it or nothing, and with it what readers have noted.
    pub(crate) fn commit_with(&mut self, batch: &Batch, notes: Option<&Notes>) -> rusqlite::Result<()> {
        let written = self.write(batch, notes);
        if written.is_err() {
            self.known.clear();
        }
        written
    }

    fn write(&mut self, batch: &Batch, notes: Option<&Notes>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        // Before the events: a place that comes with one of them is newer.
        let noted = notes.map(|notes| notes.write(&transaction)).transpose()?;
        for entry in batch {
            let event = &entry.event;
            rows::write_event(&transaction, event, event.seq <= self.doubtful)?;
            for change in &entry.changes {
                rows::write_change(&transaction, change)?;
            }
            if let Some(session) = &event.session {
                let key = SessionKey {
                    agent: event.agent.clone(),
                    session: session.clone(),
                };
                if !self.known.contains(&key) {
                    rows::write_session(&transaction, &key, event.seq)?;
                    if self.known.len() >= MAX_KNOWN {
                        self.known.clear();
                    }
                    self.known.insert(key);
                }
            }
        }
        let last = batch.last().map_or(0, |entry| entry.event.seq);
        if last > 0 {
            rows::write_reached(&transaction, last)?;
        }
        transaction
            .commit()
            .inspect_err(|_| self.doubtful = self.doubtful.max(last))?;
        if let (Some(notes), Some(noted)) = (notes, noted) {
            notes.mark(noted);
        }
        Ok(())
    }

    /// Moves everything into the one file: who copies `history.sqlite` then has it all. As the last connection it also takes
    /// SQLite's side files away.
    pub(crate) fn close(self) {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        match self.connection.query_row(checkpoint, [], |row| row.get::<_, bool>(0)) {
            Ok(false) => {}
            Ok(true) => tracing::warn!("somebody else reads the history: its newest part stays in history.sqlite-wal"),
            Err(error) => tracing::warn!(%error, "the history's newest part stays in history.sqlite-wal"),
        }
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the history did not close cleanly; it is whole all the same");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::c_int;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use countersign_hub::Entry;
    use countersign_model::{Epoch, Event, Extra, Millis, Origin};
    use rusqlite::ffi;
    use rusqlite::hooks::Wal;

    use super::*;

    fn entry(seq: Seq, data: &str) -> Arc<Entry> {
        let event = Event {
            seq,
            epoch: Epoch::new("e1"),
            time: Millis(0),
            origin: Origin::Sam,
            agent: "sam".into(),
            session: Some("s1".into()),
            stream: None,
            kind: "note".into(),
            timestamp: None,
            data: serde_json::value::RawValue::from_string(data.into()).expect("JSON"),
            extra: Extra::default(),
            via: Vec::new(),
        };
        Arc::new(Entry::new(event, Vec::new()))
    }

    fn pen(folder: &tempfile::TempDir) -> Pen {
        let mut connection = crate::schema::open_writer(&folder.path().join("history.sqlite")).expect("opened");
        crate::schema::migrate(&mut connection).expect("migrated");
        rows::restore(&mut connection, "e1").expect("an epoch");
        Pen::new(connection)
    }

    fn rows_of(pen: &Pen) -> Vec<String> {
        let mut statement = pen
            .connection
            .prepare("SELECT seq || data FROM events ORDER BY seq")
            .expect("SQL");
        let rows = statement.query_map([], |row| row.get(0)).expect("read");
        rows.collect::<Result<_, _>>().expect("text")
    }

    #[test]
    fn what_was_written_by_a_commit_that_failed_is_written_once() {
        // SQLite: an error of this hook becomes the statement's, "though the commit will have still occurred".
        static BREAKS: AtomicBool = AtomicBool::new(true);
        fn hook(_: &Wal, _: c_int) -> rusqlite::Result<()> {
            if BREAKS.swap(false, Ordering::Relaxed) {
                let error = ffi::Error::new(ffi::SQLITE_IOERR);
                return Err(rusqlite::Error::SqliteFailure(error, None));
            }
            Ok(())
        }
        let folder = tempfile::tempdir().expect("a folder");
        let mut pen = pen(&folder);
        pen.connection.wal_hook(Some(hook));
        pen.commit(&vec![entry(1, "{}"), entry(2, "{}")])
            .expect_err("it says so");
        assert_eq!(rows_of(&pen), ["1{}", "2{}"], "and yet it is written");
        // An approval may have become a "no" in the meantime.
        pen.commit(&vec![entry(1, "{}"), entry(2, "{\"n\":2}"), entry(3, "{}")])
            .expect("tried again");
        assert_eq!(rows_of(&pen), ["1{}", "2{\"n\":2}", "3{}"]);
    }

    #[test]
    fn another_event_is_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut pen = pen(&folder);
        pen.commit(&vec![entry(1, "{\"mine\":1}")]).expect("written");
        for _ in 0..2 {
            pen.commit(&vec![entry(1, "{\"other\":1}"), entry(2, "{}")])
                .expect_err("the place is taken");
        }
        assert_eq!(rows_of(&pen), ["1{\"mine\":1}"]);
    }
}
