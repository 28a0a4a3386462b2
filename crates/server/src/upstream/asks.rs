//! Questions of an upstream's agents: asked here as well, and the answer carried back. The first answer wins on both sides; what ends
//! there is cancelled here, and nothing but an answer ever approves.

use std::collections::HashSet;
use std::sync::Arc;

use countersign_hub::{Hub, Waiter};
use countersign_model::{Approval, Ask, Status};

use super::tongue::Tongue;

/// Questions that one connection has open here.
pub(crate) struct Asks {
    hub: Arc<Hub>,
    name: String,
    waiters: Vec<Waiter>,
    /// What was settled there; nothing is sent of it.
    settled: HashSet<Arc<str>>,
    /// Answers that were sent to a Countersign, which says whether they count.
    sent: Vec<(Approval, Waiter)>,
}

impl Asks {
    /// Takes up what an earlier connection, or an earlier run of the hub, left open.
    pub(crate) fn take_up(hub: &Arc<Hub>, name: &str) -> Self {
        let mut asks = Self {
            hub: hub.clone(),
            name: name.to_owned(),
            waiters: Vec::new(),
            settled: HashSet::new(),
            sent: Vec::new(),
        };
        for approval in asks.open() {
            asks.waiters.extend(hub.wait_for(&approval.id));
        }
        asks
    }

    fn open(&self) -> Vec<Approval> {
        let inside = format!("{}/", self.name);
        self.hub
            .open_of(|agent| agent == self.name || agent.starts_with(&inside))
    }

    /// Asks here. What was asked before is the same question.
    pub(crate) async fn ask(&mut self, ask: Ask, via: &[Arc<str>]) -> Result<(), String> {
        let asked = self.hub.ask_via(ask, via).await.map_err(|error| error.to_string())?;
        if !self.waiters.iter().any(|waiter| waiter.id() == asked.waiter.id()) {
            self.waiters.push(asked.waiter);
        }
        Ok(())
    }

    /// It was answered there, or is no more.
    pub(crate) fn settle(&mut self, request_id: &str, agent: Option<&Arc<str>>, how: &str) {
        self.confirm(request_id, agent);
        let mut open = self.open();
        open.retain(|approval| {
            *approval.request_id == *request_id && agent.is_none_or(|agent| *agent == approval.agent)
        });
        // Several agents may use one id; without a name it is not for us to guess.
        if let [approval] = &open[..] {
            self.settled.insert(approval.id.clone());
            self.hub
                .cancel(&approval.id, &format!("it was settled at {}: {how}", self.name));
        }
    }

    /// All that is open is no more.
    pub(crate) fn over(&mut self, why: &str) {
        for approval in self.open() {
            self.settled.insert(approval.id.clone());
            self.hub.cancel(&approval.id, why);
        }
    }

    /// The next answer to be sent, in the dialect's words.
    pub(crate) fn next(&mut self, tongue: &mut dyn Tongue) -> Option<(String, Approval, Waiter)> {
        let mut place = 0;
        while place < self.waiters.len() {
            let Some(approval) = self.waiters[place].claim() else {
                place += 1;
                continue;
            };
            let waiter = self.waiters.remove(place);
            // Cancelled is no answer that anybody gave: whoever asked there still has its own.
            if self.settled.remove(&approval.id) {
                waiter.delivered();
            } else if approval.status != Status::Cancelled
                && let Some(frame) = tongue.answer(&approval)
            {
                return Some((frame, approval, waiter));
            }
        }
        None
    }

    /// An answer was written. A Countersign says whether it counts; elsewhere that is all there is to know.
    pub(crate) fn written(&mut self, approval: Approval, waiter: Waiter, confirmed: bool) {
        if confirmed {
            self.sent.push((approval, waiter));
        } else {
            waiter.delivered();
        }
    }

    /// The upstream says that a question is resolved: if that is our answer, it got there.
    pub(crate) fn confirm(&mut self, request_id: &str, agent: Option<&Arc<str>>) {
        let ours = |approval: &Approval| {
            *approval.request_id == *request_id && agent.is_none_or(|agent| *agent == approval.agent)
        };
        while let Some(place) = self.sent.iter().position(|(approval, _)| ours(approval)) {
            self.sent.remove(place).1.delivered();
        }
    }

    /// It did not take our oldest answer; it stays undelivered.
    pub(crate) fn refused(&mut self) {
        if !self.sent.is_empty() {
            drop(self.sent.remove(0));
        }
    }
}
