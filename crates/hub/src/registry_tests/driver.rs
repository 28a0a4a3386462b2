//! Takes each step on the registry and on the reference, compares them, and holds the promises that need no reference.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use countersign_model::{
    Answer, Approval, Ask, Delivery, Epoch, Extra, Grant, Millis, Origin, Rule, Scope, Seq, SessionKey, Status,
    Surface, Verdict, empty_object, kind, to_json,
};

use super::reference::{GRACE, Key, Outcome, Reference};
use super::{Offer, Op};
use crate::archive::Restored;
use crate::registry::{Limits, Outbox, Record, Refusal, Registry, Rejection};
use crate::{Change, Stop};

const AGENTS: [&str; 2] = ["sam", "ada"];
const SESSIONS: [&str; 2] = ["s1", "s2"];
const CALLS: [&str; 2] = ["ls", "rm -r"];

/// The store's rows, from the committed records alone.
#[derive(Default)]
struct Rows {
    approvals: BTreeMap<Arc<str>, Approval>,
    stops: BTreeMap<SessionKey, Stop>,
    rules: BTreeMap<Arc<str>, Rule>,
}

pub(super) struct Driver {
    registry: Registry,
    reference: Reference,
    log: Vec<Record>,
    rows: Rows,
    asked: usize,
    /// Approvals that a person approved; rules made by such an answer are named after it.
    approved_by_person: BTreeSet<Arc<str>>,
}

fn session_key(key: Key) -> SessionKey {
    SessionKey {
        agent: AGENTS[key.0].into(),
        session: SESSIONS[key.1].into(),
    }
}

fn grant() -> Grant {
    Grant {
        label: "Keep it".into(),
        entry: empty_object(),
    }
}

fn limits() -> Limits {
    Limits {
        grace_seconds: GRACE,
        max_recent: 1,
        ..Limits::default()
    }
}

impl Driver {
    pub(super) fn new() -> Self {
        Self {
            registry: Registry::new(limits()),
            reference: Reference::default(),
            log: Vec::new(),
            rows: Rows::default(),
            asked: 0,
            approved_by_person: BTreeSet::new(),
        }
    }

    fn now(&self) -> Millis {
        Millis(self.reference.now * 1000)
    }

    fn step<T>(&mut self, step: impl FnOnce(&mut Registry, &mut Outbox) -> T) -> T {
        let mut out = Outbox::after(self.log.len() as Seq);
        let result = step(&mut self.registry, &mut out);
        self.log.extend(out.records);
        result
    }

    fn pick(&self, pick: usize) -> Option<(usize, Arc<str>)> {
        let count = self.reference.questions.len();
        (count > 0).then(|| (pick % count, self.reference.questions[pick % count].id.clone()))
    }

