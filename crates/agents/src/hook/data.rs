//! A hook as an event or a question: the fields that the hub and all dialects know, then everything else that the agent said, under
//! its own names. Nothing is lost and nothing is there twice.

use std::sync::Arc;

use countersign_model::{Ask, Extra, Json, NewEvent, Origin, fields, kind, to_json};
use serde_json::json;
use serde_json::value::RawValue;

use super::{Agent, Hook};
use crate::claude::grants;
use crate::codex::notify;
use crate::quirks;

/// What the hub knows of a hook beside what it says.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// When it happened (RFC 3339), for one that was delivered later.
    pub late: Option<String>,
    /// Whether the log has the call's arguments already, with its start.
    pub started: bool,
    /// The call that asks, when only one can be meant.
    pub call_id: Option<String>,
    /// What the policy said of the call.
    pub policy: Option<Json>,
    /// Whether the end of this turn is in the log already.
    pub turn_told: bool,
    /// Why a person's words did not go to the model.
    pub blocked: Option<String>,
    /// Why nobody is asked here about a call that the agent asks about.
    pub not_asked: Option<String>,
}

type Named = (&'static str, Json);

impl Hook {
    /// What happened, in the hub's word.
    fn kind(&self, about: &About) -> String {
        let known = match &*self.name {
            "SessionStart" => kind::SESSION_STARTED,
            "SessionEnd" => kind::SESSION_ENDED,
            "UserPromptSubmit" => kind::CHAT_MESSAGE,
            "PreToolUse" => kind::TOOL_CALL_START,
            "PostToolUse" | "PostToolUseFailure" => kind::TOOL_CALL_END,
            "SubagentStart" => kind::SUBAGENT_STARTED,
            "SubagentStop" if self.parent.is_some() => kind::SUBAGENT_STOPPED,
            "SubagentStop" => "compaction_agent_stopped",
            "PreCompact" => "compaction_started",
            "PostCompact" => "compaction_ended",
            "Stop" => kind::TURN_COMPLETED,
            notify::TURN_COMPLETE if !about.turn_told => kind::TURN_COMPLETED,
            "StopFailure" => kind::TURN_FAILED,
            other => return snake_case(other),
        };
        known.to_owned()
    }

    /// The event for the log.
    pub fn event(&self, about: &About) -> NewEvent {
        let (canonical, taken) = self.shape(about);
        NewEvent {
            origin: Origin::Hook,
            agent: self.agent.name().into(),
            session: Some(self.session.clone()),
            stream: None,
            kind: self.kind(about).into(),
            timestamp: about.late.as_ref().map(to_json),
            data: self.data(canonical, taken, about),
            extra: Extra::default(),
        }
    }

    /// The question that a `PermissionRequest`, or a gated `PreToolUse`, asks under that id.
    pub fn ask(&self, request_id: Arc<str>, about: &About) -> Ask {
        let tool = self.tool.clone().unwrap_or_default();
        let mut canonical: Vec<Named> = vec![
            ("request_id", to_json(&request_id)),
            ("tool_name", to_json(&tool)),
            ("arguments", self.input()),
        ];
        canonical.extend(
            self.call_id
                .iter()
                .chain(&about.call_id)
                .map(|id| ("call_id", to_json(id))),
        );
        let mut info = serde_json::Map::new();
        for name in ["agent_type", "permission_mode"] {
            info.extend(self.text(name).map(|text| (name.to_owned(), json!(text))));
        }
        info.insert("hook".into(), json!(self.name));
        // Codex runs what it asked for, and a stop cannot be told to it.
        let whole = self.agent == Agent::ClaudeCode;
        Ask {
            origin: Origin::Hook,
            agent: self.agent.name().into(),
            session: self.session.clone(),
            stream: None,
            request_id,
            tool_name: tool,
            arguments: self.input(),
            tool_info: Some(to_json(&info)),
            cwd: self.cwd.clone(),
            timeout: None,
            edits: whole,
            stops: whole,
            grants: if whole { grants::of(self) } else { Vec::new() },
            timestamp: None,
            data: self.data(canonical, &["tool_name", "tool_input", "tool_use_id"], about),
            extra: Extra::default(),
        }
    }

    /// The fields that the hub knows, and those of the hook that they stand for.
    fn shape(&self, about: &About) -> (Vec<Named>, &'static [&'static str]) {
        let mut known: Vec<Named> = Vec::new();
        let mut put = |name, value: Option<Json>| known.extend(value.map(|value| (name, value)));
        let taken: &'static [&'static str] = match &*self.name {
            "UserPromptSubmit" => {
                let own = quirks::is_notification(self.text("prompt").as_deref());
                put("sender", Some(to_json(if own { &"system" } else { &"user" })));
                put("content", self.field("prompt").cloned());
                put("blocked", about.blocked.as_ref().map(to_json));
                &["prompt"]
            }
            "PreToolUse" => {
                put("tool_name", self.field("tool_name").cloned());
                put("arguments", self.field("tool_input").cloned());
                put("call_id", self.field("tool_use_id").cloned());
                put("policy", about.policy.clone());
                &["tool_name", "tool_input", "tool_use_id"]
            }
            "PostToolUse" | "PostToolUseFailure" => {
                put("tool_name", self.field("tool_name").cloned());
                put("call_id", self.field("tool_use_id").cloned());
                let success = quirks::tells_success(self.agent).then(|| self.name == "PostToolUse");
                put("success", Some(to_json(&success)));
                if !about.started {
                    put("arguments", self.field("tool_input").cloned());
                }
                put("result", self.field("tool_response").cloned());
                put("error", self.field("error").cloned());
                put("duration", self.seconds());
                &[
                    "tool_name",
                    "tool_use_id",
                    "tool_input",
                    "tool_response",
                    "error",
                    "duration_ms",
                ]
            }
            "PermissionRequest" | "PermissionDenied" => {
                put("tool_name", self.field("tool_name").cloned());
                if !about.started {
                    put("arguments", self.field("tool_input").cloned());
                }
                put("call_id", self.field("tool_use_id").cloned());
                put("not_asked", about.not_asked.as_ref().map(to_json));
                &["tool_name", "tool_input", "tool_use_id"]
            }
            "Notification" => {
                put("message", self.field("message").cloned());
                put("level", Some(to_json(&"info")));
                &["message"]
            }
            "StopFailure" => {
                put("error", self.field("error").cloned());
                put("content", self.field("last_assistant_message").cloned());
                &["error", "last_assistant_message"]
            }
            "Stop" | "SubagentStop" | notify::TURN_COMPLETE => {
                put("content", self.field("last_assistant_message").cloned());
                &["last_assistant_message"]
            }
            _ => &[],
        };
        (known, taken)
    }

    /// `duration_ms` in seconds; what is no number stays out.
    fn seconds(&self) -> Option<Json> {
        let millis: f64 = serde_json::from_str(self.field("duration_ms")?.get()).ok()?;
        Some(to_json(&(millis / 1000.0)))
    }

    fn data(&self, mut known: Vec<Named>, taken: &[&str], about: &About) -> Json {
        known.extend(self.parent.iter().map(|parent| ("parent_session", to_json(parent))));
        if let Some(at) = &about.late {
            known.push(("late", to_json(&true)));
            known.push(("happened_at", to_json(at)));
        }
        let rest = self.fields.iter().filter(|(name, _)| !taken.contains(&&**name));
        let rest = rest.map(|(name, value)| {
            // The agent's own field of a name that the hub has given a meaning.
            let clash = known.iter().any(|(known, _)| known == name);
            let name = if clash { format!("hook_{name}") } else { name.clone() };
            (name, value.get().into())
        });
        let fields: Vec<fields::Field<'_>> = known
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.get().into()))
            .chain(rest)
            .collect();
        RawValue::from_string(fields::write(&fields)).expect("fields of JSON make a JSON object")
    }
}

