//! One POST as an HTTP hook sends it, and who answered: a blocking exchange of which only the answer's head and a first piece matter.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use axum::http::Uri;

const CONNECT: Duration = Duration::from_secs(5);
/// As long as a hub that is busy may take.
const ANSWER: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
const MOST: usize = 64 * 1024;

/// The head of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Whether it is a hub's.
    pub(super) hub: bool,
}

/// Sends one JSON body to an address that begins with `http://`.
pub(super) fn post(url: &str, headers: &[(String, String)], body: &str) -> io::Result<Reply> {
    let odd = || io::Error::new(io::ErrorKind::InvalidInput, "it is no address");
    let uri: Uri = url.parse().map_err(|_| odd())?;
    let host = uri.host().ok_or_else(odd)?;
    let port = uri.port_u16().unwrap_or(80);
    let mut stream = connect(host.trim_matches(['[', ']']), port)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.set_write_timeout(Some(ANSWER))?;
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    read(&mut stream)
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn read(stream: &mut TcpStream) -> io::Result<Reply> {
    let until = Instant::now() + ANSWER;
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") && bytes.len() < MOST {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head(&String::from_utf8_lossy(&bytes)).ok_or_else(|| io::Error::other("what came back is no HTTP"))
}

fn head(text: &str) -> Option<Reply> {
    let mut lines = text.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let hub = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .any(|(name, _)| name.eq_ignore_ascii_case("x-countersign-epoch"));
    Some(Reply { status, hub })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_is_told_from_another_program() {
        let reply = |status, hub| Some(Reply { status, hub });
        assert_eq!(
            head("HTTP/1.1 200 OK\r\nX-Countersign-Epoch: a\r\n\r\n{}"),
            reply(200, true)
        );
        assert_eq!(
            head("HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\nx-countersign-epoch: a"),
            reply(404, false)
        );
        assert_eq!(head("SSH-2.0-OpenSSH_9.9\r\n"), None);
        assert_eq!(head(""), None);
    }
}
