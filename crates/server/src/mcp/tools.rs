//! The tools as clients are told of them: names, words, JSON Schemas.

use std::sync::Arc;

use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Value, json};

pub(super) const REQUEST_APPROVAL: &str = "request_approval";
pub(super) const ASK_PERSON: &str = "ask_person";
pub(super) const NOTIFY: &str = "notify";
pub(super) const PERMISSION: &str = "permission";

/// What a client may give its model to read.
pub(super) const INSTRUCTIONS: &str = "Countersign shows a person what you do and asks them before you do what needs their consent. \
    Call `request_approval` before an action that needs it, and act only when the decision is \"approve\", with the arguments that came back. \
    `ask_person` asks a question, `notify` tells something. A person may take their time.";

/// All of them.
pub(super) fn all() -> Vec<Tool> {
    vec![
        tool(
            REQUEST_APPROVAL,
            "Ask for approval",
            "Asks a person whether a tool may run, and waits for the decision. Run it only when `decision` is \"approve\", with the \
             `arguments` that come back: the person may have edited them. \"deny\" means do not run it; \"stop\" means end what you are doing.",
            json!({
                "type": "object",
                "properties": {
                    "tool_name": {"type": "string", "description": "The tool or action that is to run, such as \"bash\""},
                    "arguments": {"type": "object", "description": "What it is to run with, whole: this is what is approved"},
                    "reason": {"type": "string", "description": "Why, in a sentence"},
                    "timeout": {"type": "number", "exclusiveMinimum": 0, "description": "Seconds after which no answer is a no; without it, there is no limit"},
                },
                "required": ["tool_name", "arguments"],
            }),
            Some(json!({
                "type": "object",
                "properties": {
                    "decision": {"type": "string", "enum": ["approve", "deny", "stop"]},
                    "approved": {"type": "boolean"},
                    "message": {"type": "string"},
                    "arguments": {"type": "object"},
                },
                "required": ["decision", "approved"],
            })),
        ),
        tool(
            ASK_PERSON,
            "Ask a person",
            "Asks a person a question and waits for the answer: one of the options, several of them, or their own words.",
            json!({
                "type": "object",
                "properties": {
                    "question": {"type": "string"},
                    "options": {
                        "type": "array",
                        "items": {"anyOf": [
                            {"type": "string"},
                            {
                                "type": "object",
                                "properties": {"label": {"type": "string"}, "description": {"type": "string"}},
                                "required": ["label"],
                            },
                        ]},
                        "description": "What to choose from; the person may say something else",
                    },
                    "multi": {"type": "boolean", "description": "Whether several options may be chosen"},
                    "timeout": {"type": "number", "exclusiveMinimum": 0, "description": "Seconds to wait; without it, there is no limit"},
                },
                "required": ["question"],
            }),
            Some(json!({
                "type": "object",
                "properties": {
                    "answered": {"type": "boolean"},
                    "answer": {"type": "string"},
                    "message": {"type": "string"},
                },
                "required": ["answered"],
            })),
        ),
        tool(
            NOTIFY,
            "Tell a person",
            "Shows a person a notification. Nobody is waited for.",
            json!({
                "type": "object",
                "properties": {
                    "message": {"type": "string"},
                    "level": {"type": "string", "enum": ["info", "success", "warning", "error"]},
                },
                "required": ["message"],
            }),
            None,
        ),
        tool(
            PERMISSION,
            "Permission prompt",
            "For `claude -p --permission-prompt-tool mcp__countersign__permission`: asks a person whether a tool may run. Not for models.",
            json!({
                "type": "object",
                "properties": {
                    "tool_name": {"type": "string"},
                    "input": {"type": "object"},
                    "tool_use_id": {"type": "string"},
                },
                "required": ["tool_name", "input"],
            }),
            None,
        ),
    ]
}

fn tool(name: &'static str, title: &str, description: &'static str, input: Value, output: Option<Value>) -> Tool {
    let schema = |value: Value| match value {
        Value::Object(schema) => Arc::new(schema),
        _ => Arc::default(),
    };
    let mut tool = Tool::new(name, description, schema(input));
    tool.title = Some(title.to_owned());
    tool.output_schema = output.map(schema);
    // A question changes nothing by itself.
    tool.annotations = Some(ToolAnnotations::new().read_only(true).open_world(false));
    tool
}
