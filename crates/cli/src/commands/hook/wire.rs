//! One HTTP request to the hub by hand: a connection, a request, an answer, and nothing that takes time to start. How long
//! each step may take is the caller's to say; what an answer means, too.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::hub::Address;

/// How long a connection may take: the hub is on this machine, or at the end of a tunnel.
const CONNECT: Duration = Duration::from_millis(250);
/// What an answer may be long, head and body.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// An answer of whoever listens there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Whether it is Countersign's: another program on its port must not speak to an agent.
    pub(crate) hub: bool,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// Nobody listens: nothing was sent.
    #[error("{0}")]
    Unreachable(io::Error),
    /// The connection broke, after something was sent.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    /// No answer came in time.
    #[error("no answer came in time")]
    Late,
    /// What came is no HTTP.
    #[error("what came back is no HTTP")]
    Nonsense,
    /// The agent is gone: nobody waits for the answer any more.
    #[error("the agent is gone")]
    Orphaned,
}

/// What is asked of the hub.
pub(crate) struct Request<'a> {
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [u8],
}

/// Whether to go on waiting for the stream to have something to read.
pub(crate) trait Patience {
    /// Waits until `stream` can be read.
    fn wait(&self, stream: &TcpStream, part: Part) -> Result<(), Lost>;
    /// How long sending may take.
    fn sending(&self) -> Duration;
}

/// How far an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// On its way: as a whole, as far as is known.
    Due,
    /// Begun, and its end is open: the hub holds the line.
    Held,
}

/// Until a fixed time.
pub(crate) struct Until(pub(crate) Instant);

impl Patience for Until {
    fn wait(&self, stream: &TcpStream, _: Part) -> Result<(), Lost> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Lost::Late);
        }
        stream.set_read_timeout(Some(left)).map_err(Lost::Broken)
    }

    fn sending(&self) -> Duration {
        // A time-out of zero would be none.
        self.0
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(1))
    }
}

/// Opens a connection.
pub(crate) fn connect(to: &Address) -> Result<TcpStream, Lost> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses(to).map_err(Lost::Unreachable)? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(Lost::Unreachable(last))
}

/// Without asking a resolver where there is nothing to ask.
fn addresses(to: &Address) -> io::Result<Vec<SocketAddr>> {
    let host = to.host().trim_start_matches('[').trim_end_matches(']');
    if host == "localhost" {
        let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Ok(both.map(|ip| SocketAddr::new(ip, to.port())).into());
    }
    match host.parse::<IpAddr>() {
        Ok(ip) => Ok(vec![SocketAddr::new(ip, to.port())]),
        Err(_) => Ok((host, to.port()).to_socket_addrs()?.collect()),
    }
}

/// Sends a request and reads the whole answer.
pub(crate) fn exchange(
    stream: &mut TcpStream,
    to: &Address,
    request: &Request<'_>,
    patience: &impl Patience,
) -> Result<Reply, Lost> {
    let mut head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n",
        request.path,
        to.authority(),
        request.body.len()
    );
    for (name, value) in request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream
        .set_write_timeout(Some(patience.sending()))
        .map_err(Lost::Broken)?;
    // One packet for what is small: the hub need not be woken twice.
    let sent = if request.body.len() < 32 * 1024 {
        stream.write_all(&[head.as_bytes(), request.body].concat())
    } else {
        stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(request.body))
    };
    match sent {
        // A hub that does not want all of it may have answered already.
        Err(error) if !is_late(&error) => match read(stream, patience) {
            Ok(reply) => Ok(reply),
            Err(_) => Err(Lost::Broken(error)),
        },
        Err(_) => Err(Lost::Late),
        Ok(()) => read(stream, patience),
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// How the end of a body is known (RFC 9112, section 6.3).
enum End {
    After(usize),
    Chunks,
    Close,
}

fn read(stream: &mut TcpStream, patience: &impl Patience) -> Result<Reply, Lost> {
    let mut source = Source {
        stream,
        patience,
        bytes: Vec::new(),
        at: 0,
    };
    let (status, hub, end) = loop {
        let head = source.head()?;
        // 1xx: the answer itself is still to come.
        if head.0 >= 200 {
            break head;
        }
    };
    let body = match end {
        _ if matches!(status, 204 | 304) => Vec::new(),
        End::After(length) => source.take(length, Part::Due)?,
        End::Chunks => source.chunks()?,
        End::Close => source.rest()?,
    };
    Ok(Reply { status, hub, body })
}

/// What has come, and the way to more.
struct Source<'a, P> {
    stream: &'a mut TcpStream,
    patience: &'a P,
    bytes: Vec<u8>,
    at: usize,
}

