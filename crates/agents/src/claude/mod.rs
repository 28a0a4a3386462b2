//! Claude Code's hooks (code.claude.com/docs/en/hooks; the shapes as in version 2.1.197): which there are, and what is answered.

mod answer;
pub(crate) mod grants;

pub use answer::encode;

use crate::hook::{Agent, Hook, HookError};
use crate::quirks;

/// An event that a hook can be registered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The agent's name for it.
    pub name: &'static str,
    /// Whether its answer may take as long as a person does: the time-out must be long.
    pub waits: bool,
    /// Whether it takes a matcher.
    pub matcher: bool,
    /// Whether it may be an HTTP hook.
    pub http: bool,
    /// The longest time-out that the agent takes, in seconds, where that is short.
    pub at_most: Option<u32>,
}

const fn tells(name: &'static str, matcher: bool) -> Event {
    Event {
        name,
        waits: false,
        matcher,
        http: true,
        at_most: None,
    }
}

const fn waits(name: &'static str) -> Event {
    Event {
        waits: true,
        ..tells(name, true)
    }
}

const fn command_only(name: &'static str) -> Event {
    Event {
        http: false,
        ..tells(name, true)
    }
}

/// The events to register for. Those whose hook would change what Claude Code does by being there are left out:
/// [`quirks::CLAUDE_LEFT_OUT`] names them, and why.
pub const EVENTS: &[Event] = &[
    command_only("SessionStart"),
    command_only("Setup"),
    tells("InstructionsLoaded", true),
    tells("UserPromptSubmit", false),
    tells("UserPromptExpansion", true),
    waits("PreToolUse"),
    waits("PermissionRequest"),
    tells("PermissionDenied", true),
    tells("PostToolUse", true),
    tells("PostToolUseFailure", true),
    tells("PostToolBatch", false),
    tells("Notification", true),
    tells("SubagentStart", true),
    tells("SubagentStop", true),
    tells("TeammateIdle", false),
    tells("TaskCreated", false),
    tells("TaskCompleted", false),
    tells("PreCompact", true),
    tells("PostCompact", true),
    tells("Elicitation", true),
    tells("ElicitationResult", true),
    tells("ConfigChange", true),
    tells("CwdChanged", false),
    tells("Stop", false),
    tells("StopFailure", true),
    tells("SessionEnd", true),
];

/// Whether a hook of this name is left alone by `connect`.
pub fn is_left_out(name: &str) -> bool {
    quirks::CLAUDE_LEFT_OUT.iter().any(|(left_out, _)| *left_out == name)
}

/// Reads what Claude Code gave its hook.
///
/// # Errors
/// When it is no hook.
pub fn decode(text: &str) -> Result<Hook, HookError> {
    Agent::ClaudeCode.decode(text)
}
