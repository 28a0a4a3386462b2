//! What the hooks of Claude Code and Codex say of their session, beside what any event says: whose subagent it is, where it
//! works, when a turn begins and ends. They have no connection that could end, so what they say is all there is to know.

use std::sync::Arc;

use countersign_model::{Event, kind};
use serde::Deserialize;
use serde_json::Value;

use super::Line;

/// What a prompt keeps on a session's line, in characters.
const MOST_TASK: usize = 200;
/// Open questions of a session whose calls are kept.
const MOST_ASKED: usize = 64;
/// Names longer than this are none.
const MOST_NAME: usize = 4096;

/// Fields that any hook may bring; of another shape they say nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    parent_session: Option<Value>,
    agent_type: Option<Value>,
    cwd: Option<Value>,
    late: Option<Value>,
    sender: Option<Value>,
    content: Option<Value>,
    error: Option<Value>,
    call_id: Option<Value>,
    request_id: Option<Value>,
    source: Option<Value>,
    notification_type: Option<Value>,
    tool_name: Option<Value>,
}

fn text(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) if !text.is_empty() && text.len() <= MOST_NAME => Some(text),
        _ => None,
    }
}

fn short(value: Option<Value>) -> Option<String> {
    let Some(Value::String(text)) = value else { return None };
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then(|| line.chars().take(MOST_TASK).collect())
}

/// How much of a hook's event is left to learn from.
pub(super) enum Left {
    /// What any event says.
    Fact,
    /// Nothing: all of it is known by now, or it is of an earlier time.
    Nothing,
}

impl Line {
    /// Takes in what a hook's `event` says of its session.
    pub(super) fn hear(&mut self, event: &Event) -> Left {
        let told: Told = serde_json::from_str(event.data.get()).unwrap_or_default();
        if let Some(parent) = text(told.parent_session) {
            self.parent = Some(Arc::from(parent));
        }
        self.role = text(told.agent_type).or_else(|| self.role.take());
        // The first one is the project's; a shell may go elsewhere for a while.
        self.folder = self.folder.take().or_else(|| text(told.cwd));
        // It happened before what is known: it says nothing about now.
        if told.late == Some(Value::Bool(true)) {
            return Left::Nothing;
        }
        let call = text(told.call_id);
        let before = (self.state(), self.ended);
        // What comes after the end, such as the end of its last turn, does not begin it again.
        let begins = matches!(
            &*event.kind,
            kind::SESSION_STARTED
                | kind::SUBAGENT_STARTED
                | kind::CHAT_MESSAGE
                | kind::TOOL_CALL_START
                | kind::APPROVAL_REQUEST
        );
        self.ended = before.1 && !begins;
        match &*event.kind {
            // After a compaction the turn goes on.
            "session_started" if text(told.source).as_deref() == Some("compact") => {}
            "session_started" => self.over(None),
            "session_ended" | "subagent_stopped" => {
                self.over(None);
                self.ended = true;
            }
            "subagent_started" => {
                self.over(None);
                self.busy = true;
            }
            "chat_message" if text(told.sender).as_deref() == Some("user") => {
                self.over(short(told.content));
                self.busy = true;
            }
            kind::NOTIFICATION if text(told.notification_type).as_deref() == Some("idle_prompt") => {
                let task = self.task.take();
                self.over(task);
                return Left::Fact;
            }
            "turn_completed" | kind::INTERRUPT => {
                let task = self.task.take();
                self.over(task);
            }
            "turn_failed" => {
                self.over(short(told.error));
                self.failed = true;
            }
            kind::APPROVAL_REQUEST => {
                if let (Some(request), Some(call)) = (text(told.request_id), call)
                    && self.asked.len() < MOST_ASKED
                {
                    self.asked.push((request, call));
                }
                return Left::Fact;
            }
            // What was refused has no running call any more, and its end is no failure.
            kind::TOOL_CALL_END if !self.runs(call.as_deref()) => {}
            "permission_denied" => self.refused(call.as_deref(), text(told.tool_name).as_deref()),
            _ => {
                if before.1 != self.ended {
                    self.changed = event.time;
                }
                return Left::Fact;
            }
        }
        if before != (self.state(), self.ended) {
            self.changed = event.time;
        }
        Left::Nothing
    }

    /// Takes in how a question was answered: a hook says that a call begins before it asks whether it may, and not that it did not run.
    pub(super) fn answered(&mut self, event: &Event) {
        #[derive(Deserialize)]
        struct Resolved {
            request_id: String,
            tool_name: String,
            status: String,
        }
        if *event.kind != *kind::APPROVAL_RESOLVED {
            return;
        }
        let Ok(resolved) = serde_json::from_str::<Resolved>(event.data.get()) else {
            return;
        };
        let place = self
            .asked
            .iter()
            .position(|(request, _)| *request == resolved.request_id);
        let call = place.map(|place| self.asked.swap_remove(place).1);
        // Taken back, it was answered in the terminal, nobody here knows how.
        if matches!(resolved.status.as_str(), "denied" | "stopped" | "expired") {
            self.refused(call.as_deref(), Some(&resolved.tool_name));
            self.changed = event.time;
        }
    }

    /// Whether the call runs, as far as is known; of one without an id that is not known.
    fn runs(&self, call: Option<&str>) -> bool {
        call.is_none() || self.running.iter().any(|running| running.call.as_deref() == call)
    }

    fn refused(&mut self, call: Option<&str>, tool: Option<&str>) {
        let named = |running: &super::Running| call.is_some() && running.call.as_deref() == call;
        let alike = |running: &super::Running| Some(running.tool.as_str()) == tool;
        let place = (self.running.iter().position(named)).or_else(|| self.running.iter().position(alike));
        if let Some(place) = place {
            self.running.remove(place);
        }
    }
}
