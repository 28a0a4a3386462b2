//! The reference: what a question's life is, said a second time and as simply as can be. It keeps all it ever wrote in a
//! journal and starts again from the committed part of it after a crash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Offer;
use countersign_model::{Delivery, Scope, Seq, Status, Verdict};

pub(super) const GRACE: i64 = 60;

/// Agent and session.
pub(super) type Key = (usize, usize);

#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) id: Arc<str>,
    pub(super) key: Key,
    /// Sessions that it was asked again from.
    pub(super) also: Vec<Key>,
    pub(super) request: usize,
    pub(super) call: usize,
    pub(super) offer: Offer,
    pub(super) asked: Seq,
    pub(super) shown: bool,
    pub(super) status: Status,
    /// The record that says how it stands.
    pub(super) said: Seq,
    pub(super) scope: Scope,
    /// The agent may be told.
    pub(super) told: bool,
    pub(super) delivery: Delivery,
    pub(super) waiters: u32,
    pub(super) writers: u32,
    pub(super) lease: Option<i64>,
    pub(super) expires: Option<i64>,
    /// In memory, and not only in the store.
    pub(super) at_hand: bool,
}

impl Question {
    pub(super) fn over(&self) -> bool {
        self.status != Status::Pending && self.delivery != Delivery::Waiting
    }

    fn is_of(&self, key: Key) -> bool {
        self.key == key || self.also.contains(&key)
    }

    /// An approval that its agent has not got, and that nobody is writing to it.
    fn revocable(&self) -> bool {
        self.status == Status::Approved && self.delivery != Delivery::Delivered && self.writers == 0
    }
}

#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) id: String,
    pub(super) agent: usize,
    pub(super) session: Option<usize>,
    pub(super) call: usize,
    pub(super) verdict: Verdict,
}

#[derive(Clone, Debug)]
enum Fact {
    Question(Box<Question>),
    Stopped(Key),
    Resumed(Key),
    Rule(Standing),
    Revoked(String),
}

#[derive(Debug, Default)]
pub(super) struct Reference {
    pub(super) now: i64,
    pub(super) tail: Seq,
    pub(super) durable: Seq,
    pub(super) questions: Vec<Question>,
    /// Stopped sessions: the place of the stop, and whether agents may be told.
    pub(super) stops: BTreeMap<Key, (Seq, bool)>,
    pub(super) rules: Vec<Standing>,
    journal: Vec<(Seq, Fact)>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Taken,
    NotFound,
    Resolved(Status),
    Unsupported,
}

impl Reference {
    fn place(&mut self) -> Seq {
        self.tail += 1;
        self.tail
    }

    fn write(&mut self, seq: Seq, fact: Fact) {
        self.journal.push((seq, fact));
    }

    fn write_question(&mut self, seq: Seq, of: usize) {
        let question = Box::new(self.questions[of].clone());
        self.write(seq, Fact::Question(question));
    }

    /// The newest record about a question.
    pub(super) fn last_word_on(&self, of: usize) -> Seq {
        let id = &self.questions[of].id;
        let about = |fact: &Fact| matches!(fact, Fact::Question(question) if question.id == *id);
        let words = self.journal.iter().filter(|(_, fact)| about(fact));
        words.map(|(seq, _)| *seq).max().unwrap_or(0)
    }

    fn resolve(&mut self, of: usize, status: Status, scope: Scope) {
        let seq = self.place();
        let question = &mut self.questions[of];
        (question.status, question.scope, question.said, question.told) = (status, scope, seq, false);
        self.write_question(seq, of);
    }

    fn by_age(&self, fits: impl Fn(&Question) -> bool) -> Vec<usize> {
        let mut places: Vec<_> = (0..self.questions.len())
            .filter(|of| self.questions[*of].at_hand && fits(&self.questions[*of]))
            .collect();
        places.sort_by_key(|of| self.questions[*of].asked);
        places
    }

    /// The id the question has from now on; `None` when it conflicts with another one.
    pub(super) fn ask(
        &mut self,
        id: &Arc<str>,
        key: Key,
        request: usize,
        call: usize,
        timeout: Option<i64>,
        offer: Offer,
    ) -> Option<Arc<str>> {
        let known = self
            .questions
            .iter()
            .position(|q| q.key.0 == key.0 && q.request == request);
        if let Some(of) = known {
            let question = &mut self.questions[of];
            if !question.at_hand {
                question.at_hand = true;
                question.told = true;
                question.lease = Some(self.now + GRACE);
            }
            if question.call != call {
                return None;
            }
            if !question.is_of(key) {
                question.also.push(key);
            }
            let stopped = self.stops.keys().any(|session| question.is_of(*session));
            if stopped && (question.revocable() || question.status == Status::Pending) {
                self.resolve(of, Status::Stopped, Scope::Once);
            }
            return Some(self.questions[of].id.clone());
        }
        let asked = self.place();
        let of = self.questions.len();
        self.questions.push(Question {
            id: id.clone(),
            key,
            also: Vec::new(),
            request,
            call,
            offer,
            asked,
            shown: false,
            status: Status::Pending,
            said: 0,
            scope: Scope::Once,
            told: false,
            delivery: Delivery::Waiting,
            waiters: 0,
            writers: 0,
            lease: Some(self.now + GRACE),
            expires: timeout.map(|seconds| self.now + seconds),
            at_hand: true,
        });
        self.write_question(asked, of);
        if self.stops.contains_key(&key) {
            self.resolve(of, Status::Stopped, Scope::Once);
        } else if let Some(verdict) = self.rule_for(key, call) {
            self.resolve(of, verdict.status(), Scope::Once);
        }
        Some(id.clone())
    }

