//! From an HTTP request to a WebSocket: the handshake (RFC 6455, section 4.2), and what the query asks for.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_dialects::limits::{MAX_FRAME, MAX_PUBLISH};
use countersign_dialects::sam::Switches;
use countersign_hub::HistoryLost;
use countersign_model::Since;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::connection::{self, Opening};
use super::filter::{Filter, names};
use crate::auth::{BadToken, Door, Right};
use crate::problem::Problem;

/// Which door a connection came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `/`: reads, and may publish.
    Monitor,
    /// `/publish`: publishes, and hears only what concerns it.
    Publisher,
}

impl Role {
    /// Bytes that one message may have.
    pub(crate) fn max_frame(self) -> usize {
        match self {
            Self::Monitor => MAX_FRAME,
            Self::Publisher => MAX_PUBLISH,
        }
    }

    /// Bytes that one read takes in. Monitors are many and say little.
    pub(crate) fn read_buffer(self) -> usize {
        match self {
            Self::Monitor => 4 * 1024,
            Self::Publisher => 32 * 1024,
        }
    }
}

/// What all connections share.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) switches: Switches,
    pub(crate) approval_timeout: Option<i64>,
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

/// Answers the handshake and lets the connection live on by itself.
pub(crate) fn upgrade(mut request: Request, role: Role, door: Door, settings: Settings) -> Result<Response, Problem> {
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
    let opening = opening(&request, role, &door, settings.switches)?;
    let place = request.extensions().get::<Place>().cloned();
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // Kept until the connection ends.
        let _held = (place, settings.alive.clone());
        let upgraded = match upgraded.await {
            Ok(upgraded) => upgraded,
            Err(error) => return tracing::debug!(%error, "the upgrade did not happen"),
        };
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => connection::run(parts.io.into_inner(), parts.read_buf, opening, role, door, settings).await,
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

/// Reads the query and takes the cursor: from here on nothing is missed.
fn opening(request: &Request, role: Role, door: &Door, switches: Switches) -> Result<Opening, Problem> {
    let (mut since, mut types, mut agents, mut token) = (None, None, None, None);
    let mut greeted = false;
    for (name, value) in query(request.uri().query().unwrap_or_default()) {
        // An empty list names nobody in particular, as in REST.
        let list = |value: &str| {
            let names = names(value).map_err(Problem::bad_request)?;
            Ok::<_, Problem>((!names.is_empty()).then_some(names))
        };
        greeted |= matches!(&*name, "since" | "types" | "agents");
        match &*name {
            "since" => {
                let place: Since = value
                    .parse()
                    .map_err(|error: countersign_model::cursor::SinceError| Problem::bad_request(error.to_string()))?;
                since = Some(place);
            }
            "types" => types = list(&value)?,
            "agents" => agents = list(&value)?,
            "token" => token = Some(value),
            _ => {}
        }
    }
    let token = token.or_else(|| bearer(request.headers()).map(str::to_owned));
    let right = door
        .keys
        .right(token.as_deref(), door.hub.now())
        .map_err(|BadToken| Problem::bad_token())?;
    let (cursor, lost) = match door.hub.cursor(since.as_ref()) {
        Ok(cursor) => (cursor, None),
        Err(lost) => (door.hub.from_head(), Some(lost)),
    };
    let lost: Option<HistoryLost> = lost;
    Ok(Opening {
        approver: right == Right::Approver,
        feed: (role == Role::Monitor).then(|| (cursor, Filter::new(types, agents, switches))),
        greeted,
        lost,
    })
}

/// The bearer of an `Authorization` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Name and value pairs of a query, percent-decoded; what cannot be decoded counts as none.
pub(crate) fn query(text: &str) -> Vec<(String, String)> {
    let Ok(uri) = format!("/?{text}").parse() else {
        return Vec::new();
    };
    Query::<Vec<(String, String)>>::try_from_uri(&uri).map_or_else(|_| Vec::new(), |Query(pairs)| pairs)
}
