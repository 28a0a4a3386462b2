//! Which address leads where, and what holds for all of them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use countersign_dialects::limits::{MAX_FRAME, MAX_PUBLISH};

use crate::auth::Door;
use crate::gate::Names;
use crate::problem::Problem;
use crate::rest::{approvals, events, grants, sessions, status};
use crate::running::Report;
use crate::sam::{self, Role};
use crate::socket::{self, Settings};
use crate::web;

/// What handlers are given.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) door: Door,
    pub(crate) settings: Settings,
    pub(crate) report: Arc<Report>,
}

/// All routes, behind the lock.
pub(crate) fn router(app: App, names: Arc<Names>) -> Router {
    Router::new()
        .route("/", get(root))
        .route("/publish", get(publish))
        .route("/healthz", get(status::healthz))
        .route("/api/status", get(status::status))
        .route("/api/agents", get(sessions::list))
        .route(
            "/api/events",
            get(events::read)
                .post(events::publish)
                .layer(DefaultBodyLimit::max(MAX_PUBLISH)),
        )
        .route("/api/approvals", get(approvals::list).post(approvals::ask))
        .route("/api/approvals/{id}", get(approvals::one))
        .route("/api/approvals/{id}/decision", post(approvals::decide))
        .route("/api/sessions/{id}/stop", post(sessions::stop))
        .route("/api/sessions/{id}/resume", post(sessions::resume))
        .route("/api/rules", get(sessions::rules))
        .route("/api/rules/{id}", delete(sessions::revoke))
        .route("/api/grants", post(grants::grant))
        .route("/api/dashboard", post(grants::exchange))
        .fallback(get(web::file))
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(MAX_FRAME))
        .layer(middleware::from_fn_with_state(names, lock))
        .with_state(app)
}

async fn lock(State(names): State<Arc<Names>>, request: Request, next: Next) -> Response {
    if let Err(problem) = names.check(request.uri(), request.headers()) {
        return problem.into_response();
    }
    let Some(origin) = names.admitted(request.headers()).cloned() else {
        return next.run(request).await;
    };
    // A page that the configuration admits: its browser asks first, and must be told that it may read the answer.
    let mut response = if request.method() == Method::OPTIONS {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, DELETE"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-type, accept"),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        response
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    response
}

async fn not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address does not take this method")
}

async fn root(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    if socket::is_upgrade(request.headers()) {
        return sam::open(request, Role::Monitor, app.door, app.settings);
    }
    Ok(web::index())
}

async fn publish(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    sam::open(request, Role::Publisher, app.door, app.settings)
}
