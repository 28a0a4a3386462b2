//! Listeners, HTTP and WebSockets around the hub, and the lock on their door.
//! It knows the dialects' doors and who may do what; it decides nothing about events or approvals.

mod address;
mod amiga;
mod app;
mod auth;
mod census;
mod cloud;
mod codex;
mod config;
pub mod connect;
mod directions;
mod gate;
mod hive;
mod hooks;
mod listen;
pub mod mcp;
mod metrics;
mod otlp;
mod outward;
mod pace;
mod problem;
mod report;
mod rest;
mod router;
mod running;
mod sam;
mod setup;
mod socket;
mod troubles;
mod upstream;
mod watch;
mod web;
mod webhook;

pub use address::ListenAt;
pub use auth::{Confirm, ConfirmAsk, MAX_TTL, Role, SecretError, TokenWish, sign_in_folder};
pub use cloud::CloudConfig;
pub use codex::{Codex, ScriptProblem};
pub use config::{Config, ConfigError};
pub use directions::{HOOKS_FILE, default_data_dir};
pub use hooks::HooksConfig;
pub use metrics::Figures;
pub use pace::Rate;
pub use router::routes;
pub use running::{Running, start};
pub use setup::{Approver, Setup, StartError, Ui};
pub use upstream::{UpstreamError, UpstreamSettings, Upstreams, UpstreamsError, WrittenUpstream};
pub use webhook::{WebhookSettings, Webhooks};

/// This program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
