//! What items say in the hub's kinds, and what the hub makes of that.

use std::collections::HashMap;

use countersign_model::{Fact, Json, kind};
use serde_json::{Value, json};

use crate::codex;

/// Facts of items one after the other, as a session has them.
fn told(items: &[Value]) -> Vec<(&'static str, Value)> {
    let mut calls = HashMap::new();
    let mut tool = |call: &str, name: Option<&str>| match name {
        Some(name) => {
            calls.insert(call.to_owned(), name.to_owned());
            None
        }
        None => calls.remove(call),
    };
    let facts = items
        .iter()
        .flat_map(|item| codex::facts(&countersign_model::to_json(item), "s", &mut tool));
    let read = |json: Json| serde_json::from_str(json.get()).expect("JSON");
    facts.map(|(kind, data)| (kind, read(data))).collect()
}

#[test]
fn a_call_and_its_output() {
    let output = r#"{"output":"no such file","metadata":{"exit_code":2,"duration_seconds":0.5}}"#;
    let facts = told(&[
        json!({"type": "function_call", "call_id": "c1", "name": "shell", "arguments": "{\"command\":[\"ls\"]}"}),
        json!({"type": "function_call_output", "call_id": "c1", "output": output}),
        json!({"type": "function_call_output", "call_id": "c9", "output": "plain"}),
    ]);
    let expected = [
        (
            kind::TOOL_CALL_START,
            json!({"tool_name": "shell", "arguments": {"command": ["ls"]}, "call_id": "c1"}),
        ),
        (
            kind::TOOL_CALL_RESULT,
            json!({"tool_name": "shell", "call_id": "c1", "result": output}),
        ),
        (
            kind::TOOL_CALL_END,
            json!({"tool_name": "shell", "call_id": "c1", "success": false, "duration": 0.5}),
        ),
        (
            kind::TOOL_CALL_RESULT,
            json!({"tool_name": "", "call_id": "c9", "result": "plain"}),
        ),
        (
            kind::TOOL_CALL_END,
            json!({"tool_name": "", "call_id": "c9", "success": true}),
        ),
    ];
    assert_eq!(facts, expected);
}

#[test]
fn arguments_that_are_no_object_stay_as_they_came() {
    for arguments in [json!("not json"), json!("[1]"), json!({"a": 1}), json!("{\"a\":")] {
        let facts = told(&[json!({"type": "function_call", "name": "t", "arguments": arguments})]);
        assert_eq!(facts[0].1["arguments"], arguments);
    }
    let deep = format!("{}1{}", "{\"a\":".repeat(80), "}".repeat(80));
    let facts = told(&[json!({"type": "function_call", "name": "t", "arguments": deep})]);
    assert_eq!(facts[0].1["arguments"], deep);
}

#[test]
fn messages_are_what_was_said() {
    let part = |text: &str| json!({"type": "output_text", "text": text});
    let facts = told(&[
        json!({"type": "message", "role": "assistant", "content": [part("one"), {"type": "input_image"}, part("two")]}),
        json!({"type": "message", "role": "user", "content": "plain"}),
        json!({"type": "input_text", "text": "bare"}),
    ]);
    let chat = |sender: &str, content: &str| {
        (
            kind::CHAT_MESSAGE,
            json!({"sender": sender, "content": content, "conversationId": "s"}),
        )
    };
    assert_eq!(
        facts,
        [
            chat("assistant", "one\ntwo"),
            chat("user", "plain"),
            chat("user", "bare")
        ]
    );
}

#[test]
fn what_has_no_meaning_of_its_own_is_kept_whole() {
    let reasoning = json!({"type": "reasoning", "summary": []});
    let other = json!({"type": "web_search_call", "x": 1});
    let odd = json!({"type": 7});
    let facts = told(&[reasoning.clone(), other.clone(), odd.clone()]);
    assert_eq!(
        facts,
        [
            (kind::REASONING, reasoning),
            ("response_item", other),
            ("response_item", odd)
        ]
    );
}

#[test]
fn the_hub_understands_what_is_said() {
    let fact = |(kind, data): (&str, Json)| Fact::read(kind, &data);
    assert!(matches!(fact(codex::loading(true)), Some(Fact::Status { word, .. }) if word == "working"));
    assert!(matches!(fact(codex::loading(false)), Some(Fact::Status { word, .. }) if word == "idle"));
    assert!(matches!(fact(codex::started(&[], "s")), Some(Fact::RunStarted)));
    assert!(matches!(fact(codex::finished("r", "s")), Some(Fact::RunCompleted)));
    assert!(matches!(fact(codex::failed("why", None)), Some(Fact::RunFailed { error: Some(why) }) if why == "why"));
    assert!(matches!(fact(codex::troubled("why", None)), Some(Fact::Notification { message, .. }) if message == "why"));
}
