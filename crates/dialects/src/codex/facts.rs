//! What a session's messages say in the hub's kinds, so that the window, figures and other dialects understand them.

use std::borrow::Cow;
use std::sync::Arc;

use countersign_model::canonical::too_deep;
use countersign_model::{Ask, Extra, Json, Origin, kind, to_json};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Question;

/// A kind and its data.
pub type Facts = Vec<(&'static str, Json)>;

/// The kind of response items that have no meaning of their own in the hub; their data is the item.
const RESPONSE_ITEM: &str = "response_item";

#[derive(Deserialize, Default)]
#[serde(default)]
struct Item<'a> {
    #[serde(borrow)]
    r#type: Option<&'a RawValue>,
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    call_id: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
}

fn text(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    serde_json::from_str::<String>(value?.get()).ok().map(Cow::Owned)
}

/// What a response item says, or an item of a user's input. `tool` knows the tool's name by the id of its call, for those
/// that were called before; it is told of new calls with a name.
pub fn facts(item: &RawValue, session: &str, tool: &mut impl FnMut(&str, Option<&str>) -> Option<String>) -> Facts {
    let read: Item<'_> = serde_json::from_str(item.get()).unwrap_or_default();
    match text(read.r#type).as_deref() {
        Some("function_call") => call(&read, tool),
        Some("function_call_output") => output(&read, tool),
        Some("message") => {
            let sender = text(read.role).unwrap_or(Cow::Borrowed("assistant"));
            vec![chat(&sender, &content(read.content), session)]
        }
        // The seed's log shows input items without a message around them.
        Some("input_text") => vec![chat("user", &text(read.text).unwrap_or_default(), session)],
        Some("reasoning") => vec![(kind::REASONING, item.to_owned())],
        _ => vec![(RESPONSE_ITEM, item.to_owned())],
    }
}

/// The items of a user's input, each as a fact.
pub fn input(items: &[Json], session: &str) -> Facts {
    let mut nobody = |_: &str, _: Option<&str>| None;
    let facts = items.iter().flat_map(|item| facts(item, session, &mut nobody));
    facts.collect()
}

fn chat(sender: &str, content: &str, session: &str) -> (&'static str, Json) {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Chat<'a> {
        sender: &'a str,
        content: &'a str,
        conversation_id: &'a str,
    }
    let chat = Chat {
        sender,
        content,
        conversation_id: session,
    };
    (kind::CHAT_MESSAGE, to_json(&chat))
}

/// The text of a message's content: a string, or parts of which some have text.
fn content(content: Option<&RawValue>) -> String {
    #[derive(Deserialize)]
    struct Part<'a> {
        #[serde(borrow, default)]
        text: Option<&'a RawValue>,
        #[serde(borrow, default)]
        refusal: Option<&'a RawValue>,
    }
    if let Some(text) = text(content) {
        return text.into_owned();
    }
    let parts: Vec<&RawValue> = content
        .and_then(|content| serde_json::from_str(content.get()).ok())
        .unwrap_or_default();
    let texts = parts.into_iter().filter_map(|part| {
        let part: Part<'_> = serde_json::from_str(part.get()).ok()?;
        text(part.text.or(part.refusal))
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn call(item: &Item<'_>, tool: &mut impl FnMut(&str, Option<&str>) -> Option<String>) -> Facts {
    #[derive(Serialize)]
    struct Start<'a> {
        tool_name: &'a str,
        arguments: &'a RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        call_id: Option<&'a str>,
    }
    let (name, call_id) = (text(item.name).unwrap_or_default(), text(item.call_id));
    if let Some(call_id) = &call_id {
        tool(call_id, Some(&name));
    }
    // The API has arguments as a string of JSON; what is no object stays as it came.
    let parsed = text(item.arguments)
        .filter(|arguments| arguments.trim_start().starts_with('{') && !too_deep(arguments.as_bytes()))
        .and_then(|arguments| RawValue::from_string(arguments.trim().to_owned()).ok());
    let empty = countersign_model::empty_object();
    let arguments = match &parsed {
        Some(parsed) => parsed,
        None => item.arguments.unwrap_or(&empty),
    };
    let start = Start {
        tool_name: &name,
        arguments,
        call_id: call_id.as_deref(),
    };
    vec![(kind::TOOL_CALL_START, to_json(&start))]
}

fn output(item: &Item<'_>, tool: &mut impl FnMut(&str, Option<&str>) -> Option<String>) -> Facts {
    #[derive(Serialize)]
    struct Gave<'a> {
        tool_name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        call_id: Option<&'a str>,
        result: &'a RawValue,
    }
    #[derive(Serialize)]
    struct Ended<'a> {
        tool_name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        call_id: Option<&'a str>,
        success: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        duration: Option<f64>,
    }
    let call_id = text(item.call_id);
    let name = call_id
        .as_deref()
        .and_then(|call_id| tool(call_id, None))
        .unwrap_or_default();
    let null = to_json(&());
    let gave = Gave {
        tool_name: &name,
        call_id: call_id.as_deref(),
        result: item.output.unwrap_or(&null),
    };
    let how = text(item.output).map(|output| how(&output)).unwrap_or_default();
    let ended = Ended {
        tool_name: &name,
        call_id: call_id.as_deref(),
        success: how.exit_code.is_none_or(|code| code == 0),
        duration: how.duration_seconds,
    };
    vec![
        (kind::TOOL_CALL_RESULT, to_json(&gave)),
        (kind::TOOL_CALL_END, to_json(&ended)),
    ]
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct How {
    exit_code: Option<i64>,
    duration_seconds: Option<f64>,
}

