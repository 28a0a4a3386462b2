//! The in-memory log: a ring of shared entries, bounded in bytes, with one writer path.
//! Entries leave it oldest first, and only once the store has them.
//!
//! An entry that carries rows is a barrier: readers other than the store see it, and what follows it, once it is committed.

use std::collections::VecDeque;
use std::sync::{Arc, RwLock};

use bytes::Bytes;
use countersign_model::{Event, Seq};
use tokio::sync::watch;

use crate::{Change, Dialect, Entry};

#[derive(Debug)]
pub(crate) struct Log {
    ring: RwLock<Ring>,
    capacity: usize,
    tail: watch::Sender<Seq>,
    visible: watch::Sender<Seq>,
    durable: watch::Sender<Seq>,
}

#[derive(Debug)]
struct Ring {
    /// The place of `entries[0]`, or of the next entry when there is none.
    first: Seq,
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    durable: Seq,
    barriers: VecDeque<Seq>,
}

impl Ring {
    fn tail(&self) -> Seq {
        self.first + self.entries.len() as Seq - 1
    }

    fn visible(&self) -> Seq {
        self.barriers.front().map_or(self.tail(), |barrier| barrier - 1)
    }

    /// Takes out the oldest durable entries while over `capacity`. Drop them once the ring is unlocked: freeing takes a while.
    #[must_use = "dropped at once, they are freed while everybody waits for the ring"]
    fn evict(&mut self, capacity: usize) -> Vec<Arc<Entry>> {
        let mut gone = Vec::new();
        while self.bytes > capacity && self.first <= self.durable {
            let Some(entry) = self.entries.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(entry.weight());
            self.first += 1;
            gone.push(entry);
        }
        gone
    }

    fn get(&self, seq: Seq) -> Option<&Arc<Entry>> {
        let place = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        self.entries.get(place)
    }
}

/// What a reader finds at its place.
pub(crate) enum Window {
    /// Entries from its place on; at least one.
    Entries(Vec<Arc<Entry>>),
    /// Its place has left the ring: the store has it. Up to here the ring has nothing.
    Behind(Seq),
    /// It has seen everything that may be seen.
    CaughtUp,
}

