//! The policy for calls that are about to run: rules of the configuration, the first one that fits decides. Without a rule that fits,
//! the agent's own permissions hold.

use countersign_agents::absent::WhenAbsent;
use countersign_agents::hook::Hook;
use countersign_model::{Json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GateDecision {
    /// It runs without anybody being asked; Codex asks as it would have.
    Allow,
    /// A person is asked in Countersign.
    Ask,
    /// It does not run; the agent goes on.
    Deny,
    /// It does not run, and the session is stopped until a person lifts that.
    Stop,
}

/// The configuration's part `[hooks]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HooksConfig {
    /// What `countersign hook` answers to a question while no hub is there.
    pub when_absent: WhenAbsent,
    /// The policy for calls that are about to run.
    pub gate: Vec<GateRule>,
}

/// One rule: `[[hooks.gate]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateRule {
    /// Only calls of this agent: `claude-code` or `codex`.
    pub agent: Option<String>,
    /// Only this tool; `*` stands for any characters.
    #[serde(default = "any")]
    pub tool: String,
    /// Only where the call's command, path or address looks like that (of another tool: its arguments as JSON); `*` stands for any
    /// characters.
    #[serde(default = "any")]
    pub pattern: String,
    /// What becomes of it.
    pub decision: GateDecision,
    /// A word to the agent.
    pub message: Option<String>,
}

fn any() -> String {
    "*".to_owned()
}

/// What a rule says of a call.
#[derive(Clone, Debug)]
pub(super) struct Ruling {
    pub(super) decision: GateDecision,
    pub(super) reason: String,
    /// The rule as the event names it.
    pub(super) named: Json,
}

/// The ruling on a call, if there is one.
pub(super) fn rule(gate: &[GateRule], hook: &Hook) -> Option<Ruling> {
    let tool = hook.tool.as_deref()?;
    let about = subject(hook);
    let rule = gate.iter().find(|rule| {
        rule.agent.as_deref().is_none_or(|agent| agent == hook.agent.name())
            && fits(&rule.tool, tool)
            && fits(&rule.pattern, &about)
    })?;
    #[derive(Serialize)]
    struct Named<'a> {
        decision: GateDecision,
        tool: &'a str,
        pattern: &'a str,
    }
    let named = to_json(&Named {
        decision: rule.decision,
        tool: &rule.tool,
        pattern: &rule.pattern,
    });
    let by = match rule.decision {
        GateDecision::Allow | GateDecision::Ask => "allows this",
        GateDecision::Deny => "denies this",
        GateDecision::Stop => "stops the run here",
    };
    let reason = rule
        .message
        .clone()
        .filter(|message| !message.trim().is_empty())
        .unwrap_or_else(|| format!("The policy in Countersign's configuration {by}."));
    Some(Ruling {
        decision: rule.decision,
        reason,
        named,
    })
}

/// What a pattern is held against: what the call is about.
fn subject(hook: &Hook) -> String {
    let input = hook.input();
    let fields: Value = serde_json::from_str(input.get()).unwrap_or_default();
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
    use countersign_agents::hook::Agent;

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
        let gate: Vec<GateRule> = toml::from_str::<toml::Table>(
            r#"
            [[gate]]
            tool = "Bash"
            pattern = "git push*"
            decision = "ask"
            [[gate]]
            agent = "codex"
            decision = "deny"
            message = "not here"
            [[gate]]
            tool = "Write"
            pattern = "/etc/*"
            decision = "stop"
            "#,
        )
        .expect("TOML")["gate"]
            .clone()
            .try_into()
            .expect("rules");
        let ruling = |agent: Agent, tool: &str, input: &str| {
            let text = format!(
                r#"{{"hook_event_name":"PreToolUse","session_id":"s","tool_name":"{tool}","tool_input":{input},"tool_use_id":"1"}}"#
            );
            rule(&gate, &agent.decode(&text).expect("a hook")).map(|ruling| (ruling.decision, ruling.reason))
        };
        let decision = |agent, tool, input| ruling(agent, tool, input).map(|(decision, _)| decision);
        let claude = Agent::ClaudeCode;
        assert_eq!(
            decision(claude, "Bash", r#"{"command":"git push -f"}"#),
            Some(GateDecision::Ask)
        );
        assert_eq!(decision(claude, "Bash", r#"{"command":"ls"}"#), None);
        assert_eq!(
            decision(claude, "Write", r#"{"file_path":"/etc/passwd"}"#),
            Some(GateDecision::Stop)
        );
        let denied = ruling(Agent::Codex, "apply_patch", r#"{"x":1}"#);
        assert_eq!(denied, Some((GateDecision::Deny, "not here".into())));
    }
}