    fn rule_for(&self, key: Key, call: usize) -> Option<Verdict> {
        let fits: Vec<_> = self
            .rules
            .iter()
            .filter(|rule| rule.agent == key.0 && rule.call == call && rule.session.is_none_or(|s| s == key.1))
            .map(|rule| rule.verdict)
            .collect();
        if fits.contains(&Verdict::Deny) {
            Some(Verdict::Deny)
        } else {
            fits.first().copied()
        }
    }

    pub(super) fn answer(
        &mut self,
        of: usize,
        verdict: Verdict,
        scope: Scope,
        edited: bool,
        grants: &[u32],
    ) -> Outcome {
        let question = &self.questions[of];
        if !question.at_hand || !question.shown {
            return Outcome::NotFound;
        }
        if question.status != Status::Pending {
            return Outcome::Resolved(question.status);
        }
        let edits_fit = question.offer.edits && verdict == Verdict::Approve && scope == Scope::Once;
        let stop_fits = question.offer.stops && scope == Scope::Once;
        let each_once = BTreeSet::from_iter(grants).len() == grants.len();
        let offered = grants.iter().all(|place| (*place as usize) < question.offer.grants);
        let grants_fit = verdict == Verdict::Approve && offered && each_once;
        if (edited && !edits_fit) || (verdict == Verdict::Stop && !stop_fits) || (!grants.is_empty() && !grants_fit) {
            return Outcome::Unsupported;
        }
        let sessions: Vec<_> = std::iter::once(question.key)
            .chain(question.also.iter().copied())
            .collect();
        self.resolve(of, verdict.status(), scope);
        if verdict == Verdict::Stop {
            for session in sessions {
                self.stop(session);
            }
        }
        Outcome::Taken
    }

    pub(super) fn stop(&mut self, key: Key) -> bool {
        if self.stops.contains_key(&key) {
            return false;
        }
        let seq = self.place();
        self.stops.insert(key, (seq, false));
        self.write(seq, Fact::Stopped(key));
        for of in self.by_age(|q| q.is_of(key) && q.revocable()) {
            let question = &mut self.questions[of];
            (question.status, question.scope) = (Status::Stopped, Scope::Once);
            (question.said, question.told) = (seq, false);
            self.write_question(seq, of);
        }
        for of in self.by_age(|q| q.is_of(key) && q.status == Status::Pending) {
            self.resolve(of, Status::Stopped, Scope::Once);
        }
        true
    }

    pub(super) fn resume(&mut self, key: Key) -> bool {
        if self.stops.remove(&key).is_none() {
            return false;
        }
        let seq = self.place();
        self.write(seq, Fact::Resumed(key));
        true
    }

    pub(super) fn revoke(&mut self, place: usize) {
        let rule = self.rules.remove(place);
        let seq = self.place();
        self.write(seq, Fact::Revoked(rule.id));
    }

