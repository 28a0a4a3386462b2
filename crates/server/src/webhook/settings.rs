//! What the configuration says of a webhook, checked.

use std::collections::HashSet;
use std::path::PathBuf;

use axum::http::Uri;
use countersign_model::{Event, kind};
use serde::Deserialize;

use crate::outward::{named, secret};

/// `[[webhook]]` as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    name: String,
    url: String,
    #[serde(default)]
    streams: Option<Vec<String>>,
    #[serde(default)]
    types: Option<Vec<String>>,
    #[serde(default)]
    agents: Option<Vec<String>>,
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    secret_file: Option<PathBuf>,
    #[serde(default)]
    hub_kinds: bool,
}

/// Where events are posted to, and which.
#[derive(Clone)]
pub struct WebhookSettings {
    pub(crate) name: String,
    pub(crate) url: Uri,
    pub(crate) secret: Option<Vec<u8>>,
    streams: Option<HashSet<String>>,
    types: Option<HashSet<String>>,
    agents: Option<HashSet<String>>,
    hub_kinds: bool,
}

impl std::fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookSettings")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl WebhookSettings {
    /// Checks what is written.
    pub(crate) fn check(written: Written) -> Result<Self, String> {
        let Written { name, url, .. } = written;
        named(&name)?;
        let at = |error: &str| format!("webhook {name}: {error}");
        let uri: Uri = url
            .parse()
            .map_err(|error| at(&format!("`url` cannot be read: {error}")))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
            return Err(at("`url` must start with http:// or https://, and name a host"));
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(at(
                "`url` must not hold a user or password; sign what is sent with `secret` instead",
            ));
        }
        let secret = secret("`secret`", written.secret, written.secret_file.as_deref()).map_err(|error| at(&error))?;
        if secret.as_ref().is_some_and(String::is_empty) {
            return Err(at("`secret` is empty"));
        }
        let set = |names: Option<Vec<String>>| names.map(|names| names.into_iter().collect::<HashSet<_>>());
        let types = written
            .types
            .map(|types| types.into_iter().map(|name| name.to_ascii_lowercase()).collect());
        Ok(Self {
            url: uri,
            secret: secret.map(String::into_bytes),
            streams: set(written.streams),
            types,
            agents: set(written.agents),
            hub_kinds: written.hub_kinds,
            name,
        })
    }

    /// Whether the target gets this event. The hub's own kinds come only when named, or with `hub_kinds`.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        let kind = match &self.types {
            Some(types) => types.contains(&event.kind.to_ascii_lowercase()),
            None => true,
        };
        let hub_only = kind::is_hub_only(&event.kind);
        let own = !hub_only || self.hub_kinds || self.types.is_some();
        let stream = countersign_dialects::hive::stream_id(event);
        let among =
            |names: &Option<HashSet<String>>, name: &str| names.as_ref().is_none_or(|names| names.contains(name));
        kind && own && among(&self.streams, stream) && among(&self.agents, &event.agent)
    }
}
