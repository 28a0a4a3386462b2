//! Going on from what the store kept.

use countersign_model::{Millis, Status};

use super::record::resolved_record;
use super::{Outbox, Registry, Slot};
use crate::archive::Restored;

impl Registry {
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
}
