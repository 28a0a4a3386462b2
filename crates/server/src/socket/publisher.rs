//! What a connection says: events, questions, answers; and what it is owed: receipts, answers, word of a stop.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use countersign_dialects::sam::{self, Decoded, Inbound, Peer, Reply, WireError};
use countersign_hub::{AnswerError, AskError, CommitError, PublishError, Refusal, Waiter};
use countersign_model::{Answer, Ask, Json, Millis, NewEvent, Origin, Scope, Seq, SessionKey, Surface, Verdict};
use tokio::sync::{Notify, mpsc};

use super::frame;
use super::writer::Direct;
use crate::auth::Door;

/// Sessions of one connection that are announced and told of stops.
const MAX_SESSIONS: usize = 256;
/// Frames of one connection that may wait for their receipt; then it is not read from.
const MAX_UNACKED: usize = 4096;
/// Events that are published as one, at most, and their bytes, about.
const MAX_BATCH: usize = 64;
const MAX_BATCH_BYTES: usize = 256 * 1024;

/// Events that came in together and go into the log together, which wakes its readers once.
#[derive(Default)]
pub(crate) struct Incoming {
    events: Vec<NewEvent>,
    acks: Vec<(usize, Json)>,
    bytes: usize,
}

/// One connection as a publisher.
pub(crate) struct Publisher {
    door: Door,
    name: String,
    approver: bool,
    timeout: Option<i64>,
    peer: Peer,
    direct: mpsc::Sender<Direct>,
    receipts: mpsc::Sender<(Seq, Json)>,
    unacked: tokio::sync::Mutex<mpsc::Receiver<(Seq, Json)>>,
    state: Mutex<State>,
    asked: Notify,
}

#[derive(Default)]
struct State {
    sessions: HashSet<SessionKey>,
    waiters: Vec<(SessionKey, Waiter)>,
    /// When the stop was put that each session was told of: one that was lifted and put again is told again.
    told: HashMap<SessionKey, Millis>,
}

