//! Standard input, whose end says that nobody waits for an answer any more.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;

pub(super) struct Input<R> {
    inner: R,
    open: Option<watch::Sender<()>>,
}

impl<R> Input<R> {
    /// The input, and what ends with it.
    pub(super) fn new(inner: R) -> (Self, watch::Receiver<()>) {
        let (open, ended) = watch::channel(());
        let open = Some(open);
        (Self { inner, open }, ended)
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Input<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        let over = match &read {
            Poll::Ready(Ok(())) => buffer.filled().len() == before && buffer.capacity() > before,
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        };
        if over {
            self.open = None;
        }
        read
    }
}
