//! A WebSocket to an upstream: TLS where the address says so, bounded in time and size, and what a Countersign says of itself in the
//! headers of its answer.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use countersign_model::Epoch;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, http};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use crate::VERSION;
use crate::outward::tls;

/// How long connecting and the handshake may take.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes of one frame at most.
const MAX_FRAME: usize = 16 * 1024 * 1024;

/// The hub's id, in answers of a Countersign.
pub(crate) const HUB: HeaderName = HeaderName::from_static("x-countersign-hub");
/// Its epoch.
pub(crate) const EPOCH: HeaderName = HeaderName::from_static("x-countersign-epoch");
/// The hubs whose events come in there, separated by commas.
pub(crate) const VIA: HeaderName = HeaderName::from_static("x-countersign-via");

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a Countersign says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) hub: Arc<str>,
    pub(crate) epoch: Option<Epoch>,
    pub(crate) via: Vec<Arc<str>>,
}

impl Remote {
    /// `None` when it is no Countersign.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        Some(Self {
            hub: text(&HUB).filter(|hub| !hub.is_empty())?.into(),
            epoch: text(&EPOCH).map(Epoch::new),
            via: text(&VIA)
                .unwrap_or_default()
                .split(',')
                .filter(|hub| !hub.is_empty())
                .map(Arc::from)
                .collect(),
        })
    }

    /// It and the hubs behind it.
    pub(crate) fn all(&self) -> Vec<Arc<str>> {
        let mut all = vec![self.hub.clone()];
        for hub in &self.via {
            if !all.contains(hub) {
                all.push(hub.clone());
            }
        }
        all
    }
}

/// Connects, or says why not.
pub(crate) async fn connect(address: &str, token: Option<&str>) -> Result<(Socket, HeaderMap), String> {
    match tokio::time::timeout(CONNECT, handshake(address, token)).await {
        Ok(connected) => connected,
        Err(_) => Err(format!("no connection within {} s", CONNECT.as_secs())),
    }
}

async fn handshake(address: &str, token: Option<&str>) -> Result<(Socket, HeaderMap), String> {
    let uri: Uri = address.parse().map_err(|error| format!("not an address: {error}"))?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let secure = uri.scheme_str() == Some("wss");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let mut request = uri.into_client_request().map_err(|error| error.to_string())?;
    let headers = request.headers_mut();
    if let Ok(agent) = HeaderValue::from_str(&format!("countersign/{VERSION}")) {
        headers.insert(header::USER_AGENT, agent);
    }
    if let Some(bearer) = token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok()) {
        headers.insert(header::AUTHORIZATION, bearer);
    }
    let stream = TcpStream::connect((host.as_str(), port))
        .await
        .map_err(|error| error.to_string())?;
    let _ = stream.set_nodelay(true);
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME));
    let connector = if secure {
        Connector::Rustls(tls())
    } else {
        Connector::Plain
    };
    match client_async_tls_with_config(request, stream, Some(config), Some(connector)).await {
        Ok((socket, response)) => Ok((socket, response.headers().clone())),
        Err(Error::Http(response)) => Err(refused(&response)),
        Err(error) => Err(error.to_string()),
    }
}

fn refused(response: &http::Response<Option<Vec<u8>>>) -> String {
    let status = response.status();
    let detail = response
        .body()
        .as_ref()
        .and_then(|body| serde_json::from_slice::<serde_json::Value>(body).ok())
        .and_then(|problem| problem["detail"].as_str().map(str::to_owned));
    match detail {
        Some(detail) => format!("it answered {status}: {detail}"),
        None => format!("it answered {status}"),
    }
}