    pub(super) fn expire(&mut self) {
        let now = self.now;
        let due = move |at: Option<i64>| at.is_some_and(|at| at <= now);
        for of in self.by_age(|q| !q.over() && (due(q.lease) || due(q.expires))) {
            let question = &self.questions[of];
            if question.status == Status::Pending {
                let status = if due(question.expires) {
                    Status::Expired
                } else {
                    Status::Cancelled
                };
                self.resolve(of, status, Scope::Once);
            } else if due(question.lease) && question.told {
                self.deliver(of, Delivery::Undeliverable);
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<i64> {
        let open = self.questions.iter().filter(|q| q.at_hand && !q.over());
        let pending = |q: &Question| q.status == Status::Pending;
        open.flat_map(|q| {
            let lease = q.lease.filter(|_| pending(q) || q.told);
            [lease, q.expires.filter(|_| pending(q))]
        })
        .flatten()
        .min()
    }

    pub(super) fn attach(&mut self, of: usize) {
        let question = &mut self.questions[of];
        if question.at_hand {
            question.waiters += 1;
            question.lease = None;
        }
    }

    pub(super) fn detach(&mut self, of: usize) {
        let now = self.now;
        let question = &mut self.questions[of];
        question.waiters -= 1;
        if question.waiters == 0 {
            question.lease = Some(now + GRACE);
        }
    }

    pub(super) fn claim(&mut self, of: usize) -> Option<Status> {
        let question = &mut self.questions[of];
        let may = question.status != Status::Pending && question.told;
        may.then(|| {
            question.writers += 1;
            question.status
        })
    }

    pub(super) fn release(&mut self, of: usize) {
        let question = &mut self.questions[of];
        question.writers -= 1;
        if question.revocable() && self.stops.keys().any(|session| question.is_of(*session)) {
            self.resolve(of, Status::Stopped, Scope::Once);
        }
    }

    pub(super) fn deliver(&mut self, of: usize, delivery: Delivery) {
        let question = &mut self.questions[of];
        if delivery == Delivery::Delivered {
            question.writers -= 1;
        }
        // Who was given up on may come back and get the answer after all.
        let late = question.delivery == Delivery::Undeliverable && delivery == Delivery::Delivered;
        if late || question.delivery == Delivery::Waiting {
            question.delivery = delivery;
            let seq = self.place();
            self.write_question(seq, of);
        }
    }

    pub(super) fn commit(&mut self, more: u64) {
        self.durable = (self.durable + more).min(self.tail);
        let durable = self.durable;
        for question in &mut self.questions {
            question.shown |= question.asked <= durable;
        }
        for (seq, told) in self.stops.values_mut() {
            *told |= *seq <= durable;
        }
        let mut due = self.by_age(|q| q.status != Status::Pending && !q.told && q.said <= durable);
        due.sort_by_key(|of| self.questions[*of].said);
        for of in due {
            self.questions[of].told = true;
            let question = &self.questions[of];
            let verdict = question.status.verdict().expect("resolved");
            if question.scope == Scope::Once || verdict == Verdict::Stop {
                continue;
            }
            let rule = Standing {
                id: format!("rule-{}", question.id),
                agent: question.key.0,
                session: (question.scope == Scope::Session).then_some(question.key.1),
                call: question.call,
                verdict,
            };
            let seq = self.place();
            self.rules.push(rule.clone());
            self.write(seq, Fact::Rule(rule));
        }
    }

    /// What is not committed is answered "no" at once, and the log never says otherwise.
    pub(super) fn fail(&mut self) {
        let durable = self.durable;
        for of in self.by_age(|q| q.status != Status::Pending && !q.told && q.said > durable) {
            let question = &mut self.questions[of];
            question.told = true;
            if question.status == Status::Approved {
                (question.status, question.scope) = (Status::Denied, Scope::Once);
                let (said, question) = (question.said, question.clone());
                let record = self.journal.iter_mut().find(|(seq, _)| *seq == said).expect("written");
                record.1 = Fact::Question(Box::new(question));
            }
        }
        for of in self.by_age(|q| !q.shown) {
            self.questions[of].shown = true;
            if self.questions[of].status == Status::Pending {
                self.resolve(of, Status::Denied, Scope::Once);
                self.questions[of].told = true;
            }
        }
        for (_, told) in self.stops.values_mut() {
            *told = true;
        }
    }

    /// Starts again from the committed part of the journal.
    pub(super) fn crash(&mut self) {
        let durable = self.durable;
        self.journal.retain(|(seq, _)| *seq <= durable);
        self.tail = durable;
        self.questions.clear();
        self.stops.clear();
        self.rules.clear();
        for (seq, fact) in &self.journal {
            match fact {
                Fact::Question(question) => {
                    self.questions.retain(|known| known.id != question.id);
                    self.questions.push((**question).clone());
                }
                Fact::Stopped(key) => drop(self.stops.insert(*key, (*seq, true))),
                Fact::Resumed(key) => drop(self.stops.remove(key)),
                Fact::Rule(rule) => self.rules.push(rule.clone()),
                Fact::Revoked(id) => self.rules.retain(|rule| rule.id != *id),
            }
        }
        self.questions.sort_by_key(|question| question.asked);
        for question in &mut self.questions {
            question.shown = true;
            question.told = true;
            (question.waiters, question.writers) = (0, 0);
            question.also.clear();
            question.at_hand = !question.over();
            question.lease = Some(self.now + GRACE);
        }
        let stopped: Vec<_> = self.stops.keys().copied().collect();
        for key in stopped {
            for of in self.by_age(|q| q.key == key && q.revocable()) {
                self.resolve(of, Status::Stopped, Scope::Once);
            }
            for of in self.by_age(|q| q.key == key && q.status == Status::Pending) {
                self.resolve(of, Status::Stopped, Scope::Once);
            }
        }
    }
}
