//! Ending what waits: by an answer, by taking the question back, by the hub itself.

use std::sync::Arc;

use countersign_model::edits::{Unfit, edited};
use countersign_model::{Answer, Approval, Decision, Millis, Scope, Status, Verdict};

use super::record::{by_hub, resolved_record};
use super::{Outbox, Registry, Step};

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
    /// Edited arguments, or none, that would not run as what they are.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// A stop for an agent that would go on.
    #[error("this agent's run cannot be ended with an answer; deny instead")]
    NoStop,
    /// A permission to keep that the request does not offer, or with an answer that permits nothing.
    #[error("`grants` are places in the request's own `grants`, each once, and go with an approval only")]
    NoSuchGrant,
    /// A stop with a scope.
    #[error("a stop has no scope: it holds until it is lifted")]
    StopHasNoScope,
}

impl Registry {
    /// Ends a pending approval and records it.
    pub(super) fn decide(&mut self, id: &Arc<str>, status: Status, decision: Decision, out: &mut Outbox) {
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
        let arguments = match answer.verdict {
            Verdict::Approve => edited(&slot.approval, answer.arguments)?,
            Verdict::Deny | Verdict::Stop => None,
        };
        if answer.verdict == Verdict::Stop && answer.scope != Scope::Once {
            return Err(Rejection::StopHasNoScope);
        }
        if answer.verdict == Verdict::Stop && !slot.approval.stops {
            return Err(Rejection::NoStop);
        }
        let offered = |(at, place): (usize, &u32)| {
            slot.approval.grants.get(*place as usize).is_some() && !answer.grants[..at].contains(place)
        };
        if !answer.grants.is_empty() && answer.verdict != Verdict::Approve
            || !answer.grants.iter().enumerate().all(offered)
        {
            return Err(Rejection::NoSuchGrant);
        }
        let (id, sessions) = (slot.approval.id.clone(), slot.sessions());
        let decision = Decision {
            decision: answer.verdict,
            scope: answer.scope,
            message: answer.message.clone(),
            arguments,
            grants: answer.grants,
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
}
