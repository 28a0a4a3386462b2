//! Model test of log and cursors: random interleavings of publishers, readers, commits and failures over a ring that holds a
//! handful of events. Whatever the order, each reader gets each event once, in order, and none before it may be seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use countersign_hub::{Config, Cursor, Dialect, Entry};
use countersign_model::{Event, Seq, Since, Verdict};
use countersign_testkit::{Rig, answer, ask, event, now_or_never};
use proptest::prelude::*;

const CAPACITY: usize = 6_000;

#[derive(Clone, Debug)]
enum Op {
    /// Events with so many bytes of text each.
    Publish(Vec<usize>),
    /// A question, which brings a row and so holds readers back until it is committed.
    Ask,
    /// An answer to the oldest question that waits: another row.
    Answer(Verdict),
    Commit(usize),
    Fail,
    /// A new reader: at the head, or so far back.
    Open(Option<u64>),
    Read {
        reader: usize,
        entries: usize,
        bytes: usize,
        encode: usize,
    },
    Rewind {
        reader: usize,
        by: u64,
    },
    /// A reader leaves events out.
    Skip {
        reader: usize,
        by: u64,
    },
    /// A read while the store cannot be read.
    ReadInVain(usize),
}

fn ops() -> impl Strategy<Value = Op> {
    let verdict = prop_oneof![Just(Verdict::Approve), Just(Verdict::Deny), Just(Verdict::Stop)];
    let bytes = prop_oneof![Just(1_usize), 1_usize..3_000, Just(usize::MAX)];
    prop_oneof![
        8 => prop::collection::vec(0_usize..1_500, 1..6).prop_map(Op::Publish),
        2 => Just(Op::Ask),
        2 => verdict.prop_map(Op::Answer),
        6 => (1_usize..8).prop_map(Op::Commit),
        1 => Just(Op::Fail),
        1 => prop::option::of(0_u64..40).prop_map(Op::Open),
        8 => (0_usize..4, 1_usize..8, bytes, 0_usize..600).prop_map(
            |(reader, entries, bytes, encode)| Op::Read { reader, entries, bytes, encode }
        ),
        1 => (0_usize..4, 1_u64..20).prop_map(|(reader, by)| Op::Rewind { reader, by }),
        1 => (0_usize..4, 1_u64..4).prop_map(|(reader, by)| Op::Skip { reader, by }),
        1 => (0_usize..4).prop_map(Op::ReadInVain),
    ]
}

/// A cursor, and where it must be by what it has been told and has given.
struct Reader {
    cursor: Cursor,
    seen: Seq,
}

struct Case {
    rig: Rig,
    /// Sees all at once, as the store does.
    peek: Cursor,
    log: BTreeMap<Seq, Arc<Entry>>,
    barriers: BTreeSet<Seq>,
    readers: Vec<Reader>,
    /// The newest event that any reader has seen: it can never change again.
    shown: Seq,
    asked: usize,
}

impl Case {
    fn new() -> Self {
        let rig = Rig::new(Config {
            ring_bytes: CAPACITY,
            ..Config::default()
        });
        let cursor = rig.hub.from_head();
        let readers = vec![Reader { cursor, seen: 0 }];
        Self {
            peek: rig.hub.store_cursor(),
            rig,
            log: BTreeMap::new(),
            barriers: BTreeSet::new(),
            readers,
            shown: 0,
            asked: 0,
        }
    }