/// `PostToolBatch` as `post_tool_batch`. A kind that is the hub's alone gets a prefix: no hook passes for the hub's word.
pub(crate) fn snake_case(name: &str) -> String {
    let mut kind = String::new();
    let mut before = ' ';
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let next_is_small = letters.peek().is_some_and(char::is_ascii_lowercase);
        let begins = letter.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && next_is_small));
        if begins {
            kind.push('_');
        }
        match letter {
            'A'..='Z' => kind.push(letter.to_ascii_lowercase()),
            'a'..='z' | '0'..='9' | '_' => kind.push(letter),
            _ => kind.push('_'),
        }
        before = letter;
    }
    kind.truncate(120);
    if kind::is_reserved(&kind) {
        kind.insert_str(0, "hook_");
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_kinds_and_none_passes_for_the_hubs() {
        for (name, kind) in [
            ("PostToolBatch", "post_tool_batch"),
            ("MCPServerUp", "mcp_server_up"),
            ("TeammateIdle", "teammate_idle"),
            ("agent-turn-complete", "agent_turn_complete"),
            ("SessionStopped", "hook_session_stopped"),
            ("RuleCreated", "hook_rule_created"),
            ("ApprovalRequest", "hook_approval_request"),
            ("approval_response", "hook_approval_response"),
            ("Stöp", "st_p"),
        ] {
            assert_eq!(snake_case(name), kind);
        }
    }
}
