//! Health, and the hub as a whole.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json as value;

use super::json;
use crate::app::App;
use crate::auth::Access;

/// 200 while the hub can take events and keep them, else 503.
pub(crate) async fn healthz(State(app): State<App>) -> Response {
    let status = app.report.status();
    let failing = status.problems.iter().any(|problem| problem.code == "store_failing");
    let code = if failing {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    let body = value!({
        "status": if failing { "failing" } else { "ok" },
        "version": status.version,
        "epoch": status.epoch,
        "head": status.head,
        "durable": status.durable,
        "connections": status.connections,
        "pending": status.pending,
        "cloud": { "connected": app.cloud.clients(), "authenticated": app.cloud.authenticated() },
    });
    json(code, &body)
}

/// The hub's status, problems included. Who is there is told to those who may read all streams.
pub(crate) async fn status(State(app): State<App>, Extension(access): Extension<Access>) -> Response {
    let mut status = app.report.status();
    if !access.may_read() || !access.sees_all() {
        status.presence.people.clear();
    }
    json(StatusCode::OK, &status)
}
