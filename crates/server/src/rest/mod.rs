//! REST, for those without a socket. Errors are problem documents.

pub(crate) mod approvals;
pub(crate) mod attached;
pub(crate) mod connections;
pub(crate) mod events;
pub(crate) mod grants;
pub(crate) mod prometheus;
pub(crate) mod sessions;
pub(crate) mod status;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;

use crate::problem::Problem;

/// How long a body may take to come in.
const BODY: Duration = Duration::from_secs(60);
/// How long one poll may wait, in seconds.
const MAX_WAIT: f64 = 600.0;

/// JSON with its content type.
pub(crate) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => reply(status, "application/json", text),
        Err(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

pub(crate) fn reply(status: StatusCode, kind: &'static str, text: String) -> Response {
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A request's body as text, within its bounds of size and time.
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match tokio::time::timeout(BODY, String::from_request(request, state)).await {
            Ok(Ok(text)) => Ok(Self(text)),
            Ok(Err(rejection)) => {
                let status = rejection.status();
                let detail = match status {
                    StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than this address takes".to_owned(),
                    _ => format!("the body cannot be read: {}", rejection.body_text()),
                };
                Err(Problem::new(status, detail))
            }
            Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
        }
    }
}

/// `?wait=SECONDS`.
pub(crate) fn wait(value: Option<&str>) -> Result<Option<Duration>, Problem> {
    let Some(value) = value else { return Ok(None) };
    match value.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(Some(Duration::from_secs_f64(seconds.min(MAX_WAIT)))),
        _ => Err(Problem::bad_request("`wait` is a number of seconds").with("field", "wait".into())),
    }
}
