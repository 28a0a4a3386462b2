//! A WebSocket to the hub over plain TCP.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, http};

use super::client::Problem;
use super::{Found, HubError};

/// An open WebSocket.
pub(crate) type Socket = WebSocketStream<TcpStream>;

const HANDSHAKE: Duration = Duration::from_secs(10);

/// Opens `path`, query included, at the hub.
pub(crate) async fn connect(found: &Found, path: &str, token: Option<&str>) -> Result<Socket, HubError> {
    let away = |reason: String| HubError::Unreachable {
        found: found.clone(),
        reason,
    };
    let authority = found.url.authority();
    let opening = async {
        let stream = TcpStream::connect(&authority)
            .await
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::ConnectionRefused => away("connection refused".to_owned()),
                _ => away(error.to_string()),
            })?;
        stream.set_nodelay(true).map_err(|error| away(error.to_string()))?;
        let mut request = http::Request::builder()
            .uri(found.url.ws(path))
            .header("Host", &authority)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", tungstenite::handshake::client::generate_key());
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let request = request.body(()).map_err(|error| away(error.to_string()))?;
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                let problem = Problem::new(response.status().as_u16(), &String::from_utf8_lossy(body));
                Err(HubError::Refused(Box::new(problem)))
            }
            Err(tungstenite::Error::Protocol(error)) => Err(HubError::Nonsense {
                url: found.url.to_string(),
                what: error.to_string(),
            }),
            Err(error) => Err(away(error.to_string())),
        }
    };
    timeout(HANDSHAKE, opening)
        .await
        .unwrap_or_else(|_| Err(away("it did not answer in time".to_owned())))
}
