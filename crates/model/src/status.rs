//! What the hub says of itself: where it listens, what is connected, what went wrong.

use serde::{Deserialize, Serialize};

use crate::{Epoch, Seq};

/// One address that the hub answers on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Listener {
    /// `http://127.0.0.1:8765`.
    pub url: String,
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
}
