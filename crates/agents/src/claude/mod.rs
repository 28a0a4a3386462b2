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
    /// The first version that is sure to know it: one that does not may pass over the whole settings file for its name.
    pub since: &'static str,
}

const fn tells(name: &'static str, matcher: bool) -> Event {
    Event {
        name,
        waits: false,
        matcher,
        http: true,
        at_most: None,
        since: "",
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

const fn since(since: &'static str, event: Event) -> Event {
    Event { since, ..event }
}

/// The events to register for; the versions are those of Claude Code's changelog, those of `PostToolBatch` and `UserPromptExpansion`,
/// which it does not tell, later than 2.1.100, which was tried and knows neither; those of the last two the one in which they were tried. Those whose hook would change what Claude Code does by being there are left out:
/// [`quirks::CLAUDE_LEFT_OUT`] names them, and why.
pub const EVENTS: &[Event] = &[
    command_only("SessionStart"),
    since("2.1.10", command_only("Setup")),
    since("2.1.69", tells("InstructionsLoaded", true)),
    tells("UserPromptSubmit", false),
    since("2.1.152", tells("UserPromptExpansion", true)),
    waits("PreToolUse"),
    waits("PermissionRequest"),
    since("2.1.89", tells("PermissionDenied", true)),
    tells("PostToolUse", true),
    since("2.1.33", tells("PostToolUseFailure", true)),
    since("2.1.152", tells("PostToolBatch", false)),
    tells("Notification", true),
    tells("SubagentStart", true),
    tells("SubagentStop", true),
    since("2.1.33", tells("TeammateIdle", false)),
    since("2.1.84", tells("TaskCreated", false)),
    since("2.1.33", tells("TaskCompleted", false)),
    tells("PreCompact", true),
    since("2.1.76", tells("PostCompact", true)),
    since("2.1.76", tells("Elicitation", true)),
    since("2.1.76", tells("ElicitationResult", true)),
    since("2.1.49", tells("ConfigChange", true)),
    since("2.1.83", tells("CwdChanged", false)),
    since("2.1.330", tells("DirectoryAdded", false)),
    since("2.1.330", tells("PostModelSwitch", false)),
    tells("Stop", false),
    since("2.1.78", tells("StopFailure", true)),
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
