//! Sessions: one run or conversation of an agent, and what it is doing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Millis, Origin};

/// Names a session: ids are the agents' own, so two agents may use the same one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionKey {
    /// The agent.
    pub agent: Arc<str>,
    /// The agent's session.
    pub session: Arc<str>,
}

impl SessionKey {
    /// Whether `session` is what the hub itself calls a connection whose agent named no session: `c-` and twelve hex digits.
    pub fn is_connection(session: &str) -> bool {
        session
            .strip_prefix("c-")
            .is_some_and(|hex| hex.len() == 12 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
    }
}

/// What a session needs from a person or is busy with, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// An approval is waiting, or its run is paused for a person.
    NeedsYou,
    /// A person stopped it.
    Stopped,
    /// Its run, or its last tool call, failed and nothing has happened since.
    Failed,
    /// A tool call runs, or it says it works.
    Working,
    /// Connected, quiet.
    Idle,
    /// Its connection ended.
    Gone,
}

/// Whether an agent that speaks like this ends its run when a person stops it. Codex's hooks have no field for it
/// (<https://developers.openai.com/codex/hooks>: `continue`, `stopReason` and `interrupt` fail or do nothing), and telemetry goes one way.
pub fn carries_stop(origin: Origin, agent: &str) -> bool {
    match origin {
        Origin::Hook => agent != "codex",
        Origin::Otlp => false,
        _ => true,
    }
}

/// A session as lists show it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct SessionView {
    /// The agent.
    #[cfg_attr(test, ts(type = "string"))]
    pub agent: Arc<str>,
    /// The agent's session.
    #[cfg_attr(test, ts(type = "string"))]
    pub session: Arc<str>,
    /// The stream that all its events are in; absent when they are in none, or not in the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub stream: Option<Arc<str>>,
    /// The dialect of its last event; absent before there is one.
    #[cfg_attr(test, ts(optional))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The session whose agent started it as a subagent of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub parent: Option<Arc<str>>,
    /// What kind of subagent it is, in its agent's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub role: Option<String>,
    /// The folder that it works in, where its agent says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub folder: Option<String>,
    /// What it needs or does.
    pub activity: Activity,
    /// Since when, RFC 3339.
    #[cfg_attr(test, ts(type = "string"))]
    pub since: Millis,
    /// Its running tool, what its run waits for, or what it last said of its state.
    #[cfg_attr(test, ts(optional))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// How far its run is, 0 to 1, when it says so.
    #[cfg_attr(test, ts(optional))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    /// How many approvals wait.
    pub pending: u32,
    /// Whether a person stopped it.
    pub stopped: bool,
    /// Whether a stop ends its run; where it would not, no surface offers one.
    #[serde(default = "crate::yes")]
    pub stops: bool,
    /// How many connections it has now.
    pub connections: u32,
    /// Events seen since the hub began, and a while before.
    #[cfg_attr(test, ts(type = "number"))]
    pub events: u64,
    /// The last event, RFC 3339.
    #[cfg_attr(test, ts(type = "string"))]
    pub last: Millis,
}
