//! What Codex gives its `notify` program as the last argument: a turn is complete. It comes beside the hooks, or without them.

use countersign_model::{Json, to_json};

use crate::hook::{self, Agent, Hook, HookError};

/// What Codex calls it.
pub(crate) const TURN_COMPLETE: &str = "agent-turn-complete";

/// Codex's names of the fields, and the hooks' names of the same (codex-rs `hooks/src/legacy_notify.rs`).
const NAMES: &[(&str, &str)] = &[
    ("thread-id", "session_id"),
    ("turn-id", "turn_id"),
    ("last-assistant-message", "last_assistant_message"),
    ("input-messages", "input_messages"),
];

/// Reads the fields of a notification.
pub(super) fn decode(fields: Vec<(String, Json)>) -> Result<Hook, HookError> {
    let Some(kind) = hook::text_of(&fields, "type")? else {
        return Err(hook::wrong(
            "hook_event_name",
            "`hook_event_name` is missing, and so is the `type` of Codex's `notify`",
        ));
    };
    let mut named: Vec<(String, Json)> = vec![("hook_event_name".into(), to_json(&kind))];
    for (name, value) in fields {
        if name == "hook_event_name" || name == "type" {
            continue;
        }
        let known = NAMES.iter().find(|(theirs, _)| *theirs == name);
        let name = known.map_or(name, |(_, ours)| (*ours).to_owned());
        if named.iter().all(|(taken, _)| *taken != name) {
            named.push((name, value));
        }
    }
    if named.iter().all(|(name, _)| name != "session_id") {
        // Versions before 0.50 named no thread.
        named.push(("session_id".into(), to_json(&"codex")));
    }
    hook::from_fields(Agent::Codex, named)
}
