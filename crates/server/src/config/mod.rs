//! The configuration. What is not said has a default.

mod error;
mod file;

use std::net::IpAddr;
use std::path::PathBuf;

use countersign_dialects::sam::Switches;
use countersign_model::Dialect;

pub use error::ConfigError;

use crate::address::{self, ListenAt, both_loopbacks, loopback};
use crate::cloud::CloudConfig;
use crate::codex::Codex;
use crate::hooks::HooksConfig;
use crate::pace::Rate;
use crate::upstream::UpstreamSettings;
use crate::webhook::WebhookSettings;

/// The port of SAM, Hive and Countersign.
const DEFAULT_PORT: u16 = 8765;

/// How the server is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether to listen at all (SAM's `enabled`).
    pub enabled: bool,
    /// Addresses to listen on; the first is the one that others are told.
    pub hosts: Vec<IpAddr>,
    /// The port; 0 picks a free one.
    pub port: u16,
    /// What the root path speaks at `hosts` and `port`.
    pub root: Dialect,
    /// Listeners, each with its dialect; they replace `hosts` and `port`.
    pub listen: Vec<ListenAt>,
    /// Tokens that others sign with the secret in this file are taken, too.
    pub jwt_secret_file: Option<PathBuf>,
    /// SAM's `broadcast_*`.
    pub switches: Switches,
    /// Whether anybody who can connect may answer, as SAM had it.
    pub open_answers: bool,
    /// Whether everybody who comes needs a valid credential.
    pub auth_required: bool,
    /// How Cloud clients are treated.
    pub cloud: CloudConfig,
    /// How fast one Cloud client may speak; without one there is no limit.
    pub rate_limit: Option<Rate>,
    /// Origins of web pages that may connect, beside our own: `https://dashboard.example`.
    pub allowed_origins: Vec<String>,
    /// Values of `Host` that are us, beside our own: a proxy's public name.
    pub allowed_hosts: Vec<String>,
    /// Expire approvals after so many seconds, unless the request says otherwise.
    pub approval_timeout: Option<i64>,
    /// How long a request outlives its agent's connection, in seconds.
    pub grace_seconds: i64,
    /// Open connections at most.
    pub max_connections: usize,
    /// The ring's bound, in bytes.
    pub ring_bytes: usize,
    /// Where data is kept, when the configuration says so.
    pub data_dir: Option<PathBuf>,
    /// Addresses that events are posted to.
    pub webhooks: Vec<WebhookSettings>,
    /// Servers that the hub attaches to.
    pub upstreams: Vec<UpstreamSettings>,
    /// Codex AgentLoop's door.
    pub codex: Codex,
    /// The hooks of agents.
    pub hooks: HooksConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            hosts: both_loopbacks(),
            port: DEFAULT_PORT,
            root: Dialect::default(),
            listen: Vec::new(),
            jwt_secret_file: None,
            switches: Switches::default(),
            open_answers: false,
            auth_required: false,
            cloud: CloudConfig::default(),
            rate_limit: None,
            allowed_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            approval_timeout: None,
            grace_seconds: 60,
            max_connections: 2048,
            ring_bytes: 64 * 1024 * 1024,
            data_dir: None,
            codex: Codex::default(),
            hooks: HooksConfig::default(),
            webhooks: Vec::new(),
            upstreams: Vec::new(),
        }
    }
}

impl Config {
    /// Listens at these addresses, each with its dialect, in place of `hosts` and `port`; without any, at those.
    ///
    /// # Errors
    /// When two of them are the same address: one root path speaks one dialect.
    pub fn set_listen(&mut self, listen: Vec<ListenAt>) -> Result<(), ConfigError> {
        if let Some(twice) = address::twice(&listen) {
            return Err(ConfigError::Value(format!(
                "{twice} is named twice among the addresses to listen on: leave one of them out, or give it another port"
            )));
        }
        self.listen = listen;
        Ok(())
    }

    /// Listens on `host`: `localhost` (both loopback families) or a loopback address.
    ///
    /// # Errors
    /// When other machines could reach it.
    pub fn set_host(&mut self, host: &str) -> Result<(), ConfigError> {
        self.hosts = loopback(host)?;
        self.listen.clear();
        Ok(())
    }

    /// Listens on `port`; 0 picks a free one.
    pub fn set_port(&mut self, port: u16) {
        self.port = port;
        self.listen.clear();
    }

    /// Listens at `hosts` and `port` alone, where the root path speaks `dialect`.
    pub fn set_root(&mut self, dialect: Dialect) {
        self.root = dialect;
        self.listen.clear();
    }

    /// Where to listen, in order.
    pub(crate) fn listeners(&self) -> Vec<ListenAt> {
        if !self.listen.is_empty() {
            return self.listen.clone();
        }
        vec![ListenAt {
            hosts: self.hosts.clone(),
            port: self.port,
            dialect: self.root,
        }]
    }
}
