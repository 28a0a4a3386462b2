//! The shell's link to the hub it embeds, or the plain word why there is none: then the window opens and says so.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_hub::Hub;
use countersign_model::{Epoch, HubStatus, Presence, Problem};
use countersign_server::connect::Connector;
use countersign_server::{Figures, Running, Upstreams, Webhooks};
use tokio::sync::watch;

/// A hub with all that keeps it going.
pub(crate) trait Core: Send + Sync + 'static {
    /// The hub.
    fn hub(&self) -> &Arc<Hub>;
    /// What it says of itself.
    fn status(&self) -> HubStatus;
    /// What agents do, in figures; none where nobody counts.
    fn figures(&self) -> Option<Figures>;
    /// Servers that the hub is attached to; none where it attaches to nothing.
    fn upstreams(&self) -> Option<Upstreams>;
    /// Addresses that events are posted to.
    fn webhooks(&self) -> Option<Webhooks>;
    /// What connects agents of this machine; none where nobody does.
    fn connector(&self) -> Option<Connector>;
    /// Signals that [`Core::status`] says something else.
    fn status_changes(&self) -> watch::Receiver<u64>;
    /// Commits what is in the log and closes everything.
    fn shutdown(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

impl Core for Running {
    fn hub(&self) -> &Arc<Hub> {
        Running::hub(self)
    }
    fn status(&self) -> HubStatus {
        Running::status(self)
    }
    fn figures(&self) -> Option<Figures> {
        Some(Running::figures(self))
    }
    fn upstreams(&self) -> Option<Upstreams> {
        Some(Running::upstreams(self).clone())
    }
    fn webhooks(&self) -> Option<Webhooks> {
        Some(Running::webhooks(self).clone())
    }
    fn connector(&self) -> Option<Connector> {
        Some(Running::connector(self).clone())
    }
    fn status_changes(&self) -> watch::Receiver<u64> {
        Running::status_changes(self)
    }
    fn shutdown(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(Running::shutdown(*self))
    }
}

/// What the commands work on.
pub(crate) struct Link {
    core: Mutex<Option<Box<dyn Core>>>,
    /// Said while there is no hub.
    without: HubStatus,
}

impl Link {
    /// A hub that runs.
    pub(crate) fn to(core: impl Core) -> Self {
        let gone = Problem {
            code: "closing".into(),
            message: "Countersign is closing.".into(),
        };
        let data_dir = core.status().data_dir;
        Self {
            core: Mutex::new(Some(Box::new(core))),
            without: nothing(data_dir, gone),
        }
    }

    /// No hub, because of `problem`.
    pub(crate) fn without(problem: Problem, data_dir: &Path) -> Self {
        Self {
            core: Mutex::new(None),
            without: nothing(data_dir.display().to_string(), problem),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&dyn Core) -> T) -> Option<T> {
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        core.as_deref().map(look)
    }

    /// The hub, or what to say instead.
    ///
    /// # Errors
    /// The problem because of which there is none.
    pub(crate) fn hub(&self) -> Result<Arc<Hub>, Problem> {
        self.with(|core| core.hub().clone())
            .ok_or_else(|| self.without.problems[0].clone())
    }

    /// What agents do, in figures, or what to say instead.
    ///
    /// # Errors
    /// The problem because of which there is no hub.
    pub(crate) fn figures(&self) -> Result<Figures, Problem> {
        self.with(Core::figures)
            .flatten()
            .ok_or_else(|| self.without.problems[0].clone())
    }

    /// Servers that the hub is attached to, or what to say instead.
    ///
    /// # Errors
    /// The problem because of which there is no hub.
    pub(crate) fn upstreams(&self) -> Result<Upstreams, Problem> {
        self.with(Core::upstreams)
            .flatten()
            .ok_or_else(|| self.without.problems[0].clone())
    }

    /// What connects agents of this machine, or what to say instead.
    ///
    /// # Errors
    /// The problem because of which there is no hub.
    pub(crate) fn connector(&self) -> Result<Connector, Problem> {
        self.with(Core::connector)
            .flatten()
            .ok_or_else(|| self.without.problems[0].clone())
    }

    /// Addresses that events are posted to, or what to say instead.
    ///
    /// # Errors
    /// The problem because of which there is no hub.
    pub(crate) fn webhooks(&self) -> Result<Webhooks, Problem> {
        self.with(Core::webhooks)
            .flatten()
            .ok_or_else(|| self.without.problems[0].clone())
    }

    /// What the hub says of itself; without one, why.
    pub(crate) fn status(&self) -> HubStatus {
        self.with(Core::status).unwrap_or_else(|| self.without.clone())
    }

    /// Signals that [`Link::status`] says something else; without a hub it never does.
    pub(crate) fn status_changes(&self) -> Option<watch::Receiver<u64>> {
        self.with(Core::status_changes)
    }

    /// Closes the hub. The second time there is nothing to close.
    pub(crate) async fn shutdown(&self) {
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(core) = core {
            core.shutdown().await;
        }
    }
}

fn nothing(data_dir: String, problem: Problem) -> HubStatus {
    HubStatus {
        version: env!("CARGO_PKG_VERSION").into(),
        epoch: Epoch::new("none"),
        head: 0,
        durable: 0,
        oldest: 0,
        listeners: Vec::new(),
        connections: 0,
        approvers: 0,
        pending: 0,
        store_bytes: 0,
        data_dir,
        problems: vec![problem],
        upstreams: Vec::new(),
        webhooks: Vec::new(),
        presence: Presence::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn without_a_hub_it_says_why() {
        let problem = Problem {
            code: "data_folder_in_use".into(),
            message: "close the other one".into(),
        };
        let link = Link::without(problem.clone(), Path::new("/data"));
        assert_eq!(link.status().problems[0], problem);
        assert_eq!(link.hub().unwrap_err(), problem);
    }

    #[tokio::test]
    async fn after_closing_there_is_no_hub() {
        let link = Bench::new().await.link();
        assert!(link.hub().is_ok());
        link.shutdown().await;
        link.shutdown().await;
        assert_eq!(link.hub().unwrap_err().code, "closing");
    }
}