impl Publisher {
    pub(crate) fn new(
        door: Door,
        name: String,
        approver: bool,
        timeout: Option<i64>,
        direct: mpsc::Sender<Direct>,
    ) -> Self {
        let (receipts, unacked) = mpsc::channel(MAX_UNACKED);
        Self {
            door,
            approver,
            timeout,
            peer: Peer {
                origin: Origin::Sam,
                agent: "sam".into(),
                session: Some(name.as_str().into()),
            },
            name,
            direct,
            receipts,
            unacked: tokio::sync::Mutex::new(unacked),
            state: Mutex::default(),
            asked: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn say(&self, payload: String) {
        // A connection that is going away does not need it.
        let _ = self.direct.send(Direct::text(&payload)).await;
    }

    async fn fail(&self, error: String, field: Option<&'static str>) {
        self.say(sam::error(&WireError { error, field })).await;
    }

    /// Takes one frame in. An event may wait in `incoming` until [`Publisher::publish`].
    pub(crate) async fn frame(&self, text: &str, incoming: &mut Incoming) {
        let decoded = sam::decode(text, &self.peer);
        if let Ok(Decoded {
            inbound: Inbound::Event(event),
            ack,
        }) = decoded
        {
            return self.event(event, ack, text.len(), incoming).await;
        }
        self.publish(incoming).await;
        match decoded {
            Ok(Decoded { inbound, ack }) => {
                let seq = match inbound {
                    Inbound::Event(_) => None,
                    Inbound::Ask(ask) => self.ask(*ask).await,
                    Inbound::Answer(reply) => self.answer(reply).await,
                };
                if let (Some(seq), Some(ack)) = (seq, ack) {
                    let _ = self.receipts.send((seq, ack)).await;
                }
            }
            Err(error) => self.say(sam::error(&error)).await,
        }
    }

    async fn event(&self, event: NewEvent, ack: Option<Json>, bytes: usize, incoming: &mut Incoming) {
        if countersign_model::kind::is_hub_only(&event.kind) {
            self.publish(incoming).await;
            let error = PublishError::HubOnly(event.kind.to_string());
            return self.fail(error.to_string(), Some("type")).await;
        }
        if let Some(session) = &event.session
            && let Some(key) = self.unannounced(&event.agent, session)
        {
            self.publish(incoming).await;
            self.announce(key);
        }
        incoming.acks.extend(ack.map(|ack| (incoming.events.len(), ack)));
        incoming.events.push(event);
        incoming.bytes += bytes;
        if incoming.events.len() >= MAX_BATCH || incoming.bytes >= MAX_BATCH_BYTES {
            self.publish(incoming).await;
        }
    }

    /// Publishes what has come in.
    pub(crate) async fn publish(&self, incoming: &mut Incoming) {
        let Incoming { events, acks, .. } = std::mem::take(incoming);
        if events.is_empty() {
            return;
        }
        match self.door.hub.publish(events).await {
            Ok(published) => {
                for (place, ack) in acks {
                    let _ = self.receipts.send((published.first + place as Seq, ack)).await;
                }
            }
            Err(error) => self.fail(error.to_string(), Some("type")).await,
        }
    }

    /// Announces a session's first event on this connection.
    fn announce(&self, key: SessionKey) {
        let mut state = self.state();
        if state.sessions.len() < MAX_SESSIONS && !state.sessions.contains(&key) {
            self.door.hub.agent_connected(&key, &self.name);
            state.sessions.insert(key);
            drop(state);
            // It may be stopped already, and must hear so.
            self.asked.notify_one();
        }
    }

    fn unannounced(&self, agent: &Arc<str>, session: &Arc<str>) -> Option<SessionKey> {
        let key = SessionKey {
            agent: agent.clone(),
            session: session.clone(),
        };
        (!self.state().sessions.contains(&key)).then_some(key)
    }

    fn announce_if_new(&self, agent: &Arc<str>, session: &Arc<str>) {
        if let Some(key) = self.unannounced(agent, session) {
            self.announce(key);
        }
    }

    async fn ask(&self, mut ask: Ask) -> Option<Seq> {
        ask.timeout = ask.timeout.or(self.timeout);
        let key = SessionKey {
            agent: ask.agent.clone(),
            session: ask.session.clone(),
        };
        self.announce_if_new(&key.agent, &key.session);
        match self.door.hub.ask(ask).await {
            Ok(asked) => {
                // Asked before, in an earlier session of the agent maybe: word of a stop there is for this connection too.
                let key = self.door.hub.asked_in(asked.waiter.id()).unwrap_or(key);
                self.announce_if_new(&key.agent, &key.session);
                let mut state = self.state();
                if !state.waiters.iter().any(|(_, waiter)| waiter.id() == asked.waiter.id()) {
                    state.waiters.push((key, asked.waiter));
                }
                drop(state);
                self.asked.notify_one();
                Some(asked.seq)
            }
            Err(error) => {
                let field = match &error {
                    AskError::Refused(Refusal::Conflict(_)) => Some("data.request_id"),
                    AskError::Refused(Refusal::Arguments(_)) => Some("data.arguments"),
                    AskError::Refused(Refusal::TooLarge { .. }) => Some("data"),
                    AskError::Refused(Refusal::TooMany) | AskError::Archive(_) => None,
                };
                self.fail(error.to_string(), field).await;
                None
            }
        }
    }

    async fn answer(&self, reply: Reply) -> Option<Seq> {
        if !self.approver {
            let error =
                "this connection may not answer: answer in the window, or connect with the approver token as `?token=`";
            self.fail(error.to_owned(), Some("type")).await;
            return None;
        }
        let hub = &self.door.hub;
        let found = match &reply.agent {
            Some(agent) => match hub.find_key(agent, &reply.request_id) {
                Some(approval) => Ok(approval),
                None => hub.find(&reply.request_id).await.and_then(|approval| {
                    if *approval.agent == **agent {
                        Ok(approval)
                    } else {
                        Err(AnswerError::NotFound)
                    }
                }),
            },
            None => hub.find(&reply.request_id).await,
        };
        let answer = Answer {
            verdict: reply.response,
            scope: Scope::Once,
            message: reply.message,
            arguments: None,
            by: Surface::Socket,
        };
        let answered = match found {
            Ok(approval) => hub.answer(&approval.id, answer).await,
            Err(error) => Err(error),
        };
        match answered {
            Ok(_) => Some(hub.tail()),
            Err(AnswerError::Resolved(approval)) => {
                let verdict = approval.status.verdict().map_or("pending", Verdict::as_str);
                let error = format!(
                    "already {} ({verdict}): the first answer counts",
                    approval.status.as_str()
                );
                self.fail(error, Some("request_id")).await;
                None
            }
            Err(error) => {
                self.fail(error.to_string(), Some("request_id")).await;
                None
            }
        }
    }

    /// Sends what the connection is owed, as it becomes due. Does not end.
    pub(crate) async fn answers(&self) {
        let mut answers = self.door.hub.answers();
        let mut unacked = self.unacked.lock().await;
        let mut owed = Vec::new();
        loop {
            tokio::select! {
                changed = answers.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.settle().await;
                }
                () = self.asked.notified() => self.settle().await,
                _ = unacked.recv_many(&mut owed, MAX_BATCH) => self.acknowledge(&mut owed).await,
            }
        }
    }

    /// Sends the receipts, in order, those that are due together in one go.
    async fn acknowledge(&self, owed: &mut Vec<(Seq, Json)>) {
        let hub = &self.door.hub;
        let mut due = BytesMut::new();
        for (seq, ack) in owed.drain(..) {
            if hub.durable() < seq {
                self.send(&mut due).await;
                if let Err(error) = self.committed(seq).await {
                    self.fail(error.to_string(), Some("ack")).await;
                    continue;
                }
            }
            frame::push_text(&mut due, &sam::ack(&ack, hub.epoch(), seq));
        }
        self.send(&mut due).await;
    }

    async fn send(&self, frames: &mut BytesMut) {
        if !frames.is_empty() {
            // A connection that is going away does not need it.
            let _ = self.direct.send(Direct::frames(frames.split().freeze())).await;
        }
    }

    /// Waits for the commit; an answer must not wait behind a store that hangs.
    async fn committed(&self, seq: Seq) -> Result<(), CommitError> {
        let hub = &self.door.hub;
        let mut answers = hub.answers();
        loop {
            tokio::select! {
                committed = hub.committed(seq) => return committed,
                changed = answers.changed() => {
                    if changed.is_err() {
                        std::future::pending::<()>().await;
                    }
                    self.settle().await;
                }
            }
        }
    }

    /// Sends the answers that are ready, then word of the stops.
    async fn settle(&self) {
        let mut ready = Vec::new();
        {
            let mut state = self.state();
            let mut place = 0;
            while place < state.waiters.len() {
                match state.waiters[place].1.claim() {
                    Some(approval) => ready.push((state.waiters.remove(place).1, approval)),
                    None => place += 1,
                }
            }
        }
        for (waiter, approval) in ready {
            let Some(payload) = sam::answer(&approval) else {
                continue;
            };
            let direct = Direct {
                frame: frame::text(&payload),
                receipt: Some(waiter),
                last: false,
            };
            let _ = self.direct.send(direct).await;
        }
        let mut stops = Vec::new();
        {
            let mut state = self.state();
            let State {
                sessions,
                waiters,
                told,
            } = &mut *state;
            for key in sessions.iter() {
                match self.door.hub.stopped(key) {
                    // Its answers come first; they are about to.
                    Some(_) if waiters.iter().any(|(session, _)| session == key) => {}
                    Some(stop) => {
                        if told.insert(key.clone(), stop.at) != Some(stop.at) {
                            stops.push(stop);
                        }
                    }
                    None => {
                        told.remove(key);
                    }
                }
            }
        }
        for stop in stops {
            self.say(sam::stop(&stop.key.session, stop.message.as_deref())).await;
        }
    }

    /// The connection is over: its requests wait for it to come back, its sessions are gone.
    pub(crate) fn close(&self) {
        let State { sessions, waiters, .. } = std::mem::take(&mut *self.state());
        drop(waiters);
        for key in sessions {
            self.door.hub.agent_disconnected(&key, &self.name);
        }
    }
}
