//! The registry of approvals: a state machine without IO. Each method takes the time, changes the state, and leaves in an
//! [`Outbox`] what is to be appended to the log with it. It alone decides; the first answer wins, and failing means "no".

mod asking;
mod commits;
mod deciding;
mod delivery;
mod limits;
mod record;
mod restore;
mod rules;
mod slot;
mod stops;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use countersign_model::{Approval, Origin, Rule, Seq, SessionKey, Status};

use crate::Stop;
use slot::{Slot, Step};

pub(crate) use deciding::Rejection;
pub use limits::{Limits, Refusal};
pub(crate) use record::{Outbox, Record};

/// All approvals that are not over, the most recent that are, the stops and the rules.
#[derive(Debug)]
pub(crate) struct Registry {
    limits: Limits,
    slots: HashMap<Arc<str>, Slot>,
    keys: HashMap<(Arc<str>, Arc<str>), Arc<str>>,
    closed: VecDeque<Arc<str>>,
    stops: BTreeMap<SessionKey, (Stop, bool)>,
    rules: Vec<Rule>,
    steps: VecDeque<(Seq, Step)>,
    pending_bytes: usize,
    durable: Seq,
}

impl Registry {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            slots: HashMap::new(),
            keys: HashMap::new(),
            closed: VecDeque::new(),
            stops: BTreeMap::new(),
            rules: Vec::new(),
            steps: VecDeque::new(),
            pending_bytes: 0,
            durable: 0,
        }
    }

    fn insert(&mut self, slot: Slot) {
        let approval = &slot.approval;
        if approval.status == Status::Pending {
            self.pending_bytes += slot.bytes;
        }
        self.keys.insert(
            (approval.agent.clone(), approval.request_id.clone()),
            approval.id.clone(),
        );
        self.slots.insert(approval.id.clone(), slot);
    }

    /// Keeps the approval as a recent one, and forgets the oldest of those.
    fn close(&mut self, key: &(Arc<str>, Arc<str>)) {
        let Some(id) = self.keys.get(key) else { return };
        if !self.slots[id].closed() {
            return;
        }
        self.closed.push_back(id.clone());
        while self.closed.len() > self.limits.max_recent {
            let Some(oldest) = self.closed.pop_front() else { return };
            // What the store does not have yet is known here alone.
            let needed = |slot: &Slot| slot.attached > 0 || slot.recorded > self.durable;
            if self.slots.get(&oldest).is_some_and(needed) {
                self.closed.push_back(oldest);
                return;
            }
            if let Some(slot) = self.slots.remove(&oldest) {
                self.keys.remove(&(slot.approval.agent, slot.approval.request_id));
            }
        }
    }

    /// An approval that is at hand, whether it may be shown yet or not.
    pub(crate) fn get(&self, id: &str) -> Option<&Approval> {
        self.slots.get(id).map(|slot| &slot.approval)
    }

    /// The sessions that an approval at hand was asked from, the first one first.
    pub(crate) fn asked_in(&self, id: &str) -> Vec<SessionKey> {
        self.slots.get(id).map(Slot::sessions).unwrap_or_default()
    }

    /// An approval that may be shown.
    pub(crate) fn shown(&self, id: &str) -> Option<&Approval> {
        self.slots.get(id).filter(|slot| slot.shown).map(|slot| &slot.approval)
    }

    /// Whether neither the request nor an answer to it waits for the store.
    pub(crate) fn is_settled(&self, id: &str) -> bool {
        self.slots
            .get(id)
            .is_none_or(|slot| slot.shown && (slot.ready || slot.approval.status == Status::Pending))
    }

    fn slot_of(&self, agent: &Arc<str>, request_id: &Arc<str>) -> Option<&Slot> {
        self.slots.get(self.keys.get(&(agent.clone(), request_id.clone()))?)
    }

    /// An approval by its key, if it is at hand.
    pub(crate) fn by_key(&self, agent: &Arc<str>, request_id: &Arc<str>) -> Option<&Approval> {
        self.slot_of(agent, request_id).map(|slot| &slot.approval)
    }

    /// The approvals at hand under a request's id, of any agent.
    pub(crate) fn by_request(&self, request_id: &str) -> Vec<&Approval> {
        self.slots
            .values()
            .map(|slot| &slot.approval)
            .filter(|approval| *approval.request_id == *request_id)
            .collect()
    }

    fn pending(&self) -> impl Iterator<Item = &Approval> {
        self.slots
            .values()
            .map(|slot| &slot.approval)
            .filter(|approval| approval.status == Status::Pending)
    }

    /// Pending approvals that may be shown, oldest first.
    pub(crate) fn waiting(&self) -> Vec<Approval> {
        let mut waiting: Vec<_> = self
            .slots
            .values()
            .filter(|slot| slot.shown && slot.approval.status == Status::Pending)
            .map(|slot| slot.approval.clone())
            .collect();
        waiting.sort_unstable_by_key(|approval| approval.seq);
        waiting
    }

    /// Approvals of these agents that wait, or whose decision has not reached its agent; oldest first.
    pub(crate) fn open_of(&self, agent: impl Fn(&str) -> bool) -> Vec<Approval> {
        let mut open: Vec<_> = self
            .slots
            .values()
            .filter(|slot| !slot.closed() && agent(&slot.approval.agent))
            .map(|slot| slot.approval.clone())
            .collect();
        open.sort_unstable_by_key(|approval| approval.seq);
        open
    }

    /// How many approvals wait.
    pub(crate) fn waiting_count(&self) -> usize {
        self.slots
            .values()
            .filter(|slot| slot.shown && slot.approval.status == Status::Pending)
            .count()
    }

    /// The stop on a session, and whether it is committed.
    /// The stop that reaches a session, its own or that of the session that started it.
    pub(crate) fn stop_over(&self, key: &SessionKey, origin: Option<Origin>) -> Option<&(Stop, bool)> {
        let over = |(stop, _): &&(Stop, bool)| stop.covers(key, origin);
        self.stops.get(key).or_else(|| self.stops.values().find(over))
    }

    pub(crate) fn stopped(&self, key: &SessionKey) -> Option<(&Stop, bool)> {
        self.stops.get(key).map(|(stop, sent)| (stop, *sent))
    }

    /// All stops.
    pub(crate) fn stops(&self) -> impl Iterator<Item = &Stop> {
        self.stops.values().map(|(stop, _)| stop)
    }

    /// All rules.
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }
}
