//! The registry of approvals: a state machine without IO. Each method takes the time, changes the state, and leaves in an
//! [`Outbox`] what is to be appended to the log with it. It alone decides; the first answer wins, and failing means "no".

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use countersign_model::canonical::{self, CanonicalError};
use countersign_model::{
    Answer, Approval, Ask, Decision, Delivery, Json, Millis, Origin, Rule, Scope, Seq, SessionKey, Status, Surface,
    Verdict, kind, to_json,
};
use serde::Serialize;

use crate::archive::Restored;
use crate::{Change, Stop};

/// What the registry holds on to at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a request outlives its agent's connection or last poll, in seconds.
    pub grace_seconds: i64,
    /// Approvals that may wait at once.
    pub max_pending: usize,
    /// Bytes of one request's data.
    pub max_request_bytes: usize,
    /// Bytes of all waiting requests' data.
    pub max_pending_bytes: usize,
    /// Resolved approvals kept at hand for agents that ask again; older ones are in the store.
    pub max_recent: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            grace_seconds: 60,
            max_pending: 1000,
            max_request_bytes: 256 * 1024,
            max_pending_bytes: 64 * 1024 * 1024,
            max_recent: 256,
        }
    }
}

/// Sessions that one question is asked from at most.
const MAX_SESSIONS: usize = 64;

/// Why a question was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The id is taken by another question.
    #[error("request_id {0:?} was used before by this agent for another call; give each request an id of its own")]
    Conflict(Arc<str>),
    /// Over [`Limits::max_request_bytes`].
    #[error("the request has {size} bytes; at most {limit} can be approved")]
    TooLarge {
        /// Bytes of the data.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Over [`Limits::max_pending`] or [`Limits::max_pending_bytes`].
    #[error("too many approvals wait already")]
    TooMany,
    /// The same question from ever new sessions.
    #[error("request_id {0:?} was asked from too many sessions; give each request an id of its own")]
    TooManySessions(Arc<str>),
    /// The arguments cannot be bound.
    #[error("the arguments cannot be approved: {0}")]
    Arguments(#[from] CanonicalError),
}

/// Why an answer changed nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Rejection {
    /// No such approval.
    #[error("there is no such approval")]
    NotFound,
    /// Somebody or something was first; here is how it ended.
    #[error("already {}", .0.status.as_str())]
    Resolved(Box<Approval>),
    /// Edited arguments for an agent that would run its own instead.
    #[error("this agent cannot run edited arguments; deny with a message instead")]
    NoEdits,
    /// Edited arguments with an answer that runs nothing, or with a standing one.
    #[error("edited arguments go with a single approval only")]
    EditsNeedApproveOnce,
    /// A stop with a scope.
    #[error("a stop has no scope: it holds until it is lifted")]
    StopHasNoScope,
}

/// An event to append, with the rows to write with it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) origin: Origin,
    pub(crate) agent: Arc<str>,
    pub(crate) session: Option<Arc<str>>,
    pub(crate) stream: Option<Arc<str>>,
    pub(crate) kind: &'static str,
    pub(crate) timestamp: Option<Json>,
    pub(crate) data: Json,
    pub(crate) changes: Vec<Change>,
    pub(crate) via: Vec<Arc<str>>,
}

impl Record {
    fn of_hub(
        agent: &Arc<str>,
        session: Option<&Arc<str>>,
        kind: &'static str,
        data: Json,
        changes: Vec<Change>,
    ) -> Self {
        Self {
            origin: Origin::Hub,
            agent: agent.clone(),
            session: session.cloned(),
            stream: None,
            kind,
            timestamp: None,
            data,
            changes,
            via: Vec::new(),
        }
    }
}

/// Records in the order in which they enter the log, the first at `next`.
#[derive(Debug)]
pub(crate) struct Outbox {
    next: Seq,
    pub(crate) records: Vec<Record>,
}

