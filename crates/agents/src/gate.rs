//! The policy for calls that are about to run: rules, of which the first one that fits decides. Without a rule that fits, the agent's
//! own permissions hold. Where the rules come from is others' affair.

use countersign_model::Json;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::hook::Agent;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It runs without anybody being asked; Codex asks as it would have.
    Allow,
    /// A person is asked in Countersign.
    Ask,
    /// It does not run; the agent goes on.
    Deny,
    /// It does not run, and the session is stopped until a person lifts that.
    Stop,
}

/// One rule: `[[hooks.gate]]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Only calls of this agent: `claude-code` or `codex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// Only this tool; `*` stands for any characters.
    #[serde(default = "any")]
    pub tool: String,
    /// Only where the call's command, path or address looks like that (of another tool: its arguments as JSON); `*` stands for any
    /// characters.
    #[serde(default = "any")]
    pub pattern: String,
    /// What becomes of it.
    pub decision: Decision,
    /// A word to the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

fn any() -> String {
    "*".to_owned()
}

impl Rule {
    /// Why, in words: the rule's own, or that the policy says so.
    pub fn reason(&self) -> String {
        let by = match self.decision {
            Decision::Allow | Decision::Ask => "allows this",
            Decision::Deny => "denies this",
            Decision::Stop => "stops the run here",
        };
        let message = self.message.clone().filter(|message| !message.trim().is_empty());
        message.unwrap_or_else(|| format!("The policy in Countersign's configuration {by}."))
    }
}

/// The rule for a call, if there is one.
pub fn find<'a>(rules: &'a [Rule], agent: Agent, tool: &str, arguments: &Json) -> Option<&'a Rule> {
    if rules.is_empty() {
        return None;
    }
    let about = subject(arguments);
    rules.iter().find(|rule| {
        rule.agent.is_none_or(|only| only == agent) && fits(&rule.tool, tool) && fits(&rule.pattern, &about)
    })
}

/// What a pattern is held against: what the call is about.
fn subject(arguments: &Json) -> String {
    let fields: Value = serde_json::from_str(arguments.get()).unwrap_or_default();
    ["command", "file_path", "notebook_path", "path", "url"]
        .iter()
        .find_map(|name| fields.get(*name)?.as_str().map(str::to_owned))
        .unwrap_or_else(|| fields.to_string())
}

/// Whether the whole text looks like the pattern, in which `*` stands for any characters, none included.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn patterns_hold_for_the_whole_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "x", true),
            ("git *", "git push", true),
            ("git *", "agit push", false),
            ("git", "git push", false),
            ("*rm -rf*", "cd /; rm -rf /", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "aXbYcZ", false),
            ("a*a", "a", false),
            ("", "", true),
            ("", "x", false),
            ("mcp__*__write_*", "mcp__files__write_file", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules: Vec<Rule> = serde_json::from_str(
            r#"[
                {"tool": "Bash", "pattern": "git push*", "decision": "ask"},
                {"agent": "codex", "decision": "deny", "message": "not here"},
                {"tool": "Write", "pattern": "/etc/*", "decision": "stop"},
                {"tool": "mcp__*", "pattern": "*\"force\":true*", "decision": "allow"}
            ]"#,
        )
        .expect("rules");
        let decision = |agent, tool, arguments: &str| {
            let arguments = RawValue::from_string(arguments.to_owned()).expect("JSON");
            find(&rules, agent, tool, &arguments).map(|rule| (rule.decision, rule.reason()))
        };
        let claude = |tool, arguments| decision(Agent::ClaudeCode, tool, arguments).map(|(decision, _)| decision);
        assert_eq!(claude("Bash", r#"{"command":"git push -f"}"#), Some(Decision::Ask));
        assert_eq!(claude("Bash", r#"{"command":"ls"}"#), None);
        assert_eq!(claude("Write", r#"{"file_path":"/etc/passwd"}"#), Some(Decision::Stop));
        assert_eq!(claude("mcp__x__y", r#"{"force": true}"#), Some(Decision::Allow));
        assert_eq!(claude("Read", "null"), None);
        let denied = decision(Agent::Codex, "apply_patch", r#"{"x":1}"#);
        assert_eq!(denied, Some((Decision::Deny, "not here".into())));
    }

    #[test]
    fn a_rule_says_nothing_that_is_not_known() {
        for text in [
            r#"{"tool": "Bash", "decision": "maybe"}"#,
            r#"{"tool": "Bash"}"#,
            r#"{"agent": "gemini", "decision": "ask"}"#,
            r#"{"tol": "Bash", "decision": "ask"}"#,
        ] {
            assert!(serde_json::from_str::<Rule>(text).is_err(), "{text}");
        }
    }
}
