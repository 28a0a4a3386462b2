//! OpenTelemetry: the real SDKs of Python and JavaScript, the real `claude` and `codex`, and what no exporter would send.

mod agents;
mod hooks;
mod sdks;
mod wire;

use countersign_tests::foreign::python;
use countersign_tests::{Foreign, Hub, until};
use serde_json::{Value, json};

/// The rows of a session, once there are as many of this kind.
fn rows(hub: &Hub, session: &str, kind: &str, count: usize) -> Vec<Value> {
    until(&format!("{count} of {kind} in {session}"), || {
        let rows = of(hub, session);
        let there = rows.iter().filter(|row| row["kind"] == kind).count();
        (there >= count).then_some(rows)
    })
}

/// The rows of a session.
fn of(hub: &Hub, session: &str) -> Vec<Value> {
    let mut rows = hub.history();
    rows.retain(|row| row["session"] == session);
    rows
}

fn of_kind<'a>(rows: &'a [Value], kind: &str) -> Vec<&'a Value> {
    rows.iter()
        .filter(|row| row["kind"] == kind)
        .map(|row| &row["data"])
        .collect()
}

fn overview(hub: &Hub) -> Value {
    hub.get("/api/metrics/overview?hours=24").expect(200).json()
}

/// A server that loses the first answer to each address; gives it with its own address.
fn between(hub: &Hub) -> (Foreign, String) {
    let mut command = python();
    command.args(["otlp_between.py", &hub.url()]);
    let mut between = Foreign::start(command);
    let port = between.event()["port"].as_u64().expect("a port");
    (between, format!("http://127.0.0.1:{port}"))
}

/// A log record of Claude Code as OTLP/JSON.
fn claude_event(session: &str, sequence: u64, name: &str, more: &[(&str, Value)]) -> Value {
    let mut attributes = vec![
        json!({"key": "session.id", "value": {"stringValue": session}}),
        json!({"key": "event.name", "value": {"stringValue": name}}),
        json!({"key": "event.sequence", "value": {"intValue": sequence.to_string()}}),
    ];
    for (key, value) in more {
        let value = match value {
            Value::String(text) => json!({ "stringValue": text }),
            Value::Number(number) if number.is_f64() => json!({ "doubleValue": number }),
            other => json!({ "intValue": other }),
        };
        attributes.push(json!({"key": key, "value": value}));
    }
    json!({
        "timeUnixNano": (1_795_256_708_000_000_000_u64 + sequence).to_string(),
        "body": {"stringValue": format!("claude_code.{name}")}, "attributes": attributes,
    })
}

fn batch(logs: &[Value]) -> Value {
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "claude-code"}}]});
    json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {}, "logRecords": logs}]}]})
}

fn request(session: &str, sequence: u64) -> Value {
    let said = [
        ("model", json!("claude-haiku-4-5")),
        ("input_tokens", json!(10)),
        ("output_tokens", json!(5)),
        ("cost_usd", json!(0.5)),
    ];
    claude_event(session, sequence, "api_request", &said)
}
