//! One session: its client on one side, its agent on the other, the hub between them. One task owns it all. Nothing in it
//! waits for the client or the agent to take a word: words wait in line, and while the line is long nobody is listened to but
//! the hub, so that a stop gets through.

use std::collections::VecDeque;
use std::sync::Arc;

use countersign_dialects::codex::{self, Direction, Facts, Input, Said};
use countersign_dialects::limits::MAX_RESULT_KEPT;
use countersign_dialects::shrink;
use countersign_hub::agent_loop::{Inquiry, Spoken, Told, TransportEnd, session};
use countersign_hub::{Hub, Stop, Waiter, random_hex};
use countersign_model::{Extra, Json, Millis, NewEvent, Origin, SessionKey, Surface, kind, to_json};
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::approval::Open;
use super::book::{Failing, Log};
use super::{AGENT, Room, plain_uuid, uuid};
use crate::socket::Direct;

/// Messages for the client that wait in line before nobody is listened to any more.
const LINE: usize = 64;
/// Inputs that may wait for the agent's turn to end.
const INPUTS: usize = 16;
/// Calls whose tool is remembered until their output comes.
const CALLS: usize = 256;

const NO_AGENT: &str = "no agent is configured: Countersign speaks Codex's protocol here, and has no agent yet to answer with (for tests, \
     `script` under `[codex]` in the configuration plays one)";

pub(super) struct Session {
    pub(super) hub: Arc<Hub>,
    pub(super) key: SessionKey,
    pub(super) stream: Option<Arc<str>>,
    pub(super) timeout: Option<i64>,
    /// Names the connection in `agent_connected`.
    name: String,
    log: Log,
    client: mpsc::Sender<Direct>,
    /// Messages for the client, in order.
    out: VecDeque<String>,
    agent: Agent,
    announced: bool,
    /// The agent's turn, while it has it.
    pub(super) turn: Option<Turn>,
    inputs: VecDeque<(Input, Option<String>)>,
    calls: VecDeque<(String, String)>,
    pub(super) open: Option<Open>,
    /// What the agent wants to ask besides.
    pub(super) asks: VecDeque<Inquiry>,
    /// Requests that the client has before it, and that others answered: an approval that comes now may be meant for them.
    pub(super) owed: usize,
    /// How the last request was answered, when it was not here.
    pub(super) elsewhere: Option<String>,
    /// When the stop was put that was seen to.
    stopped: Option<Millis>,
    /// The client's own answer stops the session.
    pub(super) stops: bool,
}

/// The agent's turn.
#[derive(Default)]
pub(super) struct Turn {
    /// A person ended it; the agent is to follow.
    pub(super) stopped: bool,
}

/// The agent's end of things; empty when there is none.
struct Agent {
    spoken: Option<mpsc::Receiver<Spoken>>,
    told: Option<mpsc::Sender<Told>>,
    /// What it is to be told, in order; an answer is delivered once it is.
    line: VecDeque<(Told, Option<Waiter>)>,
    task: Option<JoinHandle<()>>,
}

enum Next {
    /// The client said this, or is gone.
    Heard(Option<String>),
    /// The agent said this, or has ended.
    Spoken(Option<Spoken>),
    /// Something in the registry may have changed.
    Answers,
    /// A word went out.
    Moved,
    /// The connection or the hub is gone.
    Over,
}

