//! What a connection may do, as all its parts see it: authentication may come after the upgrade, and access may expire.

use std::sync::Arc;

use countersign_hub::Hub;
use tokio::sync::watch;

use super::access::{Access, Roles, Standing};

/// One connection's access, shared by its reading, its writing and its agent.
#[derive(Clone, Debug)]
pub(crate) struct Badge(Arc<watch::Sender<Access>>);

impl Badge {
    pub(crate) fn new(access: Access) -> Self {
        Self(Arc::new(watch::Sender::new(access)))
    }

    /// For whom nothing is known: no right at all.
    pub(crate) fn nobody() -> Self {
        Self::new(Access::of(Roles::NONE, Standing::Refused))
    }

    /// What the connection may do now.
    pub(crate) fn access(&self) -> Access {
        self.0.borrow().clone()
    }

    /// Looks at it without a copy; not across an await.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Access) -> T) -> T {
        look(&self.0.borrow())
    }

    /// It authenticated after the upgrade, or anew.
    pub(crate) fn change(&self, access: Access) {
        self.0.send_replace(access);
    }

    /// Ends when the access has expired.
    pub(crate) async fn expired(&self, hub: &Hub) {
        let mut changes = self.0.subscribe();
        loop {
            let access = changes.borrow_and_update().clone();
            tokio::select! {
                () = access.expired(hub) => return,
                // The sender is ours, so there is always a next one.
                _ = changes.changed() => {}
            }
        }
    }
}
