//! One request to a model that several spans tell of: within each other, beside each other, in whatever batches.

use super::*;

const TRACE: &str = "5b8efff798038103d269b633813fc60c";

/// A span of that name (two hex digits) and parent; a request with these tokens, or something between.
fn span(id: &str, parent: &str, tokens: Option<u64>, more: &[(&str, Value)]) -> Value {
    let mut pairs = more.to_vec();
    if let Some(tokens) = tokens {
        pairs.push(("gen_ai.operation.name", json!("chat")));
        pairs.push(("gen_ai.usage.input_tokens", json!(tokens)));
    }
    let long = |id: &str| id.repeat(8);
    json!({
        "traceId": TRACE, "spanId": long(id), "parentSpanId": if parent.is_empty() { String::new() } else { long(parent) },
        "name": format!("span {id}"), "startTimeUnixNano": "1795256708000000000", "endTimeUnixNano": "1795256709500000000",
        "attributes": attributes(&pairs),
    })
}

/// The tokens of the usage that each batch tells of.
fn tokens(telemetry: &mut Telemetry, batches: &[Value]) -> Vec<u64> {
    let mut all = Vec::new();
    for batch in batches {
        let told = telemetry.tell(&read(Signal::Traces, &span_batch("a", batch)), None);
        let usages = lines(&told).into_iter().filter(|line| line[0] == "usage");
        all.extend(usages.map(|line| line[3]["input_tokens"].as_u64().expect("tokens")));
    }
    all
}

fn check(batches: &[Value], expect: &[u64]) {
    assert_eq!(tokens(&mut Telemetry::default(), batches), expect, "{batches:?}");
}

#[test]
fn of_spans_within_each_other_one_tells_of_the_tokens() {
    let (sdk, library) = (|| span("01", "02", Some(100), &[]), || span("02", "", Some(100), &[]));
    check(&[json!([sdk(), library()])], &[100]);
    check(&[json!([library(), sdk()])], &[100]);
    check(&[json!([sdk()]), json!([library()])], &[100]);
    check(&[json!([library()]), json!([sdk()])], &[100]);
    // A step between, which tells of none.
    let (inner, between) = (|| span("01", "03", Some(100), &[]), || span("03", "02", None, &[]));
    check(&[json!([inner()]), json!([between()]), json!([library()])], &[100]);
    check(&[json!([library(), between(), inner()])], &[100]);
    check(&[json!([library()]), json!([between()]), json!([inner()])], &[100]);
    // One around several sums them up.
    let (one, two) = (span("04", "02", Some(60), &[]), span("05", "02", Some(40), &[]));
    check(&[json!([one]), json!([two, library()])], &[60, 40]);
    // Requests of one parent that is none are their own.
    let (one, two) = (span("04", "09", Some(60), &[]), span("05", "09", Some(40), &[]));
    check(&[json!([one, two])], &[60, 40]);
}

#[test]
fn of_spans_beside_each_other_the_response_says_that_they_are_one() {
    let response = [("gen_ai.response.id", json!("msg_1"))];
    let (one, two) = (
        span("01", "", Some(100), &response),
        span("02", "", Some(100), &response),
    );
    check(&[json!([one]), json!([two])], &[100]);
    let other = span("03", "", Some(100), &[("gen_ai.response.id", json!("msg_2"))]);
    check(&[json!([one]), json!([other])], &[100, 100]);
}

#[test]
fn what_is_sent_again_tells_the_same_again() {
    let response = [("gen_ai.response.id", json!("msg_1"))];
    let batch = json!([
        span("01", "02", Some(100), &response),
        span("02", "", Some(100), &response)
    ]);
    check(&[batch.clone(), batch], &[100, 100]);
}

#[test]
fn a_trace_that_names_its_session_at_last_counts_once() {
    let child = span("01", "02", Some(100), &[]);
    let agent = [
        ("gen_ai.operation.name", json!("invoke_agent")),
        ("gen_ai.conversation.id", json!("conv1")),
        ("gen_ai.usage.input_tokens", json!(100)),
    ];
    let root = span("02", "", None, &agent);
    check(&[json!([child]), json!([root])], &[100]);
    check(&[json!([child, root])], &[100]);
}

#[test]
fn spans_in_a_circle_end() {
    let (one, two) = (span("01", "02", Some(1), &[]), span("02", "01", Some(1), &[]));
    check(&[json!([one, two])], &[]);
    check(&[json!([span("01", "01", Some(1), &[])])], &[]);
}