    pub(super) fn take(&mut self, op: &Op) {
        match *op {
            Op::Ask {
                agent,
                session,
                request,
                call,
                timeout,
                offer,
            } => self.ask((agent, session), request, call, timeout, offer),
            Op::Answer {
                pick,
                verdict,
                scope,
                edited,
                ref grants,
            } => self.answer(pick, verdict, scope, edited, grants),
            Op::Stop(agent, session) => {
                let (key, now) = ((agent, session), self.now());
                let stopped = self.step(|r, out| r.stop(&session_key(key), Surface::Tray, None, now, out));
                assert_eq!(stopped, self.reference.stop(key));
            }
            Op::Resume(agent, session) => {
                let key = (agent, session);
                let resumed = self.step(|r, out| r.resume(&session_key(key), Surface::Tray, out));
                assert_eq!(resumed, self.reference.resume(key));
            }
            Op::Revoke(pick) => {
                assert!(self.step(|r, out| r.revoke("rule-of-nobody", out)).is_none());
                if !self.reference.rules.is_empty() {
                    let place = pick % self.reference.rules.len();
                    let id = self.reference.rules[place].id.clone();
                    assert!(self.step(|r, out| r.revoke(&id, out)).is_some());
                    self.reference.revoke(place);
                }
            }
            Op::Pass(seconds) => {
                self.reference.now += seconds;
                let now = self.now();
                self.step(|r, out| r.expire(now, out));
                self.reference.expire();
            }
            Op::Attach(pick) => {
                if let Some((of, id)) = self.pick(pick) {
                    self.registry.attach(&id);
                    self.reference.attach(of);
                }
            }
            Op::Detach(pick) => {
                if let Some((of, id)) = self.pick(pick)
                    && self.idle_waiter(of)
                {
                    let now = self.now();
                    self.registry.detach(&id, now);
                    self.reference.detach(of);
                }
            }
            Op::Claim(pick) => self.claim(pick),
            Op::Release(pick) => {
                if let Some((of, id)) = self.pick(pick)
                    && self.reference.questions[of].writers > 0
                {
                    let now = self.now();
                    self.step(|r, out| r.release(&id, now, out));
                    self.reference.release(of);
                }
            }
            Op::Deliver(pick) => {
                if let Some((of, id)) = self.pick(pick)
                    && self.reference.questions[of].writers > 0
                {
                    self.step(|r, out| r.deliver(&id, Delivery::Delivered, out));
                    self.reference.deliver(of, Delivery::Delivered);
                }
            }
            Op::Commit(more) => self.commit(more),
            Op::Fail => self.fail(),
            Op::Crash => self.crash(),
        }
        self.compare();
    }

    fn idle_waiter(&self, of: usize) -> bool {
        let question = &self.reference.questions[of];
        question.waiters > question.writers
    }

    fn ask(&mut self, key: Key, request: usize, call: usize, timeout: Option<i64>, offer: Offer) {
        let request_id: Arc<str> = format!("r{request}").into();
        let arguments = to_json(&serde_json::json!({ "code": CALLS[call] }));
        let ask = Ask {
            origin: Origin::Sam,
            agent: AGENTS[key.0].into(),
            session: SESSIONS[key.1].into(),
            stream: None,
            request_id: request_id.clone(),
            tool_name: "Bash".into(),
            arguments,
            tool_info: None,
            cwd: None,
            timeout,
            edits: offer.edits,
            stops: offer.stops,
            grants: vec![grant(); offer.grants],
            timestamp: None,
            data: empty_object(),
            extra: Extra::default(),
        };
        let row = |approval: &&Approval| approval.agent == ask.agent && approval.request_id == request_id;
        let old = self.rows.approvals.values().find(row).cloned();
        let id: Arc<str> = format!("apr-{}", self.asked).into();
        self.asked += 1;
        let now = self.now();
        let result = self.step(|r, out| r.ask(ask, old, id.clone(), now, out));
        match self.reference.ask(&id, key, request, call, timeout, offer) {
            Some(expected) => assert_eq!(result, Ok(expected)),
            None => assert_eq!(result, Err(Refusal::Conflict(request_id))),
        }
    }

    fn answer(&mut self, pick: usize, verdict: Verdict, scope: Scope, edited: bool, grants: &[u32]) {
        let Some((of, id)) = self.pick(pick) else { return };
        let answer = Answer {
            verdict,
            scope,
            message: None,
            arguments: edited.then(empty_object),
            grants: grants.to_vec(),
            by: Surface::Dialog,
        };
        let now = self.now();
        let outcome = match self.step(|r, out| r.answer(&id, answer, now, out)) {
            Ok(approval) => {
                assert_eq!(approval.status, verdict.status());
                assert_eq!(approval.decision.expect("decided").grants, grants);
                Outcome::Taken
            }
            Err(Rejection::NotFound) => Outcome::NotFound,
            Err(Rejection::Resolved(approval)) => Outcome::Resolved(approval.status),
            Err(_) => Outcome::Unsupported,
        };
        if outcome == Outcome::Taken && verdict == Verdict::Approve {
            self.approved_by_person.insert(id);
        }
        assert_eq!(outcome, self.reference.answer(of, verdict, scope, edited, grants));
    }

