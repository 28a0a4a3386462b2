//! What an agent is told when no hub is there to be asked. Whoever asks finds out that none is; nothing here reads or waits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::hook::{Agent, Answer};

/// What a question is answered with while no hub is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenAbsent {
    /// The agent asks in its own way: nothing is said to its question. A call that it would not ask about, and the policy does, it is
    /// told to ask about; Codex, which cannot be told so, does not run it.
    #[default]
    Ask,
    /// No.
    Deny,
    /// Yes, with nobody asked.
    Allow,
}

impl FromStr for WhenAbsent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ask" => Ok(Self::Ask),
            "deny" => Ok(Self::Deny),
            "allow" => Ok(Self::Allow),
            _ => Err(format!("must be ask, deny or allow, not {text:?}")),
        }
    }
}

impl fmt::Display for WhenAbsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ask => "ask",
            Self::Deny => "deny",
            Self::Allow => "allow",
        })
    }
}

/// What an agent's program for hooks prints for a question that no hub answers; `None` is nothing. A `PreToolUse` is a question
/// where the policy asks a person.
pub fn answer(agent: Agent, event: &str, policy: WhenAbsent, message: &str) -> Option<String> {
    let answer = match (event, policy) {
        ("PermissionRequest", WhenAbsent::Deny) => Answer::Refuse {
            message: message.to_owned(),
            stop: false,
        },
        ("PermissionRequest", WhenAbsent::Allow) => Answer::Permit {
            arguments: None,
            grants: Vec::new(),
        },
        ("PreToolUse", WhenAbsent::Ask) => Answer::Ask {
            reason: message.to_owned(),
        },
        ("PreToolUse", WhenAbsent::Deny) => Answer::Deny {
            reason: message.to_owned(),
            stop: false,
        },
        ("PreToolUse", WhenAbsent::Allow) => Answer::Allow {
            reason: message.to_owned(),
            arguments: None,
        },
        _ => return None,
    };
    agent.encode(&answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(agent: Agent, event: &str, policy: WhenAbsent, expect: Option<&str>) {
        assert_eq!(
            answer(agent, event, policy, "why").as_deref(),
            expect,
            "{agent:?} {event} {policy}"
        );
    }

    #[test]
    fn ask_leaves_it_to_the_agent() {
        for event in ["PermissionRequest", "PostToolUse", "Stop"] {
            check(Agent::ClaudeCode, event, WhenAbsent::Ask, None);
        }
        let told = |decision: &str| {
            format!(
                r#"{{"hookSpecificOutput":{{"hookEventName":"PreToolUse","permissionDecision":"{decision}","permissionDecisionReason":"why"}}}}"#
            )
        };
        check(Agent::ClaudeCode, "PreToolUse", WhenAbsent::Ask, Some(&told("ask")));
        check(Agent::Codex, "PreToolUse", WhenAbsent::Ask, Some(&told("deny")));
    }

    #[test]
    fn deny_and_allow_are_said_in_the_agents_own_words() {
        let permission = |decision: &str| {
            format!(r#"{{"hookSpecificOutput":{{"hookEventName":"PermissionRequest","decision":{decision}}}}}"#)
        };
        let deny = permission(r#"{"behavior":"deny","message":"why"}"#);
        let allow = permission(r#"{"behavior":"allow"}"#);
        for agent in Agent::ALL {
            check(agent, "PermissionRequest", WhenAbsent::Deny, Some(&deny));
            check(agent, "PermissionRequest", WhenAbsent::Allow, Some(&allow));
            let no = r#"{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"why"}}"#;
            check(agent, "PreToolUse", WhenAbsent::Deny, Some(no));
        }
        check(Agent::Codex, "PreToolUse", WhenAbsent::Allow, None);
    }

    #[test]
    fn what_only_observes_is_never_answered() {
        for policy in [WhenAbsent::Deny, WhenAbsent::Allow] {
            check(Agent::ClaudeCode, "PostToolUse", policy, None);
            check(Agent::Codex, "Stop", policy, None);
        }
    }

    #[test]
    fn a_policy_is_one_of_three() {
        for policy in [WhenAbsent::Ask, WhenAbsent::Deny, WhenAbsent::Allow] {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert!("Allow".parse::<WhenAbsent>().is_err() && "".parse::<WhenAbsent>().is_err());
    }
}