impl Log {
    /// An empty log that goes on after `last`.
    pub(crate) fn new(last: Seq, capacity: usize) -> Self {
        Self {
            ring: RwLock::new(Ring {
                first: last + 1,
                entries: VecDeque::new(),
                bytes: 0,
                durable: last,
                barriers: VecDeque::new(),
            }),
            capacity,
            tail: watch::Sender::new(last),
            visible: watch::Sender::new(last),
            durable: watch::Sender::new(last),
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Ring> {
        self.ring.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether the ring is full of entries that the store does not have.
    pub(crate) fn is_full(&self) -> bool {
        let ring = self.read();
        ring.bytes > self.capacity && ring.first > ring.durable
    }

    /// Appends entries; `make` gets the place of each.
    pub(crate) fn append(&self, count: usize, mut make: impl FnMut(Seq) -> Entry) -> Seq {
        let (tail, visible, _gone) = {
            let mut ring = self.write();
            for _ in 0..count {
                let seq = ring.tail() + 1;
                let entry = make(seq);
                ring.bytes += entry.weight();
                if entry.changes.iter().any(Change::is_barrier) {
                    ring.barriers.push_back(seq);
                }
                ring.entries.push_back(Arc::new(entry));
            }
            let gone = ring.evict(self.capacity);
            (ring.tail(), ring.visible(), gone)
        };
        raise(&self.tail, tail);
        raise(&self.visible, visible);
        tail
    }

    /// The store has committed everything up to `seq`.
    pub(crate) fn mark_durable(&self, seq: Seq) {
        let (visible, _gone) = {
            let mut ring = self.write();
            ring.durable = ring.durable.max(seq.min(ring.tail()));
            while ring.barriers.front().is_some_and(|barrier| *barrier <= ring.durable) {
                ring.barriers.pop_front();
            }
            let gone = ring.evict(self.capacity);
            (ring.visible(), gone)
        };
        raise(&self.durable, seq);
        raise(&self.visible, visible);
    }

    /// The store cannot commit: barriers up to now hold nobody back any more.
    pub(crate) fn lift_barriers(&self) {
        let visible = {
            let mut ring = self.write();
            ring.barriers.clear();
            ring.visible()
        };
        raise(&self.visible, visible);
    }

    /// Swaps an entry that no reader but the store has seen. Refused (`false`) once it could have been seen.
    pub(crate) fn replace_unseen(&self, seq: Seq, entry: Entry) -> bool {
        let mut ring = self.write();
        if ring.visible() >= seq || ring.durable >= seq {
            return false;
        }
        let first = ring.first;
        let Some(place) = seq.checked_sub(first).and_then(|place| usize::try_from(place).ok()) else {
            return false;
        };
        let (old, new) = match ring.entries.get_mut(place) {
            Some(slot) => {
                let new = entry.weight();
                (std::mem::replace(slot, Arc::new(entry)).weight(), new)
            }
            None => return false,
        };
        ring.bytes = (ring.bytes + new).saturating_sub(old);
        let gone = ring.evict(self.capacity);
        drop(ring);
        drop(gone);
        true
    }

    /// Entries from `from` on, up to `max_entries` and about `max_bytes`, as far as `all` (the store) or readers may see.
    pub(crate) fn window(&self, from: Seq, max_entries: usize, max_bytes: usize, all: bool) -> Window {
        let ring = self.read();
        let end = if all { ring.tail() } else { ring.visible() };
        if from > end {
            return Window::CaughtUp;
        }
        if from < ring.first {
            return Window::Behind(ring.first - 1);
        }
        let mut entries = Vec::with_capacity(max_entries.min((end - from + 1) as usize));
        let mut bytes = 0;
        let mut seq = from;
        while seq <= end && entries.len() < max_entries && bytes < max_bytes {
            let Some(entry) = ring.get(seq) else { break };
            bytes += entry.event.data.get().len();
            entries.push(Arc::clone(entry));
            seq += 1;
        }
        Window::Entries(entries)
    }

    /// Gives each entry's frame to `take`, encoded at most once; the ring's bound covers it.
    pub(crate) fn frames<'a>(
        &self,
        entries: impl IntoIterator<Item = &'a Entry>,
        dialect: Dialect,
        encode: impl Fn(&Event) -> Bytes,
        mut take: impl FnMut(&'a Bytes),
    ) {
        let mut new = Vec::new();
        for entry in entries {
            let (frame, first) = match entry.frame(dialect) {
                Some(frame) => (frame, false),
                None => entry.frame_or_encode(dialect, &encode),
            };
            if first {
                new.push((entry, frame.len()));
            }
            take(frame);
        }
        if new.is_empty() {
            return;
        }
        let mut ring = self.write();
        for (entry, length) in new {
            // Only an entry that is in the ring counts against it; one that was read back from the store does not.
            if ring
                .get(entry.event.seq)
                .is_some_and(|held| std::ptr::eq(&raw const **held, entry))
            {
                entry.grow(length);
                ring.bytes += length;
            }
        }
        let gone = ring.evict(self.capacity);
        drop(ring);
        drop(gone);
    }

    /// The newest entry that readers may see.
    pub(crate) fn head(&self) -> Seq {
        *self.visible.borrow()
    }

    /// The newest entry of all.
    pub(crate) fn tail(&self) -> Seq {
        *self.tail.borrow()
    }

    /// The newest committed entry.
    pub(crate) fn durable(&self) -> Seq {
        *self.durable.borrow()
    }

    /// Bytes held now.
    pub(crate) fn bytes(&self) -> usize {
        self.read().bytes
    }

    pub(crate) fn watch_tail(&self) -> watch::Receiver<Seq> {
        self.tail.subscribe()
    }

    pub(crate) fn watch_head(&self) -> watch::Receiver<Seq> {
        self.visible.subscribe()
    }

    pub(crate) fn watch_durable(&self) -> watch::Receiver<Seq> {
        self.durable.subscribe()
    }
}

/// Raises a watched place and wakes its readers; never lowers it, whatever the order of racing writers.
fn raise(place: &watch::Sender<Seq>, to: Seq) {
    place.send_if_modified(|seq| {
        let higher = to > *seq;
        if higher {
            *seq = to;
        }
        higher
    });
}
