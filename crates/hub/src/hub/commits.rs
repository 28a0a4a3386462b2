//! The store's side: what is committed, what waits for that, what becomes of it when it fails.

use countersign_model::Seq;
use futures_util::future::{Either, select};
use tokio::sync::watch;

use super::{Hub, lock};
use crate::registry::Outbox;

/// The store has not committed what was to be acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store is failing ({0}); the events are kept in memory and are written once it recovers")]
pub struct CommitError(pub String);

impl Hub {
    /// Waits until the store has committed everything up to `seq`.
    ///
    /// # Errors
    /// While the store is failing.
    pub async fn committed(&self, seq: Seq) -> Result<(), CommitError> {
        let mut durable = self.log.watch_durable();
        if *durable.borrow() >= seq {
            return Ok(());
        }
        let mut failing = self.failing.subscribe();
        let done = std::pin::pin!(durable.wait_for(|durable| *durable >= seq));
        let failed = std::pin::pin!(failing.wait_for(Option::is_some));
        match select(done, failed).await {
            Either::Left((done, _)) => done.map(drop).map_err(|_| CommitError("the hub is closing".into())),
            Either::Right((why, _)) => Err(CommitError(why.ok().and_then(|why| why.clone()).unwrap_or_default())),
        }
    }

    /// Waits until the store has what is in the log now, or is failing.
    pub async fn flush(&self) {
        let _ = self.committed(self.log.tail()).await;
    }

    /// For the store: everything up to `seq` is committed.
    pub fn mark_durable(&self, seq: Seq) {
        self.failing.send_if_modified(|failing| failing.take().is_some());
        // In one step: whoever sees a request in the log, or its acknowledgement, can answer it.
        let ready = self.change(|registry, out| {
            let ready = registry.committed(seq, out);
            self.log.mark_durable(seq);
            ready
        });
        if ready {
            self.answers.send_modify(|count| *count += 1);
        }
    }

    /// For the store: it could not commit. What waited for it is answered "no"; the store reads again from where it was.
    pub fn mark_failing(&self, why: &str) {
        let now = self.clock.now();
        {
            let mut registry = lock(&self.state);
            let mut out = Outbox::after(self.log.tail());
            let replaced = registry.failed(now, &mut out);
            for (seq, record) in replaced {
                let entry = self.entry_of(record, seq, now);
                if !self.log.replace_unseen(seq, entry) {
                    tracing::error!(seq, "a decision could not be taken back: it had been seen");
                }
            }
            self.append(out.records);
            self.signal_deadline(&registry);
            self.log.lift_barriers();
        }
        self.failing.send_replace(Some(why.to_owned()));
        self.answers.send_modify(|count| *count += 1);
    }

    /// Why the store cannot commit, while it cannot; changes are signalled.
    pub fn failing(&self) -> watch::Receiver<Option<String>> {
        self.failing.subscribe()
    }
}
