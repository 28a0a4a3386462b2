//! `/api/connections`: agents of this machine, for whoever may decide, on this machine.

use std::path::PathBuf;

use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json as value;

use super::{Text, json};
use crate::app::App;
use crate::connect::{ConnectWish, ConnectorError};
use crate::listen::Nearby;
use crate::problem::Problem;
use crate::socket::query;

impl From<ConnectorError> for Problem {
    fn from(error: ConnectorError) -> Self {
        let status = match error {
            ConnectorError::Unknown => StatusCode::NOT_FOUND,
            ConnectorError::Relative => StatusCode::BAD_REQUEST,
            ConnectorError::Connect(_) => StatusCode::CONFLICT,
            ConnectorError::Homeless | ConnectorError::Closing => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

/// Somebody at this machine: for nobody else are settings changed and programs run.
pub(crate) struct Near;

impl<S: Sync> FromRequestParts<S> for Near {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.extensions.get() {
            Some(Nearby(true)) => Ok(Self),
            _ => Err(Problem::forbidden(
                "agents are connected from the machine that they are on: use its window or its command line",
            )),
        }
    }
}

fn body<'a, T: Deserialize<'a> + Default>(text: &'a str, shape: &str) -> Result<T, Problem> {
    if text.trim().is_empty() {
        return Ok(T::default());
    }
    serde_json::from_str(text).map_err(|error| Problem::bad_request(format!("the body is {shape}: {error}")))
}

/// The folder that a query names; none without one.
fn project(text: &str) -> Option<PathBuf> {
    let mut named = query(text)
        .into_iter()
        .filter(|(name, value)| name == "project" && !value.is_empty());
    named.next().map(|(_, value)| PathBuf::from(value))
}

/// Agents of this machine, and how they are connected: for all projects, or with `?project=DIR` for one.
pub(crate) async fn list(State(app): State<App>, _: Near, RawQuery(text): RawQuery) -> Result<Response, Problem> {
    let connections = app.connector.list(project(&text.unwrap_or_default())).await?;
    Ok(json(StatusCode::OK, &value!({ "connections": connections })))
}

/// Connects one, or shows what that would change.
pub(crate) async fn connect(
    State(app): State<App>,
    _: Near,
    Path(agent): Path<String>,
    Text(text): Text,
) -> Result<Response, Problem> {
    let wish: ConnectWish = body(
        &text,
        "{\"project\"?: \"DIR\", \"telemetry\"?: true|false, \"when_absent\"?: \"ask|deny|allow\", \"dry_run\"?: true|false}",
    )?;
    Ok(json(StatusCode::OK, &app.connector.connect(&agent, wish).await?))
}

/// Disconnects one, or with `?dry_run=true` shows what that would change.
pub(crate) async fn disconnect(
    State(app): State<App>,
    _: Near,
    Path(agent): Path<String>,
    RawQuery(text): RawQuery,
) -> Result<Response, Problem> {
    let text = text.unwrap_or_default();
    let mut dry_run = false;
    for (name, value) in query(&text) {
        if name == "dry_run" {
            dry_run = match &*value {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => return Err(Problem::bad_request("`dry_run` is true or false").with("field", "dry_run".into())),
            };
        }
    }
    let change = app.connector.disconnect(&agent, project(&text), dry_run).await?;
    Ok(json(StatusCode::OK, &change))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Examination {
    project: Option<PathBuf>,
    fix: bool,
}

/// Looks at a connection end to end.
pub(crate) async fn examine(
    State(app): State<App>,
    _: Near,
    Path(agent): Path<String>,
    Text(text): Text,
) -> Result<Response, Problem> {
    let Examination { project, fix } = body(&text, "{\"project\"?: \"DIR\", \"fix\"?: true|false}")?;
    let findings = app.connector.examine(&agent, project, fix).await?;
    Ok(json(StatusCode::OK, &value!({ "findings": findings })))
}
