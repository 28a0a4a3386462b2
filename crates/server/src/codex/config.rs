//! The configuration's part `[codex]`.

use std::path::PathBuf;

use serde::Deserialize;

/// How Codex AgentLoop's sessions are served.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Codex {
    /// Sessions are logged in this folder; without one they are not. The environment's `SESSION_STORE_PATH` (seed 003) counts
    /// over the file.
    pub session_store: Option<PathBuf>,
    /// For tests: the agent plays this script, `.json` or `.toml`.
    pub script: Option<PathBuf>,
}
