//! The way from a program that is run to the hub: events out, word of a stop in. The program never waits for it, and runs without
//! it; what cannot be told is counted.

use std::collections::VecDeque;
use std::time::Duration;

use countersign_hub::{Clock, SystemClock};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::Labels;
use crate::hub::{Backoff, HubError, Place, Socket, connect, query};
use crate::output::say;
use crate::show::visible;

/// Events that may wait for the hub.
const MOST_WAITING: usize = 256;
/// Places that what the program says leaves to its start and its end.
const RESERVED: usize = 8;
/// How long the end of a program waits until a hub that is there has it all.
const GOODBYE: Duration = Duration::from_secs(2);
/// The same where the hub is away, after it was there and where it was not.
const GONE: Duration = Duration::from_secs(1);
const AWAY: Duration = Duration::from_millis(500);

/// The connection, as the program's side sees it.
pub(super) struct Link {
    labels: Labels,
    events: Sender<(u64, String)>,
    stops: Receiver<Option<String>>,
    carrier: JoinHandle<()>,
    next: u64,
    left_out: u64,
}

impl Link {
    /// Opens it; whether there is a hub shows later.
    pub(super) fn open(labels: Labels, place: Place) -> Self {
        let (events, waiting) = channel(MOST_WAITING);
        let (stop, stops) = channel(1);
        // Said at once: a stop has to find its way before anything is told.
        let path = format!(
            "/publish{}",
            query(&[("run", "1"), ("agent", &labels.agent), ("session", &labels.session)])
        );
        let carrier = Carrier {
            place,
            path,
            waiting,
            stop,
            unacknowledged: VecDeque::new(),
            connected: false,
        };
        Self {
            labels,
            events,
            stops,
            carrier: tokio::spawn(carrier.carry()),
            next: 0,
            left_out: 0,
        }
    }

    /// Tells the hub, now or once it is there. What the program says is left out while too much waits.
    pub(super) fn tell(&mut self, kind: &str, data: &Value) {
        if kind == "output" && self.events.capacity() < RESERVED {
            self.left_out += 1;
            return;
        }
        let mut data = data.clone();
        if self.left_out > 0 {
            data["left_out"] = std::mem::take(&mut self.left_out).into();
        }
        self.next += 1;
        let mut event = json!({
            "type": kind,
            "timestamp": SystemClock.now(),
            "agent": self.labels.agent,
            "session": self.labels.session,
            "data": data,
            "ack": self.next,
        });
        if let Some(stream) = &self.labels.stream {
            event["stream"] = json!(stream);
        }
        // There is room, or nobody carries it any more.
        let _ = self.events.try_send((self.next, event.to_string()));
    }

    /// Waits until a person stops the session; gives their word. May be dropped at any time.
    pub(super) async fn stopped(&mut self) -> Option<String> {
        match self.stops.recv().await {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }

    /// Waits until the hub has all of it, but not for long.
    pub(super) async fn close(self) {
        drop(self.events);
        let _ = self.carrier.await;
    }
}

/// What the hub says to a publisher (docs/protocols/sam.md).
#[derive(Deserialize)]
struct Frame {
    r#type: String,
    #[serde(default)]
    ack: Option<u64>,
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    message: Option<String>,
    error: Option<String>,
}

struct Carrier {
    place: Place,
    path: String,
    waiting: Receiver<(u64, String)>,
    stop: Sender<Option<String>>,
    /// What the hub may not have, and has again after a new connection.
    unacknowledged: VecDeque<(u64, String)>,
    connected: bool,
}

impl Carrier {
    async fn carry(mut self) {
        let mut backoff = Backoff::new();
        let mut told = false;
        loop {
            let opened = tokio::select! {
                opened = self.open() => opened,
                // Nobody waits for a hub that says nothing.
                () = async { closed(&self.waiting).await; sleep(AWAY).await } => return,
            };
            match opened {
                Ok(socket) => {
                    self.connected = true;
                    backoff.reset();
                    if self.converse(socket).await {
                        return;
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut told, true) {
                        say(&format!("countersign run: not shown in Countersign: {error}"));
                    }
                    if !error.may_pass() {
                        return;
                    }
                }
            }
            // The program has ended: whoever was there a moment ago may come back.
            if self.waiting.is_closed() {
                let patience = if self.connected { GONE } else { AWAY };
                let _ = timeout(patience, async {
                    loop {
                        sleep(Duration::from_millis(100)).await;
                        if let Ok(socket) = self.open().await
                            && self.converse(socket).await
                        {
                            return;
                        }
                    }
                })
                .await;
                return;
            }
            tokio::select! {
                () = sleep(backoff.pause()) => {}
                () = closed(&self.waiting) => {}
            }
        }
    }

    async fn open(&self) -> Result<Socket, HubError> {
        let found = self.place.find()?;
        connect(&found, &self.path, self.place.token(&found.url).as_deref()).await
    }

    /// Whether all is said.
    async fn converse(&mut self, mut socket: Socket) -> bool {
        for (_, event) in &self.unacknowledged {
            if socket.send(Message::text(event.as_str())).await.is_err() {
                return false;
            }
        }
        let goodbye = sleep(Duration::MAX);
        tokio::pin!(goodbye);
        let mut ending = false;
        loop {
            if ending && self.unacknowledged.is_empty() {
                let _ = timeout(GOODBYE, async {
                    let _ = socket.close(None).await;
                    while let Some(Ok(_)) = socket.next().await {}
                })
                .await;
                return true;
            }
            tokio::select! {
                event = self.waiting.recv(), if !ending && self.unacknowledged.len() < MOST_WAITING => match event {
                    Some((number, event)) => {
                        self.unacknowledged.push_back((number, event.clone()));
                        if socket.send(Message::text(event)).await.is_err() {
                            return false;
                        }
                    }
                    None => {
                        ending = true;
                        goodbye.as_mut().reset(tokio::time::Instant::now() + GOODBYE);
                    }
                },
                () = &mut goodbye => return true,
                said = socket.next() => match said {
                    Some(Ok(Message::Text(text))) => {
                        if !self.hear(&text) {
                            return true;
                        }
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
                    Some(Ok(_)) => {}
                },
            }
        }
    }

    /// Whether it makes sense to go on.
    fn hear(&mut self, text: &str) -> bool {
        let Ok(frame) = serde_json::from_str::<Frame>(text) else {
            return true;
        };
        match frame.r#type.as_str() {
            "ack" => {
                let acknowledged = frame.ack.unwrap_or_default();
                self.unacknowledged.retain(|(number, _)| *number > acknowledged);
            }
            "stop" => {
                let _ = self.stop.try_send(frame.data.message);
            }
            "error" => {
                let error = visible(&frame.data.error.unwrap_or_default());
                say(&format!("countersign run: not shown in Countersign: {error}"));
                return false;
            }
            _ => {}
        }
        true
    }
}

/// Waits until nothing more is told.
async fn closed(waiting: &Receiver<(u64, String)>) {
    while !waiting.is_closed() {
        sleep(Duration::from_millis(20)).await;
    }
}
