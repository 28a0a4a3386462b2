//! How an agent's program on this machine is connected, and what an examination of that found, in words for a person.

use serde::{Deserialize, Serialize};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// It works, or may work, and somebody should know.
    Warn,
    /// It does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Finding {
    /// What was looked at, as one word for programs.
    pub check: String,
    /// How it came out.
    pub state: Outcome,
    /// What was found.
    pub what: String,
    /// What to do about it.
    #[serde(rename = "do", default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub advice: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &str, what: impl Into<String>) -> Self {
        Self::new(check, Outcome::Ok, what, None)
    }

    /// Something to know.
    pub fn warn(check: &str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(check, Outcome::Warn, what, Some(advice.into()))
    }

    /// Something that does not work.
    pub fn fail(check: &str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(check, Outcome::Fail, what, Some(advice.into()))
    }

    fn new(check: &str, state: Outcome, what: impl Into<String>, advice: Option<String>) -> Self {
        Self {
            check: check.to_owned(),
            state,
            what: what.into(),
            advice,
        }
    }
}

/// An agent's program, and how it is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Connection {
    /// Its name in addresses and events: `claude-code`.
    pub agent: String,
    /// Its name as its makers write it.
    pub title: String,
    /// Where its program is; `None` when it was not found.
    #[cfg_attr(test, ts(optional))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The version that the program says.
    #[cfg_attr(test, ts(optional))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How much of the connection is in its settings.
    pub state: ConnectionState,
    /// The settings file that has, or would have, the hooks.
    pub file: String,
    /// Whether it tells the hub usage and cost.
    pub telemetry: bool,
    /// What it is told while no hub is there, where the settings say: `ask`, `deny` or `allow`.
    #[cfg_attr(test, ts(optional))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_absent: Option<String>,
    /// What stands in the way.
    pub findings: Vec<Finding>,
}

/// How much of a connection is in an agent's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
#[serde(rename_all = "lowercase")]
pub enum ConnectionState {
    /// All of it.
    Connected,
    /// Some events, or those of another version or place.
    Partly,
    /// Nothing.
    None,
    /// The settings cannot be read.
    Unreadable,
}

/// What connecting or disconnecting does, or did, to settings files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct ConnectionChange {
    /// Whose settings.
    pub agent: String,
    /// Whether it was done; a dry run only shows.
    pub done: bool,
    /// One for each file that changes; none when all is as it should be.
    pub files: Vec<FileChange>,
    /// What to know about it.
    pub findings: Vec<Finding>,
}

/// How one file changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct FileChange {
    /// The file.
    pub file: String,
    /// What changes, as a unified diff.
    pub diff: String,
    /// Where the file as it was is kept.
    #[cfg_attr(test, ts(optional))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
}
