//! The way of an answer to its agent: who is there to carry it, who is given up on, what has arrived.

use countersign_model::{Approval, Delivery, Millis, Status, Verdict, kind, to_json};

use super::record::{Delivered, by_hub, row};
use super::{Outbox, Record, Registry, Slot};

impl Registry {
    /// Somebody who will carry the answer to the agent is there.
    pub(crate) fn attach(&mut self, id: &str) {
        if let Some(slot) = self.slots.get_mut(id) {
            slot.attached += 1;
            slot.lease = None;
        }
    }

    /// The only one who would carry the answer is gone for good: nobody asks any more.
    /// `false` when somebody else waits, or nobody any longer.
    pub(crate) fn withdraw(&mut self, id: &str, why: &str, now: Millis, out: &mut Outbox) -> bool {
        self.slots.get(id).is_some_and(|slot| slot.attached <= 1) && self.cancel(id, why, now, out)
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

    /// The agent has the answer, or is given up on; one that comes back late may get it after all.
    pub(crate) fn deliver(&mut self, id: &str, delivery: Delivery, out: &mut Outbox) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        slot.writers = slot.writers.saturating_sub(1);
        let news = match slot.approval.delivery {
            Delivery::Waiting => slot.approval.status != Status::Pending,
            Delivery::Undeliverable => delivery == Delivery::Delivered,
            Delivery::Delivered => false,
        };
        if news {
            self.note_delivery(id, delivery, None, out);
        }
    }

    /// The answer came too late: what it was about had been settled where the agent asks by itself.
    pub(crate) fn came_late(&mut self, id: &str, why: &str, out: &mut Outbox) {
        let resolved = |slot: &&Slot| slot.approval.status != Status::Pending && slot.writers == 0;
        let Some(slot) = self.slots.get(id).filter(resolved) else {
            return;
        };
        if slot.approval.delivery != Delivery::Undeliverable {
            self.note_delivery(id, Delivery::Undeliverable, Some(why), out);
        }
    }

    fn note_delivery(&mut self, id: &str, delivery: Delivery, message: Option<&str>, out: &mut Outbox) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        let late = slot.closed();
        slot.approval.delivery = delivery;
        let approval = &slot.approval;
        let data = to_json(&Delivered {
            approval_id: &approval.id,
            request_id: &approval.request_id,
            tool_name: &approval.tool_name,
            delivery,
            decision: approval.status.verdict(),
            message,
        });
        let record = Record::about(approval, kind::APPROVAL_DELIVERED, data, row(approval));
        slot.recorded = out.push(record);
        if !late {
            let key = (approval.agent.clone(), approval.request_id.clone());
            self.close(&key);
        }
    }
}
