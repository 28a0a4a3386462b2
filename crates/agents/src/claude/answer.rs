//! What a hook of Claude Code prints. Where there is nothing to say it prints nothing, and Claude Code goes on as without it.

use countersign_model::Json;
use serde::Serialize;

use crate::hook::Answer;

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    r#continue: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hook_specific_output: Option<Specific<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "hookEventName")]
enum Specific<'a> {
    PermissionRequest {
        decision: Permission<'a>,
    },
    #[serde(rename_all = "camelCase")]
    PreToolUse {
        permission_decision: &'static str,
        permission_decision_reason: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        updated_input: Option<&'a Json>,
    },
}

#[derive(Serialize)]
#[serde(tag = "behavior", rename_all = "lowercase")]
enum Permission<'a> {
    #[serde(rename_all = "camelCase")]
    Allow {
        #[serde(skip_serializing_if = "Option::is_none")]
        updated_input: Option<&'a Json>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        updated_permissions: &'a [Json],
    },
    Deny {
        message: &'a str,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        interrupt: bool,
    },
}

/// The answer as Claude Code reads it on a hook's standard output, or in the body of an HTTP hook.
pub fn encode(answer: &Answer) -> Option<String> {
    let output = match answer {
        Answer::Permit { arguments, grants } => Output {
            hook_specific_output: Some(Specific::PermissionRequest {
                decision: Permission::Allow {
                    updated_input: arguments.as_ref(),
                    updated_permissions: grants,
                },
            }),
            ..Output::default()
        },
        Answer::Refuse { message, stop } => Output {
            hook_specific_output: Some(Specific::PermissionRequest {
                decision: Permission::Deny {
                    message,
                    interrupt: *stop,
                },
            }),
            ..Output::default()
        },
        Answer::Allow { reason, arguments } => Output {
            hook_specific_output: Some(before_tool("allow", reason, arguments.as_ref())),
            ..Output::default()
        },
        Answer::Ask { reason } => Output {
            hook_specific_output: Some(before_tool("ask", reason, None)),
            ..Output::default()
        },
        Answer::Deny { reason, stop } => Output {
            r#continue: stop.then_some(false),
            stop_reason: stop.then_some(reason),
            hook_specific_output: Some(before_tool("deny", reason, None)),
            ..Output::default()
        },
        Answer::Block { reason } => Output {
            decision: Some("block"),
            reason: Some(reason),
            ..Output::default()
        },
        Answer::Halt { reason } => Output {
            r#continue: Some(false),
            stop_reason: Some(reason),
            ..Output::default()
        },
    };
    serde_json::to_string(&output).ok()
}

fn before_tool<'a>(decision: &'static str, reason: &'a str, arguments: Option<&'a Json>) -> Specific<'a> {
    Specific::PreToolUse {
        permission_decision: decision,
        permission_decision_reason: reason,
        updated_input: arguments,
    }
}
