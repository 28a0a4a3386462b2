//! Entries of the log: an event, the rows that are written with it, and its encoded frames.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use countersign_model::{Approval, Event, Millis, Origin, Rule, SessionKey, Surface};

use crate::seen::Seen;

/// The dialects that keep encoded frames with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SAM: JSON text frames.
    Sam = 0,
    /// Hive, in text frames.
    Hive = 1,
    /// Hive, in binary frames.
    HiveBinary = 2,
    /// Cloud Agents: JSON text frames.
    Cloud = 3,
    /// SAM, with each event's origin: JSON text frames.
    SamOrigin = 4,
}

const DIALECTS: usize = 5;

/// A stop that a person put on a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Which session.
    pub key: SessionKey,
    /// When.
    pub at: Millis,
    /// From where.
    pub by: Surface,
    /// A word to the agent.
    pub message: Option<String>,
}

impl Stop {
    /// Whether it stops the run of this session, asked or told in that way: a stop reaches the subagents that a hook's session
    /// started, whose names are its own, a slash, and theirs.
    pub fn covers(&self, key: &SessionKey, origin: Option<Origin>) -> bool {
        covers(&self.key, key, origin)
    }
}

/// Whether a stop of one session stops another.
pub(crate) fn covers(stopped: &SessionKey, key: &SessionKey, origin: Option<Origin>) -> bool {
    if stopped.agent != key.agent {
        return false;
    }
    let Some(rest) = key.session.strip_prefix(&*stopped.session) else {
        return false;
    };
    rest.is_empty() || (origin == Some(Origin::Hook) && rest.starts_with('/'))
}

/// How far a reader has come, under its own name: kept over restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The reader.
    pub reader: Arc<str>,
    /// Its place, in its own form: `EPOCH:SEQ` of the log that it reads.
    pub at: String,
}

/// A row that is written in the same transaction as its event.
#[derive(Clone, Debug)]
pub enum Change {
    /// The approval as it is from now on.
    Approval(Box<Approval>),
    /// The session is stopped.
    Stopped(Stop),
    /// The session may go on.
    Resumed(SessionKey),
    /// A standing decision.
    RuleCreated(Rule),
    /// The rule of this id is no more.
    RuleRevoked(Arc<str>),
    /// Where the events came from that end here.
    Place(Place),
    /// What is recognised if it is sent again.
    Seen(Seen),
}

impl Change {
    /// Whether readers wait for its commit. Nobody acts on a place or a mark before.
    pub(crate) fn is_barrier(&self) -> bool {
        !matches!(self, Self::Place(_) | Self::Seen(_))
    }

    /// A rough size in memory, in bytes.
    fn weight(&self) -> usize {
        let text = match self {
            Self::Approval(approval) => {
                approval.arguments.get().len() + approval.tool_info.as_ref().map_or(0, |info| info.get().len())
            }
            Self::Seen(_) => return size_of::<Seen>(),
            Self::Stopped(_) | Self::Resumed(_) | Self::RuleCreated(_) | Self::RuleRevoked(_) | Self::Place(_) => 0,
        };
        512 + text
    }
}

/// One place in the log, shared by all readers.
#[derive(Debug)]
pub struct Entry {
    /// The fact.
    pub event: Event,
    /// The rows to write with it.
    pub changes: Vec<Change>,
    frames: [OnceLock<Bytes>; DIALECTS],
    weight: AtomicUsize,
}

impl Entry {
    /// An entry without frames yet.
    pub fn new(event: Event, changes: Vec<Change>) -> Self {
        let weight = event.weight() + changes.iter().map(Change::weight).sum::<usize>();
        Self {
            event,
            changes,
            frames: [const { OnceLock::new() }; DIALECTS],
            weight: AtomicUsize::new(weight),
        }
    }

    /// The frame in `dialect`, if some reader has encoded it already.
    pub fn frame(&self, dialect: Dialect) -> Option<&Bytes> {
        self.frames[dialect as usize].get()
    }

    /// The frame in `dialect`, encoded now if it is the first time. The flag says that it was.
    pub(crate) fn frame_or_encode(&self, dialect: Dialect, encode: impl FnOnce(&Event) -> Bytes) -> (&Bytes, bool) {
        let mut first = false;
        let frame = self.frames[dialect as usize].get_or_init(|| {
            first = true;
            encode(&self.event)
        });
        (frame, first)
    }

    /// Counts `bytes` more; only while the ring that holds the entry is locked, so that both count the same.
    pub(crate) fn grow(&self, bytes: usize) {
        self.weight.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes in memory: event, rows and frames.
    pub fn weight(&self) -> usize {
        self.weight.load(Ordering::Relaxed)
    }
}
