//! What handlers are given.

use std::sync::Arc;

use crate::amiga;
use crate::auth::Door;
use crate::cloud::Cloud;
use crate::codex::Room;
use crate::connect::Connector;
use crate::hooks::Hooks;
use crate::mcp::Mcp;
use crate::metrics::Board;
use crate::otlp;
use crate::report::Report;
use crate::socket::Settings;
use crate::upstream::Upstreams;
use crate::webhook::Webhooks;

/// The parts of the hub that routes lead to.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) door: Door,
    pub(crate) settings: Settings,
    pub(crate) report: Arc<Report>,
    pub(crate) codex: Room,
    pub(crate) board: Arc<Board>,
    pub(crate) engine: amiga::Service,
    pub(crate) upstreams: Upstreams,
    pub(crate) webhooks: Webhooks,
    pub(crate) connector: Connector,
    pub(crate) hooks: Hooks,
    pub(crate) mcp: Mcp,
    pub(crate) otlp: Arc<otlp::Receiver>,
}
