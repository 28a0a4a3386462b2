//! A reader's place in the log. A reader holds a cursor and no queue: it takes what is there when it can use it.

use std::sync::Arc;

use bytes::Bytes;
use countersign_model::{Event, Seq};
use tokio::sync::watch;

use crate::archive::{Archive, EventQuery};
use crate::log::{Log, Window};
use crate::{ArchiveError, Dialect, Entry};

/// Entries in order, from the ring or, for a reader that fell behind it, from the store.
pub type Batch = Vec<Arc<Entry>>;

/// A place in the log. Each read goes on where the last one ended: every event once, in order.
pub struct Cursor {
    log: Arc<Log>,
    archive: Arc<dyn Archive>,
    wake: watch::Receiver<Seq>,
    next: Seq,
    all: bool,
}

impl Cursor {
    pub(crate) fn after(seq: Seq, log: Arc<Log>, archive: Arc<dyn Archive>) -> Self {
        let wake = log.watch_head();
        Self {
            log,
            archive,
            wake,
            next: seq + 1,
            all: false,
        }
    }

    /// The store's own: it sees entries before they are committed, for it is the one that commits them.
    pub(crate) fn of_store(seq: Seq, log: Arc<Log>, archive: Arc<dyn Archive>) -> Self {
        let wake = log.watch_tail();
        Self {
            log,
            archive,
            wake,
            next: seq + 1,
            all: true,
        }
    }

    /// The last event that was read.
    pub fn seen(&self) -> Seq {
        self.next - 1
    }

    /// Goes back: the next read starts after `seq`. For a reader that could not use what it took.
    pub fn rewind(&mut self, seq: Seq) {
        self.next = self.next.min(seq + 1);
    }

    /// Leaves out everything up to and with `seq`.
    pub fn skip_to(&mut self, seq: Seq) {
        self.next = self.next.max(seq + 1);
    }

    /// Waits until there is something to read. Can be dropped at any time without losing an event.
    pub async fn ready(&mut self) {
        // An error means that the hub is gone, and with it whoever would wake us: wait for our own end.
        let next = self.next;
        if self.wake.wait_for(|head| *head >= next).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// What is there now, up to `max_entries` and about `max_bytes` of data; empty when caught up.
    ///
    /// # Errors
    /// When the place has left the ring and the store cannot be read. The cursor stays where it was.
    pub async fn read(&mut self, max_entries: usize, max_bytes: usize) -> Result<Batch, ArchiveError> {
        loop {
            match self.log.window(self.next, max_entries, max_bytes, self.all) {
                Window::CaughtUp => return Ok(Batch::new()),
                Window::Entries(entries) => {
                    self.next += entries.len() as Seq;
                    return Ok(entries);
                }
                Window::Behind(until) => {
                    let page = self
                        .archive
                        .events(EventQuery {
                            since: self.next - 1,
                            until: Some(until),
                            limit: max_entries,
                            max_bytes,
                            ..EventQuery::default()
                        })
                        .await?;
                    if let Some(last) = page.events.last() {
                        self.next = last.seq + 1;
                        return Ok(page
                            .events
                            .into_iter()
                            .map(|event| Arc::new(Entry::new(event, Vec::new())))
                            .collect());
                    }
                    // Nothing kept between here and the ring.
                    self.next = until + 1;
                }
            }
        }
    }

    /// What is there now in the ring alone, without waiting for anything: `None` when the store must be asked.
    pub fn read_ring(&mut self, max_entries: usize, max_bytes: usize) -> Option<Batch> {
        match self.log.window(self.next, max_entries, max_bytes, self.all) {
            Window::CaughtUp => Some(Batch::new()),
            Window::Entries(entries) => {
                self.next += entries.len() as Seq;
                Some(entries)
            }
            Window::Behind(_) => None,
        }
    }

    /// Gives the frames of entries in `dialect` to `take`, in their order, each encoded at most once for all readers.
    pub fn frames<'a>(
        &self,
        entries: impl IntoIterator<Item = &'a Entry>,
        dialect: Dialect,
        encode: impl Fn(&Event) -> Bytes,
        take: impl FnMut(&'a Bytes),
    ) {
        self.log.frames(entries, dialect, encode, take);
    }
}
