//! What came of a call, as its client is told. Nothing but an approval says that anything may run.

use countersign_model::{Approval, Status, Verdict};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

use super::desk::{Question, Trouble};
use super::tools;

/// A tool's failure: the model reads it.
pub(super) fn failed(error: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(error)])
}

impl From<Trouble> for CallToolResult {
    fn from(trouble: Trouble) -> Self {
        failed(&trouble.to_string())
    }
}

/// A person was told.
pub(super) fn told() -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text("told")])
}

/// The decision on a question of the tool of that name.
pub(super) fn decided(tool: &str, question: &Question, approval: &Approval) -> CallToolResult {
    match tool {
        tools::PERMISSION => {
            CallToolResult::success(vec![ContentBlock::text(permission(question, approval).to_string())])
        }
        tools::ASK_PERSON => structured(answer(question, approval)),
        _ => structured(decision(question, approval)),
    }
}

/// As text too: not every client reads `structuredContent`.
fn structured(value: Value) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(value.to_string())]);
    result.structured_content = Some(value);
    result
}

fn verdict(approval: &Approval) -> Verdict {
    match (approval.status, &approval.decision) {
        (Status::Approved, Some(decision)) if decision.decision == Verdict::Approve => Verdict::Approve,
        (Status::Stopped, _) => Verdict::Stop,
        _ => Verdict::Deny,
    }
}

/// Why, in the person's words, or the hub's.
fn message(approval: &Approval) -> Option<&str> {
    let message = approval.decision.as_ref()?.message.as_deref();
    message.filter(|message| !message.is_empty())
}

/// What may run: what was asked for, or what the person made of it.
fn runs(question: &Question, approval: &Approval) -> Value {
    let edited = approval
        .decision
        .as_ref()
        .and_then(|decision| decision.arguments.as_ref());
    let arguments = edited.unwrap_or(&question.arguments);
    serde_json::from_str(arguments.get()).unwrap_or_default()
}

fn decision(question: &Question, approval: &Approval) -> Value {
    let verdict = verdict(approval);
    let mut value = json!({ "decision": verdict, "approved": verdict == Verdict::Approve });
    if let Some(message) = message(approval) {
        value["message"] = message.into();
    }
    if verdict == Verdict::Approve {
        value["arguments"] = runs(question, approval);
    }
    value
}

fn answer(question: &Question, approval: &Approval) -> Value {
    let none = |why: &str| json!({ "answered": false, "message": message(approval).unwrap_or(why) });
    match verdict(approval) {
        Verdict::Approve => {}
        Verdict::Stop => return none("the person stopped this session: end what you are doing"),
        Verdict::Deny => return none("the person does not want to answer"),
    }
    let arguments = runs(question, approval);
    let asked = arguments["questions"][0]["question"].as_str().unwrap_or_default();
    match arguments["answers"][asked].as_str().or(message(approval)) {
        Some(answer) => json!({ "answered": true, "answer": answer }),
        None => none("the question was taken note of, without an answer"),
    }
}

/// What `claude --permission-prompt-tool` takes.
fn permission(question: &Question, approval: &Approval) -> Value {
    let refused = |why: &str| message(approval).unwrap_or(why).to_owned();
    match verdict(approval) {
        Verdict::Approve => json!({ "behavior": "allow", "updatedInput": runs(question, approval) }),
        Verdict::Deny => json!({ "behavior": "deny", "message": refused("denied in Countersign") }),
        Verdict::Stop => json!({
            "behavior": "deny",
            "message": refused("stopped in Countersign: end what you are doing"),
            "interrupt": true,
        }),
    }
}
