//! Taking questions in: what is bound, what is refused, what is recognised as asked before.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use countersign_model::{Approval, Ask, Decision, Millis, SessionKey, Status, Verdict, canonical};

use super::limits::MAX_SESSIONS;
use super::record::by_hub;
use super::{Outbox, Record, Refusal, Registry, Slot, Step};
use crate::Change;

/// The digest that a question of a batch binds, and the sessions that it is asked from.
type Bound = (String, HashSet<Arc<str>>);

/// Whether the approval is of the call that has this digest, as far as is known.
fn binds(approval: &Approval, digest: &str) -> bool {
    approval.is_stand_in() || approval.digest == *digest
}

impl Registry {
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
        let mut batch: HashMap<(&Arc<str>, &Arc<str>), Bound> = HashMap::new();
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
        let origin = ask.origin;
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
        let (approval, event) = ask.asked(id.clone(), digest, out.next, now);
        let seq = out.push(Record {
            event,
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
        if let Some((stop, _)) = self.stop_over(&session, Some(origin)) {
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
        if !slot.is_from(session) {
            if slot.also.len() + 1 >= MAX_SESSIONS {
                return Err(Refusal::TooManySessions(slot.approval.request_id.clone()));
            }
            slot.also.push(session.session.clone());
        }
        self.overtake_late(id, now, out);
        let approval = &self.slots[id].approval;
        if approval.status == Status::Pending
            && let Some((stop, _)) = self.stop_over(session, Some(approval.origin))
        {
            let stopped = stop.key.clone();
            self.stop_pending(&stopped, now, out);
        }
        Ok(())
    }
}
