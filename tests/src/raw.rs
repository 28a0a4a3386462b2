//! HTTP by hand, for requests that no client library would send.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::wait::PATIENCE;

/// A plain connection.
///
/// # Panics
/// When nobody listens.
pub fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the hub listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

/// Sends `request` as it stands and gives the reply's status line and the rest, as far as it came; empty when the connection was
/// closed without a word.
pub fn exchange(port: u16, request: &str) -> String {
    let mut stream = connect(port);
    if stream.write_all(request.as_bytes()).is_err() {
        return String::new();
    }
    head(&mut stream)
}

/// Reads a reply's head, and the body that came with it.
pub fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&piece[..count]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The reply's status; 0 when there was none.
pub fn status(reply: &str) -> u16 {
    reply.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// How long it takes until the other side closes.
///
/// # Panics
/// When it does not within [`PATIENCE`].
pub fn time_to_close(stream: &mut TcpStream) -> Duration {
    let begun = Instant::now();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return begun.elapsed(),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("still open after {PATIENCE:?}")
            }
            Err(_) => return begun.elapsed(),
        }
    }
}
