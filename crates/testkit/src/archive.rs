//! A store in memory. It commits when the test says so, as the real writer does: event and rows together, by a cursor of its
//! own that goes back when a commit fails.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_hub::{
    Archive, ArchiveError, Change, Cursor, Entry, EventQuery, Find, Hub, Lookup, Mark, Page, Restored, Stop,
};
use countersign_model::{Approval, Delivery, Epoch, Event, Rule, Seq, SessionKey, Status};

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// So many events were committed, and nothing is left.
    Committed(usize),
    /// A commit failed, and the hub was told.
    Failed,
}

/// Events and rows, as the real store keeps them.
#[derive(Default)]
pub struct MemoryArchive {
    kept: Mutex<Kept>,
    cursor: Mutex<Option<Cursor>>,
}

#[derive(Default)]
struct Kept {
    events: Vec<Arc<Entry>>,
    approvals: BTreeMap<Arc<str>, Approval>,
    stops: BTreeMap<SessionKey, Stop>,
    rules: BTreeMap<Arc<str>, Rule>,
    places: BTreeMap<Arc<str>, String>,
    seen: BTreeMap<Mark, Seq>,
    epochs: Vec<(Epoch, Option<Seq>)>,
    commits_fail: bool,
    reads_fail: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn copy(event: &Event) -> Event {
    Event {
        seq: event.seq,
        epoch: event.epoch.clone(),
        time: event.time,
        origin: event.origin,
        agent: event.agent.clone(),
        session: event.session.clone(),
        stream: event.stream.clone(),
        kind: event.kind.clone(),
        timestamp: event.timestamp.clone(),
        data: event.data.clone(),
        extra: event.extra.clone(),
        via: event.via.clone(),
    }
}

impl Kept {
    fn last(&self) -> Seq {
        self.events.last().map_or(0, |entry| entry.event.seq)
    }

    fn commit(&mut self, batch: &[Arc<Entry>]) {
        for entry in batch {
            assert_eq!(entry.event.seq, self.last() + 1, "the store got events out of order");
            self.events.push(entry.clone());
            for change in &entry.changes {
                self.apply(change);
            }
        }
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Approval(approval) => {
                let twin = self.approvals.values().find(|known| {
                    known.id != approval.id && known.agent == approval.agent && known.request_id == approval.request_id
                });
                assert!(
                    twin.is_none(),
                    "two approvals of one agent share a request id: {approval:?}"
                );
                self.approvals.insert(approval.id.clone(), (**approval).clone());
            }
            Change::Stopped(stop) => drop(self.stops.insert(stop.key.clone(), stop.clone())),
            Change::Resumed(key) => drop(self.stops.remove(key)),
            Change::RuleCreated(rule) => drop(self.rules.insert(rule.id.clone(), rule.clone())),
            Change::RuleRevoked(id) => drop(self.rules.remove(id)),
            Change::Place(place) => drop(self.places.insert(place.reader.clone(), place.at.clone())),
            Change::Seen(seen) => {
                seen.forget.map(|old| self.seen.remove(&old));
                self.seen.insert(seen.mark, seen.seq);
            }
        }
    }

    fn page(&self, query: &EventQuery) -> Page {
        let end = query.until.unwrap_or(Seq::MAX).min(self.last());
        let any = |names: &[String], name: Option<&str>| {
            names.is_empty() || name.is_some_and(|name| names.iter().any(|known| known == name))
        };
        let mut page = Page::default();
        let mut bytes = 0;
        for entry in &self.events {
            let event = &entry.event;
            if event.seq <= query.since || event.seq > end {
                continue;
            }
            let fits = any(&query.kinds, Some(&event.kind))
                && any(&query.agents, Some(&event.agent))
                && any(&query.sessions, event.session.as_deref())
                && (query.streams.as_ref()).is_none_or(|streams| {
                    event
                        .stream
                        .as_deref()
                        .is_some_and(|stream| streams.iter().any(|name| name == stream))
                });
            if !fits {
                continue;
            }
            bytes += event.data.get().len();
            page.events.push(copy(event));
            if page.events.len() >= query.limit || bytes >= query.max_bytes {
                page.next = (event.seq < end).then_some(event.seq);
                break;
            }
        }
        page
    }
}

