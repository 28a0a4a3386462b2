//! From an HTTP request to a WebSocket: the handshake (RFC 6455, section 4.2).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use countersign_dialects::sam::Switches;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::auth::{Access, Badge};
use crate::census::Census;
use crate::problem::Problem;

/// What all connections share.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) switches: Switches,
    pub(crate) approval_timeout: Option<i64>,
    pub(crate) census: Arc<Census>,
    pub(crate) closing: watch::Receiver<bool>,
    /// Held by each connection, so that closing can wait for them.
    pub(crate) alive: mpsc::Sender<()>,
}

/// The place that a connection takes among those allowed; kept until it ends.
#[derive(Clone)]
pub(crate) struct Place(#[allow(dead_code)] pub(crate) Arc<OwnedSemaphorePermit>);

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// Whether the request asks for a WebSocket.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, header::UPGRADE, "websocket")
}

/// What an upgraded connection is: its socket, and what came in behind the request.
pub(crate) struct Line {
    pub(crate) socket: TcpStream,
    pub(crate) early: Bytes,
    /// What the peer may do.
    pub(crate) badge: Badge,
}

/// Answers the handshake and lets the connection live on by itself, as `live` says. Where the handshake is not one, the
/// answer says so and `live` is not called.
pub(crate) fn upgrade<F, L>(mut request: Request, settings: &Settings, live: F) -> Result<Response, Problem>
where
    F: FnOnce(Line) -> L + Send + 'static,
    L: Future<Output = ()> + Send,
{
    let headers = request.headers();
    if request.method() != Method::GET || !has_token(headers, header::CONNECTION, "upgrade") || !is_upgrade(headers) {
        let problem = Problem::new(
            StatusCode::UPGRADE_REQUIRED,
            "this address speaks WebSocket: connect with ws://",
        );
        let mut response = problem.into_response();
        response
            .headers_mut()
            .insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return Ok(response);
    }
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        let mut response =
            Problem::new(StatusCode::UPGRADE_REQUIRED, "WebSocket version 13 is spoken here").into_response();
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return Ok(response);
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .ok_or_else(|| Problem::bad_request("the Sec-WebSocket-Key header is missing"))?;
    let accept = derive_accept_key(key.as_bytes());
    let place = request.extensions().get::<Place>().cloned();
    let badge = request
        .extensions()
        .get::<Access>()
        .cloned()
        .map_or_else(Badge::nobody, Badge::new);
    let alive = settings.alive.clone();
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // Kept until the connection ends.
        let _held = (place, alive);
        let upgraded = match upgraded.await {
            Ok(upgraded) => upgraded,
            Err(error) => return tracing::debug!(%error, "the upgrade did not happen"),
        };
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => {
                live(Line {
                    socket: parts.io.into_inner(),
                    early: parts.read_buf,
                    badge,
                })
                .await;
            }
            Err(_) => tracing::error!("an upgraded connection is not TCP"),
        }
    });
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .body(Body::empty())
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}
