//! The five wire formats that peers speak.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A wire format: what a listener's root path speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// SAM; a first message with `action` makes a connection Hive.
    #[default]
    Sam,
    /// Hive.
    Hive,
    /// AMIGA: Socket.IO.
    Amiga,
    /// Codex AgentLoop.
    Codex,
    /// Cloud Agents.
    Cloud,
}

impl Dialect {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::Sam, Self::Hive, Self::Amiga, Self::Codex, Self::Cloud];

    /// The name it has on the command line and in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sam => "sam",
            Self::Hive => "hive",
            Self::Amiga => "amiga",
            Self::Codex => "codex",
            Self::Cloud => "cloud",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not the name of a dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no dialect: sam, hive, amiga, codex or cloud")]
pub struct DialectError(String);

impl FromStr for Dialect {
    type Err = DialectError;

    fn from_str(name: &str) -> Result<Self, DialectError> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.as_str() == name)
            .ok_or_else(|| DialectError(name.to_owned()))
    }
}