impl MemoryArchive {
    /// An empty store.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Opens the next epoch (`e1`, `e2`, ...), as the real store does at start.
    pub fn restore(&self) -> Restored {
        *lock(&self.cursor) = None;
        let mut kept = lock(&self.kept);
        let last = kept.last();
        for (_, end) in &mut kept.epochs {
            end.get_or_insert(last);
        }
        let epoch = Epoch::new(&format!("e{}", kept.epochs.len() + 1));
        let epochs = kept
            .epochs
            .iter()
            .filter_map(|(epoch, end)| Some((epoch.clone(), (*end)?)));
        let open = |approval: &&Approval| approval.status == Status::Pending || approval.delivery == Delivery::Waiting;
        let mut approvals: Vec<_> = kept.approvals.values().filter(open).cloned().collect();
        approvals.sort_by_key(|approval| approval.seq);
        let restored = Restored {
            epoch: epoch.clone(),
            last,
            oldest: kept.events.first().map_or(last + 1, |entry| entry.event.seq),
            epochs: epochs.collect(),
            approvals,
            stops: kept.stops.values().cloned().collect(),
            rules: kept.rules.values().cloned().collect(),
            unreadable: Vec::new(),
            unreadable_rules: Vec::new(),
            seen: kept.seen.iter().map(|(mark, seq)| (*mark, *seq)).collect(),
        };
        kept.epochs.push((epoch, None));
        restored
    }

    /// From now on commits fail, or succeed again.
    pub fn fail_commits(&self, fail: bool) {
        lock(&self.kept).commits_fail = fail;
    }

    /// From now on lookups fail, or succeed again.
    pub fn fail_reads(&self, fail: bool) {
        lock(&self.kept).reads_fail = fail;
    }

    /// One transaction of at most `max_events`, as the writer makes it; `None` when there is nothing to commit.
    pub fn step(&self, hub: &Hub, max_events: usize) -> Option<Drained> {
        let mut cursor = lock(&self.cursor);
        let cursor = cursor.get_or_insert_with(|| hub.store_cursor());
        let from = cursor.seen();
        let batch = cursor
            .read_ring(max_events, usize::MAX)
            .expect("what is not committed stays in the ring");
        let last = batch.last()?.event.seq;
        {
            let mut kept = lock(&self.kept);
            if kept.commits_fail {
                drop(kept);
                cursor.rewind(from);
                hub.mark_failing("no space left on the device");
                return Some(Drained::Failed);
            }
            kept.commit(&batch);
        }
        hub.mark_durable(last);
        Some(Drained::Committed(batch.len()))
    }

    /// Commits until nothing is left, which includes what the commits themselves add to the log, or until one fails.
    pub fn drain(&self, hub: &Hub) -> Drained {
        let mut events = 0;
        while let Some(step) = self.step(hub, usize::MAX) {
            match step {
                Drained::Committed(more) => events += more,
                Drained::Failed => return Drained::Failed,
            }
        }
        Drained::Committed(events)
    }

    /// The events that are committed, oldest first.
    pub fn committed(&self) -> Vec<Arc<Entry>> {
        lock(&self.kept).events.clone()
    }

    /// The approval's row, as committed.
    pub fn approval(&self, id: &str) -> Option<Approval> {
        lock(&self.kept).approvals.get(id).cloned()
    }

    fn look<T: Send + 'static>(&self, read: impl FnOnce(&Kept) -> T) -> Lookup<T> {
        let kept = lock(&self.kept);
        let result = if kept.reads_fail {
            Err(ArchiveError("the disk cannot be read".into()))
        } else {
            Ok(read(&kept))
        };
        Box::pin(std::future::ready(result))
    }
}

impl Archive for MemoryArchive {
    fn events(&self, query: EventQuery) -> Lookup<Page> {
        self.look(|kept| kept.page(&query))
    }

    fn find(&self, find: Find) -> Lookup<Vec<Approval>> {
        self.look(|kept| {
            let fits = |approval: &&Approval| match &find {
                Find::Id(id) => *approval.id == **id,
                Find::Request(request) => *approval.request_id == **request,
                Find::Key(agent, request) => approval.agent == *agent && approval.request_id == *request,
            };
            kept.approvals.values().filter(fits).take(3).cloned().collect()
        })
    }

    fn approvals(&self, status: Option<Status>, limit: usize) -> Lookup<Vec<Approval>> {
        self.look(|kept| {
            let fits = |approval: &&Approval| status.is_none_or(|status| status == approval.status);
            let mut approvals: Vec<_> = kept.approvals.values().filter(fits).cloned().collect();
            approvals.sort_by_key(|approval| std::cmp::Reverse(approval.seq));
            approvals.truncate(limit);
            approvals
        })
    }

    fn session_agents(&self, session: String) -> Lookup<Vec<Arc<str>>> {
        self.look(|kept| {
            let mut agents = Vec::new();
            for entry in &kept.events {
                let event = &entry.event;
                if event.session.as_deref() == Some(&*session) && !agents.contains(&event.agent) {
                    agents.push(event.agent.clone());
                }
            }
            agents
        })
    }
}
