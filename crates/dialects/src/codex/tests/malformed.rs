//! Messages that are wrong in one place each: the error names it, and the message where it has an id.

use serde_json::Value;

use super::read;
use crate::codex;

#[track_caller]
fn refused(text: &str, field: Option<&str>, word: &str) {
    let error = read(text).expect_err(text);
    assert_eq!(error.field, field, "{text}: {error}");
    assert!(error.message.contains(word), "{text}: {error}");
    let out: Value = serde_json::from_str(&codex::refused("m", &error)).expect("JSON");
    assert_eq!(out["type"], "error");
    assert_eq!(out["payload"]["details"]["field"].as_str(), field);
    assert_eq!(out["payload"]["details"]["id"].as_str(), error.id.as_deref());
}

#[test]
fn the_message_as_a_whole() {
    refused("", None, "not JSON");
    refused("hello", None, "not JSON");
    refused("{\"id\":", None, "not JSON");
    refused("[\"1\",\"user_input\",{}]", None, "object");
    refused("5", None, "object");
    refused(
        &format!("{{\"a\":{}{}}}", "[".repeat(70), "]".repeat(70)),
        None,
        "nested",
    );
    refused(r#"{"id":5,"type":"user_input","payload":{}}"#, Some("id"), "string");
    refused(r#"{"id":"1","payload":{}}"#, Some("type"), "missing");
    refused(r#"{"id":"1","type":7}"#, Some("type"), "string");
    refused(
        r#"{"id":"1","type":"response_item","payload":{}}"#,
        Some("type"),
        "unknown",
    );
    refused(r#"{"id":"1","type":"user_input"}"#, Some("payload"), "missing");
    refused(
        r#"{"id":"1","type":"user_input","payload":null}"#,
        Some("payload"),
        "missing",
    );
    refused(
        r#"{"id":"1","type":"user_input","payload":[]}"#,
        Some("payload"),
        "object",
    );
}

#[test]
fn input() {
    let refused = |payload: &str, field, word| {
        refused(
            &format!(r#"{{"id":"1","type":"user_input","payload":{payload}}}"#),
            Some(field),
            word,
        );
    };
    refused("{}", "payload.input", "missing");
    refused(r#"{"input":null}"#, "payload.input", "missing");
    refused(r#"{"input":"hello"}"#, "payload.input", "array");
    refused(r#"{"input":{}}"#, "payload.input", "array");
    refused(r#"{"input":[]}"#, "payload.input", "empty");
    refused(r#"{"input":[{},1]}"#, "payload.input", "object");
    refused(
        r#"{"input":[{}],"previousResponseId":7}"#,
        "payload.previousResponseId",
        "string",
    );
}

#[test]
fn responses() {
    let refused = |payload: &str, field, word| {
        refused(
            &format!(r#"{{"id":"1","type":"approval_response","payload":{payload}}}"#),
            Some(field),
            word,
        );
    };
    refused("{}", "payload.review", "EXPLAIN");
    refused(r#"{"review":"yes"}"#, "payload.review", "unknown review \"yes\"");
    refused(r#"{"review":"MAYBE"}"#, "payload.review", "MAYBE");
    refused(r#"{"review":true}"#, "payload.review", "true");
    refused(r#"{"review":{"a":1}}"#, "payload.review", "unknown");
    refused(r#"{"review":"YES","applyPatch":"x"}"#, "payload.applyPatch", "object");
    refused(
        r#"{"review":"NO","customDenyMessage":1}"#,
        "payload.customDenyMessage",
        "string",
    );
    let long = format!(
        r#"{{"review":"NO","customDenyMessage":"{}"}}"#,
        "x".repeat(16 * 1024 + 1)
    );
    refused(&long, "payload.customDenyMessage", "longer");
}

#[test]
fn what_is_null_or_unknown_beside_the_fields_is_no_fault() {
    let text = r#"{"type":"approval_response","extra":1,"payload":{"review":"YES","applyPatch":null,"customDenyMessage":null,"more":[]}}"#;
    assert!(read(text).expect("well-formed").id.is_none());
}
