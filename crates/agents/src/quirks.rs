//! Where the vendors deviate: from each other, from their documentation, from what one would expect. Each with the version it was
//! seen in and a test; what is only a difference in form is in the codecs.

use countersign_model::{Json, empty_object, fields};
use serde_json::value::RawValue;

use crate::hook::Agent;

/// Hooks of Claude Code that Countersign does not register, and why: that they are there changes what the agent does
/// (Claude Code 2.1.197).
pub const CLAUDE_LEFT_OUT: &[(&str, &str)] = &[
    (
        "WorktreeCreate",
        "with such a hook Claude Code makes no worktree itself: the hook has to, and prints its path",
    ),
    (
        "WorktreeRemove",
        "with such a hook Claude Code takes a worktree for removed once the hook has ended well",
    ),
    (
        "FileChanged",
        "its matcher is the list of files to watch: without a list there is nothing to tell, with one Claude Code begins to watch them",
    ),
    (
        "PreModelSwitch",
        "it decides on a switch of the model, which Countersign does not; PostModelSwitch tells of each",
    ),
    (
        "MessageDisplay",
        "Claude Code holds each line of an answer back until the hook has ended, and starts one for every few lines",
    ),
];

/// The longest time-out, in seconds, that Codex takes for `SessionEnd` and `Interrupt`; a longer one is cut, with a warning
/// (Codex 0.169.0).
pub const CODEX_BRIEF_SECONDS: u32 = 3;

/// Fields that Codex reserves in the answer of a hook. One of them, and the whole answer is thrown away with an error: a deny would
/// not deny (Codex 0.169.0, `hooks/src/engine/output_parser.rs`).
pub const CODEX_RESERVED: &[&str] = &[
    "interrupt",
    "updatedInput",
    "updatedPermissions",
    "updatedMCPToolOutput",
    "continue",
    "stopReason",
    "suppressOutput",
];

/// What the call runs that a hook is about. Codex gives the question about a command a `description` (why it wants to), which the
/// call itself does not have (Codex 0.169.0).
pub(crate) fn call_arguments(agent: Agent, name: &str, arguments: Json) -> Json {
    if agent != Agent::Codex || name != "PermissionRequest" {
        return arguments;
    }
    let Ok(mut fields) = fields::read(arguments.get()) else {
        return arguments;
    };
    fields.retain(|(name, _)| name != "description");
    RawValue::from_string(fields::write(&fields)).unwrap_or_else(|_| empty_object())
}

/// Whether this is the end of the helper with which Claude Code compacts a conversation: it is told as a subagent's without a type,
/// and its beginning is not told (Claude Code 2.1.197).
pub(crate) fn is_compaction(name: &str, agent_type: Option<&str>) -> bool {
    name == "SubagentStop" && agent_type == Some("")
}

/// Whether nobody typed this prompt: Claude Code itself tells its model in one that something in the background is over
/// (Claude Code 2.1.197).
pub(crate) fn is_notification(prompt: Option<&str>) -> bool {
    prompt.is_some_and(|prompt| prompt.starts_with("<task-notification>"))
}

/// Whether the hook after a call says how the call went. Codex runs the same one after a command that failed, and gives what was
/// printed, not the exit code (Codex 0.169.0).
pub(crate) fn tells_success(agent: Agent) -> bool {
    agent != Agent::Codex
}

/// Whether a call whose end was not told has failed. Codex tells no end of a command that goes on in the background, nor of a patch
/// that it applies itself (Codex 0.169.0).
pub fn tells_every_end(agent: Agent) -> bool {
    agent != Agent::Codex
}

/// Said where nobody gave a reason: Codex counts a deny without words as no answer (Codex 0.169.0).
pub const CODEX_REASON: &str = "Denied in Countersign";

#[cfg(test)]
mod tests {
    use countersign_model::to_json;

    use super::*;
    use crate::hook::Answer;
    use crate::{claude, codex};

    fn answers(reason: &str) -> Vec<Answer> {
        let arguments: Option<Json> = Some(to_json(&serde_json::json!({"command": "ls"})));
        let mut all = vec![
            Answer::Permit {
                arguments: arguments.clone(),
                grants: vec![empty_object()],
            },
            Answer::Permit {
                arguments: None,
                grants: Vec::new(),
            },
            Answer::Allow {
                reason: reason.into(),
                arguments,
            },
            Answer::Block { reason: reason.into() },
            Answer::Halt { reason: reason.into() },
        ];
        for stop in [false, true] {
            all.push(Answer::Refuse {
                message: reason.into(),
                stop,
            });
            all.push(Answer::Deny {
                reason: reason.into(),
                stop,
            });
        }
        all
    }

    #[test]
    fn codex_is_never_sent_what_it_reserves_nor_a_deny_without_words() {
        for reason in ["", "  ", "no"] {
            for answer in answers(reason) {
                let Some(text) = Agent::Codex.encode(&answer) else {
                    continue;
                };
                for reserved in CODEX_RESERVED {
                    assert!(!text.contains(&format!("\"{reserved}\"")), "{text}");
                }
                assert!(!text.contains("\"ask\"") && !text.contains("\"approve\""), "{text}");
                if text.contains("deny") || text.contains("block") {
                    assert!(text.contains(reason.trim()) && (text.contains("Countersign") || text.contains("no")));
                }
            }
        }
    }

    #[test]
    fn no_hook_is_registered_that_changes_what_claude_does_by_being_there() {
        assert!(claude::EVENTS.iter().all(|event| !claude::is_left_out(event.name)));
        assert!(claude::is_left_out("WorktreeCreate"));
    }

    #[test]
    fn hooks_that_codex_cuts_short_do_not_wait_for_anybody() {
        for event in codex::EVENTS.iter().filter(|event| event.at_most.is_some()) {
            assert!(!event.waits, "{}", event.name);
        }
    }

    #[test]
    fn codexs_question_is_about_the_call_that_has_no_description() {
        let hook = |name: &str, input: &str| {
            let text =
                format!(r#"{{"hook_event_name":"{name}","session_id":"s","tool_name":"Bash","tool_input":{input}}}"#);
            Agent::Codex
                .decode(&text)
                .expect("a hook")
                .call_digest()
                .expect("a digest")
        };
        let call = hook("PreToolUse", r#"{"command":"ls"}"#);
        assert_eq!(
            hook("PermissionRequest", r#"{"command":"ls","description":"to see"}"#),
            call
        );
        assert_ne!(
            hook("PermissionRequest", r#"{"command":"rm","description":"to see"}"#),
            call
        );
        assert_ne!(hook("PreToolUse", r#"{"command":"ls","description":"to see"}"#), call);
    }

    #[test]
    fn the_helper_that_compacts_is_no_subagent() {
        let text = |kind: &str| {
            format!(r#"{{"hook_event_name":"SubagentStop","session_id":"s","agent_id":"a","agent_type":"{kind}"}}"#)
        };
        let helper = claude::decode(&text("")).expect("a hook");
        assert_eq!((&*helper.session, helper.parent), ("s", None));
        let subagent = claude::decode(&text("Explore")).expect("a hook");
        assert_eq!((&*subagent.session, subagent.parent.as_deref()), ("s/a", Some("s")));
    }
}