impl Session {
    pub(super) fn new(
        hub: Arc<Hub>,
        stream: Option<Arc<str>>,
        timeout: Option<i64>,
        room: &Room,
        client: mpsc::Sender<Direct>,
    ) -> Self {
        let id = plain_uuid();
        let book = room.shelf.as_ref().map(|shelf| shelf.book(&id, hub.now()));
        let key = SessionKey {
            agent: AGENT.into(),
            session: id.into(),
        };
        let mut agent = Agent {
            spoken: None,
            told: None,
            line: VecDeque::new(),
            task: None,
        };
        if let Some(kind) = &room.agent {
            let (TransportEnd { told, spoken }, end) = session();
            agent.task = Some(tokio::spawn(kind.live(key.session.clone(), end)));
            (agent.told, agent.spoken) = (Some(told), Some(spoken));
        }
        Self {
            hub,
            key,
            stream,
            timeout,
            name: format!("c-{}", random_hex(6)),
            log: Log::new(book),
            client,
            out: VecDeque::new(),
            agent,
            announced: false,
            turn: None,
            inputs: VecDeque::new(),
            calls: VecDeque::new(),
            open: None,
            asks: VecDeque::new(),
            owed: 0,
            elsewhere: None,
            stopped: None,
            stops: false,
        }
    }

    /// Lives until the connection is over; what it said until then is taken in.
    pub(super) async fn live(mut self, mut hears: mpsc::Receiver<String>) {
        let mut answers = self.hub.answers();
        let failing = self.log.begin().await;
        self.note(failing).await;
        loop {
            match self.next(&mut hears, &mut answers).await {
                Next::Heard(Some(text)) => self.hear(&text).await,
                Next::Spoken(Some(spoken)) => self.take(spoken).await,
                Next::Spoken(None) => self.agent_ended().await,
                Next::Answers | Next::Moved => {}
                Next::Heard(None) | Next::Over => break,
            }
            self.see_to_request().await;
            self.see_to_stop().await;
        }
        // What it still said belongs into the log.
        while let Some(text) = hears.recv().await {
            self.log.message(self.hub.now(), Direction::Incoming, &text).await;
        }
        // Its request waits out the grace time, as everybody's does.
        self.open = None;
        if let Some(task) = self.agent.task.take() {
            task.abort();
        }
        if self.announced {
            self.hub.agent_disconnected(&self.key, &self.name);
        }
        if let Some(Failing { path, why }) = self.log.end(self.hub.now()).await {
            tracing::warn!(path = %path.display(), why, "a session log could not be ended");
        }
    }

    async fn next(&mut self, hears: &mut mpsc::Receiver<String>, answers: &mut watch::Receiver<u64>) -> Next {
        let Self {
            client,
            out,
            agent,
            asks,
            ..
        } = self;
        let Agent { spoken, told, line, .. } = agent;
        let room = out.len() < LINE && asks.len() < LINE;
        tokio::select! {
            changed = answers.changed() => if changed.is_ok() { Next::Answers } else { Next::Over },
            place = client.reserve(), if !out.is_empty() => match (place, out.pop_front()) {
                (Ok(place), Some(message)) => {
                    place.send(Direct::text(&message));
                    Next::Moved
                }
                _ => Next::Over,
            },
            () = tell(told.as_ref(), line), if !line.is_empty() => Next::Moved,
            spoken = listen(spoken.as_mut()), if room => Next::Spoken(spoken),
            text = hears.recv(), if out.len() < LINE => Next::Heard(text),
        }
    }

    /// Takes a message of the client's in.
    async fn hear(&mut self, text: &str) {
        let failing = self.log.message(self.hub.now(), Direction::Incoming, text).await;
        self.note(failing).await;
        match codex::decode(text) {
            Ok(message) => match message.said {
                Said::Input(input) => self.input(input, message.id).await,
                Said::Response(response) => self.response(response, message.id).await,
            },
            Err(wrong) => self.say(codex::refused(&uuid(), &wrong)).await,
        }
    }

    async fn input(&mut self, input: Input, id: Option<String>) {
        if self.agent.told.is_none() {
            return self.fail(NO_AGENT, id.as_deref()).await;
        }
        // Whoever speaks again has done with what was asked before.
        self.owed = 0;
        if self.turn.is_none() {
            // It is the user's word that goes on after a stop, whoever put it.
            self.hub.resume_session(&self.key, Surface::Socket);
            self.stops = false;
            return self.begin(input).await;
        }
        if self.inputs.len() >= INPUTS {
            let error = format!("the agent is at work, and {INPUTS} inputs wait already; wait for agent_finished");
            return self.fail(&error, id.as_deref()).await;
        }
        self.inputs.push_back((input, id));
    }

