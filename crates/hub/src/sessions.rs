//! What each session is doing now: a reader of the log that keeps a line per session, the least recent ones dropped.

mod told;

use std::collections::HashMap;
use std::sync::Arc;

use countersign_model::{
    Activity, Approval, Busy, Event, Fact, Millis, Origin, SessionKey, SessionView, carries_stop, kind,
};

use crate::Stop;
use told::Left;

/// Sessions that are kept at most.
const MAX_SESSIONS: usize = 5000;
/// A session of an earlier run of the hub that was quiet for so long, in milliseconds, is no longer one that runs.
const FORGOTTEN: i64 = 24 * 3600 * 1000;

/// Lines about sessions, by session.
#[derive(Debug, Default)]
pub struct Sessions {
    lines: HashMap<SessionKey, Line>,
}

#[derive(Debug)]
struct Line {
    running: Vec<Running>,
    task: Option<String>,
    failed: bool,
    busy: bool,
    /// Why its run waits for a person, beside what the registry knows.
    waits: Option<String>,
    progress: Option<f64>,
    /// What it speaks.
    origin: Option<Origin>,
    /// Whether any of what it speaks carries a stop; unknown before it said anything.
    stops: Option<bool>,
    /// Whose subagent it is.
    parent: Option<Arc<str>>,
    role: Option<String>,
    folder: Option<String>,
    /// It said that it is over.
    ended: bool,
    /// Which call each open question is about, where its hook knew: request and call.
    asked: Vec<(String, String)>,
    changed: Millis,
    last: Millis,
    events: u64,
    connections: u32,
    seen_connected: bool,
    label: Label,
}

/// Which stream a session's events are in.
#[derive(Debug, Default, PartialEq, Eq)]
enum Label {
    /// There was no event.
    #[default]
    Unknown,
    /// All in this one, or all in none.
    Only(Option<Arc<str>>),
    /// Not all in the same.
    Mixed,
}

impl Label {
    fn add(&mut self, stream: Option<&Arc<str>>) {
        match self {
            Self::Unknown => *self = Self::Only(stream.cloned()),
            Self::Only(only) if only.as_ref() != stream => *self = Self::Mixed,
            Self::Only(_) | Self::Mixed => {}
        }
    }

    fn stream(&self) -> Option<Arc<str>> {
        match self {
            Self::Only(only) => only.clone(),
            Self::Unknown | Self::Mixed => None,
        }
    }
}

/// A tool call that has not ended yet.
#[derive(Debug)]
struct Running {
    tool: String,
    call: Option<String>,
}

impl Line {
    fn new(now: Millis) -> Self {
        Self {
            running: Vec::new(),
            task: None,
            failed: false,
            busy: false,
            waits: None,
            progress: None,
            origin: None,
            stops: None,
            parent: None,
            role: None,
            folder: None,
            ended: false,
            asked: Vec::new(),
            changed: now,
            last: now,
            events: 0,
            connections: 0,
            seen_connected: false,
            label: Label::Unknown,
        }
    }
}

impl Sessions {
    fn line(&mut self, key: &SessionKey, now: Millis) -> &mut Line {
        if !self.lines.contains_key(key) && self.lines.len() >= MAX_SESSIONS {
            let oldest = self
                .lines
                .iter()
                .min_by_key(|(_, line)| (line.connections > 0, line.last))
                .map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.lines.remove(&oldest);
            }
        }
        self.lines.entry(key.clone()).or_insert_with(|| Line::new(now))
    }

    pub(crate) fn connected(&mut self, key: &SessionKey, now: Millis) {
        let line = self.line(key, now);
        line.connections += 1;
        line.seen_connected = true;
    }

    pub(crate) fn disconnected(&mut self, key: &SessionKey, now: Millis) {
        let line = self.line(key, now);
        line.connections = line.connections.saturating_sub(1);
        if line.connections == 0 {
            line.changed = now;
            line.running.clear();
            line.busy = false;
        }
    }

    /// Takes the next event into account.
    pub fn apply(&mut self, event: &Event) {
        let Some(session) = &event.session else { return };
        // Nor is a person who comes or goes an agent's session.
        if matches!(
            &*event.kind,
            kind::AGENT_CONNECTED | kind::AGENT_DISCONNECTED | kind::USER_PRESENCE
        ) {
            return;
        }
        // Nor is a word by which somebody saw whether words arrive.
        if event.origin == Origin::Hook && *event.kind == *kind::PROBE {
            return;
        }
        let key = SessionKey {
            agent: event.agent.clone(),
            session: session.clone(),
        };
        let line = self.line(&key, event.time);
        line.events += 1;
        line.last = event.time;
        if event.origin != Origin::Hub {
            // Telemetry tells of a session that speaks otherwise, too.
            if event.origin != Origin::Otlp || line.origin.is_none() {
                line.origin = Some(event.origin);
            }
            line.stops = Some(line.stops == Some(true) || carries_stop(event.origin, &event.agent));
        } else if line.origin == Some(Origin::Hook) {
            line.answered(event);
        }
        // Those of the hub are about the session, and have a label of their own only sometimes.
        if !kind::is_hub_only(&event.kind) {
            line.label.add(event.stream.as_ref());
        }
        if event.origin == Origin::Hook && matches!(line.hear(event), Left::Nothing) {
            return;
        }
        if let Some(fact) = Fact::of(event) {
            line.learn(fact, event.time);
        }
        // An agent with hooks tells no end of what a stop ended.
        if line.origin == Some(Origin::Hook) && *event.kind == *kind::SESSION_STOPPED {
            line.over(None);
        }
    }

    /// All that was seen is of earlier runs of the hub: connections of then are no more, and what was quiet for long is over.
    pub(crate) fn restored(&mut self, now: Millis) {
        self.lines
            .retain(|_, line| line.connections > 0 || now.0 - line.last.0 <= FORGOTTEN);
        for line in self.lines.values_mut().filter(|line| line.connections == 0) {
            let connects = |origin| !matches!(origin, Origin::Hook | Origin::Otlp | Origin::Mcp | Origin::Rest);
            if line.origin.is_none_or(connects) {
                line.seen_connected = true;
                line.running.clear();
                line.busy = false;
                line.waits = None;
            }
        }
    }

    /// All lines, those that need a person first, then by their last event, newest first.
    pub fn view(&self, waiting: &[Approval], stops: &[Stop]) -> Vec<SessionView> {
        let mut views: Vec<_> = self
            .lines
            .iter()
            .map(|(key, line)| line.view(key, waiting, stops))
            .collect();
        // What is stopped can be lifted, however long nothing was heard of it.
        let unheard = stops.iter().filter(|stop| !self.lines.contains_key(&stop.key));
        views.extend(unheard.map(|stop| self.one(&stop.key, waiting, stops, stop.at)));
        views.sort_by(|a, b| (a.activity, b.last).cmp(&(b.activity, a.last)));
        views
    }

    /// One session's line; a session of an earlier run of the hub has had no events in this one.
    pub fn one(&self, key: &SessionKey, waiting: &[Approval], stops: &[Stop], now: Millis) -> SessionView {
        match self.lines.get(key) {
            Some(line) => line.view(key, waiting, stops),
            None => Line {
                seen_connected: true,
                ..Line::new(now)
            }
            .view(key, waiting, stops),
        }
    }
}

