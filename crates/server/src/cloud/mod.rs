//! Cloud Agents' door: clients that watch, and whose people come and go. Agents publish to them at `/publish` and over REST.

mod config;
mod conversation;
mod door;
mod people;
mod view;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_hub::Hub;

pub use config::CloudConfig;
pub(crate) use config::OwnCloud;
pub(crate) use door::open;
use people::People;
pub(crate) use people::forged;

use crate::pace::Rate;

/// What all Cloud clients share, on whichever listener.
pub(crate) struct Cloud {
    config: CloudConfig,
    rate: Option<Rate>,
    people: Arc<People>,
    clients: AtomicUsize,
    authenticated: AtomicUsize,
}

impl Cloud {
    pub(crate) fn new(hub: Arc<Hub>, config: CloudConfig, rate: Option<Rate>) -> Arc<Self> {
        Arc::new(Self {
            config,
            rate,
            people: People::new(hub),
            clients: AtomicUsize::new(0),
            authenticated: AtomicUsize::new(0),
        })
    }

    /// Clients that are connected.
    pub(crate) fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// Those of them whose token was taken.
    pub(crate) fn authenticated(&self) -> usize {
        self.authenticated.load(Ordering::Relaxed)
    }

    fn count(self: &Arc<Self>, authenticated: bool) -> Counted {
        self.clients.fetch_add(1, Ordering::Relaxed);
        self.authenticated
            .fetch_add(usize::from(authenticated), Ordering::Relaxed);
        Counted(self.clone(), authenticated)
    }
}

/// Counts one client while it lives.
struct Counted(Arc<Cloud>, bool);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
        self.0.authenticated.fetch_sub(usize::from(self.1), Ordering::Relaxed);
    }
}
