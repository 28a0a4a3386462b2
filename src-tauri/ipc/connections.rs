//! The commands that connect agents of this machine: the same steps as over REST and on the command line.

use std::path::PathBuf;
use std::sync::Arc;

use countersign_model::{Connection, ConnectionChange, Finding};
use countersign_server::connect::{ConnectWish, ConnectorError};
use tauri::State;

use super::failure::Failure;
use crate::link::Link;

impl From<ConnectorError> for Failure {
    fn from(error: ConnectorError) -> Self {
        let code = match error {
            ConnectorError::Unknown => "not_found",
            ConnectorError::Relative => "bad_request",
            ConnectorError::Connect(_) => "conflict",
            ConnectorError::Homeless | ConnectorError::Closing => "failed",
        };
        Self::new(code, error.to_string())
    }
}

/// Agents of this machine, and how they are connected.
#[tauri::command]
pub(super) async fn connections(
    link: State<'_, Arc<Link>>,
    project: Option<PathBuf>,
) -> Result<Vec<Connection>, Failure> {
    Ok(link.connector()?.list(project).await?)
}

/// Connects one, or shows what that would change.
#[tauri::command]
pub(super) async fn connect_agent(
    link: State<'_, Arc<Link>>,
    agent: String,
    wish: serde_json::Value,
) -> Result<ConnectionChange, Failure> {
    let wish: ConnectWish =
        serde_json::from_value(wish).map_err(|error| Failure::new("bad_request", error.to_string()))?;
    Ok(link.connector()?.connect(&agent, wish).await?)
}

/// Disconnects one, or shows what that would change.
#[tauri::command]
pub(super) async fn disconnect_agent(
    link: State<'_, Arc<Link>>,
    agent: String,
    project: Option<PathBuf>,
    dry_run: bool,
) -> Result<ConnectionChange, Failure> {
    Ok(link.connector()?.disconnect(&agent, project, dry_run).await?)
}

/// Looks at a connection end to end.
#[tauri::command]
pub(super) async fn examine_agent(
    link: State<'_, Arc<Link>>,
    agent: String,
    project: Option<PathBuf>,
    fix: bool,
) -> Result<Vec<Finding>, Failure> {
    Ok(link.connector()?.examine(&agent, project, fix).await?)
}
