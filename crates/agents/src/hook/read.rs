//! The JSON of a hook, field by field. What is not understood is kept; only what the hub cannot do without is asked for.

use std::collections::HashSet;
use std::sync::Arc;

use countersign_model::canonical::{MAX_DEPTH, too_deep};
use countersign_model::{Json, fields};
use serde_json::value::RawValue;

use super::{Agent, Hook, Phase};
use crate::codex::notify;
use crate::quirks;

/// Bytes of a session's, tool's or call's name: as for every other peer.
const MAX_NAME: usize = 256;
/// Claude Code's `notification_type` once it has waited for its person for a minute: whatever turn there was is over.
const IDLE: &str = "idle_prompt";

/// How the ids of sessions begin that `doctor` starts; twelve hexadecimal digits make a UUID of it.
pub const PROBE_SESSIONS: &str = "c0de51c0-0000-4000-8000-";
const PROBE: &str = "Probe";

/// What came is no hook; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct HookError {
    /// What is wrong and what to do.
    pub error: String,
    /// Which field, where it is one.
    pub field: Option<&'static str>,
}

pub(crate) fn wrong(field: &'static str, error: impl Into<String>) -> HookError {
    HookError {
        error: error.into(),
        field: Some(field),
    }
}

/// The fields of the object that an agent gave; a name that is there twice would mean one thing here and another there.
pub(crate) fn object(text: &str) -> Result<Vec<(String, Json)>, HookError> {
    let bad = |error: String| HookError { error, field: None };
    if too_deep(text.as_bytes()) {
        return Err(bad(format!("nested deeper than {MAX_DEPTH} levels")));
    }
    let read = fields::read(text).map_err(|error| bad(format!("a hook is one JSON object: {error}")))?;
    let mut names = HashSet::new();
    if let Some((twice, _)) = read.iter().find(|(name, _)| !names.insert(name.clone())) {
        return Err(bad(format!("`{twice}` is given twice")));
    }
    read.into_iter()
        .map(|(name, value)| match RawValue::from_string(value.into_owned()) {
            Ok(value) => Ok((name, value)),
            Err(error) => Err(bad(format!("`{name}` cannot be read: {error}"))),
        })
        .collect()
}

/// A field that is text, and what is wrong with it if it is not.
pub(crate) fn text_of(fields: &[(String, Json)], name: &'static str) -> Result<Option<String>, HookError> {
    let Some((_, value)) = fields.iter().find(|(field, _)| field == name) else {
        return Ok(None);
    };
    serde_json::from_str::<Option<String>>(value.get()).map_err(|_| wrong(name, format!("`{name}` must be a string")))
}

/// A name: text that is there, is not too long, and has no control characters.
pub(crate) fn name_of(fields: &[(String, Json)], name: &'static str) -> Result<Option<String>, HookError> {
    let text = text_of(fields, name)?.filter(|text| !text.is_empty());
    match &text {
        Some(text) if text.len() > MAX_NAME => Err(wrong(name, format!("`{name}` is longer than {MAX_NAME} bytes"))),
        Some(text) if text.chars().any(char::is_control) => {
            Err(wrong(name, format!("`{name}` has control characters")))
        }
        _ => Ok(text),
    }
}

/// Reads a hook that names itself with `hook_event_name`.
pub(crate) fn hook(agent: Agent, text: &str) -> Result<Hook, HookError> {
    from_fields(agent, object(text)?)
}

pub(crate) fn from_fields(agent: Agent, fields: Vec<(String, Json)>) -> Result<Hook, HookError> {
    let name = name_of(&fields, "hook_event_name")?.ok_or_else(|| {
        wrong(
            "hook_event_name",
            "`hook_event_name` is missing: a hook's JSON says what happened, such as \"PreToolUse\"",
        )
    })?;
    let own = name_of(&fields, "session_id")?
        .ok_or_else(|| wrong("session_id", "`session_id` is missing: the agent's session"))?;
    let name = if is_probe(agent, &name, &own) {
        PROBE.to_owned()
    } else {
        name
    };
    let compacts = quirks::is_compaction(&name, text_of(&fields, "agent_type")?.as_deref());
    let child = name_of(&fields, "agent_id")?.filter(|_| !compacts);
    let (session, parent): (Arc<str>, _) = match child {
        Some(child) => (format!("{own}/{child}").into(), Some(own.into())),
        None => (own.into(), None),
    };
    if session.len() > MAX_NAME {
        return Err(wrong(
            "agent_id",
            format!("`session_id` and `agent_id` are together longer than {MAX_NAME} bytes"),
        ));
    }
    let idle = name == "Notification" && text_of(&fields, "notification_type")?.as_deref() == Some(IDLE);
    let phase = match () {
        () if compacts => Phase::Tells,
        () if idle => Phase::TurnOver,
        () => phase_of(&name),
    };
    let tool = name_of(&fields, "tool_name")?;
    if tool.is_none() && matches!(phase, Phase::Permission | Phase::BeforeTool) {
        return Err(wrong("tool_name", "`tool_name` is missing: the tool that is to run"));
    }
    let given = |name: &str| {
        let (_, value) = fields.iter().find(|(field, _)| field == name)?;
        (value.get() != "null").then(|| value.clone())
    };
    Ok(Hook {
        agent,
        phase,
        session,
        parent,
        tool,
        arguments: given("tool_input"),
        call_id: name_of(&fields, "tool_use_id")?,
        cwd: text_of(&fields, "cwd")?,
        turn: text_of(&fields, "turn_id")?.filter(|turn| turn.len() <= MAX_NAME),
        name,
        fields,
    })
}

/// Whether this is from a session that was only started to see whether its hooks arrive. What could matter to anybody is never taken
/// for that, whatever its session is called.
fn is_probe(agent: Agent, name: &str, session: &str) -> bool {
    agent == Agent::ClaudeCode
        && session.starts_with(PROBE_SESSIONS)
        && matches!(
            name,
            "Setup" | "SessionStart" | "SessionEnd" | "InstructionsLoaded" | "ConfigChange"
        )
}

fn phase_of(name: &str) -> Phase {
    match name {
        "UserPromptSubmit" => Phase::Prompt,
        "PreToolUse" => Phase::BeforeTool,
        "PermissionRequest" => Phase::Permission,
        "PostToolUse" | "PostToolUseFailure" | "PermissionDenied" => Phase::AfterTool,
        "PostToolBatch" => Phase::AfterBatch,
        "Stop" | "StopFailure" | "SubagentStop" | "Interrupt" | notify::TURN_COMPLETE => Phase::TurnOver,
        "SessionEnd" => Phase::SessionOver,
        _ => Phase::Tells,
    }
}
