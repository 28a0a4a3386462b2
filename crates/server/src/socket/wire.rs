//! A connection's two directions: tungstenite reads, we write. What tungstenite would write itself (pongs, the answer to a
//! close) goes to the writer, which sends it between whole frames.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::Notify;

/// Control frames that may wait for a peer that does not read. Ping without reading long enough, and the connection ends.
const MAX_CONTROL: usize = 16 * 1024;

/// Control frames on their way to the writer.
#[derive(Debug, Default)]
pub(crate) struct Control {
    frames: Mutex<Vec<u8>>,
    wake: Notify,
}

impl Control {
    fn push(&self, bytes: &[u8]) -> io::Result<()> {
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        if frames.len() + bytes.len() > MAX_CONTROL {
            return Err(io::Error::other("the peer sends pings and does not read"));
        }
        frames.extend_from_slice(bytes);
        drop(frames);
        self.wake.notify_one();
        Ok(())
    }

    /// Moves what waits into `out`.
    pub(crate) fn drain_into(&self, out: &mut Vec<u8>) {
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        out.append(&mut frames);
    }

    /// Waits until there may be something.
    pub(crate) async fn ready(&self) {
        self.wake.notified().await;
    }
}

/// The reading half as tungstenite wants a stream: what it writes is handed over.
pub(crate) struct Ear {
    early: Bytes,
    read: OwnedReadHalf,
    control: Arc<Control>,
}

impl Ear {
    /// `early` is what came in behind the request for the upgrade.
    pub(crate) fn new(early: Bytes, read: OwnedReadHalf, control: Arc<Control>) -> Self {
        Self { early, read, control }
    }
}

impl AsyncRead for Ear {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.read).poll_read(cx, buf);
        }
        let count = self.early.len().min(buf.remaining());
        buf.put_slice(&self.early[..count]);
        self.early.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Ear {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.control.push(buf)?;
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        Poll::Ready(Ok(()))
    }
}
