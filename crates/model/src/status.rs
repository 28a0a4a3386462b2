//! What the hub says of itself: where it listens, what is connected, what went wrong.

use serde::{Deserialize, Serialize};

use crate::{Dialect, Epoch, Millis, Seq};

/// One address that the hub answers on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Listener {
    /// `http://127.0.0.1:8765`.
    pub url: String,
    /// What its root path speaks.
    #[serde(default)]
    pub dialect: Dialect,
}

/// Something a person should know and can do something about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Problem {
    /// A stable word for programs: `port_in_use`, `disabled`, `store_failing`, ...
    pub code: String,
    /// What is wrong, where, and what to do, in plain words.
    pub message: String,
}

/// The hub as a whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct HubStatus {
    /// Countersign's version.
    pub version: String,
    /// This run of the hub.
    #[cfg_attr(test, ts(type = "string"))]
    pub epoch: Epoch,
    /// The newest event.
    #[cfg_attr(test, ts(type = "number"))]
    pub head: Seq,
    /// The newest event that the store has committed.
    #[cfg_attr(test, ts(type = "number"))]
    pub durable: Seq,
    /// The oldest event that can still be read.
    #[cfg_attr(test, ts(type = "number"))]
    pub oldest: Seq,
    /// Addresses, in the order they were asked for.
    pub listeners: Vec<Listener>,
    /// Open connections of any kind.
    pub connections: u32,
    /// Surfaces that can answer now: the desktop, and connections with the approver's right.
    pub approvers: u32,
    /// Approvals that wait.
    pub pending: u32,
    /// The history's size on disk, in bytes.
    #[cfg_attr(test, ts(type = "number"))]
    pub store_bytes: u64,
    /// Where data is kept.
    pub data_dir: String,
    /// What is wrong now; empty when all is well.
    pub problems: Vec<Problem>,
    /// Servers that the hub is attached to as a client.
    #[serde(default)]
    pub upstreams: Vec<Upstream>,
    /// Addresses that events are posted to.
    #[serde(default)]
    pub webhooks: Vec<Webhook>,
    /// Who is there.
    #[serde(default)]
    pub presence: Presence,
}

/// Who is there, at a place in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Presence {
    /// The newest event that this takes in.
    #[cfg_attr(test, ts(type = "number"))]
    pub at: Seq,
    /// The people, by name.
    pub people: Vec<Person>,
}

/// A person at a client of Cloud Agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Person {
    /// The user's id.
    pub user: String,
    /// `online`, `away`, `busy`, or a word of the client's own.
    pub status: String,
    /// Since when, RFC 3339.
    #[cfg_attr(test, ts(type = "string"))]
    pub since: Millis,
    /// The event that said so.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: Seq,
}

/// Where an upstream's connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
#[serde(rename_all = "lowercase")]
pub enum UpstreamState {
    /// On its way.
    Connecting,
    /// Attached: its events come in.
    Connected,
    /// Not attached; it is tried again.
    Waiting,
    /// Refused: its events would come back to it. Tried again now and then, for it may change.
    Loop,
}

/// An existing server that the hub attaches to as a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Upstream {
    /// Its name: its agents are `NAME/AGENT` here.
    pub name: String,
    /// What it speaks: `sam`, `hive`, `amiga`, `cloud` or `codex`.
    pub dialect: String,
    /// Where it is, without secrets.
    pub url: String,
    /// Where its connection stands.
    pub state: UpstreamState,
    /// Since when, RFC 3339.
    #[cfg_attr(test, ts(type = "string"))]
    pub since: Millis,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub last_error: Option<String>,
    /// Events that it brought in this run of the hub.
    #[cfg_attr(test, ts(type = "number"))]
    pub events: u64,
    /// Whether it stands in the configuration, and can be removed there alone.
    pub configured: bool,
}

/// Where a webhook stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
#[serde(rename_all = "lowercase")]
pub enum WebhookState {
    /// It has what there is, or is about to.
    Ok,
    /// Its target does not take an event; it is tried again.
    Retrying,
    /// Its target refused events for good; they are kept, and a person can have them sent again.
    Dead,
}

/// An address that events are posted to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// Where it goes, without secrets.
    pub url: String,
    /// Where it stands.
    pub state: WebhookState,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub last_error: Option<String>,
    /// Events that it has not looked at yet.
    #[cfg_attr(test, ts(type = "number"))]
    pub behind: u64,
    /// Events that its target refused for good.
    #[cfg_attr(test, ts(type = "number"))]
    pub dead: u64,
}