/// How a command went: Codex writes its output as a string of JSON, with metadata beside the text.
fn how(output: &str) -> How {
    #[derive(Deserialize)]
    struct Output {
        metadata: How,
    }
    serde_json::from_str::<Output>(output).map_or_else(|_| How::default(), |output| output.metadata)
}

/// A turn begins; the fields are Hive's.
pub fn started(items: &[Json], session: &str) -> (&'static str, Json) {
    #[derive(Serialize)]
    struct Started<'a> {
        execution_id: &'a str,
        input_data: &'a [Json],
    }
    let started = Started {
        execution_id: session,
        input_data: items,
    };
    (kind::EXECUTION_STARTED, to_json(&started))
}

#[derive(Serialize)]
struct State<'a> {
    status: &'a str,
    details: Details,
}

#[derive(Serialize)]
struct Details {
    loading: bool,
}

/// Whether the agent is at work, as SAM says it.
pub fn loading(loading: bool) -> (&'static str, Json) {
    let status = if loading { "working" } else { "idle" };
    let details = Details { loading };
    (kind::AGENT_STATUS, to_json(&State { status, details }))
}

/// A person ended the turn.
pub fn stopped() -> (&'static str, Json) {
    let (status, details) = ("stopped", Details { loading: false });
    (kind::AGENT_STATUS, to_json(&State { status, details }))
}

/// A turn is over and went well.
pub fn finished(response_id: &str, session: &str) -> (&'static str, Json) {
    #[derive(Serialize)]
    struct Completed<'a> {
        execution_id: &'a str,
        response_id: &'a str,
    }
    let completed = Completed {
        execution_id: session,
        response_id,
    };
    (kind::EXECUTION_COMPLETED, to_json(&completed))
}

#[derive(Serialize)]
struct Trouble<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a RawValue>,
}

/// A turn is over and went badly.
pub fn failed(error: &str, details: Option<&RawValue>) -> (&'static str, Json) {
    let trouble = Trouble {
        error: Some(error),
        level: None,
        message: None,
        details,
    };
    (kind::EXECUTION_FAILED, to_json(&trouble))
}

/// Something went wrong, and the turn goes on.
pub fn troubled(message: &str, details: Option<&RawValue>) -> (&'static str, Json) {
    let trouble = Trouble {
        error: None,
        level: Some("error"),
        message: Some(message),
        details,
    };
    (kind::NOTIFICATION, to_json(&trouble))
}

/// A question for the registry, in the form that SAM's monitors know. Its approval binds command, patch and folder.
pub fn ask(
    request_id: &str,
    agent: &Arc<str>,
    session: &Arc<str>,
    question: &Question,
    cwd: Option<String>,
    call_id: Option<&str>,
) -> Ask {
    #[derive(Serialize)]
    struct Data<'a> {
        request_id: &'a str,
        tool_name: &'a str,
        arguments: &'a Question,
        #[serde(skip_serializing_if = "Option::is_none")]
        cwd: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        call_id: Option<&'a str>,
    }
    let tool_name = if question.apply_patch.is_some() {
        "apply_patch"
    } else {
        "shell"
    };
    let data = to_json(&Data {
        request_id,
        tool_name,
        arguments: question,
        cwd: cwd.as_deref(),
        call_id,
    });
    Ask {
        origin: Origin::Codex,
        agent: agent.clone(),
        session: session.clone(),
        stream: None,
        request_id: request_id.into(),
        tool_name: tool_name.to_owned(),
        arguments: to_json(question),
        tool_info: None,
        cwd,
        timeout: None,
        edits: true,
        stops: true,
        grants: Vec::new(),
        timestamp: None,
        data,
        extra: Extra::default(),
    }
}
