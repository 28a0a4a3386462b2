//! One session's log: a file that only grows, written line by line as things happen, and brought to the disk at the end. What
//! cannot be written is said once, and tried again with the next line. Files are worked on off the async threads.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use countersign_dialects::codex::{Direction, SESSION_ENDED, SESSION_STARTED, line};
use countersign_model::Millis;

/// A session's log.
pub(crate) struct Book {
    path: PathBuf,
    file: Option<File>,
    /// Bytes of whole lines.
    length: u64,
    begun: Millis,
    failing: bool,
}

/// A log that just began to fail, and why.
pub(crate) struct Failing {
    pub(crate) path: PathBuf,
    pub(crate) why: String,
}

impl Book {
    /// A log at `path`, which must not be there yet; nothing is written before the first line.
    pub(crate) fn new(path: PathBuf, now: Millis) -> Self {
        Self {
            path,
            file: None,
            length: 0,
            begun: now,
            failing: false,
        }
    }

    /// Opens the file and writes its first line, where that has not been done, and then `lines`.
    fn write(&mut self, lines: &str) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(create(&self.path)?);
        }
        if self.length == 0 {
            self.put(&line(self.begun, Direction::Incoming, SESSION_STARTED))?;
        }
        self.put(lines)
    }

    fn put(&mut self, lines: &str) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let written = file.write_all(lines.as_bytes());
        match written {
            Ok(()) => self.length += lines.len() as u64,
            // Half a line would spoil the next one, too.
            Err(_) => drop(file.set_len(self.length)),
        }
        written
    }

    fn append(&mut self, lines: &str) -> Option<Failing> {
        match self.write(lines) {
            Ok(()) => {
                self.failing = false;
                None
            }
            Err(error) => {
                let news = !std::mem::replace(&mut self.failing, true);
                news.then(|| Failing {
                    path: self.path.clone(),
                    why: error.to_string(),
                })
            }
        }
    }

    fn end(&mut self, now: Millis) -> Option<Failing> {
        let failing = self.append(&line(now, Direction::Incoming, SESSION_ENDED));
        match self.file.take().map(|file| file.sync_all()) {
            Some(Err(error)) => Some(Failing {
                path: self.path.clone(),
                why: error.to_string(),
            }),
            _ => failing,
        }
    }
}

/// A new file that nobody else reads, and its folder. An old one, or a link in its place, is left alone.
fn create(path: &std::path::Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        let mut make = std::fs::DirBuilder::new();
        make.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
        make.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A session's log, or none.
pub(crate) struct Log(Option<Book>);

impl Log {
    pub(crate) fn new(book: Option<Book>) -> Self {
        Self(book)
    }

    /// Runs one piece of work where it may block.
    async fn work(&mut self, work: impl FnOnce(&mut Book) -> Option<Failing> + Send + 'static) -> Option<Failing> {
        let mut book = self.0.take()?;
        let worked = tokio::task::spawn_blocking(move || {
            let failing = work(&mut book);
            (book, failing)
        });
        let (book, failing) = worked.await.ok()?;
        self.0 = Some(book);
        failing
    }

    /// Writes the first line.
    pub(crate) async fn begin(&mut self) -> Option<Failing> {
        self.work(|book| book.append("")).await
    }

    /// Writes a message; it is in the file when this returns, unless the log is failing.
    pub(crate) async fn message(&mut self, now: Millis, direction: Direction, message: &str) -> Option<Failing> {
        self.0.as_ref()?;
        let line = line(now, direction, message);
        self.work(move |book| book.append(&line)).await
    }

    /// Writes the last line, and waits for the disk.
    pub(crate) async fn end(mut self, now: Millis) -> Option<Failing> {
        self.work(move |book| book.end(now)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_whole_lines_from_start_to_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/log.jsonl");
        let mut book = Book::new(path.clone(), Millis(0));
        assert!(book.append("").is_none());
        assert!(
            book.append(&line(Millis(1), Direction::Outgoing, "{\"a\":\n1}"))
                .is_none()
        );
        assert!(book.end(Millis(2)).is_none());
        let text = std::fs::read_to_string(path).expect("written");
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["message_data"]["event"], "session_started");
        assert_eq!(lines[1]["message_data"]["a"], 1);
        assert_eq!(lines[2]["message_data"]["event"], "session_ended");
    }

    #[test]
    fn a_log_that_fails_says_so_once_and_goes_on_when_it_can() {
        let folder = tempfile::tempdir().expect("a folder");
        let in_the_way = folder.path().join("logs");
        std::fs::write(&in_the_way, "").expect("written");
        let mut book = Book::new(in_the_way.join("log.jsonl"), Millis(0));
        assert!(book.append("").is_some());
        assert!(book.append("\"x\"\n").is_none(), "told already");
        std::fs::remove_file(&in_the_way).expect("removed");
        assert!(book.append("\"y\"\n").is_none());
        std::fs::remove_dir_all(&in_the_way).expect("removed");
        assert!(book.end(Millis(1)).is_none());
    }
}
