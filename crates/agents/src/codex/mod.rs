//! Codex's hooks (developers.openai.com/codex/hooks; the shapes as in version 0.169.0): Claude's names and JSON, with limits of
//! their own. Beside them `notify`, and the lines of `codex exec --json`.

mod answer;
pub mod exec;
pub(crate) mod notify;

pub use answer::encode;

use crate::claude::Event;
use crate::hook::{Agent, Hook, HookError};
use crate::{hook, quirks};

const fn event(name: &'static str, matcher: bool) -> Event {
    Event {
        name,
        waits: false,
        matcher,
        http: false,
        at_most: None,
        since: "",
    }
}

const fn waits(name: &'static str) -> Event {
    Event {
        waits: true,
        ..event(name, true)
    }
}

const fn brief(name: &'static str) -> Event {
    Event {
        at_most: Some(quirks::CODEX_BRIEF_SECONDS),
        ..event(name, false)
    }
}

/// The events to register for.
pub const EVENTS: &[Event] = &[
    event("SessionStart", true),
    event("UserPromptSubmit", false),
    waits("PreToolUse"),
    waits("PermissionRequest"),
    event("PostToolUse", true),
    event("PreCompact", true),
    event("PostCompact", true),
    event("SubagentStart", true),
    event("SubagentStop", true),
    event("Stop", false),
    brief("Interrupt"),
    brief("SessionEnd"),
];

/// Reads what Codex gave its hook, or its `notify` program.
///
/// # Errors
/// When it is neither.
pub fn decode(text: &str) -> Result<Hook, HookError> {
    let fields = hook::object(text)?;
    if fields.iter().any(|(name, _)| name == "hook_event_name") {
        return hook::from_fields(Agent::Codex, fields);
    }
    notify::decode(fields)
}
