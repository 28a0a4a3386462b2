//! The commands about what the hub itself is attached to: the same steps as over REST. The status lists both with their state.

use std::sync::Arc;

use countersign_model::{Upstream, Webhook};
use countersign_server::{UpstreamsError, WrittenUpstream};
use tauri::State;

use super::failure::Failure;
use crate::link::Link;

impl From<UpstreamsError> for Failure {
    fn from(error: UpstreamsError) -> Self {
        let code = match error {
            UpstreamsError::NotFound => "not_found",
            UpstreamsError::Settings(_) => "bad_request",
            UpstreamsError::Taken | UpstreamsError::TooMany | UpstreamsError::Configured => "conflict",
            UpstreamsError::Folder(_) => "failed",
        };
        Self::new(code, error.to_string())
    }
}

/// Attaches to one more server; `upstream` is as in `[[upstream]]` of the configuration.
#[tauri::command]
pub(super) async fn add_upstream(link: State<'_, Arc<Link>>, upstream: serde_json::Value) -> Result<Upstream, Failure> {
    let written: WrittenUpstream =
        serde_json::from_value(upstream).map_err(|error| Failure::new("bad_request", error.to_string()))?;
    Ok(link.upstreams()?.add(written)?)
}

/// Lets go of one that a person added.
#[tauri::command]
pub(super) async fn remove_upstream(link: State<'_, Arc<Link>>, name: String) -> Result<(), Failure> {
    Ok(link.upstreams()?.remove(&name)?)
}

/// Sends again what a webhook's target refused, and what waits to be tried again.
#[tauri::command]
pub(super) async fn retry_webhook(link: State<'_, Arc<Link>>, name: String) -> Result<Webhook, Failure> {
    let webhook = link.webhooks()?.retry(&name);
    webhook.ok_or_else(|| Failure::new("not_found", "there is no webhook of this name"))
}
