//! One connection's life: what it hears first, reading and writing side by side, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign_dialects::sam;
use countersign_hub::{Cursor, HistoryLost, random_hex};
use futures_util::{FutureExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::{Message, Role as Side, WebSocketConfig};

use super::filter::Filter;
use super::publisher::{Incoming, Publisher};
use super::upgrade::{Role, Settings};
use super::wire::{Control, Ear};
use super::writer::{Direct, Feed, WriteEnd, Writer};
use crate::VERSION;
use crate::auth::Door;

/// A client that does not ask for anything gets events so long after the upgrade, or at its first message: until then it
/// may still turn out to speak another dialect.
const DELAY: Duration = Duration::from_millis(250);
/// Direct frames that may wait for a peer that does not read; then it is not read from either.
const DIRECT: usize = 64;
/// How long a closing connection may take to write what is left.
const LINGER: Duration = Duration::from_secs(2);

/// What the upgrade found out.
pub(crate) struct Opening {
    pub(crate) approver: bool,
    pub(crate) feed: Option<(Cursor, Filter)>,
    pub(crate) greeted: bool,
    pub(crate) lost: Option<HistoryLost>,
}

/// Runs a connection to its end.
pub(crate) async fn run(
    socket: TcpStream,
    early: Bytes,
    opening: Opening,
    role: Role,
    door: Door,
    mut settings: Settings,
) {
    let _counted = opening.approver.then(|| door.keys.count_approver());
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "no delay could not be set");
    }
    let (read, write) = socket.into_split();
    let control = Arc::new(Control::default());
    let started = Arc::new(Notify::new());
    let (direct, waiting) = mpsc::channel(DIRECT);
    greet(&opening, &door, &direct).await;
    let start_at = (!opening.greeted).then(|| Instant::now() + DELAY);
    let writer = Writer {
        socket: write,
        control: control.clone(),
        direct: waiting,
        feed: opening.feed.map(|(cursor, filter)| Feed {
            cursor,
            filter,
            start_at,
            started: started.clone(),
        }),
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(role.read_buffer())
        .write_buffer_size(0)
        .max_write_buffer_size(64 * 1024)
        .max_message_size(Some(role.max_frame()))
        .max_frame_size(Some(role.max_frame()));
    let mut socket = WebSocketStream::from_raw_socket(Ear::new(early, read, control), Side::Server, Some(config)).await;
    let name = format!("c-{}", random_hex(6));
    let publisher = Publisher::new(door, name, opening.approver, settings.approval_timeout, direct.clone());
    let reading = async {
        let end = tokio::select! {
            end = read_all(&mut socket, &publisher, &started) => end,
            () = publisher.answers() => End::Gone,
            _ = settings.closing.wait_for(|closing| *closing) => End::Close(1001, "Countersign is closing".into()),
        };
        match end {
            End::Gone => Direct::end(),
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
    publisher.close();
}

enum End {
    /// The peer closed, or is gone; what it is owed has been handed over.
    Gone,
    /// We close.
    Close(u16, String),
}

async fn greet(opening: &Opening, door: &Door, direct: &mpsc::Sender<Direct>) {
    let hub = &door.hub;
    if opening.greeted {
        let hello = sam::hello(hub.epoch(), hub.head(), VERSION, hub.now());
        let _ = direct.send(Direct::text(&hello)).await;
    }
    if let Some(lost) = &opening.lost {
        let lost = sam::history_lost(&lost.epoch, lost.oldest, lost.head, hub.now());
        let _ = direct.send(Direct::text(&lost)).await;
    }
}

/// Reads on, and throws away, until the peer has closed: bytes that nobody reads would make its system forget our last word.
async fn hear_out(ear: &mut Ear) {
    let mut rest = vec![0; 16 * 1024];
    while ear.read(&mut rest).await.is_ok_and(|count| count > 0) {}
}

async fn read_all(socket: &mut WebSocketStream<Ear>, publisher: &Publisher, started: &Notify) -> End {
    let mut incoming = Incoming::default();
    loop {
        // What has arrived already belongs together.
        let message = match socket.next().now_or_never() {
            Some(message) => message,
            None => {
                publisher.publish(&mut incoming).await;
                socket.next().await
            }
        };
        if let Err(end) = take(message, publisher, &mut incoming, started).await {
            publisher.publish(&mut incoming).await;
            return end;
        }
    }
}

async fn take(
    message: Option<Result<Message, Error>>,
    publisher: &Publisher,
    incoming: &mut Incoming,
    started: &Notify,
) -> Result<(), End> {
    match message {
        Some(Ok(Message::Text(text))) => {
            started.notify_one();
            publisher.frame(&text, incoming).await;
            Ok(())
        }
        Some(Ok(Message::Binary(bytes))) => {
            started.notify_one();
            match std::str::from_utf8(&bytes) {
                Ok(text) => publisher.frame(text, incoming).await,
                Err(_) => return Err(End::Close(1007, "frames are JSON text".into())),
            }
            Ok(())
        }
        // The answer to a close is with the writer; the next read ends the connection.
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_) | Message::Close(_))) => Ok(()),
        Some(Err(Error::Capacity(CapacityError::MessageTooLong { max_size, .. }))) => {
            Err(End::Close(1009, format!("a frame may have {max_size} bytes here")))
        }
        Some(Err(Error::Utf8(_))) => Err(End::Close(1007, "text must be UTF-8".into())),
        Some(Err(Error::Protocol(error))) => Err(End::Close(1002, error.to_string())),
        Some(Err(_)) | None => Err(End::Gone),
    }
}
