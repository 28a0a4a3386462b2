//! Why a configuration cannot be used.

use std::path::PathBuf;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// The file does not parse.
    #[error("the configuration {path} is not valid: {why}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        why: String,
    },
    /// Neither `.json` nor `.toml`.
    #[error("the configuration {0} must be SAM's config.json (.json) or Countersign's own (.toml)")]
    Kind(PathBuf),
    /// A host that other machines can reach.
    #[error(
        "host {0:?} is not on loopback: without TLS and tokens Countersign listens on 127.0.0.1, ::1 or localhost only. \
         To reach it from elsewhere, leave it on loopback and put a TLS proxy that checks who comes before it \
         (nginx: `proxy_pass http://127.0.0.1:8765;` with `Upgrade` and `Connection` headers passed on), list the proxy's \
         public name under `allowed_hosts`, or use an SSH tunnel: `ssh -L 8765:127.0.0.1:8765 THIS-MACHINE`"
    )]
    OffLoopback(String),
    /// A value out of range.
    #[error("{0}")]
    Value(String),
}