    /// The agent's turn begins.
    async fn begin(&mut self, input: Input) {
        let mut facts = vec![codex::started(&input.items, &self.key.session)];
        facts.extend(codex::input(&input.items, &self.key.session));
        self.publish(facts).await;
        self.turn = Some(Turn::default());
        let told = Told::Input {
            items: input.items,
            previous_response_id: input.previous_response_id,
        };
        self.tell(told, None);
    }

    /// Takes a word of the agent's in.
    async fn take(&mut self, spoken: Spoken) {
        match spoken {
            Spoken::Item(item) => {
                let facts = self.facts(&item);
                self.publish(facts).await;
                self.say(codex::response_item(&uuid(), &item)).await;
            }
            Spoken::Loading(loading) => {
                self.publish(vec![codex::loading(loading)]).await;
                self.say(codex::loading_state(&uuid(), loading)).await;
            }
            Spoken::Ask(inquiry) => self.asks.push_back(inquiry),
            Spoken::Error { message, details } => {
                self.publish(vec![codex::troubled(&message, details.as_deref())]).await;
                self.say(codex::error(&uuid(), &message, details.as_deref())).await;
            }
            Spoken::Finished { response_id } => {
                let stopped = self.turn.take().is_some_and(|turn| turn.stopped);
                let fact = if stopped {
                    codex::stopped()
                } else {
                    codex::finished(&response_id, &self.key.session)
                };
                self.publish(vec![fact]).await;
                self.say(codex::agent_finished(&uuid(), &response_id)).await;
                self.turn_over().await;
            }
            Spoken::Failed { message, details } => self.failed(&message, details.as_deref()).await,
        }
    }

    async fn failed(&mut self, message: &str, details: Option<&RawValue>) {
        self.turn = None;
        self.publish(vec![codex::failed(message, details)]).await;
        self.say(codex::error(&uuid(), message, details)).await;
        self.turn_over().await;
    }

    /// The user's turn: what it has said already begins the next one.
    async fn turn_over(&mut self) {
        // Whoever asks and does not wait for the answer has given up on it.
        self.open = None;
        self.asks.clear();
        if let Some((input, _)) = self.inputs.pop_front() {
            // What was said before a stop is not here any more.
            if self.stopped.is_some() {
                self.hub.resume_session(&self.key, Surface::Socket);
            }
            self.begin(input).await;
        }
    }

    async fn agent_ended(&mut self) {
        self.agent.spoken = None;
        self.agent.told = None;
        self.agent.line.clear();
        let error = "the agent ended; connect again for a new one";
        let waiting = std::mem::take(&mut self.inputs);
        if self.turn.is_some() {
            self.failed(error, None).await;
        }
        for (_, id) in waiting {
            self.fail(error, id.as_deref()).await;
        }
    }

    /// A person stopped the session: the agent is told, and what the user said before that is not begun any more.
    async fn see_to_stop(&mut self) {
        let stop: Option<Stop> = self.hub.stopped(&self.key);
        if stop.as_ref().map(|stop| stop.at) == self.stopped {
            return;
        }
        self.stopped = stop.as_ref().map(|stop| stop.at);
        let Some(stop) = stop else { return };
        if let Some(turn) = &mut self.turn
            && !std::mem::replace(&mut turn.stopped, true)
        {
            self.tell(Told::Cancel, None);
        }
        if !std::mem::take(&mut self.stops) {
            let word = stop.message.map(|message| format!(": {message}")).unwrap_or_default();
            let text = format!("This session was stopped in Countersign{word}");
            self.say(codex::system_message(&uuid(), &text)).await;
        }
        for (_, id) in std::mem::take(&mut self.inputs) {
            self.fail("the session was stopped before this input's turn", id.as_deref())
                .await;
        }
    }

