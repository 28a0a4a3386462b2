//! The SDKs: both encodings, packed and not, answers lost on the way, everything counted once.

use std::process::Command;

use countersign_tests::foreign::{node, python};
use countersign_tests::{Foreign, Hub};
use serde_json::{Value, json};

use super::{between, of, of_kind, overview, rows};

fn python_sdk(url: &str, packing: &str, session: &str) -> Command {
    let mut command = python();
    command.args(["otlp_sdk.py", url, packing, session]);
    command
}

fn node_sdk(url: &str, encoding: &str, packing: &str, session: &str) -> Command {
    let mut command = node();
    command.args(["otlp_sdk.mjs", url, encoding, packing, session]);
    command
}

/// Runs an exporter to its end.
fn export(command: Command) {
    let mut sdk = Foreign::start(command);
    let said = sdk.event();
    assert!(
        said == json!({"exported": true}) || said == json!({"exported": [true, true, true]}),
        "{said}"
    );
}

fn check_python(rows: &[Value]) {
    let call = of_kind(rows, "tool_call_start");
    assert_eq!(call.len(), 1, "{rows:?}");
    assert_eq!(
        (
            &call[0]["tool_name"],
            &call[0]["call_id"],
            &call[0]["arguments"]["city"]
        ),
        (&json!("get_weather"), &json!("call_py"), &json!("Zürich"))
    );
    let end = of_kind(rows, "tool_call_end");
    assert_eq!(
        (end.len(), &end[0]["success"], &end[0]["result"]),
        (1, &json!(true), &json!("rain"))
    );
    let usage = of_kind(rows, "usage");
    let by_span: Vec<_> = usage.iter().filter(|data| data["source"] == "span").collect();
    assert_eq!((by_span.len(), &by_span[0]["input_tokens"]), (1, &json!(1000)));
    let log = of_kind(rows, "otel_log");
    assert_eq!(
        (log.len(), &log[0]["name"], &log[0]["body"]),
        (1, &json!("cart.checkout"), &json!("paid"))
    );
    let attributes = &log[0]["attributes"];
    assert_eq!(
        (&attributes["items"], &attributes["nested"]["a"]["b"]),
        (&json!([1, 2.5, "three"]), &json!(true))
    );
    let spans = of_kind(rows, "otel_span");
    assert_eq!(
        (spans.len(), &spans[0]["name"]),
        (1, &json!("invoke_agent py-agent")),
        "no HTTP span"
    );
    assert!(
        rows.iter()
            .all(|row| row["origin"] == "otlp" && row["agent"] == "py-agent")
    );
}

#[test]
fn the_sdk_of_python_is_understood_packed_and_not() {
    let hub = Hub::start();
    for (packing, session) in [("none", "py-1"), ("gzip", "py-2")] {
        export(python_sdk(&hub.url(), packing, session));
        check_python(&of(&hub, session));
    }
    let figures = overview(&hub);
    assert_eq!(figures["tools"]["by_type"]["get_weather"], 2, "{figures}");
    assert_eq!(figures["claude_api"]["total_input_tokens"], 2000, "{figures}");
}

#[test]
fn what_python_sends_again_is_counted_once() {
    let hub = Hub::start();
    let (mut between, url) = between(&hub);
    export(python_sdk(&url, "gzip", "py-3"));
    let told: Vec<Value> = (0..6).map(|_| between.event()).collect();
    let again = told
        .iter()
        .filter(|line| line["was"] == 200 && line["told"] == 200)
        .count();
    assert_eq!(again, 3, "each was sent twice: {told:?}");
    assert!(
        told.iter()
            .all(|line| line["encoding"] == "gzip" && line["type"] == "application/x-protobuf"),
        "{told:?}"
    );
    check_python(&of(&hub, "py-3"));
}

fn check_node(rows: &[Value]) {
    let usage: Vec<_> = of_kind(rows, "usage")
        .into_iter()
        .filter(|data| data["source"] == "log")
        .collect();
    assert_eq!(usage.len(), 1, "{rows:?}");
    let data = usage[0];
    assert_eq!(
        (
            &data["model"],
            &data["input_tokens"],
            &data["output_tokens"],
            &data["cache_read_tokens"]
        ),
        (&json!("claude-haiku-4-5"), &json!(100), &json!(20), &json!(7))
    );
    assert_eq!(
        (&data["cache_write_tokens"], &data["cost"], &data["duration"]),
        (&json!(3), &json!(0.25), &json!(1.5))
    );
    let calls = of_kind(rows, "tool_call_start");
    let mut ids: Vec<_> = calls.iter().map(|data| data["call_id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["toolu_1", "toolu_2"]);
    let failed = of_kind(rows, "tool_call_end")
        .into_iter()
        .find(|data| data["call_id"] == "toolu_2");
    assert_eq!(failed.unwrap()["error"], "no index");
    let said = of_kind(rows, "chat_message");
    assert_eq!((said.len(), &said[0]["content"]), (1, &json!("say hello")));
}

#[test]
fn the_sdk_of_javascript_is_understood_in_both_encodings() {
    let hub = Hub::start();
    for (encoding, packing) in [("proto", "none"), ("proto", "gzip"), ("json", "none"), ("json", "gzip")] {
        let session = format!("js-{encoding}-{packing}");
        export(node_sdk(&hub.url(), encoding, packing, &session));
        check_node(&rows(&hub, &session, "tool_call_end", 2));
    }
    // Logs, spans and metrics tell of the same request; it is one a session.
    let figures = overview(&hub);
    assert_eq!(figures["claude_api"]["total_input_tokens"], 400, "{figures}");
    assert_eq!(figures["claude_api"]["total_requests"], 4, "{figures}");
    assert_eq!(figures["costs"]["total_cost"], 1.0, "{figures}");
    assert_eq!(figures["tools"]["by_type"]["Bash"], 4, "{figures}");
}

#[test]
fn what_javascript_sends_again_is_counted_once() {
    let hub = Hub::start();
    for encoding in ["proto", "json"] {
        let (mut between, url) = between(&hub);
        let session = format!("js-again-{encoding}");
        export(node_sdk(&url, encoding, "none", &session));
        let told: Vec<Value> = (0..6).map(|_| between.event()).collect();
        assert!(told.iter().all(|line| line["was"] == 200), "{told:?}");
        check_node(&of(&hub, &session));
    }
    assert_eq!(overview(&hub)["claude_api"]["total_requests"], 2);
}
