//! One connection's life: reading and writing side by side, and how it ends. What is said is its conversation's.

use std::sync::Arc;
use std::time::Duration;

use countersign_dialects::limits::{MAX_FRAME, MAX_PUBLISH};
use countersign_hub::Hub;
use futures_util::{FutureExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::{Message as Frame, Role as Side, WebSocketConfig};

use super::conversation::{Conversation, End, Message};
use super::feed::Feed;
use super::handshake::Line;
use super::wire::{Control, Ear};
use super::writer::{Direct, WriteEnd, Writer};
use crate::auth::Standing;

/// Direct frames that may wait for a peer that does not read; then it is not read from either.
const DIRECT: usize = 64;
/// The close code for text that is none: RFC 6455, section 7.4.1.
const NOT_TEXT: u16 = 1007;
/// How long a closing connection may take to write what is left.
const LINGER: Duration = Duration::from_secs(2);

/// What one message may have, and how the connection is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intake {
    /// Bytes that one message may have.
    pub(crate) max_frame: usize,
    /// Bytes that one read takes in.
    pub(crate) read_buffer: usize,
}

impl Intake {
    /// For those who mostly listen: they are many, and say little.
    pub(crate) const MONITOR: Self = Self {
        max_frame: MAX_FRAME,
        read_buffer: 4 * 1024,
    };
    /// For those who publish.
    pub(crate) const PUBLISHER: Self = Self {
        max_frame: MAX_PUBLISH,
        read_buffer: 32 * 1024,
    };
}

/// Runs a connection to its end: `converse` makes its conversation of the channel for frames of its own.
pub(crate) async fn run<C: Conversation>(
    line: Line,
    intake: Intake,
    mut feed: Option<Feed>,
    hub: &Hub,
    mut closing: watch::Receiver<bool>,
    converse: impl FnOnce(mpsc::Sender<Direct>) -> C,
) {
    if let Err(error) = line.socket.set_nodelay(true) {
        tracing::debug!(%error, "no delay could not be set");
    }
    let (read, write) = line.socket.into_split();
    let control = Arc::new(Control::default());
    let (direct, waiting) = mpsc::channel(DIRECT);
    if let Some(feed) = &mut feed {
        feed.belongs_to(line.badge.clone());
    }
    let writer = Writer {
        socket: write,
        control: control.clone(),
        direct: waiting,
        feed,
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(intake.read_buffer)
        .write_buffer_size(0)
        .max_write_buffer_size(64 * 1024)
        .max_message_size(Some(intake.max_frame))
        .max_frame_size(Some(intake.max_frame));
    let ear = Ear::new(line.early, read, control);
    let mut socket = WebSocketStream::from_raw_socket(ear, Side::Server, Some(config)).await;
    let conversation = converse(direct.clone());
    let reading = async {
        let end = tokio::select! {
            end = read_all(&mut socket, &conversation) => end,
            end = conversation.owe() => end,
            () = line.badge.expired(hub) => End::Close(1008, "the token has expired".into()),
            _ = closing.wait_for(|closing| *closing) => End::Close(1001, "Countersign is closing".into()),
        };
        match end {
            End::Gone => Direct::end(),
            // The first message of somebody unknown is a valid credential, or ends the connection for want of one.
            End::Close(NOT_TEXT, reason) if line.badge.with(|access| access.standing == Standing::Awaited) => {
                Direct::close(1008, &format!("Auth failed: {reason}"))
            }
            End::Close(code, reason) => Direct::close(code, &reason),
        }
    };
    let writing = writer.run();
    tokio::pin!(writing);
    tokio::select! {
        last = reading => {
            // It goes out behind what was written before; a peer that does not read is not waited for long.
            let finish = async {
                let _ = tokio::join!(direct.send(last), &mut writing);
                hear_out(socket.get_mut()).await;
            };
            let _ = tokio::time::timeout(LINGER, finish).await;
        }
        end = &mut writing => {
            if let WriteEnd::Archive(error) = end {
                tracing::warn!(%error, "a monitor that fell behind could not be served");
            }
        }
    }
    conversation.close();
}

/// Reads on, and throws away, until the peer has closed: bytes that nobody reads would make its system forget our last word.
async fn hear_out(ear: &mut Ear) {
    let mut rest = vec![0; 16 * 1024];
    while ear.read(&mut rest).await.is_ok_and(|count| count > 0) {}
}

async fn read_all<C: Conversation>(socket: &mut WebSocketStream<Ear>, conversation: &C) -> End {
    let mut incoming = C::Incoming::default();
    loop {
        // What has arrived already belongs together.
        let frame = match socket.next().now_or_never() {
            Some(frame) => frame,
            None => {
                conversation.flush(&mut incoming).await;
                socket.next().await
            }
        };
        if let Err(end) = take(frame, conversation, &mut incoming).await {
            conversation.flush(&mut incoming).await;
            return end;
        }
    }
}

async fn take<C: Conversation>(
    frame: Option<Result<Frame, Error>>,
    conversation: &C,
    incoming: &mut C::Incoming,
) -> Result<(), End> {
    match frame {
        Some(Ok(Frame::Text(text))) => conversation.hear(Message::Text(&text), incoming).await,
        Some(Ok(Frame::Binary(bytes))) => conversation.hear(Message::Binary(&bytes), incoming).await,
        // The answer to a close is with the writer; the next read ends the connection.
        Some(Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_) | Frame::Close(_))) => Ok(()),
        Some(Err(Error::Capacity(CapacityError::MessageTooLong { max_size, .. }))) => {
            Err(End::Close(1009, format!("a frame may have {max_size} bytes here")))
        }
        Some(Err(Error::Utf8(_))) => Err(End::Close(NOT_TEXT, "text must be UTF-8".into())),
        Some(Err(Error::Protocol(error))) => Err(End::Close(1002, error.to_string())),
        Some(Err(_)) | None => Err(End::Gone),
    }
}
