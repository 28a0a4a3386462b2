//! The web monitor at `/`: the window's own files, built in. Without a UI build, a plain page that says how to get one.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::problem::Problem;

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Built;

const PLAIN: &str = include_str!("plain.html");

const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; \
     object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The headers of a file that is part of a page.
pub(crate) fn dress(mut response: Response, kind: &'static str, cache: &'static str) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn kind_of(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json" | "webmanifest") => "application/json",
        _ => "application/octet-stream",
    }
}

/// The page.
pub(crate) fn index() -> Response {
    match Built::get("index.html") {
        Some(file) => dress(
            Response::new(Body::from(file.data.into_owned())),
            "text/html; charset=utf-8",
            "no-cache",
        ),
        None => dress(PLAIN.into_response(), "text/html; charset=utf-8", "no-cache"),
    }
}

/// Whether there is a file at this path that says nothing of anybody: all but the page itself.
pub(crate) fn is_asset(path: &str) -> bool {
    let path = path.trim_start_matches('/');
    !path.ends_with(".html") && Built::get(path).is_some()
}

/// A file that the page needs, or a 404.
pub(crate) fn file(uri: &Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    match Built::get(path) {
        Some(file) => {
            // Built files carry a hash in their names.
            let cache = if path.starts_with("assets/") {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            };
            dress(Response::new(Body::from(file.data.into_owned())), kind_of(path), cache)
        }
        None => nothing().into_response(),
    }
}

/// What there is not.
pub(crate) fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address")
}
