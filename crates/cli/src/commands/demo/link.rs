//! An agent's connection to `/publish`: frames out, answers and stops in, opened again when the hub comes back.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio_tungstenite::tungstenite::Message;

use crate::hub::{Backoff, HubError, Place, Socket, connect};
use crate::output::say;
use crate::show::visible;

/// A hub that stays away for so long is gone.
const AWAY: Duration = Duration::from_secs(60);

/// What the hub says to an agent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// The answer to a request.
    Answer {
        request_id: String,
        approved: bool,
        stop: bool,
        message: Option<String>,
    },
    /// A person ended the run.
    Stop { message: Option<String> },
    /// The connection was lost and is there again: what was asked has to be asked again.
    Again,
}

#[derive(Deserialize)]
struct Frame {
    r#type: String,
    request_id: Option<String>,
    response: Option<String>,
    message: Option<String>,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize, Default)]
struct Data {
    message: Option<String>,
    error: Option<String>,
}

/// The connection.
pub(super) struct Link {
    place: Place,
    socket: Option<Socket>,
    away: Option<Instant>,
    backoff: Backoff,
    /// The connection is another one, and nobody has been told yet.
    renewed: bool,
    /// Where it led last.
    pub(super) url: String,
}

impl Link {
    pub(super) async fn open(place: &Place) -> Result<Self, HubError> {
        let found = place.find()?;
        let socket = connect(&found, "/publish", place.token(&found.url).as_deref()).await?;
        Ok(Self {
            place: place.clone(),
            socket: Some(socket),
            away: None,
            backoff: Backoff::new(),
            renewed: false,
            url: found.url.to_string(),
        })
    }

    /// Sends a frame, through a new connection if need be.
    pub(super) async fn send(&mut self, frame: &str) -> Result<(), HubError> {
        loop {
            if let Some(socket) = &mut self.socket {
                if socket.send(Message::text(frame)).await.is_ok() {
                    return Ok(());
                }
                self.socket = None;
            }
            self.reopen().await?;
        }
    }

    /// The next thing the hub says. May be dropped at any time.
    pub(super) async fn next(&mut self) -> Result<Incoming, HubError> {
        loop {
            if std::mem::take(&mut self.renewed) {
                return Ok(Incoming::Again);
            }
            let Some(socket) = &mut self.socket else {
                self.reopen().await?;
                continue;
            };
            match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    if let Some(incoming) = read(&text) {
                        return Ok(incoming);
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => self.socket = None,
                Some(Ok(_)) => {}
            }
        }
    }

    async fn reopen(&mut self) -> Result<(), HubError> {
        let since = *self.away.get_or_insert_with(Instant::now);
        loop {
            let opened = match self.place.find() {
                Ok(found) => connect(&found, "/publish", self.place.token(&found.url).as_deref()).await,
                Err(error) => Err(error),
            };
            match opened {
                Ok(socket) => {
                    self.socket = Some(socket);
                    self.away = None;
                    self.renewed = true;
                    self.backoff.reset();
                    return Ok(());
                }
                Err(error) if !error.may_pass() || since.elapsed() > AWAY => return Err(error),
                Err(_) => tokio::time::sleep(self.backoff.pause()).await,
            }
        }
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        if let Some(mut socket) = self.socket.take() {
            let goodbye = async {
                let _ = socket.close(None).await;
                while let Some(Ok(_)) = socket.next().await {}
            };
            let _ = tokio::time::timeout(Duration::from_secs(2), goodbye).await;
        }
    }
}

fn read(text: &str) -> Option<Incoming> {
    let frame: Frame = serde_json::from_str(text).ok()?;
    match frame.r#type.as_str() {
        "approval_response" => Some(Incoming::Answer {
            request_id: frame.request_id?,
            // Whatever is not plainly an approval is none.
            approved: frame.response.as_deref() == Some("approve"),
            stop: frame.response.as_deref() == Some("stop"),
            message: frame.message,
        }),
        "stop" => Some(Incoming::Stop {
            message: frame.data.message,
        }),
        "error" => {
            say(&format!(
                "the hub refused a frame: {}",
                visible(&frame.data.error.unwrap_or_default())
            ));
            None
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_approval_approves() {
        for (response, expect) in [
            ("\"approve\"", (true, false)),
            ("\"deny\"", (false, false)),
            ("\"stop\"", (false, true)),
            ("\"APPROVE\"", (false, false)),
            ("null", (false, false)),
        ] {
            let text =
                format!(r#"{{"type":"approval_response","request_id":"r","response":{response},"message":"m"}}"#);
            let (approved, stop) = expect;
            let answer = Incoming::Answer {
                request_id: "r".to_owned(),
                approved,
                stop,
                message: Some("m".to_owned()),
            };
            assert_eq!(read(&text), Some(answer), "{text}");
        }
        let stop = Incoming::Stop { message: None };
        assert_eq!(read(r#"{"type":"stop","data":{"session":"s"}}"#), Some(stop));
        assert_eq!(read(r#"{"type":"ack","ack":1}"#), None);
        assert_eq!(read("nonsense"), None);
    }
}
