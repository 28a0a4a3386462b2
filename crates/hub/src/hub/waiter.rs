//! Whoever carries an answer to its agent, for as long as it is there.

use std::sync::Arc;

use countersign_model::{Approval, Delivery};

use super::{Hub, lock};

/// Held by whoever carries the answer to the agent. While it lives the agent counts as there; dropped, the grace time runs.
pub struct Waiter {
    pub(super) hub: Arc<Hub>,
    pub(super) id: Arc<str>,
    pub(super) claimed: bool,
}

impl Waiter {
    /// The hub's id of the approval.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The answer, if it may be sent. After this it does not change: send it, then say [`Waiter::delivered`].
    pub fn claim(&mut self) -> Option<Approval> {
        let mut registry = lock(&self.hub.state);
        if self.claimed {
            return registry.get(&self.id).cloned();
        }
        let approval = registry.claim(&self.id)?;
        self.claimed = true;
        Some(approval)
    }

    /// Waits for the answer and claims it.
    pub async fn answer(&mut self) -> Approval {
        let mut answers = self.hub.answers();
        loop {
            answers.borrow_and_update();
            if let Some(approval) = self.claim() {
                return approval;
            }
            if answers.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// The agent is gone for good, or was answered elsewhere: unless somebody else waits for the same question, it is taken back at
    /// once, without a grace time. An answer that is there already stays: then this is `false`.
    pub fn withdraw(self, why: &str) -> bool {
        let now = self.hub.clock.now();
        self.hub
            .change(|registry, out| registry.withdraw(&self.id, why, now, out))
    }

    /// The answer, once claimed, was written to the agent.
    pub fn delivered(self) {
        self.end(Delivery::Delivered);
    }

    /// The answer, once claimed, was not said to the agent, which waits no longer.
    pub fn unsaid(self) {
        self.end(Delivery::Undeliverable);
    }

    fn end(mut self, delivery: Delivery) {
        if std::mem::take(&mut self.claimed) {
            self.hub
                .change(|registry, out| registry.deliver(&self.id, delivery, out));
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let now = self.hub.clock.now();
        let claimed = self.claimed;
        self.hub.change(|registry, out| {
            if claimed {
                registry.release(&self.id, now, out);
            }
            registry.detach(&self.id, now);
        });
    }
}
