//! One approval at hand: where it stands, who waits for it, what of it is committed.

use std::sync::Arc;

use countersign_model::{Approval, Decision, Delivery, Millis, Seq, SessionKey, Status, Verdict};

use super::record::by_hub;
use crate::Stop;
use crate::entry::covers;

/// What waits for the store's commit.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Asked(Arc<str>),
    Decided(Arc<str>),
    Stopped(SessionKey),
}

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) approval: Approval,
    /// Further sessions that it was asked again from since the hub started: a stop of any of them stops it.
    pub(super) also: Vec<Arc<str>>,
    pub(super) bytes: usize,
    /// The request is committed, so it may be shown and answered.
    pub(super) shown: bool,
    /// The decision is committed (or is a "no" that the store could not take), so it may be sent.
    pub(super) ready: bool,
    /// The newest record that carries its row: a decision is ready, and may be forgotten here, once this one is committed.
    pub(super) recorded: Seq,
    /// So many are writing the answer to the agent.
    pub(super) writers: u32,
    pub(super) attached: u32,
    pub(super) lease: Option<Millis>,
}

impl Slot {
    pub(super) fn closed(&self) -> bool {
        self.approval.status != Status::Pending && self.approval.delivery != Delivery::Waiting
    }

    /// Whether it was asked from this session.
    pub(super) fn is_from(&self, key: &SessionKey) -> bool {
        let Approval { agent, session, .. } = &self.approval;
        *agent == key.agent && (*session == key.session || self.also.contains(&key.session))
    }

    /// Whether a stop of this session stops it.
    pub(super) fn is_of(&self, key: &SessionKey) -> bool {
        let origin = Some(self.approval.origin);
        self.sessions().iter().any(|own| covers(key, own, origin))
    }

    /// The sessions that it was asked from, the first one first.
    pub(super) fn sessions(&self) -> Vec<SessionKey> {
        let further = self.also.iter().map(|session| SessionKey {
            agent: self.approval.agent.clone(),
            session: session.clone(),
        });
        std::iter::once(self.approval.session_key()).chain(further).collect()
    }

    /// Turns an approval that its agent has not got into a stop; `false` when there is none.
    pub(super) fn overtake(&mut self, stop: &Stop, now: Millis) -> bool {
        let approval = &mut self.approval;
        let overtaken =
            approval.status == Status::Approved && approval.delivery != Delivery::Delivered && self.writers == 0;
        if overtaken {
            approval.status = Status::Stopped;
            approval.decision = Some(Decision {
                message: stop.message.clone(),
                by: stop.by,
                ..by_hub(Verdict::Stop, "", now)
            });
            self.ready = false;
        }
        overtaken
    }
}