impl<P: Patience> Source<'_, P> {
    /// Reads on; `false` at the end.
    fn more(&mut self, part: Part) -> Result<bool, Lost> {
        if self.bytes.len() > MOST_BYTES {
            return Err(Lost::Nonsense);
        }
        let mut piece = [0; 16 * 1024];
        loop {
            self.patience.wait(self.stream, part)?;
            match self.stream.read(&mut piece) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.bytes.extend_from_slice(&piece[..count]);
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Whether that was all the patience there is, the next wait says.
                Err(error) if is_late(&error) => {}
                Err(error) => return Err(Lost::Broken(error)),
            }
        }
    }

    fn closed() -> Lost {
        Lost::Broken(io::ErrorKind::UnexpectedEof.into())
    }

    /// A line without its end.
    fn line(&mut self, part: Part) -> Result<String, Lost> {
        loop {
            let rest = &self.bytes[self.at..];
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&rest[..length])
                    .trim_end_matches('\r')
                    .to_owned();
                self.at += length + 1;
                return Ok(line);
            }
            if rest.len() > 64 * 1024 {
                return Err(Lost::Nonsense);
            }
            if !self.more(part)? {
                return Err(Self::closed());
            }
        }
    }

    fn head(&mut self) -> Result<(u16, bool, End), Lost> {
        let first = self.line(Part::Due)?;
        let status = first
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.split(' ').nth(1))
            .and_then(|code| code.parse().ok())
            .filter(|code| (100..600).contains(code))
            .ok_or(Lost::Nonsense)?;
        let (mut hub, mut end) = (false, End::Close);
        loop {
            let line = self.line(Part::Due)?;
            if line.is_empty() {
                return Ok((status, hub, end));
            }
            let (name, value) = line.split_once(':').ok_or(Lost::Nonsense)?;
            let (name, value) = (name.to_ascii_lowercase(), value.trim());
            match name.as_str() {
                "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => end = End::Chunks,
                "content-length" if !matches!(end, End::Chunks) => {
                    end = End::After(value.parse().map_err(|_| Lost::Nonsense)?);
                }
                "x-countersign-epoch" => hub = true,
                _ => {}
            }
        }
    }

    fn take(&mut self, length: usize, part: Part) -> Result<Vec<u8>, Lost> {
        if length > MOST_BYTES {
            return Err(Lost::Nonsense);
        }
        while self.bytes.len() - self.at < length {
            if !self.more(part)? {
                return Err(Self::closed());
            }
        }
        let taken = self.bytes[self.at..self.at + length].to_vec();
        self.at += length;
        Ok(taken)
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Lost> {
        let mut body = Vec::new();
        loop {
            let line = self.line(Part::Held)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| Lost::Nonsense)?;
            if size == 0 {
                return Ok(body);
            }
            body.extend(self.take(size, Part::Held)?);
            if !self.line(Part::Held)?.is_empty() {
                return Err(Lost::Nonsense);
            }
        }
    }

    fn rest(&mut self) -> Result<Vec<u8>, Lost> {
        while self.more(Part::Held)? {}
        Ok(self.bytes.split_off(self.at))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// What is made of these bytes, sent in pieces, and then the end.
    fn check(pieces: &[&str]) -> Result<Reply, Lost> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let to: Address = listener
            .local_addr()
            .expect("bound")
            .to_string()
            .parse()
            .expect("an address");
        let pieces: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = [0; 4096];
            let count = stream.read(&mut request).expect("a request");
            for piece in pieces {
                let _ = stream.write_all(piece.as_bytes());
            }
            String::from_utf8_lossy(&request[..count]).into_owned()
        });
        let request = Request {
            path: "/hooks/x",
            headers: &[("X-A", "b")],
            body: b"{}",
        };
        let mut stream = connect(&to).expect("it listens");
        let patience = Until(Instant::now() + Duration::from_secs(20));
        let reply = exchange(&mut stream, &to, &request, &patience);
        let asked = server.join().expect("served");
        assert!(
            asked.starts_with("POST /hooks/x HTTP/1.1\r\nHost: 127.0.0.1:"),
            "{asked}"
        );
        assert!(
            asked.contains("\r\nX-A: b\r\n") && asked.ends_with("\r\n\r\n{}"),
            "{asked}"
        );
        reply
    }

    fn body(reply: Result<Reply, Lost>) -> String {
        String::from_utf8(reply.expect("an answer").body).expect("text")
    }

    #[test]
    fn a_body_ends_where_its_head_says() {
        assert_eq!(
            body(check(&["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "{}more"])),
            "{}"
        );
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(body(check(&[chunked, "1\r\n{\r\n", "1;x=y\r\n}\r\n0\r\n\r\n"])), "{}");
        assert_eq!(body(check(&["HTTP/1.0 200 OK\r\n\r\n{", "}"])), "{}");
        assert_eq!(body(check(&["HTTP/1.1 204 No Content\r\n\r\n"])), "");
        let twice = [
            "HTTP/1.1 102 Processing\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1",
        ];
        assert_eq!(body(check(&twice)), "1");
    }

    #[test]
    fn an_answer_that_breaks_off_is_none() {
        for pieces in [
            &["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"][..],
            &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"],
            &["HTTP/1.1 200 OK\r\nContent-"],
            &[],
        ] {
            assert!(matches!(check(pieces), Err(Lost::Broken(_))), "{pieces:?}");
        }
    }

    #[test]
    fn what_is_no_http_is_told_from_it() {
        for pieces in [
            &["SSH-2.0-OpenSSH_9.9\r\n"][..],
            &["HTTP/1.1 abc\r\n\r\n"],
            &["HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"],
            &["HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"],
        ] {
            assert!(matches!(check(pieces), Err(Lost::Nonsense)), "{pieces:?}");
        }
    }

    #[test]
    fn the_hub_is_known_by_its_own_header() {
        let other = check(&["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]).expect("an answer");
        let hub =
            check(&["HTTP/1.1 200 OK\r\nX-Countersign-Epoch: ab\r\nContent-Length: 0\r\n\r\n"]).expect("an answer");
        assert!(!other.hub && hub.hub);
    }
}
