//! What hooks were answered about before it was committed: agents run a hook at every tool call, and a disk may take longer to sync
//! than all the rest. It is written here without a sync, which outlives the process, and taken up again by the next hub, which
//! recognises what was committed after all. A power cut may take the last moments of it; a question, or its answer, never waits here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use countersign_hub::Hub;
use countersign_model::{Millis, Seq};

/// What is longer waits for its commit.
const MOST_BODY: usize = 64 * 1024;
/// From so many bytes on the file begins anew, if all of it is committed.
const MOST_BYTES: u64 = 1024 * 1024;

/// One hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Whose it is: `claude-code`.
    pub(super) agent: String,
    /// Its id.
    pub(super) id: String,
    /// When it came.
    pub(super) time: Millis,
    /// Its JSON.
    pub(super) body: String,
}

/// The file; without one nothing is kept.
#[derive(Debug, Default)]
pub(super) struct Journal(Mutex<Option<Open>>);

#[derive(Debug)]
struct Open {
    path: PathBuf,
    /// From the first hook on.
    file: Option<File>,
    bytes: u64,
    /// The newest event in it.
    last: Seq,
}

impl Journal {
    /// Begins anew in this data folder. What the last hub left is kept for [`left`].
    pub(super) fn open(data_dir: &Path) -> Self {
        let open = keep_left(data_dir).map(|()| Open {
            path: now(data_dir),
            file: None,
            bytes: 0,
            last: 0,
        });
        if let Err(error) = &open {
            tracing::warn!(%error, "no journal of hooks: each waits for its commit");
        }
        Self(Mutex::new(open.ok()))
    }

    /// Keeps a hook whose event is at `seq`; `false` when its commit has to be waited for instead.
    pub(super) fn keep(&self, hub: &Hub, seq: Seq, record: &Record) -> bool {
        if record.body.len() > MOST_BODY || hub.failing().borrow().is_some() {
            return false;
        }
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(journal) = &mut *open else { return false };
        match journal.append(hub.durable(), seq, record) {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(%error, "the journal of hooks cannot be written: each waits for its commit");
                *open = None;
                false
            }
        }
    }
}

impl Open {
    fn append(&mut self, durable: Seq, seq: Seq, record: &Record) -> io::Result<bool> {
        if self.bytes > MOST_BYTES {
            if durable < self.last {
                return Ok(false);
            }
            if let Some(file) = &self.file {
                file.set_len(0)?;
            }
            self.bytes = 0;
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(private(&self.path)?),
        };
        let text = record.to_text();
        file.write_all(text.as_bytes())?;
        self.bytes += text.len() as u64;
        self.last = self.last.max(seq);
        Ok(true)
    }
}

impl Record {
    /// A line of words, and the body behind it.
    fn to_text(&self) -> String {
        let Self { agent, id, time, body } = self;
        format!("{agent} {id} {} {}\n{body}\n", time.0, body.len())
    }

    /// The first record of `text`, and what follows; `None` where nothing whole is left.
    fn parse(text: &str) -> Option<(Self, &str)> {
        let (line, rest) = text.split_once('\n')?;
        let mut words = line.split(' ');
        let (agent, id) = (words.next()?.to_owned(), words.next()?.to_owned());
        let time = Millis(words.next()?.parse().ok()?);
        let length = words.next()?.parse().ok()?;
        let body = rest.get(..length)?.to_owned();
        let rest = rest[length..].strip_prefix('\n')?;
        Some((Self { agent, id, time, body }, rest))
    }
}

fn now(data_dir: &Path) -> PathBuf {
    data_dir.join("hooks.journal")
}

fn before(data_dir: &Path) -> PathBuf {
    data_dir.join("hooks.journal.left")
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Puts aside what the last hub left, behind what it had not finished with itself.
fn keep_left(data_dir: &Path) -> io::Result<()> {
    let (now, before) = (now(data_dir), before(data_dir));
    let moved = if before.exists() {
        fs::read(&now).and_then(|text| {
            private(&before)?.write_all(&text)?;
            fs::remove_file(&now)
        })
    } else {
        fs::rename(&now, &before)
    };
    match moved {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}

/// What the last hub left, in its order.
///
/// # Errors
/// When it cannot be read.
pub(super) fn left(data_dir: &Path) -> io::Result<Vec<Record>> {
    let mut text = Vec::new();
    match File::open(before(data_dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?.read_to_end(&mut text)?,
    };
    // Half a character at its end belongs to half a record.
    let text = String::from_utf8_lossy(&text);
    let mut rest = &*text;
    let mut records = Vec::new();
    while let Some((record, more)) = Record::parse(rest) {
        records.push(record);
        rest = more;
    }
    Ok(records)
}

/// What [`left`] gave is committed.
///
/// # Errors
/// When that cannot be noted.
pub(super) fn forget_left(data_dir: &Path) -> io::Result<()> {
    match fs::remove_file(before(data_dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: usize) -> Record {
        Record {
            agent: "codex".to_owned(),
            id: format!("id{n}"),
            time: Millis(17),
            body: format!("{{\"n\":\n{n},\"\u{e9}\":\"x\"}}"),
        }
    }

    fn append(journal: &Journal, durable: Seq, seq: Seq) -> bool {
        let mut open = journal.0.lock().expect("no panic");
        let open = open.as_mut().expect("open");
        open.append(durable, seq, &record(seq as usize)).expect("written")
    }

    #[test]
    fn the_next_hub_finds_what_was_kept_until_it_has_it() {
        let home = tempfile::tempdir().expect("a folder");
        let journal = Journal::open(home.path());
        assert_eq!(left(home.path()).expect("read"), []);
        assert!(append(&journal, 0, 1) && append(&journal, 0, 2));
        let journal = Journal::open(home.path());
        assert_eq!(left(home.path()).expect("read"), [record(1), record(2)]);
        // It is killed before it has them, and was told more.
        append(&journal, 0, 3);
        Journal::open(home.path());
        assert_eq!(left(home.path()).expect("read"), [record(1), record(2), record(3)]);
        forget_left(home.path()).expect("noted");
        assert_eq!(left(home.path()).expect("read"), []);
    }

    #[test]
    fn half_a_record_is_none() {
        let home = tempfile::tempdir().expect("a folder");
        let whole = record(1).to_text() + &record(2).to_text();
        for end in record(1).to_text().len()..whole.len() {
            fs::write(before(home.path()), &whole.as_bytes()[..end]).expect("written");
            assert_eq!(left(home.path()).expect("read"), [record(1)], "{end}");
        }
    }

    #[test]
    fn it_begins_anew_once_all_of_it_is_committed() {
        let home = tempfile::tempdir().expect("a folder");
        let journal = Journal::open(home.path());
        let mut seq = 0;
        while fs::metadata(now(home.path())).map_or(0, |file| file.len()) <= MOST_BYTES {
            seq += 1;
            assert!(append(&journal, 0, seq));
        }
        assert!(!append(&journal, seq - 1, seq + 1), "it waits for its commit");
        assert!(append(&journal, seq, seq + 1));
        Journal::open(home.path());
        assert_eq!(left(home.path()).expect("read"), [record(seq as usize + 1)]);
    }
}
