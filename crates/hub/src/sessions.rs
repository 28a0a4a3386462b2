//! What each session is doing now: a reader of the log that keeps a line per session, the least recent ones dropped.

use std::collections::HashMap;

use countersign_model::{Activity, Approval, Event, Millis, SessionKey, SessionView, kind};
use serde::Deserialize;

use crate::Stop;

/// Sessions that are kept at most.
const MAX_SESSIONS: usize = 5000;

/// Lines about sessions, by session.
#[derive(Debug, Default)]
pub struct Sessions {
    lines: HashMap<SessionKey, Line>,
}

#[derive(Debug)]
struct Line {
    running: Vec<String>,
    task: Option<String>,
    failed: bool,
    busy: bool,
    changed: Millis,
    last: Millis,
    events: u64,
    connections: u32,
    seen_connected: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Seen {
    tool_name: Option<String>,
    success: Option<bool>,
    status: Option<String>,
}

impl Line {
    fn new(now: Millis) -> Self {
        Self {
            running: Vec::new(),
            task: None,
            failed: false,
            busy: false,
            changed: now,
            last: now,
            events: 0,
            connections: 0,
            seen_connected: false,
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
        if matches!(&*event.kind, kind::AGENT_CONNECTED | kind::AGENT_DISCONNECTED) {
            return;
        }
        let key = SessionKey {
            agent: event.agent.clone(),
            session: session.clone(),
        };
        let line = self.line(&key, event.time);
        line.events += 1;
        line.last = event.time;
        // Inner shapes are never judged: what does not fit says nothing.
        let seen = || serde_json::from_str::<Seen>(event.data.get()).unwrap_or_default();
        let before = (line.running.len(), line.failed, line.busy);
        match &*event.kind {
            kind::TOOL_CALL_START => {
                line.failed = false;
                // An agent that never ends its calls must not grow this without end.
                if line.running.len() < 64 {
                    line.running.push(seen().tool_name.unwrap_or_default());
                }
            }
            kind::TOOL_CALL_END => {
                let seen = seen();
                let tool = seen.tool_name.unwrap_or_default();
                if let Some(place) = line.running.iter().position(|running| *running == tool) {
                    line.running.remove(place);
                }
                line.failed = seen.success == Some(false);
            }
            kind::AGENT_STATUS => {
                let status = seen().status;
                line.busy = status
                    .as_deref()
                    .is_some_and(|status| !matches!(status, "idle" | "stopped" | "done" | "completed" | "finished"));
                line.task = status;
            }
            _ => {}
        }
        if before != (line.running.len(), line.failed, line.busy) {
            line.changed = event.time;
        }
    }

    /// All lines, those that need a person first, then by their last event, newest first.
    pub fn view(&self, waiting: &[Approval], stops: &[Stop]) -> Vec<SessionView> {
        let mut views: Vec<_> = self
            .lines
            .iter()
            .map(|(key, line)| line.view(key, waiting, stops))
            .collect();
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
    fn view(&self, key: &SessionKey, waiting: &[Approval], stops: &[Stop]) -> SessionView {
        let asked: Vec<_> = waiting
            .iter()
            .filter(|approval| approval.agent == key.agent && approval.session == key.session)
            .collect();
        let stopped = stops.iter().find(|stop| stop.key == *key);
        let (activity, since) = if let Some(first) = asked.first() {
            (Activity::NeedsYou, first.asked_at)
        } else if let Some(stop) = stopped {
            (Activity::Stopped, stop.at)
        } else if self.seen_connected && self.connections == 0 {
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
            activity,
            since,
            task: asked
                .first()
                .map(|approval| approval.tool_name.clone())
                .or_else(|| self.running.first().cloned())
                .or_else(|| self.task.clone()),
            pending: u32::try_from(asked.len()).unwrap_or(u32::MAX),
            stopped: stopped.is_some(),
            connections: self.connections,
            events: self.events,
            last: self.last,
        }
    }
}
