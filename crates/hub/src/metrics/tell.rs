//! What happened, in a short line for the feed of activity.

use countersign_model::metrics::Happening;
use countersign_model::{Busy, Event, Fact, kind};
use serde::Deserialize;

/// Characters of a line.
const MAX_CHARS: usize = 200;

/// Cuts text to a line: no control characters, no endless lines.
pub(super) fn clip(text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut cut: String = line.take(MAX_CHARS + 1).collect();
    if cut.chars().count() > MAX_CHARS {
        cut.pop();
        cut.push('…');
    }
    cut
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    tool_name: String,
    status: String,
}

/// The line for `event`, if it is worth one.
pub(super) fn happening(event: &Event, fact: Option<&Fact>) -> Option<Happening> {
    let agent = &event.agent;
    let run = super::run_of(event);
    let asked = || serde_json::from_str::<Asked>(event.data.get()).unwrap_or_default();
    let line = match (fact, &*event.kind) {
        (Some(Fact::ToolStarted { tool, .. }), _) => format!("{agent}: {tool} started"),
        (
            Some(Fact::ToolEnded {
                tool, success, error, ..
            }),
            _,
        ) => match (success, error) {
            (true, _) => format!("{agent}: {tool} completed"),
            (false, Some(error)) => format!("{agent}: {tool} failed: {error}"),
            (false, None) => format!("{agent}: {tool} failed"),
        },
        (Some(Fact::Status { busy, word, task, .. }), _) => match (busy, task) {
            (Busy::Working, Some(task)) => format!("{agent}: {task}"),
            _ => format!("{agent} is {word}"),
        },
        (Some(Fact::RunStarted), _) => format!("Task {run} started"),
        (Some(Fact::RunCompleted), _) => format!("Task {run} completed"),
        (Some(Fact::RunFailed { error: Some(error) }), _) => format!("Task {run} failed: {error}"),
        (Some(Fact::RunFailed { error: None }), _) => format!("Task {run} failed"),
        (Some(Fact::RunPaused { person: true, .. }), _) => format!("Task {run} waits for a person"),
        (Some(Fact::RunPaused { .. }), _) => format!("Task {run} paused"),
        (Some(Fact::RunResumed), _) => format!("Task {run} resumed"),
        (Some(Fact::GoalAchieved), _) => format!("Task {run} achieved its goal"),
        (Some(Fact::Violation { what }), _) => format!("{agent} broke a rule: {what}"),
        (
            Some(Fact::Notification {
                message, user: None, ..
            }),
            _,
        ) => message.clone(),
        (_, kind::APPROVAL_REQUEST) => format!("{agent} asks to run {}", asked().tool_name),
        (_, kind::APPROVAL_RESOLVED) => format!("{agent}: request {}", asked().status),
        (_, kind::SESSION_STOPPED) => format!("{agent} was stopped"),
        _ => return None,
    };
    Some(Happening {
        description: clip(&line),
        time: event.time,
    })
}
