//! Approvals and rules as people and peers see them: found, listed, answered, taken back, run out of time.

use countersign_model::{Answer, Approval, Millis, Rule, SessionKey, Status};
use tokio::sync::watch;

use super::{Hub, lock};
use crate::archive::{ArchiveError, Find};
use crate::registry::Rejection;

/// Why an answer changed nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AnswerError {
    /// No such approval.
    #[error("there is no such approval")]
    NotFound,
    /// A request id that several agents used.
    #[error("several agents used this request_id; use the approval's own id")]
    Ambiguous,
    /// Somebody or something was first.
    #[error("already {}", .0.status.as_str())]
    Resolved(Box<Approval>),
    /// The agent cannot carry it out.
    #[error("{0}")]
    Unsupported(String),
    /// The store.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl Hub {
    /// Answers an approval; the first answer wins.
    ///
    /// # Errors
    /// When the answer changes nothing.
    pub async fn answer(&self, id: &str, answer: Answer) -> Result<Approval, AnswerError> {
        let now = self.clock.now();
        match self.change(|registry, out| registry.answer(id, answer, now, out)) {
            Ok(approval) => Ok(approval),
            Err(Rejection::Resolved(approval)) => Err(AnswerError::Resolved(approval)),
            Err(Rejection::NotFound) => match self.archive.find(Find::Id(id.to_owned())).await?.pop() {
                Some(approval) if approval.status != Status::Pending => Err(AnswerError::Resolved(Box::new(approval))),
                _ => Err(AnswerError::NotFound),
            },
            Err(refused) => Err(AnswerError::Unsupported(refused.to_string())),
        }
    }

    /// Takes a question back that was settled elsewhere, or is no more; it is never approved by that. `false` when it does not
    /// wait any longer.
    pub fn cancel(&self, id: &str, why: &str) -> bool {
        let now = self.clock.now();
        self.change(|registry, out| registry.cancel(id, why, now, out))
    }

    /// The answer to this approval reached its agent after the agent had been answered elsewhere, so it did nothing.
    pub fn came_late(&self, id: &str, why: &str) {
        self.change(|registry, out| registry.came_late(id, why, out));
    }

    /// An approval by the hub's id, or by its request's id while only one agent used it.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub async fn find(&self, name: &str) -> Result<Approval, AnswerError> {
        {
            let registry = lock(&self.state);
            if let Some(approval) = registry.shown(name) {
                return Ok(approval.clone());
            }
        }
        if let Some(approval) = self.archive.find(Find::Id(name.to_owned())).await?.pop() {
            return Ok(approval);
        }
        let mut found = self.archive.find(Find::Request(name.to_owned())).await?;
        let registry = lock(&self.state);
        for at_hand in registry.by_request(name) {
            match found.iter_mut().find(|approval| approval.id == at_hand.id) {
                Some(stored) => stored.clone_from(at_hand),
                None if registry.shown(&at_hand.id).is_some() => found.push(at_hand.clone()),
                None => {}
            }
        }
        match found.len() {
            0 => Err(AnswerError::NotFound),
            1 => Ok(found.remove(0)),
            _ => Err(AnswerError::Ambiguous),
        }
    }

    /// The approval of that agent and request id, if it is at hand.
    pub fn find_key(&self, agent: &str, request_id: &str) -> Option<Approval> {
        lock(&self.state).by_key(&agent.into(), &request_id.into()).cloned()
    }

    /// The sessions that an approval at hand was asked from, the first one first.
    pub fn asked_in(&self, id: &str) -> Vec<SessionKey> {
        lock(&self.state).asked_in(id)
    }

    /// Approvals of these agents that wait, or whose decision has not reached its agent; oldest first.
    pub fn open_of(&self, agent: impl Fn(&str) -> bool) -> Vec<Approval> {
        lock(&self.state).open_of(agent)
    }

    /// Pending approvals, oldest first.
    pub fn waiting(&self) -> Vec<Approval> {
        lock(&self.state).waiting()
    }

    /// How many approvals wait.
    pub fn waiting_count(&self) -> usize {
        lock(&self.state).waiting_count()
    }

    /// The newest approvals of one status or of all, newest first; the pending ones are all given.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn approvals(&self, status: Option<Status>, limit: usize) -> Result<Vec<Approval>, ArchiveError> {
        if status == Some(Status::Pending) {
            return Ok(self.waiting());
        }
        self.flush().await;
        let mut approvals = self.archive.approvals(status, limit).await?;
        let registry = lock(&self.state);
        for approval in &mut approvals {
            if let Some(at_hand) = registry.shown(&approval.id) {
                approval.clone_from(at_hand);
            }
        }
        approvals.retain(|approval| status.is_none_or(|status| status == approval.status));
        Ok(approvals)
    }

    /// Waits until an approval and its answer, if there is one, are recorded, or have become a "no" because they could not be.
    pub async fn settled(&self, id: &str) {
        let mut answers = self.answers();
        loop {
            answers.borrow_and_update();
            if lock(&self.state).is_settled(id) || answers.changed().await.is_err() {
                return;
            }
        }
    }

    /// Signals whenever requests, answers or stops have been committed.
    pub fn answers(&self) -> watch::Receiver<u64> {
        self.answers.subscribe()
    }

    /// Rules in force, oldest first.
    pub fn rules(&self) -> Vec<Rule> {
        lock(&self.state).rules().to_vec()
    }

    /// Revokes a rule.
    pub fn revoke(&self, id: &str) -> Option<Rule> {
        self.change(|registry, out| registry.revoke(id, out))
    }

    /// Resolves what has run out of time. Call it at [`Hub::deadline`].
    pub fn expire(&self) {
        let now = self.clock.now();
        self.change(|registry, out| registry.expire(now, out));
    }

    /// When [`Hub::expire`] has something to do next; changes are signalled.
    pub fn deadline(&self) -> watch::Receiver<Option<Millis>> {
        self.deadline.subscribe()
    }
}