    fn claim(&mut self, pick: usize) {
        let Some((of, id)) = self.pick(pick) else { return };
        if !self.idle_waiter(of) {
            return;
        }
        let claimed = self.registry.claim(&id);
        let expected = self.reference.claim(of);
        assert_eq!(claimed.as_ref().map(|approval| approval.status), expected);
        let Some(approval) = claimed.filter(|approval| approval.status == Status::Approved) else {
            return;
        };
        let row = self.rows.approvals.get(&id);
        assert_eq!(
            row.map(|row| row.status),
            Some(Status::Approved),
            "an approval goes out that is not committed"
        );
        let decision = approval.decision.as_ref().expect("approved by someone");
        let kept = decision
            .grants
            .iter()
            .all(|place| approval.grants.get(*place as usize).is_some());
        assert!(kept, "a permission goes out that was not offered");
        assert!(
            decision.rule.is_none() || decision.grants.is_empty(),
            "a rule gives no permission that nobody gave with this answer"
        );
        let by_person = match &decision.rule {
            None => decision.by != Surface::Hub && self.approved_by_person.contains(&id),
            Some(rule) => rule
                .strip_prefix("rule-")
                .is_some_and(|source| self.approved_by_person.contains(source)),
        };
        assert!(by_person, "nobody approved {approval:?}");
        let stopped = self.reference.stops.contains_key(&self.reference.questions[of].key);
        assert!(
            !stopped || approval.delivery == Delivery::Delivered || self.reference.questions[of].writers > 1,
            "an approval goes out of a stopped session"
        );
    }

    fn commit(&mut self, more: u64) {
        let from = self.reference.durable;
        self.reference.commit(more);
        let durable = self.reference.durable;
        for record in &self.log[from as usize..durable as usize] {
            for change in &record.changes {
                self.rows.apply(change);
            }
        }
        self.step(|r, out| r.committed(durable, out));
    }

    fn fail(&mut self) {
        let (now, durable) = (self.now(), self.reference.durable);
        let replaced = self.step(|r, out| r.failed(now, out));
        for (seq, record) in replaced {
            assert!(seq > durable, "a committed record was taken back");
            for change in &record.changes {
                let Change::Approval(approval) = change else { continue };
                assert_eq!(approval.status, Status::Denied);
                assert!(!record.event.data.get().contains("approve\""), "{}", record.event.data);
            }
            self.log[seq as usize - 1] = record;
        }
        self.reference.fail();
    }

    fn crash(&mut self) {
        self.reference.crash();
        self.log.truncate(self.reference.durable as usize);
        self.registry = Registry::new(limits());
        let open = |approval: &&Approval| approval.status == Status::Pending || approval.delivery == Delivery::Waiting;
        let approvals = self.rows.approvals.values().filter(open).cloned().collect();
        let stops = self.rows.stops.values().cloned().collect();
        let rules = self.rows.rules.values().cloned().collect();
        let now = self.now();
        let restored = Restored {
            epoch: Epoch::new("next"),
            last: self.log.len() as Seq,
            oldest: 1,
            epochs: Vec::new(),
            approvals,
            stops,
            rules,
            unreadable: Vec::new(),
            unreadable_rules: Vec::new(),
            seen: Vec::new(),
        };
        self.step(|r, out| r.restore(restored, now, out));
    }

    /// What is over may be forgotten, but only once the store has it and nobody waits for it.
    fn follow_forgotten(&mut self) {
        let durable = self.reference.durable;
        for of in 0..self.reference.questions.len() {
            let last = self.reference.last_word_on(of);
            let question = &mut self.reference.questions[of];
            if question.at_hand && self.registry.get(&question.id).is_none() {
                assert!(question.over() && question.waiters == 0, "forgotten: {question:?}");
                assert!(last <= durable, "forgotten before it was committed: {question:?}");
                question.at_hand = false;
            }
        }
    }