    fn tail(&self) -> Seq {
        self.log.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    fn visible(&self) -> Seq {
        self.barriers.first().map_or(self.tail(), |barrier| barrier - 1)
    }

    /// Bytes that the store does not have.
    fn unpersisted(&self) -> usize {
        let durable = self.rig.hub.durable();
        self.log.range(durable + 1..).map(|(_, entry)| entry.weight()).sum()
    }

    /// Notes what has entered the log.
    fn note(&mut self) {
        let batch = self
            .peek
            .read_ring(usize::MAX, usize::MAX)
            .expect("unpersisted entries stay in the ring");
        for entry in batch {
            if let Some(before) = self.log.insert(entry.event.seq, entry.clone())
                && entry.event.seq <= self.shown
            {
                assert_eq!(text(&before), text(&entry), "an event changed after it had been seen");
            }
        }
    }

    fn take(&mut self, op: &Op) {
        let before = self.tail();
        let full = self.unpersisted() > CAPACITY;
        match op {
            Op::Publish(sizes) => {
                let events = sizes
                    .iter()
                    .map(|size| event("note", &serde_json::json!({ "text": "x".repeat(*size) })));
                let published = now_or_never(self.rig.hub.publish(events.collect()));
                assert_eq!(
                    published.is_none(),
                    full,
                    "a publisher waits while a whole ring is unpersisted, and only then"
                );
                if let Some(published) = published {
                    let published = published.expect("no kind of the hub's");
                    assert_eq!(
                        (published.first, published.last),
                        (before + 1, before + sizes.len() as u64)
                    );
                }
            }
            Op::Ask => {
                let ask = ask(&format!("r{}", self.asked), "ls");
                self.asked += 1;
                let asked = now_or_never(self.rig.hub.ask(ask));
                assert_eq!(asked.is_none(), full);
            }
            Op::Answer(verdict) => {
                if let Some(approval) = self.rig.hub.waiting().first() {
                    let answered = now_or_never(self.rig.hub.answer(&approval.id, answer(*verdict)));
                    answered.expect("an answer never waits").expect("the first answer");
                }
            }
            Op::Commit(events) => {
                self.rig.archive.step(&self.rig.hub, *events);
                let durable = self.rig.hub.durable();
                self.barriers.retain(|barrier| *barrier > durable);
            }
            Op::Fail => {
                self.rig.archive.fail_commits(true);
                let tried = self.rig.archive.step(&self.rig.hub, 1).is_some();
                self.rig.archive.fail_commits(false);
                self.peek.rewind(self.rig.hub.durable());
                self.note();
                if tried {
                    self.barriers.clear();
                }
            }
            Op::Open(back) => {
                let since = back.map(|back| Since {
                    epoch: None,
                    seq: self.tail().saturating_sub(back),
                });
                let cursor = self.rig.hub.cursor(since.as_ref()).expect("all is kept");
                let seen = since.map_or(self.visible(), |since| since.seq);
                if self.readers.len() < 4 {
                    self.readers.push(Reader { cursor, seen });
                }
            }
            Op::Read {
                reader,
                entries,
                bytes,
                encode,
            } => self.read(*reader, *entries, *bytes, *encode),
            Op::Rewind { reader, by } => {
                let place = *reader % self.readers.len();
                let reader = &mut self.readers[place];
                reader.seen = reader.seen.saturating_sub(*by);
                reader.cursor.rewind(reader.seen);
            }
            Op::Skip { reader, by } => {
                let (place, visible) = (*reader % self.readers.len(), self.visible());
                let reader = &mut self.readers[place];
                reader.seen = (reader.seen + by).min(visible).max(reader.seen);
                reader.cursor.skip_to(reader.seen);
            }
            Op::ReadInVain(reader) => {
                let place = *reader % self.readers.len();
                let reader = &mut self.readers[place];
                self.rig.archive.fail_reads(true);
                // A read that failed leaves the cursor where it was.
                if now_or_never(reader.cursor.read(5, 5_000)).expect("at once").is_ok() {
                    reader.cursor.rewind(reader.seen);
                }
                self.rig.archive.fail_reads(false);
            }
        }
        if !matches!(op, Op::Fail) {
            self.note();
            let rows = matches!(op, Op::Ask | Op::Answer(_));
            self.barriers.extend((before + 1..=self.tail()).filter(|_| rows));
        }
        self.check();
    }

    fn read(&mut self, reader: usize, entries: usize, bytes: usize, encode: usize) {
        let place = reader % self.readers.len();
        let visible = self.visible();
        let reader = &mut self.readers[place];
        let mut next = reader.seen + 1;
        assert_eq!(reader.cursor.seen(), reader.seen);
        let ready = now_or_never(reader.cursor.ready()).is_some();
        assert_eq!(ready, next <= visible, "woken for nothing, or not woken");
        let batch = now_or_never(reader.cursor.read(entries, bytes))
            .expect("at once")
            .expect("readable");
        assert_eq!(batch.is_empty(), !ready);
        assert!(batch.len() <= entries);
        for entry in &batch {
            assert_eq!(entry.event.seq, next, "out of order, lost or twice");
            next += 1;
            let held = &self.log[&entry.event.seq];
            assert_eq!(text(held), text(entry));
            if encode > 0 {
                let weight = entry.weight();
                let first = entry.frame(Dialect::Sam).is_none();
                let mut frames = Vec::new();
                let encode = |event: &Event| frame_of(event.seq, encode);
                let cursor = &reader.cursor;
                cursor.frames([&**entry], Dialect::Sam, encode, |frame| frames.push(frame));
                let twice = |_: &Event| panic!("encoded twice");
                cursor.frames([&**entry], Dialect::Sam, twice, |frame| frames.push(frame));
                let [frame, again] = frames[..] else {
                    panic!("{} frames of one entry", frames.len())
                };
                assert_eq!(frame, again);
                if first && Arc::ptr_eq(held, entry) && entry.event.seq > self.rig.hub.durable() {
                    assert_eq!(
                        entry.weight(),
                        weight + frame.len(),
                        "a frame that the ring's bound does not cover"
                    );
                }
            }
        }
        let last = next - 1;
        reader.seen = last;
        assert!(batch.is_empty() || last <= visible, "seen before it was committed");
        let read: usize = batch
            .iter()
            .rev()
            .skip(1)
            .map(|entry| entry.event.data.get().len())
            .sum();
        assert!(read < bytes || batch.len() <= 1, "more than was asked for");
        self.shown = self.shown.max(if batch.is_empty() { 0 } else { last });
    }

    fn check(&self) {
        let hub = &self.rig.hub;
        assert_eq!((hub.tail(), hub.head()), (self.tail(), self.visible()));
        let (held, needed) = (hub.ring_bytes(), self.unpersisted());
        assert!(held >= needed, "an entry left the ring before the store had it");
        assert!(
            held <= needed.max(CAPACITY),
            "{held} bytes in a ring of {CAPACITY}, {needed} not persisted"
        );
    }

    /// The store catches up, then every reader does; what they read is what the store keeps.
    fn finish(mut self) {
        self.rig.drain();
        self.barriers.clear();
        self.note();
        self.check();
        let kept = self.rig.archive.committed();
        assert_eq!(kept.len() as u64, self.tail());
        for place in 0..self.readers.len() {
            while self.readers[place].seen < self.tail() {
                self.read(place, 3, 2_000, 0);
            }
        }
        assert!(
            kept.iter()
                .map(|entry| text(entry))
                .eq(self.log.values().map(|entry| text(entry)))
        );
    }
}

fn text(entry: &Entry) -> (&str, &str) {
    (&entry.event.kind, entry.event.data.get())
}

fn frame_of(seq: Seq, bytes: usize) -> Bytes {
    Bytes::from(format!("{seq:>bytes$}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_reader_gets_every_event_once_and_in_order(ops in prop::collection::vec(ops(), 1..120)) {
        let mut case = Case::new();
        for op in &ops {
            case.take(op);
        }
        case.finish();
    }
}
