//! What the store's commit lets go, and what its failure turns into "no".

use countersign_model::{Millis, Seq, Status, Verdict};

use super::record::{by_hub, resolved_record};
use super::{Outbox, Record, Registry, Step};

/// What the agent is told when the store could not take its request or an answer to it.
pub(crate) const NOT_RECORDED: &str = "Countersign could not record this in its store, so the answer is no";

impl Registry {
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
}