    fn compare(&mut self) {
        self.follow_forgotten();
        let reference = &self.reference;
        assert_eq!(self.log.len() as Seq, reference.tail, "records");
        for question in &reference.questions {
            let approval = self.registry.get(&question.id);
            assert_eq!(approval.is_some(), question.at_hand, "{}", question.id);
            let Some(approval) = approval else { continue };
            assert_eq!(approval.status, question.status, "{question:?}");
            assert_eq!(approval.delivery, question.delivery, "{question:?}");
            assert_eq!(approval.seq, question.asked);
            assert_eq!(self.registry.shown(&question.id).is_some(), question.shown);
            let decided = approval.decision.as_ref().map(|decision| decision.decision);
            assert_eq!(decided, question.status.verdict());
        }
        let mut waiting: Vec<_> = reference
            .questions
            .iter()
            .filter(|q| q.at_hand && q.shown && q.status == Status::Pending)
            .collect();
        waiting.sort_by_key(|q| q.asked);
        let shown = self.registry.waiting();
        assert!(shown.iter().map(|a| &a.id).eq(waiting.iter().map(|q| &q.id)));
        assert_eq!(self.registry.waiting_count(), shown.len());
        for agent in 0..AGENTS.len() {
            for session in 0..SESSIONS.len() {
                let told = self
                    .registry
                    .stopped(&session_key((agent, session)))
                    .map(|(_, told)| told);
                assert_eq!(told, reference.stops.get(&(agent, session)).map(|(_, told)| *told));
            }
        }
        let rules: BTreeSet<_> = self.registry.rules().iter().map(|rule| rule.id.to_string()).collect();
        assert_eq!(rules, reference.rules.iter().map(|rule| rule.id.clone()).collect());
        assert_eq!(
            self.registry.deadline(),
            reference.deadline().map(|at| Millis(at * 1000))
        );
    }

    /// Everything is committed at last: memory, rows and log agree.
    pub(super) fn finish(mut self) {
        while self.reference.durable < self.reference.tail {
            self.commit(u64::MAX / 2);
            self.compare();
        }
        for question in self.reference.questions.iter().filter(|question| question.at_hand) {
            let (held, row) = (self.registry.get(&question.id), self.rows.approvals.get(&question.id));
            let (held, row) = (held.expect("at hand"), row.expect("committed"));
            assert_eq!((row.status, row.delivery), (held.status, held.delivery), "{question:?}");
        }
        self.each_has_one_resolution();
    }

    fn each_has_one_resolution(&self) {
        let mut said: BTreeMap<&str, Vec<Status>> = BTreeMap::new();
        for record in self
            .log
            .iter()
            .filter(|record| &*record.event.kind == kind::APPROVAL_RESOLVED)
        {
            let [Change::Approval(approval)] = &record.changes[..] else {
                panic!("a resolution has one row: {record:?}")
            };
            let data: serde_json::Value = serde_json::from_str(record.event.data.get()).expect("JSON");
            assert_eq!(data["approval_id"], *approval.id);
            assert_eq!(data["status"], approval.status.as_str());
            assert_eq!(data["decision"], approval.status.verdict().expect("resolved").as_str());
            said.entry(&approval.id).or_default().push(approval.status);
        }
        for (id, row) in &self.rows.approvals {
            match said.get(&**id).map(Vec::as_slice) {
                None => assert_eq!(row.status, Status::Pending),
                Some([status]) if *status == row.status => {}
                // A stop overtakes an approval that the agent has not got.
                Some([Status::Approved] | [Status::Approved, Status::Stopped]) => {
                    assert_eq!(row.status, Status::Stopped)
                }
                other => panic!("{id} is {:?}, resolved as {other:?}", row.status),
            }
        }
    }
}

impl Rows {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Approval(approval) => drop(self.approvals.insert(approval.id.clone(), (**approval).clone())),
            Change::Stopped(stop) => drop(self.stops.insert(stop.key.clone(), stop.clone())),
            Change::Resumed(key) => drop(self.stops.remove(key)),
            Change::RuleCreated(rule) => drop(self.rules.insert(rule.id.clone(), rule.clone())),
            Change::RuleRevoked(id) => drop(self.rules.remove(id)),
            Change::Place(_) | Change::Seen(_) => {}
        }
    }
}
