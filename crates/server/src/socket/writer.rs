//! A connection's writing half: control frames, direct frames (receipts, answers), then everything that the feed has, in one
//! write.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign_hub::{ArchiveError, Waiter};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;

use super::feed::{Feed, MAX_BYTES, Tune};
use super::frame;
use super::wire::Control;

/// A buffer larger than this is given back while there is nothing to write.
const KEEP: usize = 4 * 1024;

/// A frame for this connection alone.
pub(crate) struct Direct {
    pub(crate) frame: Bytes,
    /// Delivered once the frame is written.
    pub(crate) receipt: Option<Waiter>,
    /// What the connection gets from this frame on.
    pub(crate) tune: Option<Tune>,
    /// Nothing is written after it.
    pub(crate) last: bool,
}

impl Direct {
    pub(crate) fn text(payload: &str) -> Self {
        Self::frames(frame::text(payload))
    }

    /// Whole frames that go out together.
    pub(crate) fn frames(frame: Bytes) -> Self {
        Self {
            frame,
            receipt: None,
            tune: None,
            last: false,
        }
    }

    /// An answer: its agent has it once the frame is written.
    pub(crate) fn answer(payload: &str, receipt: Waiter) -> Self {
        Self {
            receipt: Some(receipt),
            ..Self::text(payload)
        }
    }

    /// Nothing more: what was handed over before is written, and the connection ends.
    pub(crate) fn end() -> Self {
        Self {
            frame: Bytes::new(),
            receipt: None,
            tune: None,
            last: true,
        }
    }

    pub(crate) fn close(code: u16, reason: &str) -> Self {
        Self {
            frame: frame::close(code, reason),
            receipt: None,
            tune: None,
            last: true,
        }
    }
}

/// Why writing ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteEnd {
    #[error("the peer is gone: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("closed")]
    Closed,
}

pub(crate) struct Writer {
    pub(crate) socket: OwnedWriteHalf,
    pub(crate) control: Arc<Control>,
    pub(crate) direct: mpsc::Receiver<Direct>,
    pub(crate) feed: Option<Feed>,
}

impl Writer {
    /// Writes until the connection ends.
    pub(crate) async fn run(mut self) -> WriteEnd {
        match self.write().await {
            Ok(()) => WriteEnd::Closed,
            Err(end) => {
                if matches!(end, WriteEnd::Archive(_)) {
                    let close = frame::close(1011, "the history cannot be read");
                    let _ = tokio::time::timeout(Duration::from_secs(1), self.socket.write_all(&close)).await;
                }
                end
            }
        }
    }

    async fn write(&mut self) -> Result<(), WriteEnd> {
        let mut buffer = Vec::new();
        let mut next = None;
        loop {
            buffer.clear();
            self.control.drain_into(&mut buffer);
            let mut receipts = Vec::new();
            let mut last = false;
            while buffer.len() < MAX_BYTES && !last {
                let Some(direct) = next.take().or_else(|| self.direct.try_recv().ok()) else {
                    break;
                };
                buffer.extend_from_slice(&direct.frame);
                receipts.extend(direct.receipt);
                if let (Some(feed), Some(tune)) = (&mut self.feed, direct.tune) {
                    feed.tune(tune);
                }
                last = direct.last;
            }
            // Who waits for an answer does not wait behind events.
            if let (true, false, Some(feed)) = (receipts.is_empty(), last, &mut self.feed) {
                feed.fill(&mut buffer).await?;
            }
            if !buffer.is_empty() {
                self.socket.write_all(&buffer).await?;
                for receipt in receipts {
                    receipt.delivered();
                }
            } else if !last {
                if buffer.capacity() > KEEP {
                    buffer = Vec::new();
                }
                next = self.wait().await;
            }
            if last {
                let _ = self.socket.shutdown().await;
                return Ok(());
            }
        }
    }

    /// Waits until there may be something to write, and takes a direct frame if that is what came.
    async fn wait(&mut self) -> Option<Direct> {
        let feed = async {
            match &mut self.feed {
                Some(feed) => feed.ready().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.control.ready() => None,
            () = feed => None,
            direct = self.direct.recv() => Some(direct.unwrap_or_else(Direct::end)),
        }
    }
}
