//! `/websocket-test`: a page to try Socket.IO by hand (seed 001, "WebSocket Test Dashboard"). Its script speaks the protocol itself.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;
use crate::web::dress;

/// The page.
pub(crate) async fn page() -> Response {
    let text = include_str!("page/page.html");
    dress(text.into_response(), "text/html; charset=utf-8", "no-cache")
}

/// What the page needs.
pub(crate) async fn file(Path(name): Path<String>) -> Response {
    let (text, kind) = match name.as_str() {
        "page.js" => (include_str!("page/page.js"), "text/javascript; charset=utf-8"),
        "socket.js" => (include_str!("page/socket.js"), "text/javascript; charset=utf-8"),
        "page.css" => (include_str!("page/page.css"), "text/css; charset=utf-8"),
        _ => return Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address").into_response(),
    };
    dress(text.into_response(), kind, "no-cache")
}
