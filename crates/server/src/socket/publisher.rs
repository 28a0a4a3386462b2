//! A connection as an agent: events and questions in, and what it is owed: receipts, answers, word of a stop. How each is
//! said is its dialect's.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use countersign_hub::{AskError, CommitError, PublishError, Stop, Waiter};
use countersign_model::{Approval, Ask, Epoch, Json, Millis, NewEvent, Seq, SessionKey, Status};
use tokio::sync::{Notify, mpsc};

use super::conversation::End;
use super::frame;
use super::writer::Direct;
use crate::auth::{Badge, Door, Lack};
use crate::cloud;

/// Sessions of one connection that are announced and told of stops.
const MAX_SESSIONS: usize = 256;
/// Bytes of a name that is said at the door; as many as an event's may have.
const MAX_NAME: usize = 256;
/// Frames of one connection that may wait for their receipt; then it is not read from.
const MAX_UNACKED: usize = 4096;
/// Events that are published as one, at most, and their bytes, about.
const MAX_BATCH: usize = 64;
const MAX_BATCH_BYTES: usize = 256 * 1024;

/// How a dialect says what an agent is owed. Each gives a whole message.
pub(crate) trait Tongue: Send + Sync {
    /// The receipt for what is committed.
    fn receipt(&self, ack: &Json, epoch: &Epoch, seq: Seq) -> String;

    /// The answer to a question; `None` while there is none.
    fn answer(&self, approval: &Approval) -> Option<String>;

    /// A person ended the session.
    fn stop(&self, stop: &Stop) -> String;

    /// What was wrong with a message, and where.
    fn error(&self, error: &str, field: Option<&str>) -> String;

    /// Why a question was not taken in.
    fn refused(&self, error: &AskError) -> String;
}

/// Events that came in together and go into the log together, which wakes its readers once.
#[derive(Default)]
pub(crate) struct Incoming {
    events: Vec<NewEvent>,
    acks: Vec<(usize, Json)>,
    bytes: usize,
}

/// One connection as an agent.
pub(crate) struct Publisher<T> {
    door: Door,
    badge: Badge,
    /// Names the connection in `agent_connected`.
    name: String,
    timeout: Option<i64>,
    tongue: T,
    direct: mpsc::Sender<Direct>,
    receipts: mpsc::Sender<(Seq, Json)>,
    unacked: tokio::sync::Mutex<mpsc::Receiver<(Seq, Json)>>,
    state: Mutex<State>,
    asked: Notify,
}

#[derive(Default)]
struct State {
    sessions: HashSet<SessionKey>,
    /// Who waits for an answer, and the sessions that it was asked from.
    waiters: Vec<(Vec<SessionKey>, Waiter)>,
    /// The session of a question that is being taken in: its answer comes before word of a stop.
    asking: Option<SessionKey>,
    /// When the stop was put that each session was told of: one that was lifted and put again is told again.
    told: HashMap<SessionKey, Millis>,
}

