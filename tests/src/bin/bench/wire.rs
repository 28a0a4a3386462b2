//! The wire as the load generator needs it: a handshake by hand, masked frames out, and a reader that looks at headers alone, so
//! that the generator costs little beside the servers that it measures.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The key of RFC 6455, section 1.3, and what a server answers to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// Any mask does; one that is not zero makes the server unmask.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Text frame, whole.
pub(crate) const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// Opens a connection and upgrades it.
pub(crate) async fn connect(address: SocketAddr, path: &str) -> Result<(TcpStream, Reader)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    let end = loop {
        let mut part = [0; 1024];
        let count = stream.read(&mut part).await?;
        ensure!(count > 0, "the server closed during the handshake");
        head.extend_from_slice(&part[..count]);
        if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = std::str::from_utf8(&head[..end]).context("the handshake's answer is not text")?;
    ensure!(
        text.starts_with("HTTP/1.1 101") && text.contains(ACCEPT),
        "no upgrade: {text}"
    );
    let mut reader = Reader::new();
    reader.keep(&head[end..]);
    Ok((stream, reader))
}

/// Appends a masked frame.
pub(crate) fn push_masked(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match u16::try_from(payload.len()) {
        Ok(length @ 0..126) => out.push(0x80 | length as u8),
        Ok(length) => {
            out.push(0x80 | 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    let start = out.len();
    out.extend_from_slice(payload);
    for (place, byte) in out[start..].iter_mut().enumerate() {
        *byte ^= MASK[place & 3];
    }
}

/// Takes frames off a connection without copying their payloads.
pub(crate) struct Reader {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Reader {
    fn new() -> Self {
        Self {
            buffer: vec![0; 16 * 1024],
            start: 0,
            end: 0,
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.buffer[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Waits for bytes and gives each whole text frame's payload to `each`; pings are answered.
    pub(crate) async fn read(&mut self, stream: &TcpStream, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.parse(stream, &mut each)?;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 4, 0);
        }
        loop {
            stream.readable().await?;
            match stream.try_read(&mut self.buffer[self.end..]) {
                Ok(0) => bail!("the server closed the connection"),
                Ok(count) => {
                    self.end += count;
                    // Who gets a full buffer at once needs a larger one.
                    if self.end == self.buffer.len() && self.buffer.len() < 256 * 1024 {
                        self.buffer.resize(256 * 1024, 0);
                    }
                    return self.parse(stream, &mut each);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn parse(&mut self, stream: &TcpStream, each: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        while let Some((opcode, header, length)) = head(&self.buffer[self.start..self.end]) {
            let from = self.start + header;
            if from + length > self.end {
                break;
            }
            let payload = &self.buffer[from..from + length];
            match opcode {
                TEXT => each(payload)?,
                PING => {
                    let mut pong = Vec::new();
                    push_masked(&mut pong, PONG, payload);
                    // A server that cannot take a pong now will ask again.
                    let _ = stream.try_write(&pong);
                }
                PONG => {}
                CLOSE => bail!(
                    "the server closed: {}",
                    String::from_utf8_lossy(payload.get(2..).unwrap_or_default())
                ),
                _ => bail!("a frame with opcode {opcode} was not expected"),
            }
            self.start = from + length;
        }
        Ok(())
    }
}

/// Opcode, length of the header, length of the payload.
fn head(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let opcode = first & 0xF;
    Some(match second & 0x7F {
        126 => (opcode, 4, u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into()),
        127 => {
            let length = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            (opcode, 10, usize::try_from(length).ok()?)
        }
        length => (opcode, 2, length.into()),
    })
}
