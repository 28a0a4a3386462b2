//! Asking: a question is taken in, or recognised, and somebody waits for its answer.

use std::sync::Arc;

use countersign_model::{Ask, Origin, Seq};

use super::{Hub, Waiter};
use crate::archive::{ArchiveError, Find};
use crate::clock::random_hex;
use crate::registry::Refusal;

/// Why a question was not taken in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AskError {
    /// The question itself.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// A question that was taken in.
pub struct Asked {
    /// The place of its `approval_request` in the log.
    pub seq: Seq,
    /// Whoever carries the answer to the agent holds this.
    pub waiter: Waiter,
}

impl Hub {
    /// Takes a question in, or recognises one that was asked before.
    ///
    /// # Errors
    /// When the question is refused; nothing is recorded then.
    pub async fn ask(self: &Arc<Self>, ask: Ask) -> Result<Asked, AskError> {
        self.ask_via(ask, &[]).await
    }

    /// Takes a question in that came through other hubs.
    ///
    /// # Errors
    /// As [`Hub::ask`].
    pub async fn ask_via(self: &Arc<Self>, ask: Ask, via: &[Arc<str>]) -> Result<Asked, AskError> {
        self.room().await;
        let (agent, request) = (ask.agent.clone(), ask.request_id.clone());
        let now = self.clock.now();
        let id: Arc<str> = format!("apr-{}", random_hex(12)).into();
        let mut ask = Some(ask);
        // What is not at hand may be in the store. Whether it is at hand is decided with the step itself, or an approval that
        // is forgotten in between would be asked anew under a second id.
        let mut looked = None;
        let (id, seq) = loop {
            let taken = self.change(|registry, out| {
                if looked.is_none() && registry.by_key(&agent, &request).is_none() {
                    return None;
                }
                let taken = registry.ask(ask.take()?, looked.take().flatten(), id.clone(), now, out);
                for record in out
                    .records
                    .iter_mut()
                    .filter(|record| record.event.origin != Origin::Hub)
                {
                    record.via = via.to_vec();
                }
                Some(taken.map(|id| {
                    registry.attach(&id);
                    let seq = registry.get(&id).map_or(0, |approval| approval.seq);
                    (id, seq)
                }))
            });
            if let Some(taken) = taken {
                break taken?;
            }
            let find = Find::Key(agent.clone(), request.clone());
            looked = Some(self.archive.find(find).await?.into_iter().next());
        };
        let waiter = Waiter {
            hub: Arc::clone(self),
            id,
            claimed: false,
        };
        Ok(Asked { seq, waiter })
    }

    /// Waits for the answer to an approval that was asked before, if it is still at hand.
    pub fn wait_for(self: &Arc<Self>, id: &str) -> Option<Waiter> {
        let id = self.change(|registry, _| {
            let id = registry.get(id)?.id.clone();
            registry.attach(&id);
            Some(id)
        })?;
        Some(Waiter {
            hub: Arc::clone(self),
            id,
            claimed: false,
        })
    }
}