impl<T: Tongue> Publisher<T> {
    /// `timeout` expires questions that do not say themselves, in seconds.
    pub(crate) fn new(
        door: Door,
        badge: Badge,
        name: String,
        timeout: Option<i64>,
        tongue: T,
        direct: mpsc::Sender<Direct>,
    ) -> Self {
        let (receipts, unacked) = mpsc::channel(MAX_UNACKED);
        Self {
            door,
            badge,
            name,
            timeout,
            tongue,
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

    /// Sends a message of the dialect.
    pub(crate) async fn say(&self, payload: &str) {
        self.send(Direct::text(payload)).await;
    }

    /// Sends a frame that is more than its bytes.
    pub(crate) async fn send(&self, direct: Direct) {
        // A connection that is going away does not need it.
        let _ = self.direct.send(direct).await;
    }

    /// Says what was wrong.
    pub(crate) async fn fail(&self, error: &str, field: Option<&str>) {
        self.say(&self.tongue.error(error, field)).await;
    }

    /// Acknowledges what is at `seq` once it is committed.
    pub(crate) async fn receipt(&self, seq: Seq, ack: Json) {
        let _ = self.receipts.send((seq, ack)).await;
    }

    /// Takes an event in, whose message had so many bytes. It may wait in `incoming` until [`Publisher::publish`].
    pub(crate) async fn event(&self, mut event: NewEvent, ack: Option<Json>, bytes: usize, incoming: &mut Incoming) {
        match self.stream(event.stream.take()) {
            Ok(stream) => event.stream = stream,
            Err((error, field)) => {
                self.publish(incoming).await;
                return self.fail(&error, Some(field)).await;
            }
        }
        if let Some(error) = cloud::forged(&event.kind) {
            self.publish(incoming).await;
            return self.fail(error, Some("type")).await;
        }
        if countersign_model::kind::is_reserved(&event.kind) {
            self.publish(incoming).await;
            let error = PublishError::HubOnly(event.kind.to_string());
            return self.fail(&error.to_string(), Some("type")).await;
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

    /// The stream that what the peer says belongs to; or why it may not say it, and the field that is wrong.
    fn stream(&self, said: Option<Arc<str>>) -> Result<Option<Arc<str>>, (String, &'static str)> {
        self.badge.with(|access| {
            if !access.may_publish() {
                return Err((Lack::Publish.to_string(), "type"));
            }
            access.stream(said).map_err(|error| (error.to_string(), "stream"))
        })
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
                    self.receipt(published.first + place as Seq, ack).await;
                }
            }
            Err(error) => self.fail(&error.to_string(), Some("type")).await,
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

    /// Says who the connection is before its first event, so that word of a stop finds it. Names that no event may have are passed over.
    pub(crate) fn enters(&self, agent: &str, session: &str) {
        let fits = |name: &str| !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control);
        if fits(agent) && fits(session) && self.badge.with(|access| access.may_publish()) {
            self.announce_if_new(&agent.into(), &session.into());
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

    /// Takes a question in; its answer is sent when there is one. Gives its place in the log.
    pub(crate) async fn ask(&self, mut ask: Ask) -> Option<Seq> {
        match self.stream(ask.stream.take()) {
            Ok(stream) => ask.stream = stream,
            Err((error, field)) => {
                self.fail(&error, Some(field)).await;
                return None;
            }
        }
        ask.timeout = ask.timeout.or(self.timeout);
        let key = SessionKey {
            agent: ask.agent.clone(),
            session: ask.session.clone(),
        };
        self.state().asking = Some(key.clone());
        self.announce_if_new(&key.agent, &key.session);
        let asked = self.door.hub.ask(ask).await;
        let seq = match asked {
            Ok(asked) => {
                // Asked before, in an earlier session of the agent maybe: word of a stop there is for this connection too.
                let mut keys = self.door.hub.asked_in(asked.waiter.id());
                if !keys.contains(&key) {
                    keys.push(key);
                }
                for key in &keys {
                    self.announce_if_new(&key.agent, &key.session);
                }
                let mut state = self.state();
                let waiting = |(_, waiter): &&mut (_, Waiter)| waiter.id() == asked.waiter.id();
                match state.waiters.iter_mut().find(waiting) {
                    Some((known, _)) => *known = keys,
                    None => state.waiters.push((keys, asked.waiter)),
                }
                Some(asked.seq)
            }
            Err(error) => {
                self.say(&self.tongue.refused(&error)).await;
                None
            }
        };
        self.state().asking = None;
        self.asked.notify_one();
        seq
    }

    /// Sends what the connection is owed, as it becomes due, until the hub is gone.
    pub(crate) async fn owe(&self) -> End {
        let mut answers = self.door.hub.answers();
        let mut unacked = self.unacked.lock().await;
        let mut owed = Vec::new();
        loop {
            tokio::select! {
                changed = answers.changed() => {
                    if changed.is_err() {
                        return End::Gone;
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
                self.send_all(&mut due).await;
                if let Err(error) = self.committed(seq).await {
                    self.fail(&error.to_string(), Some("ack")).await;
                    continue;
                }
            }
            frame::push_text(&mut due, &self.tongue.receipt(&ack, hub.epoch(), seq));
        }
        self.send_all(&mut due).await;
    }

    async fn send_all(&self, frames: &mut BytesMut) {
        if !frames.is_empty() {
            self.send(Direct::frames(frames.split().freeze())).await;
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
                let Some(approval) = state.waiters[place].1.claim() else {
                    place += 1;
                    continue;
                };
                let (keys, waiter) = state.waiters.remove(place);
                if approval.status == Status::Stopped {
                    // Word of the stop follows each answer that is one.
                    state.told.retain(|key, _| !keys.contains(key));
                }
                ready.push((waiter, approval));
            }
        }
        for (waiter, approval) in ready {
            if let Some(payload) = self.tongue.answer(&approval) {
                self.send(Direct::answer(&payload, waiter)).await;
            }
        }
        let mut stops = Vec::new();
        {
            let mut state = self.state();
            let State {
                sessions,
                waiters,
                asking,
                told,
            } = &mut *state;
            for key in sessions.iter() {
                match self.door.hub.stopped(key) {
                    // Its answers come first; they are about to.
                    Some(_) if asking.as_ref() == Some(key) || waiters.iter().any(|(keys, _)| keys.contains(key)) => {}
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
            self.say(&self.tongue.stop(&stop)).await;
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