    /// Queues a word for the agent.
    pub(super) fn tell(&mut self, told: Told, receipt: Option<Waiter>) {
        self.agent.line.push_back((told, receipt));
    }

    /// How many words wait for the agent.
    pub(super) fn untold(&self) -> usize {
        self.agent.line.len()
    }

    /// Says something to the client, and to the log before that.
    pub(super) async fn say(&mut self, message: String) {
        let failing = self.log.message(self.hub.now(), Direction::Outgoing, &message).await;
        self.out.push_back(message);
        self.note(failing).await;
    }

    /// Says what was wrong with a message.
    pub(super) async fn fail(&mut self, error: &str, id: Option<&str>) {
        let details = id.map(|id| to_json(&json!({ "id": id })));
        self.say(codex::error(&uuid(), error, details.as_deref())).await;
    }

    /// Says that the log has begun to fail; that goes out all the same, and is not logged.
    async fn note(&mut self, failing: Option<Failing>) {
        let Some(Failing { path, why }) = failing else { return };
        tracing::warn!(path = %path.display(), why, "a session log cannot be written");
        let error = format!(
            "the session log cannot be written: {why}. The session goes on; what happens meanwhile is not in its log"
        );
        let details = to_json(&json!({ "sessionId": &*self.key.session, "reason": why }));
        self.out.push_back(codex::error(&uuid(), &error, Some(&details)));
        self.publish(vec![codex::troubled(&error, Some(&details))]).await;
    }

    fn facts(&mut self, item: &RawValue) -> Facts {
        let calls = &mut self.calls;
        codex::facts(item, &self.key.session, &mut |call, name| {
            if let Some(name) = name {
                if calls.len() >= CALLS {
                    calls.pop_front();
                }
                calls.push_back((call.to_owned(), name.to_owned()));
                return None;
            }
            let place = calls.iter().position(|(known, _)| known == call)?;
            calls.remove(place).map(|(_, name)| name)
        })
    }

    pub(super) async fn publish(&mut self, facts: Facts) {
        if facts.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.announced, true) {
            self.hub.agent_connected(&self.key, &self.name);
        }
        let events = facts.into_iter().map(|(kind, data)| NewEvent {
            origin: Origin::Codex,
            agent: self.key.agent.clone(),
            session: Some(self.key.session.clone()),
            stream: self.stream.clone(),
            kind: kind.into(),
            timestamp: None,
            data: kept(kind, data),
            extra: Extra::default(),
        });
        if let Err(error) = self.hub.publish(events.collect()).await {
            tracing::error!(%error, "a session's events were refused");
        }
    }
}

/// The data as it is kept: a result larger than the store takes is cut.
fn kept(kind: &str, data: Json) -> Json {
    let cut = (kind == kind::TOOL_CALL_RESULT)
        .then(|| shrink::kept(&data, "result", MAX_RESULT_KEPT))
        .flatten()
        .and_then(|cut| RawValue::from_string(cut).ok());
    cut.unwrap_or(data)
}

/// Hands the agent the next word, once it has room for it.
async fn tell(agent: Option<&mpsc::Sender<Told>>, line: &mut VecDeque<(Told, Option<Waiter>)>) {
    let Some(agent) = agent else {
        return std::future::pending().await;
    };
    let Ok(place) = agent.reserve().await else {
        // That it has ended comes by the other channel.
        return std::future::pending().await;
    };
    if let Some((told, receipt)) = line.pop_front() {
        place.send(told);
        if let Some(receipt) = receipt {
            receipt.delivered();
        }
    }
}

async fn listen(agent: Option<&mut mpsc::Receiver<Spoken>>) -> Option<Spoken> {
    match agent {
        Some(agent) => agent.recv().await,
        None => std::future::pending().await,
    }
}
