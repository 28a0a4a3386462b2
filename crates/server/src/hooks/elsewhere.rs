//! Questions that were settled where the agent asked: found by what it does next, and taken back.

use countersign_model::{Approval, Origin};

use super::door::Visit;

/// Why a question was taken back whose call ran all the same.
pub(super) const ELSEWHERE: &str = "answered in the terminal";
/// The same where it is known how.
pub(crate) const ALLOWED: &str = "answered in the terminal: allowed";
pub(crate) const REFUSED: &str = "answered in the terminal: refused";

impl Visit {
    /// A call that has run was permitted: a question about it that still waits was answered in the terminal. Where several could be
    /// meant none is taken back.
    pub(super) fn settle_elsewhere(&self) {
        let (Some(id), Some(digest)) = (&self.hook.call_id, &self.digest) else {
            return;
        };
        if self.hub().waiting_count() == 0 {
            return;
        }
        let mut waiting = self.waiting(|approval| approval.session == self.key.session);
        // An answer in the terminal may change what runs: a question comes back with what was chosen.
        let own = waiting
            .iter()
            .position(|approval| self.hooks().asked(&approval.id).as_ref() == Some(id));
        let own = match own {
            Some(place) => waiting.swap_remove(place),
            None => {
                waiting
                    .retain(|approval| self.hook.digest_at(approval.cwd.as_deref()).as_ref() == Some(&approval.digest));
                if waiting.len() != 1 || self.hooks().calls().alike(&self.key, digest).0 != 0 {
                    return;
                }
                waiting.remove(0)
            }
        };
        let denied = self.hook.name == "PermissionDenied";
        self.hub().cancel(&own.id, if denied { ELSEWHERE } else { ALLOWED });
    }

    pub(super) fn waiting(&self, which: impl Fn(&Approval) -> bool) -> Vec<Approval> {
        let mut waiting = self.hub().waiting();
        waiting
            .retain(|approval| approval.origin == Origin::Hook && approval.agent == self.key.agent && which(approval));
        waiting
    }

    pub(super) fn take_back(&self, why: &str, which: impl Fn(&Approval) -> bool) {
        if self.hub().waiting_count() == 0 {
            return;
        }
        for approval in self.waiting(which) {
            self.hub().cancel(&approval.id, why);
        }
    }
}
