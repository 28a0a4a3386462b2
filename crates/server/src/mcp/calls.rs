//! What a tool is called with, as a question or a note. What does not fit is an error that names the field.

use countersign_dialects::limits::{MAX_MESSAGE, MAX_NAME};
use countersign_model::{Json, to_json};
use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::desk::{Caller, Note, Question};
use super::tools;

/// Options of one question at most.
const MAX_OPTIONS: usize = 100;
/// A year, as elsewhere.
const MAX_TIMEOUT: f64 = 31_536_000.0;

/// A call that makes sense.
#[derive(Debug)]
pub(super) enum Call {
    Ask(Box<Question>),
    Tell(Note),
}

/// Reads a call of the tool of that name.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(name: &str, given: &JsonObject, caller: Caller, request_id: &str) -> Result<Call, String> {
    let question = |tool_name: &str, arguments: Json, info: Value, reason: Option<String>, timeout, stops| {
        Ok(Call::Ask(Box::new(Question {
            request_id: request_id.to_owned(),
            agent: caller.agent.clone(),
            session: caller.session.clone(),
            tool_name: tool_name.to_owned(),
            arguments,
            tool_info: to_json(&info),
            cwd: None,
            reason,
            timeout,
            stops,
        })))
    };
    match name {
        tools::REQUEST_APPROVAL => {
            let tool_name = required(given, "tool_name", MAX_NAME)?;
            let arguments = object(given, "arguments")?;
            let reason = text(given, "reason", MAX_MESSAGE)?.map(str::to_owned);
            let info = json!({ "mcp": name });
            question(tool_name, to_json(arguments), info, reason, timeout(given)?, true)
        }
        tools::ASK_PERSON => {
            let asked = required(given, "question", MAX_MESSAGE)?;
            let arguments = json!({"questions": [{
                "question": asked,
                "header": "Question",
                "options": options(given.get("options"))?,
                "multiSelect": flag(given, "multi")?,
            }]});
            let info = json!({ "mcp": name });
            question(
                "AskUserQuestion",
                to_json(&arguments),
                info,
                None,
                timeout(given)?,
                false,
            )
        }
        tools::PERMISSION => {
            let tool_name = required(given, "tool_name", MAX_NAME)?;
            let input = object(given, "input")?;
            let mut info = json!({ "mcp": name });
            if let Some(call) = text(given, "tool_use_id", MAX_NAME)? {
                info["call_id"] = call.into();
            }
            question(tool_name, to_json(input), info, None, None, true)
        }
        tools::NOTIFY => {
            let level = text(given, "level", MAX_NAME)?.unwrap_or("info");
            if !["info", "success", "warning", "error"].contains(&level) {
                return Err("`level` is info, success, warning or error".to_owned());
            }
            Ok(Call::Tell(Note {
                agent: caller.agent,
                session: caller.session,
                message: required(given, "message", MAX_MESSAGE)?.to_owned(),
                level: level.to_owned(),
            }))
        }
        _ => Err(format!("there is no tool {name:?} here")),
    }
}

fn text<'a>(given: &'a JsonObject, name: &str, limit: usize) -> Result<Option<&'a str>, String> {
    match given.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= limit => Ok(Some(text)),
        Some(Value::String(_)) => Err(format!("`{name}` is longer than {limit} bytes")),
        Some(_) => Err(format!("`{name}` must be a string")),
    }
}

fn required<'a>(given: &'a JsonObject, name: &str, limit: usize) -> Result<&'a str, String> {
    text(given, name, limit)?
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| format!("`{name}` is missing"))
}

fn object<'a>(given: &'a JsonObject, name: &str) -> Result<&'a Value, String> {
    match given.get(name) {
        Some(value @ Value::Object(_)) => Ok(value),
        Some(_) => Err(format!("`{name}` must be an object")),
        None => Err(format!("`{name}` is missing: an object, which may be empty")),
    }
}

fn flag(given: &JsonObject, name: &str) -> Result<bool, String> {
    match given.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(format!("`{name}` must be true or false")),
    }
}

fn timeout(given: &JsonObject) -> Result<Option<i64>, String> {
    match given.get("timeout") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64() {
            Some(seconds) if seconds > 0.0 && seconds <= MAX_TIMEOUT => Ok(Some(seconds.ceil() as i64)),
            _ => Err("`timeout` is a number of seconds, more than 0, up to a year".to_owned()),
        },
    }
}

/// As Claude Code's `AskUserQuestion` has them.
fn options(given: Option<&Value>) -> Result<Vec<Value>, String> {
    let list = match given {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= MAX_OPTIONS => list,
        Some(Value::Array(_)) => return Err(format!("`options` has more than {MAX_OPTIONS}")),
        Some(_) => return Err("`options` must be a list".to_owned()),
    };
    let mut labels = Vec::new();
    list.iter()
        .map(|option| {
            let label = option.as_str().or(option["label"].as_str()).unwrap_or_default();
            if label.trim().is_empty() {
                return Err("an option is a string, or an object with `label` and `description`".to_owned());
            }
            if labels.contains(&label) {
                return Err(format!("the option {label:?} is there twice"));
            }
            labels.push(label);
            let description = option["description"].as_str().unwrap_or_default();
            Ok(json!({ "label": label, "description": description }))
        })
        .collect()
}