impl Line {
    fn learn(&mut self, fact: Fact, now: Millis) {
        let before = self.state();
        match fact {
            Fact::ToolStarted { tool, call } => {
                self.failed = false;
                // An agent that never ends its calls must not grow this without end.
                if self.running.len() < 64 {
                    self.running.push(Running { tool, call });
                }
            }
            Fact::ToolEnded {
                tool, call, success, ..
            } => {
                let ended = |running: &Running| match (&running.call, &call) {
                    (Some(running), Some(call)) => running == call,
                    _ => running.tool == tool,
                };
                if let Some(place) = self.running.iter().position(ended) {
                    self.running.remove(place);
                }
                self.failed = !success;
            }
            Fact::Status {
                busy,
                word,
                task,
                progress,
            } => {
                self.busy = busy == Busy::Working;
                self.task = Some(task.unwrap_or(word));
                self.progress = progress.or(self.progress);
            }
            Fact::RunStarted => {
                self.over(None);
                self.busy = true;
            }
            Fact::RunCompleted => self.over(None),
            Fact::RunFailed { error } => {
                self.over(error);
                self.failed = true;
            }
            Fact::RunPaused { reason, person } => {
                self.busy = false;
                self.waits = person.then(|| reason.clone().unwrap_or_default());
                self.task = reason;
            }
            Fact::RunResumed => {
                self.waits = None;
                self.task = None;
                self.busy = true;
            }
            Fact::Progress(progress) => self.progress = Some(progress),
            Fact::GoalAchieved => self.progress = Some(1.0),
            Fact::Asked { .. }
            | Fact::Violation { .. }
            | Fact::Chat { .. }
            | Fact::Notification { .. }
            | Fact::Presence { .. }
            | Fact::ToolMeasured { .. }
            | Fact::Usage(_) => {}
        }
        if before != self.state() {
            self.changed = now;
        }
    }

    /// Nothing of the run before counts any longer.
    fn over(&mut self, task: Option<String>) {
        self.running.clear();
        self.task = task;
        self.failed = false;
        self.busy = false;
        self.waits = None;
        self.progress = None;
    }

    fn state(&self) -> (usize, bool, bool, bool) {
        (self.running.len(), self.failed, self.busy, self.waits.is_some())
    }

    fn view(&self, key: &SessionKey, waiting: &[Approval], stops: &[Stop]) -> SessionView {
        let asked: Vec<_> = waiting
            .iter()
            .filter(|approval| approval.agent == key.agent && approval.session == key.session)
            .collect();
        let stopped = stops.iter().find(|stop| stop.covers(key, self.origin));
        let (activity, since) = if let Some(first) = asked.first() {
            (Activity::NeedsYou, first.asked_at)
        } else if let Some(stop) = stopped {
            (Activity::Stopped, stop.at)
        } else if self.waits.is_some() {
            // Its agent may well have gone until the person has decided.
            (Activity::NeedsYou, self.changed)
        } else if self.ended || (self.seen_connected && self.connections == 0) {
            (Activity::Gone, self.changed)
        } else if self.failed {
            (Activity::Failed, self.changed)
        } else if !self.running.is_empty() || self.busy {
            (Activity::Working, self.changed)
        } else {
            (Activity::Idle, self.changed)
        };
        SessionView {
            agent: key.agent.clone(),
            session: key.session.clone(),
            stream: self.label.stream(),
            origin: self.origin,
            parent: self.parent.clone(),
            role: self.role.clone(),
            folder: self.folder.clone(),
            activity,
            since,
            task: asked
                .first()
                .map(|approval| approval.tool_name.clone())
                .or_else(|| self.running.first().map(|running| running.tool.clone()))
                .or_else(|| self.task.clone()),
            progress: self.progress,
            pending: u32::try_from(asked.len()).unwrap_or(u32::MAX),
            stopped: stopped.is_some(),
            stops: self.stops.unwrap_or(true),
            connections: self.connections,
            events: self.events,
            last: self.last,
        }
    }
}
