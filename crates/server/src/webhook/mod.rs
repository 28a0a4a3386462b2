//! Webhooks: events of the log, posted to addresses that the configuration names. Each has a task and a cursor of its own, so a slow
//! target delays nobody. What is sent, and how it is signed, is in `docs/webhooks.md`.

mod hook;
mod post;
mod settings;

use std::sync::Arc;

use countersign_hub::Hub;
use countersign_model::Webhook;
use countersign_store::Notes;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use hook::Hook;
pub(crate) use post::{Http, client};
pub use settings::WebhookSettings;
pub(crate) use settings::Written;

/// All webhooks.
#[derive(Clone, Default)]
pub struct Webhooks(Arc<Vec<Arc<Hook>>>);

impl Webhooks {
    /// Starts them.
    pub(crate) fn start(
        settings: Vec<WebhookSettings>,
        hub: &Arc<Hub>,
        notes: &Notes,
        http: &Http,
        changes: &watch::Sender<u64>,
    ) -> (Self, Vec<JoinHandle<()>>) {
        let hooks: Vec<_> = settings
            .into_iter()
            .map(|settings| {
                Arc::new(Hook::new(
                    settings,
                    hub.clone(),
                    notes.clone(),
                    http.clone(),
                    changes.clone(),
                ))
            })
            .collect();
        let tasks = hooks
            .iter()
            .cloned()
            .map(|hook| tokio::spawn(async move { hook.run().await }))
            .collect();
        (Self(Arc::new(hooks)), tasks)
    }

    /// Where each stands.
    pub fn list(&self) -> Vec<Webhook> {
        self.0.iter().map(|hook| hook.view()).collect()
    }

    /// Sends again, now, what the webhook's target has refused, and what waits to be tried again.
    pub fn retry(&self, name: &str) -> Option<Webhook> {
        let hook = self.0.iter().find(|hook| hook.settings.name == name)?;
        hook.retry();
        Some(hook.view())
    }
}
