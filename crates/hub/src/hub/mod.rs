//! The hub: the only door to the log. Everything that is published, asked, answered or stopped goes through it, in one order.

mod approvals;
mod asking;
mod batch;
mod commits;
mod cursors;
mod once;
mod publish;
mod sessions;
mod waiter;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_model::{Epoch, Millis, Seq};
use tokio::sync::watch;

use crate::archive::{Archive, Restored};
use crate::clock::Clock;
use crate::entry::Entry;
use crate::log::Log;
use crate::people::People;
use crate::registry::{Limits, Outbox, Record, Registry};
use crate::seen::Memory;
use crate::sessions::Sessions;

pub use approvals::AnswerError;
pub use asking::{AskError, Asked};
pub use batch::{BatchError, Item};
pub use commits::CommitError;
pub use cursors::HistoryLost;
pub use once::Once;
pub use publish::{PublishError, Published};
pub use sessions::SessionError;
pub use waiter::Waiter;

/// How a hub is set up.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The ring's bound in bytes, encoded frames included.
    pub ring_bytes: usize,
    /// What the registry holds at most.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ring_bytes: 64 * 1024 * 1024,
            limits: Limits::default(),
        }
    }
}

/// One log, one registry, any number of readers.
pub struct Hub {
    log: Arc<Log>,
    /// Whoever holds it may append; so the registry's order is the log's.
    state: Mutex<Registry>,
    sessions: Mutex<Sessions>,
    people: Mutex<People>,
    /// Locked after `state`.
    seen: Mutex<Memory>,
    archive: Arc<dyn Archive>,
    clock: Arc<dyn Clock>,
    epoch: Epoch,
    start: Seq,
    oldest: Seq,
    epochs: Vec<(Epoch, Seq)>,
    answers: watch::Sender<u64>,
    deadline: watch::Sender<Option<Millis>>,
    failing: watch::Sender<Option<String>>,
    attached: Mutex<Vec<Arc<str>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// A hub that goes on where the store left off.
    pub fn new(config: Config, mut restored: Restored, archive: Arc<dyn Archive>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let mut seen = Memory::default();
        seen.restore(std::mem::take(&mut restored.seen));
        let hub = Arc::new(Self {
            log: Arc::new(Log::new(restored.last, config.ring_bytes)),
            state: Mutex::new(Registry::new(config.limits)),
            sessions: Mutex::new(Sessions::default()),
            people: Mutex::new(People::new(restored.last)),
            seen: Mutex::new(seen),
            archive,
            clock,
            epoch: restored.epoch.clone(),
            start: restored.last,
            oldest: restored.oldest,
            epochs: restored.epochs.clone(),
            answers: watch::Sender::new(0),
            deadline: watch::Sender::new(None),
            failing: watch::Sender::new(None),
            attached: Mutex::default(),
        });
        let now = hub.clock.now();
        hub.change(|registry, out| registry.restore(restored, now, out));
        hub
    }

    /// Runs one step of the registry and appends what it recorded.
    fn change<T>(&self, step: impl FnOnce(&mut Registry, &mut Outbox) -> T) -> T {
        let mut registry = lock(&self.state);
        let mut out = Outbox::after(self.log.tail());
        let result = step(&mut registry, &mut out);
        self.append(out.records);
        self.signal_deadline(&registry);
        result
    }

    fn signal_deadline(&self, registry: &Registry) {
        self.deadline.send_if_modified(|deadline| {
            let next = registry.deadline();
            let changed = *deadline != next;
            *deadline = next;
            changed
        });
    }

    fn append(&self, records: Vec<Record>) {
        if records.is_empty() {
            return;
        }
        let now = self.clock.now();
        let mut records = records.into_iter();
        self.log.append(records.len(), |seq| {
            let record = records.next().expect("as many as counted");
            self.entry_of(record, seq, now)
        });
    }

    fn entry_of(&self, record: Record, seq: Seq, now: Millis) -> Entry {
        let mut event = self.event_of(record.event, seq, now);
        event.via = record.via;
        Entry::new(event, record.changes)
    }

    /// Names this hub for good, over restarts: the first epoch of its history.
    pub fn id(&self) -> &str {
        self.epochs
            .first()
            .map_or(self.epoch.as_str(), |(first, _)| first.as_str())
    }

    /// The hubs whose events come in here now, directly or through others.
    pub fn attached(&self) -> Vec<Arc<str>> {
        lock(&self.attached).clone()
    }

    /// Says whose events come in here from now on.
    pub fn set_attached(&self, hubs: Vec<Arc<str>>) {
        *lock(&self.attached) = hubs;
    }

    /// The store, as a reader of the past.
    pub fn archive(&self) -> &Arc<dyn Archive> {
        &self.archive
    }

    /// This run of the hub.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The newest event that readers may see.
    pub fn head(&self) -> Seq {
        self.log.head()
    }

    /// The newest event of all.
    pub fn tail(&self) -> Seq {
        self.log.tail()
    }

    /// The newest committed event.
    pub fn durable(&self) -> Seq {
        self.log.durable()
    }

    /// The oldest event that is kept.
    pub fn oldest(&self) -> Seq {
        self.oldest
    }

    /// Bytes that the ring holds.
    pub fn ring_bytes(&self) -> usize {
        self.log.bytes()
    }

    /// Now, by the hub's clock.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("epoch", &self.epoch)
            .field("tail", &self.tail())
            .finish_non_exhaustive()
    }
}
