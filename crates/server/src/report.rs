//! What the hub can say of itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_hub::Hub;
use countersign_model::{HubStatus, Listener, Problem};
use tokio::sync::Semaphore;

use crate::VERSION;
use crate::auth::Keys;
use crate::upstream::Upstreams;
use crate::webhook::Webhooks;

/// What the hub can say of itself; shared with the routes.
pub(crate) struct Report {
    pub(crate) hub: Arc<Hub>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) data_dir: PathBuf,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) max_connections: usize,
    pub(crate) store_bytes: Arc<AtomicU64>,
    pub(crate) upstreams: Upstreams,
    pub(crate) webhooks: Webhooks,
}

impl Report {
    /// The hub as a whole, now.
    pub(crate) fn status(&self) -> HubStatus {
        let mut problems = self.problems.clone();
        if let Some(why) = self.hub.failing().borrow().as_ref() {
            problems.push(Problem {
                code: "store_failing".into(),
                message: format!(
                    "The history cannot be written ({why}). New approvals are answered no. Free some space on the disk of {}; \
                     it is tried again every second.",
                    self.data_dir.display()
                ),
            });
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        HubStatus {
            version: VERSION.to_owned(),
            epoch: self.hub.epoch().clone(),
            head: self.hub.head(),
            durable: self.hub.durable(),
            oldest: self.hub.oldest(),
            listeners: self.listeners.clone(),
            connections: count(self.max_connections - self.places.available_permits()),
            approvers: count(self.keys.approvers()),
            pending: count(self.hub.waiting_count()),
            store_bytes: self.store_bytes.load(Ordering::Relaxed),
            data_dir: self.data_dir.display().to_string(),
            problems,
            upstreams: self.upstreams.list(),
            webhooks: self.webhooks.list(),
            presence: self.hub.presence(),
        }
    }
}
