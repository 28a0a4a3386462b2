//! What a Cloud client says and hears beside events: pings both ways, its person's presence, errors.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_dialects::cloud::{self, Inbound, Presence};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::people::{Here, presence};
use super::{Cloud, Counted};
use crate::auth::Door;
use crate::pace::{Pace, Verdict};
use crate::socket::{Conversation, Direct, End, Message};

pub(super) struct CloudConversation {
    door: Door,
    cloud: Arc<Cloud>,
    user: Option<Arc<str>>,
    connection: Arc<str>,
    direct: mpsc::Sender<Direct>,
    /// When it last said something.
    heard: Mutex<Instant>,
    pace: Option<Pace>,
    _counted: Counted,
    _here: Option<Here>,
}

impl CloudConversation {
    /// Announces the client's person, if it is their first connection.
    pub(super) fn new(
        door: Door,
        cloud: Arc<Cloud>,
        authenticated: bool,
        user: Option<Arc<str>>,
        connection: Arc<str>,
        direct: mpsc::Sender<Direct>,
    ) -> Self {
        // The channel is new, so there is room: nothing comes before it.
        let auth = cloud::auth(authenticated, user.as_deref(), door.hub.now());
        let _ = direct.try_send(Direct::text(&auth));
        Self {
            heard: Mutex::new(Instant::now()),
            pace: cloud.rate.map(|rate| Pace::new(rate, Instant::now())),
            _counted: cloud.count(authenticated),
            _here: user.as_ref().map(|user| cloud.people.came(user, &connection)),
            door,
            cloud,
            user,
            connection,
            direct,
        }
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn say(&self, payload: &str) {
        // A connection that is going away does not need it.
        let _ = self.direct.send(Direct::text(payload)).await;
    }

    async fn fail(&self, error: &str) {
        self.say(&cloud::error(error, self.door.hub.now())).await;
    }

    async fn presence(&self, status: Presence) {
        let Some(user) = &self.user else {
            return self
                .fail("Not authenticated: presence is a user's, and this connection's token names none")
                .await;
        };
        let event = presence(user, &self.connection, status.as_str());
        if let Err(error) = self.door.hub.publish(vec![event]).await {
            self.fail(&error.to_string()).await;
        }
    }
}

impl Conversation for CloudConversation {
    type Incoming = ();

    async fn hear(&self, message: Message<'_>, (): &mut ()) -> Result<(), End> {
        *self.heard() = Instant::now();
        match self.pace.as_ref().map_or(Verdict::Go, |pace| pace.take(Instant::now())) {
            Verdict::Go => {}
            Verdict::TooFast => {
                self.fail("Rate limit exceeded: this message was not taken, slow down")
                    .await;
                return Ok(());
            }
            Verdict::Enough => return Err(End::Close(1008, "rate limit exceeded for too long".into())),
        }
        let text = match message {
            Message::Text(text) => Ok(text),
            Message::Binary(bytes) => std::str::from_utf8(bytes),
        };
        let Ok(text) = text else {
            self.fail("Invalid message format: messages are JSON text").await;
            return Ok(());
        };
        match cloud::decode(text) {
            Ok(Inbound::Ping) => self.say(&cloud::pong(self.door.hub.now())).await,
            Ok(Inbound::Pong) => {}
            Ok(Inbound::Presence(status)) => self.presence(status).await,
            Err(error) => self.fail(&error.to_string()).await,
        }
        Ok(())
    }

    async fn flush(&self, (): &mut ()) {}

    /// Pings, and gives up on a client that says nothing.
    async fn owe(&self) -> End {
        let config = &self.cloud.config;
        let mut ping = tokio::time::interval_at(Instant::now() + config.ping, config.ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = *self.heard() + config.timeout;
            tokio::select! {
                _ = ping.tick() => {
                    // Where there is no room there is enough to read.
                    let _ = self.direct.try_send(Direct::text(&cloud::ping(self.door.hub.now())));
                }
                () = tokio::time::sleep_until(deadline) => {
                    if *self.heard() + config.timeout <= Instant::now() {
                        let seconds = config.timeout.as_secs_f64();
                        return End::Close(1008, format!("no message for {seconds} seconds: answer ping with pong"));
                    }
                }
            }
        }
    }

    fn close(&self) {}
}
