//! What a hook of Codex prints: allow or deny, and nothing else. A field that Codex reserves makes it throw the whole answer away,
//! so none is ever sent; see [`crate::quirks`].

use serde_json::{Value, json};

use crate::hook::Answer;
use crate::quirks;

/// The answer as Codex reads it on a hook's standard output.
pub fn encode(answer: &Answer) -> Option<String> {
    let output = match answer {
        Answer::Permit { .. } => permission(&json!({"behavior": "allow"})),
        Answer::Refuse { message, .. } => permission(&json!({"behavior": "deny", "message": said(message)})),
        // Codex takes no plain "allow" here; it asks as it would have, and that question is answered.
        Answer::Allow { .. } => return None,
        // It takes no "ask" either, and what a person is to be asked about must not run because of that.
        Answer::Ask { reason } | Answer::Deny { reason, .. } => json!({"hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": said(reason),
        }}),
        Answer::Block { reason } => json!({"decision": "block", "reason": said(reason)}),
        // A call that has run is told to the model as it was; the next one is denied.
        Answer::Halt { .. } => return None,
    };
    Some(output.to_string())
}

fn permission(decision: &Value) -> Value {
    json!({"hookSpecificOutput": {"hookEventName": "PermissionRequest", "decision": decision}})
}

/// A reason that Codex takes: a deny without words would not count.
fn said(reason: &str) -> &str {
    if reason.trim().is_empty() {
        quirks::CODEX_REASON
    } else {
        reason
    }
}
