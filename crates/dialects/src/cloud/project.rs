//! Events of any dialect in Cloud Agents' kinds. What comes in Cloud's own shape is told to the letter; of another dialect's
//! event the fields that Cloud's clients read come first, and what it said itself stays beside them.

use std::borrow::Cow;

use countersign_model::fields::{self, Field};
use countersign_model::{Busy, Event, Fact, Json, Origin, kind, to_json};
use serde_json::json;
use serde_json::value::RawValue;

/// One message.
pub(super) struct Told {
    pub(super) kind: &'static str,
    /// `None`: the event's own, to the letter.
    pub(super) data: Option<Json>,
}

/// What there is to say of an event.
pub(super) fn told(event: &Event) -> Vec<Told> {
    match &*event.kind {
        kind::AGENT_STATUS => return vec![of(kind::AGENT_STATUS, agent_status(event))],
        kind::CHAT_MESSAGE => return vec![of(kind::CHAT_MESSAGE, chat_message(event))],
        kind::NOTIFICATION => return vec![of(kind::NOTIFICATION, None)],
        kind::USER_PRESENCE => return vec![of(kind::USER_PRESENCE, None)],
        // A person's decision to stop: the seed's own example of `stopped`.
        kind::SESSION_STOPPED => return vec![state(event, Busy::Stopped, None, None)],
        kind::SESSION_RESUMED => return vec![state(event, Busy::Idle, None, None)],
        _ => {}
    }
    let agent = &event.agent;
    match Fact::of(event) {
        Some(Fact::ToolStarted { tool, .. }) => vec![state(event, Busy::Working, Some(&tool), None)],
        Some(Fact::ToolEnded { .. }) => vec![state(event, Busy::Idle, None, None)],
        Some(Fact::RunStarted | Fact::RunResumed) => vec![state(event, Busy::Working, None, None)],
        Some(Fact::RunPaused { reason, .. }) => vec![state(event, Busy::Idle, reason.as_deref(), None)],
        Some(Fact::Progress(share)) => vec![state(event, Busy::Working, None, Some(share))],
        Some(Fact::RunCompleted) => vec![
            state(event, Busy::Idle, None, None),
            notification("success", &format!("{agent} finished")),
        ],
        Some(Fact::RunFailed { error }) => {
            let message = match error {
                Some(error) => format!("{agent} failed: {error}"),
                None => format!("{agent} failed"),
            };
            vec![state(event, Busy::Stopped, None, None), notification("error", &message)]
        }
        Some(Fact::GoalAchieved) => vec![notification("success", &format!("{agent} achieved its goal"))],
        Some(Fact::Violation { what }) => {
            vec![notification("warning", &format!("{agent} broke a constraint: {what}"))]
        }
        Some(Fact::Asked { tool }) => vec![notification(
            "warning",
            &format!("{agent} waits for approval of {tool}"),
        )],
        _ => Vec::new(),
    }
}

fn of(kind: &'static str, data: Option<Json>) -> Told {
    Told { kind, data }
}

fn notification(level: &str, message: &str) -> Told {
    of(
        kind::NOTIFICATION,
        Some(to_json(&json!({ "level": level, "message": message }))),
    )
}

/// An agent's state, when the event is no `agent_status` itself.
fn state(event: &Event, busy: Busy, task: Option<&str>, share: Option<f64>) -> Told {
    let mut data = vec![
        ("agentName".to_owned(), quoted(&event.agent)),
        ("state".to_owned(), quoted(busy.as_str())),
    ];
    if let Some(task) = task.filter(|task| !task.is_empty()) {
        data.push(("currentTask".to_owned(), quoted(task)));
    }
    if let Some(share) = share {
        data.push(("progress".to_owned(), Cow::Owned(percent(share))));
    }
    of(kind::AGENT_STATUS, raw(&data))
}

/// SAM's status in Cloud's words; `None` when it is Cloud's already.
fn agent_status(event: &Event) -> Option<Json> {
    let given = fields::read(event.data.get()).ok()?;
    if is_string(&given, "agentName") && is_string(&given, "state") {
        return None;
    }
    let mut data = Vec::new();
    if !is_string(&given, "agentName") {
        data.push(("agentName".to_owned(), quoted(&event.agent)));
    }
    if let (false, Some(Fact::Status { busy, word, task, .. })) = (is_string(&given, "state"), Fact::of(event)) {
        data.push(("state".to_owned(), quoted(busy.as_str())));
        // An agent's own word says more than "working" does.
        let task = task.or_else(|| (busy == Busy::Working && word != busy.as_str()).then_some(word));
        if let (Some(task), false) = (task, is_string(&given, "currentTask")) {
            data.push(("currentTask".to_owned(), quoted(&task)));
        }
    }
    add_given(&mut data, given);
    raw(&data)
}

/// A message with all of Cloud's fields; `None` when it came by a door for Cloud's own.
fn chat_message(event: &Event) -> Option<Json> {
    if matches!(event.origin, Origin::Sam | Origin::Rest | Origin::Cloud) {
        return None;
    }
    let given = fields::read(event.data.get()).ok()?;
    let own = [
        ("conversationId", event.session.as_deref().unwrap_or(&event.agent)),
        ("messageId", &event.id()),
        ("sender", &event.agent),
        ("timestamp", &event.time.to_rfc3339()),
    ];
    let mut data: Vec<_> = own
        .into_iter()
        .filter(|(name, _)| !given.iter().any(|(field, value)| field == name && value != "null"))
        .map(|(name, value)| (name.to_owned(), quoted(value)))
        .collect();
    add_given(&mut data, given);
    raw(&data)
}

/// What was given, but for the fields that are said already.
fn add_given<'a>(data: &mut Vec<Field<'a>>, given: Vec<Field<'a>>) {
    let said = data.len();
    for (name, value) in given {
        if !data[..said].iter().any(|(field, _)| *field == name) {
            data.push((name, value));
        }
    }
}

fn is_string(fields: &[Field<'_>], name: &str) -> bool {
    fields
        .iter()
        .any(|(field, value)| field == name && value.starts_with('"'))
}

fn quoted(value: &str) -> Cow<'static, str> {
    Cow::Owned(serde_json::to_string(value).expect("a string serialises"))
}

fn raw(fields: &[Field<'_>]) -> Option<Json> {
    RawValue::from_string(fields::write(fields)).ok()
}

/// Cloud counts to a hundred; two decimals at most.
fn percent(share: f64) -> String {
    let percent = (share * 10_000.0).round() / 100.0;
    if percent.is_finite() {
        percent.to_string()
    } else {
        "0".to_owned()
    }
}
