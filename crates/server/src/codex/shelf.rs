//! The folder of session logs: which there are, what is in one. Only files that are named by a session's id are looked at,
//! and only whole lines count. Everything here blocks.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use countersign_model::Millis;
use serde::{Deserialize, Serialize};

use super::book::Book;

/// Digits of a session's id.
const ID: usize = 32;

/// The folder.
pub(crate) struct Shelf {
    folder: PathBuf,
    /// How far each log was read: it only grows, so the rest is read next time.
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone, Default)]
struct Known {
    read: u64,
    row: Row,
}

/// A session, as the list has it (seed 003, `GET /sessions`).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) session_id: String,
    pub(crate) start_time: String,
    pub(crate) last_activity: String,
    pub(crate) event_count: u64,
}

/// Whether that is a session's id: 32 lower-case hexadecimal digits, and so no path.
fn is_id(text: &str) -> bool {
    text.len() == ID && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Shelf {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            known: Mutex::default(),
        }
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.jsonl"))
    }

    /// A new session's log.
    pub(crate) fn book(&self, id: &str, now: Millis) -> Book {
        Book::new(self.path(id), now)
    }

    /// All sessions, the oldest first. A folder that is not there has none.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn list(&self) -> io::Result<Vec<Row>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now_known = HashMap::new();
        for entry in entries {
            let name = entry?.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".jsonl")) else {
                continue;
            };
            if !is_id(id) {
                continue;
            }
            let mut log = known.remove(id).unwrap_or_default();
            // One that went away, or is no file, is none.
            if let Ok(Some((file, length))) = self.file(id)
                && log.catch_up(id, file, length).is_ok()
            {
                now_known.insert(id.to_owned(), log);
            }
        }
        *known = now_known;
        let mut rows: Vec<_> = known.values().map(|log| log.row.clone()).collect();
        rows.retain(|row| row.event_count > 0);
        rows.sort_unstable_by(|a, b| (&a.start_time, &a.session_id).cmp(&(&b.start_time, &b.session_id)));
        Ok(rows)
    }

    /// A log and its length; `None` when there is none of that id.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(crate) fn log(&self, id: &str) -> io::Result<Option<(File, u64)>> {
        if is_id(id) { self.file(id) } else { Ok(None) }
    }

    fn file(&self, id: &str) -> io::Result<Option<(File, u64)>> {
        let path = self.path(id);
        match std::fs::symlink_metadata(&path) {
            Ok(there) if there.is_file() => {}
            Ok(_) => return Ok(None),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Some((file, length)))
    }
}

impl Known {
    /// Reads the lines that have come since.
    fn catch_up(&mut self, id: &str, mut file: File, length: u64) -> io::Result<()> {
        #[derive(Deserialize)]
        struct Line {
            timestamp: String,
        }
        if length < self.read {
            *self = Self::default();
        }
        id.clone_into(&mut self.row.session_id);
        file.seek(SeekFrom::Start(self.read))?;
        let mut rest = BufReader::new(file.take(length - self.read));
        let mut line = Vec::new();
        let mut last = Vec::new();
        while rest.read_until(b'\n', &mut line)? > 0 && line.last() == Some(&b'\n') {
            self.read += line.len() as u64;
            self.row.event_count += 1;
            if self.row.start_time.is_empty()
                && let Ok(line) = serde_json::from_slice::<Line>(&line)
            {
                self.row.start_time = line.timestamp;
            }
            std::mem::swap(&mut last, &mut line);
            line.clear();
        }
        if let Ok(line) = serde_json::from_slice::<Line>(&last) {
            self.row.last_activity = line.timestamp;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_log_is_read_on_from_where_it_was_and_half_a_line_does_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(folder.path().to_owned());
        let id = "0123456789abcdef0123456789abcdef";
        let mut file = File::create(shelf.path(id)).expect("a file");
        std::fs::write(folder.path().join("notes.jsonl"), "{}\n").expect("written");
        assert!(shelf.list().expect("read").is_empty());
        file.write_all(b"{\"timestamp\":\"1\"}\n{\"timestamp\":\"2\"}\n{\"time")
            .expect("written");
        let row = |count, last: &str| Row {
            session_id: id.to_owned(),
            start_time: "1".to_owned(),
            last_activity: last.to_owned(),
            event_count: count,
        };
        assert_eq!(shelf.list().expect("read"), [row(2, "2")]);
        file.write_all(b"stamp\":\"3\"}\n").expect("written");
        assert_eq!(shelf.list().expect("read"), [row(3, "3")]);
    }

    #[test]
    fn what_is_no_id_leads_nowhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(folder.path().join("logs"));
        std::fs::create_dir(folder.path().join("logs")).expect("a folder");
        std::fs::write(folder.path().join("secret.jsonl"), "x").expect("written");
        for id in [
            "../secret",
            "",
            "..",
            "0123",
            "0123456789ABCDEF0123456789ABCDEF",
            "0123456789abcdef0123456789abcde/",
        ] {
            assert!(shelf.log(id).expect("no error").is_none(), "{id}");
        }
        let linked = "ffffffffffffffffffffffffffffffff";
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path().join("secret.jsonl"), shelf.path(linked)).expect("a link");
        assert!(shelf.log(linked).expect("no error").is_none());
        assert!(shelf.list().expect("read").is_empty());
    }
}
