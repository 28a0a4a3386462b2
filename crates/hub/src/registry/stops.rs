//! Stops: they end a session's run, overtake what its agent has not got, and hold until they are lifted.

use countersign_model::{Decision, Millis, Scope, SessionKey, Status, Surface, Verdict, kind, to_json};
use serde::Serialize;

use super::record::resolved_record;
use super::{Outbox, Record, Registry, Slot, Step};
use crate::{Change, Stop};

#[derive(Serialize)]
struct Session<'a> {
    agent: &'a str,
    session: &'a str,
    by: Surface,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

impl Registry {
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

    pub(super) fn stop_pending(&mut self, key: &SessionKey, now: Millis, out: &mut Outbox) {
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
                grants: Vec::new(),
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

    /// A stop that came while an approval was under way, or out of sight, and that overtakes it now.
    pub(super) fn overtake_late(&mut self, id: &str, now: Millis, out: &mut Outbox) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        let origin = Some(slot.approval.origin);
        let sessions = slot.sessions();
        let over = |(stop, _): &&(Stop, bool)| sessions.iter().any(|session| stop.covers(session, origin));
        let stop = self.stops.values().find(over);
        if let Some((stop, _)) = stop
            && slot.overtake(stop, now)
        {
            slot.recorded = out.push(resolved_record(&slot.approval));
            self.steps
                .push_back((slot.recorded, Step::Decided(slot.approval.id.clone())));
        }
    }
}
