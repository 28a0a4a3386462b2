//! Listeners: sockets in, HTTP/1 with time limits and a cap on connections, upgrades let go.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use countersign_model::Dialect;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::socket::Place;

/// How long a request's head, and a quiet connection, may take.
const HEAD: Duration = Duration::from_secs(10);
/// Bytes of a request's head at most.
const MAX_HEAD: usize = 64 * 1024;

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\
retry-after: 1\r\ncontent-length: 107\r\n\r\n\
{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"too many connections are open\"}\n";

/// Binds `hosts` to one port. A family that the machine does not have is left out, while another one works.
///
/// # Errors
/// The first address that could not be bound, and why.
pub(crate) async fn bind(hosts: &[IpAddr], port: u16) -> Result<Vec<TcpListener>, (SocketAddr, std::io::Error)> {
    let mut tries = 0;
    loop {
        tries += 1;
        match bind_once(hosts, port).await {
            // A port that was free on one family may be taken on the other: try another one.
            Err((_, error)) if port == 0 && tries < 16 && error.kind() == std::io::ErrorKind::AddrInUse => {}
            result => return result,
        }
    }
}

async fn bind_once(hosts: &[IpAddr], mut port: u16) -> Result<Vec<TcpListener>, (SocketAddr, std::io::Error)> {
    let mut listeners = Vec::new();
    for host in hosts {
        let address = SocketAddr::new(*host, port);
        match TcpListener::bind(address).await {
            Ok(listener) => {
                if port == 0 {
                    port = listener.local_addr().map_err(|error| (address, error))?.port();
                }
                listeners.push(listener);
            }
            Err(error)
                if hosts.len() > 1
                    && matches!(
                        error.kind(),
                        std::io::ErrorKind::AddrNotAvailable | std::io::ErrorKind::Unsupported
                    ) =>
            {
                tracing::info!(%address, %error, "this address is not available on this machine");
            }
            Err(error) => return Err((address, error)),
        }
    }
    Ok(listeners)
}

/// What the root path of the listener speaks that a request came through; each request carries it as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RootDialect(pub(crate) Dialect);

/// What every listener needs.
#[derive(Clone)]
pub(crate) struct Serving {
    pub(crate) router: Router,
    pub(crate) root: RootDialect,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) closing: watch::Receiver<bool>,
    pub(crate) alive: mpsc::Sender<()>,
}

/// Whether whoever is at the other end is on this machine. A proxy on this machine is, too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nearby(pub(crate) bool);

/// Accepts until it is time to close.
pub(crate) async fn serve(listener: TcpListener, mut serving: Serving) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = serving.closing.wait_for(|closing| *closing) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let serving = serving.clone();
                tokio::spawn(connection(stream, serving));
            }
            Err(error) => {
                // Out of file descriptors, say: others close, and it goes on.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, mut serving: Serving) {
    let Ok(place) = serving.places.clone().try_acquire_owned() else {
        return refuse(stream).await;
    };
    let place = Place(Arc::new(place));
    let _ = stream.set_nodelay(true);
    let nearby = Nearby(
        stream
            .peer_addr()
            .is_ok_and(|peer| peer.ip().to_canonical().is_loopback()),
    );
    let service = {
        let (router, root) = (serving.router.clone(), serving.root);
        tower::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(place.clone());
            request.extensions_mut().insert(root);
            request.extensions_mut().insert(nearby);
            tower::ServiceExt::oneshot(router.clone(), request)
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(connection);
    let closing = tokio::select! {
        served = connection.as_mut() => return ended(served),
        closing = serving.closing.wait_for(|closing| *closing) => closing.is_ok(),
    };
    if closing {
        connection.as_mut().graceful_shutdown();
    }
    ended(connection.await);
    drop(serving.alive);
}

/// Tells a connection that there is no place for it. Beyond a few at a time there is not even that.
async fn refuse(mut stream: TcpStream) {
    static REFUSING: Semaphore = Semaphore::const_new(64);
    let Ok(_few) = REFUSING.try_acquire() else { return };
    let tell = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        // A request that nobody reads would make the other side forget the answer.
        let mut request = [0; 4096];
        while stream.read(&mut request).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), tell).await;
}

fn ended(served: hyper::Result<()>) {
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended badly");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_says_its_own_length() {
        let text = std::str::from_utf8(FULL).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(
            head.contains(&format!("content-length: {}", body.len())),
            "{}",
            body.len()
        );
    }
}