impl Outbox {
    pub(crate) fn after(tail: Seq) -> Self {
        Self {
            next: tail + 1,
            records: Vec::new(),
        }
    }

    fn push(&mut self, record: Record) -> Seq {
        self.records.push(record);
        self.next += 1;
        self.next - 1
    }
}

/// What waits for the store's commit.
#[derive(Clone, Debug)]
enum Step {
    Asked(Arc<str>),
    Decided(Arc<str>),
    Stopped(SessionKey),
}

#[derive(Debug)]
struct Slot {
    approval: Approval,
    /// Further sessions that it was asked again from since the hub started: a stop of any of them stops it.
    also: Vec<Arc<str>>,
    bytes: usize,
    /// The request is committed, so it may be shown and answered.
    shown: bool,
    /// The decision is committed (or is a "no" that the store could not take), so it may be sent.
    ready: bool,
    /// The newest record that carries its row: a decision is ready, and may be forgotten here, once this one is committed.
    recorded: Seq,
    /// So many are writing the answer to the agent.
    writers: u32,
    attached: u32,
    lease: Option<Millis>,
}

impl Slot {
    fn closed(&self) -> bool {
        self.approval.status != Status::Pending && self.approval.delivery != Delivery::Waiting
    }

    fn is_of(&self, key: &SessionKey) -> bool {
        let Approval { agent, session, .. } = &self.approval;
        *agent == key.agent && (*session == key.session || self.also.contains(&key.session))
    }

    /// The sessions that it was asked from, the first one first.
    fn sessions(&self) -> Vec<SessionKey> {
        let further = self.also.iter().map(|session| SessionKey {
            agent: self.approval.agent.clone(),
            session: session.clone(),
        });
        std::iter::once(self.approval.session_key()).chain(further).collect()
    }

    /// Turns an approval that its agent has not got into a stop; `false` when there is none.
    fn overtake(&mut self, stop: &Stop, now: Millis) -> bool {
        let approval = &mut self.approval;
        let overtaken =
            approval.status == Status::Approved && approval.delivery != Delivery::Delivered && self.writers == 0;
        if overtaken {
            approval.status = Status::Stopped;
            approval.decision = Some(Decision {
                message: stop.message.clone(),
                by: stop.by,
                ..by_hub(Verdict::Stop, "", now)
            });
            self.ready = false;
        }
        overtaken
    }
}

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

#[derive(Serialize)]
struct Resolved<'a> {
    approval_id: &'a str,
    request_id: &'a str,
    tool_name: &'a str,
    status: Status,
    #[serde(flatten)]
    decision: &'a Decision,
}

#[derive(Serialize)]
struct Delivered<'a> {
    approval_id: &'a str,
    request_id: &'a str,
    tool_name: &'a str,
    delivery: Delivery,
    decision: Option<Verdict>,
}

#[derive(Serialize)]
struct Session<'a> {
    agent: &'a str,
    session: &'a str,
    by: Surface,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

fn resolved_data(approval: &Approval) -> Json {
    let decision = approval
        .decision
        .as_ref()
        .expect("a resolved approval has its decision");
    to_json(&Resolved {
        approval_id: &approval.id,
        request_id: &approval.request_id,
        tool_name: &approval.tool_name,
        status: approval.status,
        decision,
    })
}

fn resolved_record(approval: &Approval) -> Record {
    Record {
        stream: approval.stream.clone(),
        ..Record::of_hub(
            &approval.agent,
            Some(&approval.session),
            kind::APPROVAL_RESOLVED,
            resolved_data(approval),
            row(approval),
        )
    }
}

/// The row to write: none for a record that could not be read, which is kept as it is, to be looked at.
fn row(approval: &Approval) -> Vec<Change> {
    if approval.is_stand_in() {
        return Vec::new();
    }
    vec![Change::Approval(Box::new(approval.clone()))]
}

/// Whether the approval is of the call that has this digest, as far as is known.
fn binds(approval: &Approval, digest: &str) -> bool {
    approval.is_stand_in() || approval.digest == *digest
}

