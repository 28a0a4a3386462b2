//! Batches of the real agents, read and told; what is said twice; what must not harm.

mod bounds;
mod hostile;
mod merging;
mod requests;
mod spans;

use serde_json::{Value, json};

use super::{Encoding, Records, Signal, Telemetry, Told, decode};

fn fixture(name: &str) -> String {
    let path = format!("{}/fixtures/otlp/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn signal(name: &str) -> Signal {
    match name.rsplit('.').next() {
        Some("logs") => Signal::Logs,
        Some("metrics") => Signal::Metrics,
        _ => Signal::Traces,
    }
}

fn recorded(name: &str) -> Records {
    decode(signal(name), Encoding::Json, fixture(name).as_bytes()).expect("readable")
}

fn read(signal: Signal, body: &Value) -> Records {
    decode(signal, Encoding::Json, body.to_string().as_bytes()).expect("readable")
}

/// Events as lines: kind, agent, session, data.
fn lines(told: &[Told]) -> Vec<Value> {
    told.iter()
        .map(|told| {
            let event = &told.event;
            let data: Value = serde_json::from_str(event.data.get()).expect("JSON");
            json!([&*event.kind, &*event.agent, event.session.as_deref(), data])
        })
        .collect()
}

fn kinds(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| &*told.event.kind).collect()
}

fn attribute(name: &str, value: impl Into<Value>) -> Value {
    let value = match value.into() {
        Value::String(text) => json!({ "stringValue": text }),
        Value::Bool(truth) => json!({ "boolValue": truth }),
        Value::Number(number) if number.is_f64() => json!({ "doubleValue": number }),
        Value::Number(number) => json!({ "intValue": number.to_string() }),
        other => other,
    };
    json!({ "key": name, "value": value })
}

fn attributes(pairs: &[(&str, Value)]) -> Value {
    pairs
        .iter()
        .map(|(name, value)| attribute(name, value.clone()))
        .collect()
}

fn log_batch(service: &str, logs: &Value) -> Value {
    let resource = json!({ "attributes": [attribute("service.name", service)] });
    json!({ "resourceLogs": [{ "resource": resource, "scopeLogs": [{ "scope": {"name": "s"}, "logRecords": logs }] }] })
}

fn span_batch(service: &str, spans: &Value) -> Value {
    let resource = json!({ "attributes": [attribute("service.name", service)] });
    json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": spans }] }] })
}

fn check(name: &str) {
    let told = Telemetry::default().tell(&recorded(name), None);
    insta::assert_json_snapshot!(name, lines(&told));
}

#[test]
fn claude_codes_events_are_told() {
    check("claude.logs");
}

#[test]
fn claude_codes_spans_are_told() {
    check("claude.traces");
}

#[test]
fn claude_codes_metrics_are_told() {
    check("claude.metrics");
}

#[test]
fn codexs_events_are_told() {
    check("codex.logs");
}

#[test]
fn codexs_metrics_are_told() {
    check("codex.metrics");
}

#[test]
fn codexs_spans_are_left_out() {
    assert!(Telemetry::default().tell(&recorded("codex.traces"), None).is_empty());
}

/// The same batch as protobuf, through the foreign crate's own reading of JSON.
fn as_protobuf(name: &str) -> Vec<u8> {
    use opentelemetry_proto::tonic::collector::{logs, metrics, trace};
    use prost::Message;
    let text = fixture(name);
    match signal(name) {
        Signal::Logs => serde_json::from_str::<logs::v1::ExportLogsServiceRequest>(&text)
            .expect("logs")
            .encode_to_vec(),
        Signal::Metrics => serde_json::from_str::<metrics::v1::ExportMetricsServiceRequest>(&text)
            .expect("metrics")
            .encode_to_vec(),
        Signal::Traces => serde_json::from_str::<trace::v1::ExportTraceServiceRequest>(&text)
            .expect("traces")
            .encode_to_vec(),
    }
}

const FIXTURES: [&str; 6] = [
    "claude.logs",
    "claude.traces",
    "claude.metrics",
    "codex.logs",
    "codex.traces",
    "codex.metrics",
];

#[test]
fn a_batch_says_the_same_in_either_encoding() {
    for name in FIXTURES {
        let read = decode(signal(name), Encoding::Protobuf, &as_protobuf(name)).expect("readable");
        assert_eq!(read, recorded(name), "{name}");
    }
}

#[test]
fn a_batch_that_is_sent_again_has_the_same_marks_and_no_two_alike() {
    for name in FIXTURES {
        let marks = || -> Vec<_> {
            let told = Telemetry::default().tell(&recorded(name), None);
            told.iter().map(|told| told.mark).collect()
        };
        let first = marks();
        assert_eq!(first, marks(), "{name}");
        let different: std::collections::BTreeSet<_> = first.iter().collect();
        assert_eq!(different.len(), first.len(), "{name}");
    }
}
