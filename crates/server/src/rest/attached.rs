//! What the hub itself is attached to: upstreams, and the targets of webhooks.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use countersign_model::canonical::too_deep;
use serde_json::json as value;

use super::{Text, json};
use crate::app::App;
use crate::problem::Problem;
use crate::upstream::{UpstreamsError, WrittenUpstream};

impl From<UpstreamsError> for Problem {
    fn from(error: UpstreamsError) -> Self {
        let detail = error.to_string();
        match error {
            UpstreamsError::Settings(error) => Self::bad_request(detail).with("field", error.field.into()),
            UpstreamsError::Taken => Self::new(StatusCode::CONFLICT, detail).with("field", "name".into()),
            UpstreamsError::TooMany | UpstreamsError::Configured => Self::new(StatusCode::CONFLICT, detail),
            UpstreamsError::NotFound => Self::new(StatusCode::NOT_FOUND, detail),
            UpstreamsError::Folder(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail),
        }
    }
}

/// Upstreams with their state.
pub(crate) async fn upstreams(State(app): State<App>) -> Response {
    json(StatusCode::OK, &value!({ "upstreams": app.upstreams.list() }))
}

/// Attaches to one more.
pub(crate) async fn attach(State(app): State<App>, Text(body): Text) -> Result<Response, Problem> {
    if too_deep(body.as_bytes()) {
        return Err(Problem::bad_request("nested too deeply"));
    }
    let written: WrittenUpstream = serde_json::from_str(&body).map_err(|error| {
        Problem::bad_request(format!(
            "the body is {{\"name\": …, \"dialect\": \"sam|hive|amiga|cloud|codex\", \"url\": …, \"token\"?: …}}: {error}"
        ))
    })?;
    Ok(json(StatusCode::CREATED, &app.upstreams.add(written)?))
}

/// Lets go of one.
pub(crate) async fn detach(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    app.upstreams.remove(&name)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Webhooks with their state.
pub(crate) async fn webhooks(State(app): State<App>) -> Response {
    json(StatusCode::OK, &value!({ "webhooks": app.webhooks.list() }))
}

/// Sends again what a webhook's target refused, and what waits to be tried again.
pub(crate) async fn retry(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    match app.webhooks.retry(&name) {
        Some(webhook) => Ok(json(StatusCode::OK, &webhook)),
        None => Err(Problem::new(StatusCode::NOT_FOUND, "there is no webhook of this name")),
    }
}
