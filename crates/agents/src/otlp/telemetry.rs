//! From records to events: whose they are, in which session, and what hooks or better telemetry have said already.

use std::collections::VecDeque;
use std::sync::Arc;

use countersign_model::{Event, Millis, NewEvent, Origin, kind};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::claims::{Claims, Teller};
use super::memory::{Key, Memory};
use super::naming::{agent, millis, name_of, named_session};
use super::records::Records;
use super::requests::Requests;
use super::telling;
use super::told::{Data, Signaled};

/// Calls of a session that a record without a call's id may be about.
const MOST_CALLS: usize = 32;
/// How far a call's end and the telemetry about it may be apart.
const NEAR_MILLIS: i64 = 5_000;

/// An event, and what makes it the same one when it is sent again.
#[derive(Debug)]
pub struct Told {
    /// The event.
    pub event: NewEvent,
    /// Its mark.
    pub mark: [u8; 16],
}

/// What a person answered in Claude Code's own terminal about one of its calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The call.
    pub call: String,
    /// Whether it may run.
    pub allowed: bool,
}

impl Told {
    /// What this says of an answer in the terminal: Claude Code's `tool_decision` by the person there, not by its settings or a hook.
    pub fn answered(&self) -> Option<Answered> {
        if *self.event.kind != *kind::TOOL_TELEMETRY || &*self.event.agent != "claude-code" {
            return None;
        }
        let data: Value = serde_json::from_str(self.event.data.get()).ok()?;
        let by_person = data["decision_source"].as_str()?.starts_with("user_");
        by_person.then_some(Answered {
            call: data["call_id"].as_str()?.to_owned(),
            allowed: data["decision"] == "accept",
        })
    }
}

/// A call that a hook told of, and no telemetry yet.
#[derive(Debug)]
struct Known {
    tool: String,
    id: Arc<str>,
    last: Millis,
}

/// What is known of sessions from the log and from earlier records.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// Who told of which call first.
    claims: Arc<Claims>,
    /// Which spans tell of which requests.
    pub(super) requests: Requests,
    /// The session of a trace, by agent and trace.
    traces: Memory<Arc<str>>,
    /// Sessions whose hooks are connected.
    hooked: Memory<()>,
    /// The session of a call that hooks told of, by agent and call.
    calls: Memory<Arc<str>>,
    recent: Memory<VecDeque<Known>>,
    /// The best signal that told of a session's tokens.
    best: Memory<Option<Signaled>>,
    /// What a cumulative series said last, by agent and series.
    sums: Memory<Option<[u8; 32]>>,
}

impl Telemetry {
    /// Knows nothing but the calls that are claimed.
    pub fn new(claims: Arc<Claims>) -> Self {
        Self {
            claims,
            ..Self::default()
        }
    }

    /// Learns from the log what hooks told, and which calls were told of.
    pub fn observe(&mut self, event: &Event) {
        let teller = match event.origin {
            Origin::Hook => Teller::Hooks,
            Origin::Otlp => Teller::Telemetry,
            _ => return,
        };
        let Some(session) = &event.session else { return };
        let key = (event.agent.clone(), session.clone());
        if teller == Teller::Hooks && self.hooked.get(&key).is_none() {
            self.hooked.put(key.clone(), ());
        }
        if !matches!(&*event.kind, kind::TOOL_CALL_START | kind::TOOL_CALL_END) {
            return;
        }
        let data: Value = serde_json::from_str(event.data.get()).unwrap_or_default();
        let Some(id) = data["call_id"].as_str().map(Arc::<str>::from) else {
            return;
        };
        self.claims.claim(&event.agent, &id, teller);
        if teller == Teller::Telemetry {
            return;
        }
        self.calls.put((event.agent.clone(), id.clone()), session.clone());
        let recent = self.recent.entry(&key);
        match recent.iter_mut().find(|known| known.id == id) {
            Some(known) => known.last = event.time,
            None => recent.push_back(Known {
                tool: data["tool_name"].as_str().unwrap_or_default().to_owned(),
                id,
                last: event.time,
            }),
        }
        if recent.len() > MOST_CALLS {
            recent.pop_front();
        }
    }