fn by_hub(verdict: Verdict, message: &str, now: Millis) -> Decision {
    Decision {
        decision: verdict,
        scope: Scope::Once,
        message: Some(message.to_owned()),
        arguments: None,
        by: Surface::Hub,
        rule: None,
        at: now,
    }
}

/// What the agent is told when the store could not take its request or an answer to it.
pub(crate) const NOT_RECORDED: &str = "Countersign could not record this in its store, so the answer is no";

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

    /// Takes back what the store kept. Agents have the grace time to come back; requests of stopped sessions are stopped.
    pub(crate) fn restore(
        &mut self,
        Restored {
            approvals,
            unreadable,
            stops,
            rules,
            ..
        }: Restored,
        now: Millis,
        out: &mut Outbox,
    ) {
        for stand_in in &unreadable {
            out.push(resolved_record(stand_in));
        }
        self.rules = rules;
        for stop in stops {
            self.stops.insert(stop.key.clone(), (stop, true));
        }
        let lease = Some(now.plus_seconds(self.limits.grace_seconds));
        for approval in approvals {
            let bytes = approval.arguments.get().len();
            let pending = approval.status == Status::Pending;
            self.insert(Slot {
                bytes,
                shown: true,
                ready: !pending,
                recorded: 0,
                writers: 0,
                attached: 0,
                lease,
                also: Vec::new(),
                approval,
            });
        }
        let stopped: Vec<_> = self.stops.keys().cloned().collect();
        for key in stopped {
            // An answer may have been on its way when the hub ended.
            let mut answered: Vec<_> = self.slots.values().map(|slot| &slot.approval).collect();
            answered.retain(|approval| approval.status != Status::Pending && approval.session_key() == key);
            answered.sort_unstable_by_key(|approval| approval.seq);
            let answered: Vec<_> = answered.into_iter().map(|approval| approval.id.clone()).collect();
            for id in answered {
                self.overtake_late(&id, now, out);
            }
            self.stop_pending(&key, now, out);
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

    /// The size of a question, and the digest that its approval would bind.
    fn bind(&self, ask: &Ask) -> Result<(usize, String), Refusal> {
        let (size, limit) = (ask.data.get().len(), self.limits.max_request_bytes);
        if size > limit {
            return Err(Refusal::TooLarge { size, limit });
        }
        let digest = canonical::digest(&ask.tool_name, &ask.arguments, ask.cwd.as_deref())?;
        Ok((size, digest))
    }

    /// Whether one more can wait, beside those that wait and `before` others of so many bytes.
    fn room(&self, before: (usize, usize), size: usize) -> Result<(), Refusal> {
        let pending = self.pending().count() + before.0;
        if pending >= self.limits.max_pending || self.pending_bytes + before.1 + size > self.limits.max_pending_bytes {
            return Err(Refusal::TooMany);
        }
        Ok(())
    }

    /// Whether questions would all be taken in now, one after the other: for a batch, which is taken as a whole or not at all.
    /// Each comes with a number that names it in the error, and with `old` as in [`Registry::ask`].
    pub(crate) fn judge<'a>(
        &self,
        questions: impl Iterator<Item = (usize, &'a Ask, Option<&'a Approval>)>,
    ) -> Result<(), (usize, Refusal)> {
        let mut batch: HashMap<(&Arc<str>, &Arc<str>), (String, HashSet<Arc<str>>)> = HashMap::new();
        let mut before = (0, 0);
        for (number, ask, old) in questions {
            let refused = |refusal| (number, refusal);
            let (size, digest) = self.bind(ask).map_err(refused)?;
            let conflict = || refused(Refusal::Conflict(ask.request_id.clone()));
            let slot = self.slot_of(&ask.agent, &ask.request_id);
            let (bound, sessions) = match batch.entry((&ask.agent, &ask.request_id)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(vacant) => {
                    let known = slot.map(|slot| &slot.approval).or(old);
                    match known {
                        Some(known) if !binds(known, &digest) => return Err(conflict()),
                        Some(_) => {}
                        None => {
                            self.room(before, size).map_err(refused)?;
                            before = (before.0 + 1, before.1 + size);
                        }
                    }
                    let sessions = match (slot, known) {
                        (Some(slot), _) => slot.sessions().into_iter().map(|key| key.session).collect(),
                        (None, Some(known)) => HashSet::from([known.session.clone()]),
                        (None, None) => HashSet::new(),
                    };
                    vacant.insert((digest.clone(), sessions))
                }
            };
            if *bound != digest {
                return Err(conflict());
            }
            sessions.insert(ask.session.clone());
            if sessions.len() > MAX_SESSIONS {
                return Err(refused(Refusal::TooManySessions(ask.request_id.clone())));
            }
        }
        Ok(())
    }

    /// Takes a question in. Returns the hub's id for it; the same question again gets the same id.
    ///
    /// `old` is what the store knows under the same agent and request id, when the caller has looked.
    pub(crate) fn ask(
        &mut self,
        ask: Ask,
        old: Option<Approval>,
        id: Arc<str>,
        now: Millis,
        out: &mut Outbox,
    ) -> Result<Arc<str>, Refusal> {
        let (size, digest) = self.bind(&ask)?;
        let key = (ask.agent.clone(), ask.request_id.clone());
        let session = SessionKey {
            agent: ask.agent.clone(),
            session: ask.session.clone(),
        };
        if let (false, Some(old)) = (self.keys.contains_key(&key), old) {
            self.insert(Slot {
                bytes: 0,
                shown: true,
                ready: old.status != Status::Pending,
                recorded: 0,
                writers: 0,
                attached: 0,
                lease: Some(now.plus_seconds(self.limits.grace_seconds)),
                also: Vec::new(),
                approval: old,
            });
            self.close(&key);
        }
        if let Some(known) = self.keys.get(&key).cloned() {
            self.ask_again(&known, &digest, &session, now, out)?;
            return Ok(known);
        }
        self.room((0, 0), size)?;
        let approval = Approval {
            id: id.clone(),
            request_id: ask.request_id,
            agent: ask.agent.clone(),
            session: ask.session.clone(),
            stream: ask.stream.clone(),
            origin: ask.origin,
            tool_name: ask.tool_name,
            arguments: ask.arguments,
            tool_info: ask.tool_info,
            cwd: ask.cwd,
            digest,
            edits: ask.edits,
            seq: out.next,
            asked_at: now,
            expires_at: ask.timeout.map(|seconds| now.plus_seconds(seconds)),
            status: Status::Pending,
            decision: None,
            delivery: Delivery::Waiting,
        };
        let seq = out.push(Record {
            origin: ask.origin,
            agent: ask.agent,
            session: Some(ask.session),
            stream: ask.stream,
            kind: kind::APPROVAL_REQUEST,
            timestamp: ask.timestamp,
            data: ask.data,
            changes: vec![Change::Approval(Box::new(approval.clone()))],
            via: Vec::new(),
        });
        self.steps.push_back((seq, Step::Asked(id.clone())));
        let rule = self.rule_for(&approval).cloned();
        self.insert(Slot {
            approval,
            also: Vec::new(),
            bytes: size,
            shown: false,
            ready: false,
            recorded: seq,
            writers: 0,
            attached: 0,
            lease: Some(now.plus_seconds(self.limits.grace_seconds)),
        });
        if let Some((stop, _)) = self.stops.get(&session) {
            let message = stop.message.clone();
            let decision = Decision {
                message,
                ..by_hub(Verdict::Stop, "", now)
            };
            self.decide(&id, Status::Stopped, decision, out);
        } else if let Some(rule) = rule {
            let decision = Decision {
                rule: Some(rule.id),
                message: None,
                ..by_hub(rule.decision, "", now)
            };
            self.decide(&id, rule.decision.status(), decision, out);
        }
        Ok(id)
    }

    /// The question is known. Its agent may have come back in another session; what is stopped in any of them is stopped.
    fn ask_again(
        &mut self,
        id: &Arc<str>,
        digest: &str,
        session: &SessionKey,
        now: Millis,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let slot = self.slots.get_mut(id).expect("callers hold an id of the registry");
        if !binds(&slot.approval, digest) {
            return Err(Refusal::Conflict(slot.approval.request_id.clone()));
        }
        if !slot.is_of(session) {
            if slot.also.len() + 1 >= MAX_SESSIONS {
                return Err(Refusal::TooManySessions(slot.approval.request_id.clone()));
            }
            slot.also.push(session.session.clone());
        }
        self.overtake_late(id, now, out);
        if self.slots[id].approval.status == Status::Pending {
            self.stop_pending(session, now, out);
        }
        Ok(())
    }

    fn rule_for(&self, approval: &Approval) -> Option<&Rule> {
        let fits = |rule: &&Rule| {
            rule.agent == approval.agent
                && rule.digest == approval.digest
                && rule.session.as_ref().is_none_or(|session| *session == approval.session)
        };
        // A "no" among several rules wins.
        let deny = self
            .rules
            .iter()
            .filter(fits)
            .find(|rule| rule.decision != Verdict::Approve);
        deny.or_else(|| self.rules.iter().find(fits))
    }

    /// Ends a pending approval and records it.
    fn decide(&mut self, id: &Arc<str>, status: Status, decision: Decision, out: &mut Outbox) {
        let slot = self.slots.get_mut(id).expect("callers hold an id of the registry");
        debug_assert_eq!(slot.approval.status, Status::Pending);
        slot.approval.status = status;
        slot.approval.decision = Some(decision);
        self.pending_bytes = self.pending_bytes.saturating_sub(slot.bytes);
        slot.recorded = out.push(resolved_record(&slot.approval));
        self.steps.push_back((slot.recorded, Step::Decided(id.clone())));
    }

    /// Takes a question back: it was settled elsewhere, or is no more. `false` when it does not wait any longer.
    pub(crate) fn cancel(&mut self, id: &str, why: &str, now: Millis, out: &mut Outbox) -> bool {
        let Some(slot) = self.slots.get(id) else { return false };
        let pending = slot.approval.status == Status::Pending;
        if pending {
            let id = slot.approval.id.clone();
            self.decide(&id, Status::Cancelled, by_hub(Verdict::Deny, why, now), out);
        }
        pending
    }

    /// Takes an answer in. The first one wins.
    pub(crate) fn answer(
        &mut self,
        id: &str,
        answer: Answer,
        now: Millis,
        out: &mut Outbox,
    ) -> Result<Approval, Rejection> {
        let slot = self
            .slots
            .get(id)
            .filter(|slot| slot.shown)
            .ok_or(Rejection::NotFound)?;
        if slot.approval.status != Status::Pending {
            return Err(Rejection::Resolved(Box::new(slot.approval.clone())));
        }
        if answer.arguments.is_some() {
            if answer.verdict != Verdict::Approve || answer.scope != Scope::Once {
                return Err(Rejection::EditsNeedApproveOnce);
            }
            if !slot.approval.edits {
                return Err(Rejection::NoEdits);
            }
        }
        if answer.verdict == Verdict::Stop && answer.scope != Scope::Once {
            return Err(Rejection::StopHasNoScope);
        }
        let (id, sessions) = (slot.approval.id.clone(), slot.sessions());
        let decision = Decision {
            decision: answer.verdict,
            scope: answer.scope,
            message: answer.message.clone(),
            arguments: answer.arguments,
            by: answer.by,
            rule: None,
            at: now,
        };
        self.decide(&id, answer.verdict.status(), decision, out);
        if answer.verdict == Verdict::Stop {
            for session in sessions {
                self.stop(&session, answer.by, answer.message.clone(), now, out);
            }
        }
        Ok(self.slots[&id].approval.clone())
    }

    /// Stops a session: what waits is stopped, an approval that its agent has not got is stopped too, and what comes is
    /// stopped at once. Stopping twice changes nothing.
    pub(crate) fn stop(
        &mut self,
        key: &SessionKey,
        by: Surface,
        message: Option<String>,
        now: Millis,
        out: &mut Outbox,
    ) -> bool {
        if self.stops.contains_key(key) {
            return false;
        }
        let stop = Stop {
            key: key.clone(),
            at: now,
            by,
            message,
        };
        let mut changes = vec![Change::Stopped(stop.clone())];
        let mut overtaken = Vec::new();
        for slot in self.slots.values_mut() {
            if slot.is_of(key) && slot.overtake(&stop, now) {
                slot.recorded = out.next;
                overtaken.push(slot.approval.id.clone());
                changes.push(Change::Approval(Box::new(slot.approval.clone())));
            }
        }
        let data = to_json(&Session {
            agent: &key.agent,
            session: &key.session,
            by,
            message: stop.message.as_deref(),
        });
        let seq = out.push(Record::of_hub(
            &key.agent,
            Some(&key.session),
            kind::SESSION_STOPPED,
            data,
            changes,
        ));
        self.stops.insert(key.clone(), (stop, false));
        self.steps.push_back((seq, Step::Stopped(key.clone())));
        for id in overtaken {
            self.steps.push_back((seq, Step::Decided(id)));
        }
        self.stop_pending(key, now, out);
        true
    }

    fn stop_pending(&mut self, key: &SessionKey, now: Millis, out: &mut Outbox) {
        let Some((stop, _)) = self.stops.get(key) else { return };
        let (by, message) = (stop.by, stop.message.clone());
        let pending = |slot: &&Slot| slot.approval.status == Status::Pending && slot.is_of(key);
        let mut waiting: Vec<_> = self
            .slots
            .values()
            .filter(pending)
            .map(|slot| (slot.approval.seq, slot.approval.id.clone()))
            .collect();
        waiting.sort_unstable();
        for (_, id) in waiting {
            let decision = Decision {
                decision: Verdict::Stop,
                scope: Scope::Once,
                message: message.clone(),
                arguments: None,
                by,
                rule: None,
                at: now,
            };
            self.decide(&id, Status::Stopped, decision, out);
        }
    }

    /// Lifts a stop; `false` when there was none.
    pub(crate) fn resume(&mut self, key: &SessionKey, by: Surface, out: &mut Outbox) -> bool {
        if self.stops.remove(key).is_none() {
            return false;
        }
        let data = to_json(&Session {
            agent: &key.agent,
            session: &key.session,
            by,
            message: None,
        });
        out.push(Record::of_hub(
            &key.agent,
            Some(&key.session),
            kind::SESSION_RESUMED,
            data,
            vec![Change::Resumed(key.clone())],
        ));
        true
    }

    /// The store has everything up to `seq`. Returns whether answers or stops became ready to be sent.
    pub(crate) fn committed(&mut self, seq: Seq, out: &mut Outbox) -> bool {
        self.durable = self.durable.max(seq);
        let mut ready = false;
        while self.steps.front().is_some_and(|(at, _)| *at <= seq) {
            let (at, step) = self.steps.pop_front().expect("looked at above");
            match step {
                Step::Asked(id) => {
                    if let Some(slot) = self.slots.get_mut(&id) {
                        slot.shown = true;
                        ready = true;
                    }
                }
                Step::Decided(id) => {
                    if let Some(slot) = self.slots.get_mut(&id).filter(|slot| slot.recorded == at) {
                        slot.ready = true;
                        ready = true;
                        let approval = slot.approval.clone();
                        self.make_rule(&approval, out);
                    }
                }
                Step::Stopped(key) => {
                    // Lifted and put again in the meantime: the later one waits for its own commit.
                    let again = |(_, step): &(Seq, Step)| matches!(step, Step::Stopped(later) if *later == key);
                    if let Some((_, sent)) = self.stops.get_mut(&key)
                        && !self.steps.iter().any(again)
                    {
                        *sent = true;
                        ready = true;
                    }
                }
            }
        }
        ready
    }

    /// A standing answer becomes a rule once it is committed.
    fn make_rule(&mut self, approval: &Approval, out: &mut Outbox) {
        let Some(decision) = &approval.decision else { return };
        if decision.scope == Scope::Once || decision.decision == Verdict::Stop {
            return;
        }
        let rule = Rule {
            id: format!("rule-{}", approval.id).into(),
            agent: approval.agent.clone(),
            session: (decision.scope == Scope::Session).then(|| approval.session.clone()),
            tool_name: approval.tool_name.clone(),
            digest: approval.digest.clone(),
            decision: decision.decision,
            approval: approval.id.clone(),
            created_at: decision.at,
        };
        if self.rules.iter().any(|known| known.id == rule.id) {
            return;
        }
        self.rules.push(rule.clone());
        let data = to_json(&serde_json::json!({ "rule": &rule }));
        out.push(Record::of_hub(
            &approval.agent,
            rule.session.clone().as_ref(),
            kind::RULE_CREATED,
            data,
            vec![Change::RuleCreated(rule)],
        ));
    }

    /// Revokes a rule.
    pub(crate) fn revoke(&mut self, id: &str, out: &mut Outbox) -> Option<Rule> {
        let place = self.rules.iter().position(|rule| *rule.id == *id)?;
        let rule = self.rules.remove(place);
        out.push(Record::of_hub(
            &rule.agent,
            rule.session.as_ref(),
            kind::RULE_REVOKED,
            to_json(&serde_json::json!({ "rule": &rule })),
            vec![Change::RuleRevoked(rule.id.clone())],
        ));
        Some(rule)
    }

    /// The store could not commit: whatever waited for it is answered "no", at once. Returns the records that must take the
    /// place of those in the log which said otherwise; nobody has seen them.
    pub(crate) fn failed(&mut self, now: Millis, out: &mut Outbox) -> Vec<(Seq, Record)> {
        let mut replaced = Vec::new();
        for (seq, step) in std::mem::take(&mut self.steps) {
            match step {
                Step::Asked(id) => {
                    let Some(slot) = self.slots.get_mut(&id) else { continue };
                    slot.shown = true;
                    if slot.approval.status == Status::Pending {
                        let decision = by_hub(Verdict::Deny, NOT_RECORDED, now);
                        self.decide(&id, Status::Denied, decision, out);
                        self.steps.pop_back();
                        self.slots.get_mut(&id).expect("decided above").ready = true;
                    }
                }
                Step::Decided(id) => {
                    let Some(slot) = self.slots.get_mut(&id) else { continue };
                    slot.ready = true;
                    if slot.approval.status == Status::Approved {
                        slot.approval.status = Status::Denied;
                        slot.approval.decision = Some(by_hub(Verdict::Deny, NOT_RECORDED, now));
                        replaced.push((seq, resolved_record(&slot.approval)));
                    }
                }
                Step::Stopped(key) => {
                    if let Some((_, sent)) = self.stops.get_mut(&key) {
                        *sent = true;
                    }
                }
            }
        }
        replaced
    }

    /// Somebody who will carry the answer to the agent is there.
    pub(crate) fn attach(&mut self, id: &str) {
        if let Some(slot) = self.slots.get_mut(id) {
            slot.attached += 1;
            slot.lease = None;
        }
    }

    /// They are gone; the request lives on for the grace time.
    pub(crate) fn detach(&mut self, id: &str, now: Millis) {
        let grace = self.limits.grace_seconds;
        if let Some(slot) = self.slots.get_mut(id) {
            slot.attached = slot.attached.saturating_sub(1);
            if slot.attached == 0 {
                slot.lease = Some(now.plus_seconds(grace));
            }
        }
    }

    /// Resolves what has run out of time, gives up on agents that did not come back.
    pub(crate) fn expire(&mut self, now: Millis, out: &mut Outbox) {
        let due = |at: Option<Millis>| at.is_some_and(|at| at <= now);
        let mut late: Vec<_> = self
            .slots
            .values()
            .filter(|slot| !slot.closed())
            .filter(|slot| due(slot.lease) || due(slot.approval.expires_at))
            .map(|slot| (slot.approval.seq, slot.approval.id.clone()))
            .collect();
        late.sort_unstable();
        for (_, id) in late {
            let slot = &self.slots[&id];
            let (abandoned, expired) = (due(slot.lease), due(slot.approval.expires_at));
            if slot.approval.status == Status::Pending {
                let (status, why) = if expired {
                    (Status::Expired, "nobody answered in time")
                } else {
                    (Status::Cancelled, "the agent went away and did not come back")
                };
                self.decide(&id, status, by_hub(Verdict::Deny, why, now), out);
            } else if abandoned && slot.attached == 0 && slot.writers == 0 && slot.ready {
                self.deliver(&id, Delivery::Undeliverable, out);
            }
        }
    }

    /// When [`Registry::expire`] has something to do next.
    pub(crate) fn deadline(&self) -> Option<Millis> {
        let times = self.slots.values().filter(|slot| !slot.closed()).flat_map(|slot| {
            let pending = slot.approval.status == Status::Pending;
            // Nobody is given up on before the decision is committed.
            let lease = slot.lease.filter(|_| pending || slot.ready);
            [lease, slot.approval.expires_at.filter(|_| pending)]
        });
        times.flatten().min()
    }

    /// The answer, if it may be sent; it will not change from now until it is delivered or released.
    pub(crate) fn claim(&mut self, id: &str) -> Option<Approval> {
        let slot = self.slots.get_mut(id).filter(|slot| slot.ready)?;
        slot.writers += 1;
        Some(slot.approval.clone())
    }

    /// The answer did not reach the agent after all.
    pub(crate) fn release(&mut self, id: &str, now: Millis, out: &mut Outbox) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        slot.writers = slot.writers.saturating_sub(1);
        self.overtake_late(id, now, out);
    }

    /// A stop that came while an approval was under way, or out of sight, and that overtakes it now.
    fn overtake_late(&mut self, id: &str, now: Millis, out: &mut Outbox) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        let stop = slot.sessions().iter().find_map(|session| self.stops.get(session));
        if let Some((stop, _)) = stop
            && slot.overtake(stop, now)
        {
            slot.recorded = out.push(resolved_record(&slot.approval));
            self.steps
                .push_back((slot.recorded, Step::Decided(slot.approval.id.clone())));
        }
    }

    /// The agent has the answer, or is given up on; one that comes back late may get it after all.
    pub(crate) fn deliver(&mut self, id: &str, delivery: Delivery, out: &mut Outbox) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        slot.writers = slot.writers.saturating_sub(1);
        let news = match slot.approval.delivery {
            Delivery::Waiting => slot.approval.status != Status::Pending,
            Delivery::Undeliverable => delivery == Delivery::Delivered,
            Delivery::Delivered => false,
        };
        if !news {
            return;
        }
        let late = slot.closed();
        slot.approval.delivery = delivery;
        let approval = &slot.approval;
        let data = to_json(&Delivered {
            approval_id: &approval.id,
            request_id: &approval.request_id,
            tool_name: &approval.tool_name,
            delivery,
            decision: approval.status.verdict(),
        });
        slot.recorded = out.push(Record {
            stream: approval.stream.clone(),
            ..Record::of_hub(
                &approval.agent,
                Some(&approval.session),
                kind::APPROVAL_DELIVERED,
                data,
                row(approval),
            )
        });
        if !late {
            let key = (approval.agent.clone(), approval.request_id.clone());
            self.close(&key);
        }
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
