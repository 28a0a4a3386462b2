//! How clients come in, speak and go: the handler of Engine.IO's sessions. All of it runs in the order that messages come in, so
//! a client's second word is never taken before its first.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use countersign_dialects::amiga::{self, Namespace, Packet, packet};
use engineioxide::handler::EngineIoHandler;
use engineioxide::{DisconnectReason, Str};
use serde::Deserialize;
use serde_json::Value;

use super::{Amiga, Engine};
use crate::auth::Access;
use crate::census::{Present, Speaks};

/// What is kept with each session: its client in each namespace.
#[derive(Debug, Default)]
pub(crate) struct Link {
    clients: Mutex<[Option<u64>; Namespace::ALL.len()]>,
    /// Binary messages that belong to an event and are of no interest.
    attachments: AtomicUsize,
    /// Counts the session until it ends.
    present: Mutex<Option<Present>>,
}

impl Link {
    fn client(&self, namespace: Namespace) -> Option<u64> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)[namespace as usize]
    }

    fn set(&self, namespace: Namespace, client: Option<u64>) -> Option<u64> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut clients[namespace as usize], client)
    }
}

impl fmt::Debug for Amiga {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Amiga").finish_non_exhaustive()
    }
}

impl EngineIoHandler for Amiga {
    type Data = Link;

    fn on_connect(self: Arc<Self>, engine: Arc<Engine>) {
        let present = self.census.enter(Speaks::Amiga);
        *engine.data.present.lock().unwrap_or_else(PoisonError::into_inner) = Some(present);
        self.arrive(engine);
    }

    fn on_disconnect(&self, engine: Arc<Engine>, _: DisconnectReason) {
        self.depart(&engine);
        drop(
            engine
                .data
                .present
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        for namespace in Namespace::ALL {
            if let Some(id) = engine.data.set(namespace, None) {
                self.leave(id);
            }
        }
    }

    fn on_message(self: &Arc<Self>, text: Str, engine: Arc<Engine>) {
        let packet = match packet::read(&text) {
            Ok(packet) => packet,
            Err(error) => {
                tracing::debug!(%error, "a session is closed");
                return engine.close(DisconnectReason::PacketParsingError);
            }
        };
        match packet {
            Packet::Connect(namespace, auth) => self.connect(&engine, namespace, auth),
            Packet::Stray(name) => say(&engine, packet::connect_error(name, "Invalid namespace")),
            Packet::Disconnect(namespace) => {
                if let Some(id) = engine.data.set(namespace, None) {
                    self.leave(id);
                }
            }
            Packet::Event {
                namespace,
                ack,
                attachments,
                text,
            } => {
                engine.data.attachments.fetch_add(attachments, Ordering::Relaxed);
                if let Some(id) = engine.data.client(namespace) {
                    self.hear(id, amiga::decode(text), ack);
                }
            }
            Packet::Ignored => {}
        }
    }

    fn on_binary(self: &Arc<Self>, _: Bytes, engine: Arc<Engine>) {
        let one_less = |waiting: usize| waiting.checked_sub(1);
        let attachments = &engine.data.attachments;
        if attachments
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_err()
        {
            engine.close(DisconnectReason::PacketParsingError);
        }
    }
}

impl Amiga {
    fn connect(&self, engine: &Arc<Engine>, namespace: Namespace, auth: &str) {
        if engine.data.client(namespace).is_some() {
            return;
        }
        match self.admit(engine, auth) {
            Ok(access) => {
                say(engine, packet::connect(namespace, &engine.id.to_string()));
                self.depart(engine);
                engine.data.set(namespace, Some(self.enter(engine, namespace, &access)));
            }
            Err(why) => say(engine, packet::refusal(namespace, &why)),
        }
    }

    /// By the auth payload (seed 001, "Add authentication"), else by what the request brought.
    fn admit(&self, engine: &Engine, auth: &str) -> Result<Access, String> {
        #[derive(Deserialize, Default)]
        struct Auth {
            #[serde(default)]
            token: Value,
        }
        let auth: Auth = serde_json::from_str(auth).unwrap_or_default();
        let access = match auth.token {
            Value::String(token) => self
                .door
                .access_of(Some(&token))
                .map_err(|problem| problem.detail().to_owned())?,
            Value::Null => match engine.req_parts.extensions.get::<Access>() {
                Some(access) => access.clone(),
                None => self
                    .door
                    .access_of(None)
                    .map_err(|problem| problem.detail().to_owned())?,
            },
            _ => return Err("the token must be a string".into()),
        };
        if !access.may_read() {
            return Err("a token with the monitor's right is needed: give it as `token` in the auth payload".into());
        }
        if !access.sees_all() {
            return Err("this token is for named streams, and figures are drawn from all of them".into());
        }
        Ok(access)
    }
}

/// A word that is of no use to those who do not read.
fn say(engine: &Engine, text: String) {
    if let Err(error) = engine.emit(text) {
        tracing::debug!(%error, "a client does not read");
    }
}