    /// The events that the records make, in the order of the records.
    pub fn tell(&mut self, records: &Records, stream: Option<&Arc<str>>) -> Vec<Told> {
        self.learn(records);
        telling::tell(self, records, stream)
    }

    /// Sessions that some records of a trace name are those of the others.
    fn learn(&mut self, records: &Records) {
        self.requests.learn(&records.spans);
        for log in records.logs.iter().filter(|log| !log.trace.is_empty()) {
            if let Some(session) = named_session(&log.attributes, &log.source) {
                let agent = agent(&log.source, &log.attributes, &name_of(log));
                self.traces.put((agent, log.trace.as_str().into()), session);
            }
        }
        for span in records.spans.iter().filter(|span| !span.trace.is_empty()) {
            if let Some(session) = named_session(&span.attributes, &span.source) {
                let agent = agent(&span.source, &span.attributes, &span.name);
                self.traces.put((agent, span.trace.as_str().into()), session);
            }
        }
    }

    /// Whether a call is telemetry's to tell: not where hooks do, and where it once was it stays so, for what is sent again.
    pub(super) fn tells(&self, agent: &Arc<str>, session: Option<&Arc<str>>, call: Option<&str>) -> bool {
        let hooked = self.is_hooked(agent, session);
        let Some(call) = call else { return !hooked };
        match self.claims.of(agent, call) {
            Some(teller) => teller == Teller::Telemetry,
            None => !hooked && self.claims.claim(agent, call, Teller::Telemetry) == Teller::Telemetry,
        }
    }

    /// Whether hooks tell of the session.
    pub(super) fn is_hooked(&self, agent: &Arc<str>, session: Option<&Arc<str>>) -> bool {
        session.is_some_and(|session| self.hooked.get(&(agent.clone(), session.clone())).is_some())
    }

    /// The call that a record without an id is about: the only one of its tool in its session near that time.
    pub(super) fn call_near(&mut self, key: &Key, tool: Option<&str>, nanos: u64) -> Option<Arc<str>> {
        let at = millis(nanos)?;
        let recent = self.recent.entry(key);
        let near = |known: &&Known| {
            Some(known.tool.as_str()) == tool && (known.last.0.saturating_sub(at.0)).abs() <= NEAR_MILLIS
        };
        let mut found = recent.iter().filter(near);
        match (found.next(), found.next()) {
            (Some(known), None) => Some(known.id.clone()),
            _ => None,
        }
    }

    /// Whether a series of sums says something new.
    pub(super) fn has_grown(&mut self, agent: &Arc<str>, series: &str, data: &Data) -> bool {
        let last = self.sums.entry(&(agent.clone(), series.into()));
        let told: [u8; 32] = Sha256::digest(Value::Object(data.0.clone()).to_string()).into();
        last.replace(told) != Some(told)
    }

    /// The session of a trace.
    pub(super) fn of_trace(&self, agent: &Arc<str>, trace: &str) -> Option<Arc<str>> {
        self.traces.get(&(agent.clone(), trace.into())).cloned()
    }

    /// The session of a call that hooks told of.
    pub(super) fn of_call(&self, agent: &Arc<str>, call: &str) -> Option<Arc<str>> {
        self.calls.get(&(agent.clone(), call.into())).cloned()
    }

    /// Whether to tell of tokens from this signal: not when the same is known better.
    ///
    /// A trace may be told in parts, of which only the last one names the session.
    pub(super) fn counts(
        &mut self,
        agent: &Arc<str>,
        session: Option<&Arc<str>>,
        trace: &str,
        signaled: Signaled,
    ) -> bool {
        let nowhere: Key = (agent.clone(), Arc::default());
        let key = session.map_or_else(|| nowhere.clone(), |session| (agent.clone(), session.clone()));
        let of_trace = (!trace.is_empty()).then(|| (agent.clone(), Arc::from(trace)));
        let mut known = of_trace.iter().chain([&key]);
        if known.any(|key| self.best.entry(key).is_some_and(|best| signaled < best)) {
            return false;
        }
        for key in of_trace.iter().chain([&key]) {
            *self.best.entry(key) = Some(signaled);
        }
        // Metrics often name no session: then they tell of all of the agent's.
        if signaled > Signaled::Metric {
            *self.best.entry(&nowhere) = Some(signaled);
        }
        true
    }
}
