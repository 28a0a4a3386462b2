//! Spans and events of the GenAI conventions, and of those that went before and beside them.

use super::*;

fn span(name: &str, pairs: &[(&str, Value)]) -> Value {
    json!({
        "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "name": name, "kind": 1,
        "startTimeUnixNano": "1795256708000000000", "endTimeUnixNano": "1795256709500000000",
        "attributes": attributes(pairs),
    })
}

fn tell(service: &str, spans: &Value) -> Vec<Value> {
    lines(&Telemetry::default().tell(&read(Signal::Traces, &span_batch(service, spans)), None))
}

#[test]
fn a_tool_call_has_a_beginning_and_an_end() {
    let call = span(
        "execute_tool get_weather",
        &[
            ("gen_ai.operation.name", json!("execute_tool")),
            ("gen_ai.tool.name", json!("get_weather")),
            ("gen_ai.tool.call.id", json!("call_1")),
            ("gen_ai.tool.call.arguments", json!("{\"city\":\"Oslo\"}")),
            ("gen_ai.tool.call.result", json!("rain")),
            ("gen_ai.conversation.id", json!("conv-1")),
            ("custom", json!(7)),
        ],
    );
    let told = tell("weather", &json!([call]));
    assert_eq!(
        told,
        [
            json!(["tool_call_start", "weather", "conv-1",
                {"tool_name": "get_weather", "call_id": "call_1", "arguments": {"city": "Oslo"}}]),
            json!(["tool_call_end", "weather", "conv-1",
                {"tool_name": "get_weather", "call_id": "call_1", "success": true, "result": "rain", "duration": 1.5,
                 "attributes": {"custom": 7}}]),
        ]
    );
}

#[test]
fn a_call_that_failed_says_why() {
    let mut call = span("execute_tool rm", &[("gen_ai.operation.name", json!("execute_tool"))]);
    call["status"] = json!({"code": "STATUS_CODE_ERROR"});
    let exception = attributes(&[("exception.message", json!("no such file"))]);
    call["events"] = json!([{ "name": "exception", "attributes": exception }]);
    let told = tell("a", &json!([call]));
    let end = &told[1][3];
    assert_eq!(
        (&end["tool_name"], &end["success"], &end["error"]),
        (&json!("rm"), &json!(false), &json!("no such file"))
    );
    assert_eq!(
        told[0][2], "5b8efff798038103d269b633813fc60c",
        "the trace stands for the session"
    );
}

#[test]
fn tokens_are_read_under_the_names_of_all_years() {
    let cases = [
        (
            vec![("gen_ai.usage.input_tokens", 10), ("gen_ai.usage.output_tokens", 5)],
            "gen_ai.request.model",
        ),
        (
            vec![
                ("gen_ai.usage.prompt_tokens", 10),
                ("gen_ai.usage.completion_tokens", 5),
            ],
            "gen_ai.response.model",
        ),
        (
            vec![("llm.token_count.prompt", 10), ("llm.token_count.completion", 5)],
            "llm.model_name",
        ),
    ];
    for (tokens, model) in cases {
        let mut pairs: Vec<_> = tokens.into_iter().map(|(name, count)| (name, json!(count))).collect();
        pairs.push((model, json!("m-1")));
        let told = tell("a", &json!([span("chat m-1", &pairs)]));
        assert_eq!(told.len(), 1, "{told:?}");
        let data = &told[0][3];
        assert_eq!(told[0][0], "usage");
        assert_eq!(
            (&data["model"], &data["input_tokens"], &data["output_tokens"]),
            (&json!("m-1"), &json!(10), &json!(5))
        );
        assert_eq!((&data["source"], &data["duration"]), (&json!("span"), &json!(1.5)));
    }
}

#[test]
fn tokens_of_the_cache_are_not_counted_as_new_ones() {
    let usage = |input: u64| {
        let pairs = [
            ("gen_ai.operation.name", json!("chat")),
            ("gen_ai.usage.input_tokens", json!(input)),
            ("gen_ai.usage.cache_read.input_tokens", json!(60)),
            ("gen_ai.usage.cache_creation.input_tokens", json!(10)),
        ];
        tell("a", &json!([span("chat", &pairs)]))[0][3]["input_tokens"].clone()
    };
    assert_eq!(usage(100), 30);
    assert_eq!(usage(5), 5, "counted apart");
}

#[test]
fn a_conversation_is_told_as_it_goes_on() {
    let messages = json!([{"role": "user", "parts": [{"type": "text", "content": "Hello?"}]}]).to_string();
    let answer = json!([{"role": "assistant", "parts": [{"type": "text", "content": "Hi."}]}]).to_string();
    let pairs = [
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.input.messages", json!(messages)),
        ("gen_ai.output.messages", json!(answer)),
    ];
    let told = tell("a", &json!([span("chat", &pairs)]));
    let said: Vec<_> = told
        .iter()
        .map(|line| (&line[3]["sender"], &line[3]["content"]))
        .collect();
    assert_eq!(
        said,
        [(&json!("user"), &json!("Hello?")), (&json!("assistant"), &json!("Hi."))]
    );
}

#[test]
fn a_span_of_a_trace_is_in_the_session_that_another_one_names() {
    let agent = span(
        "invoke_agent a",
        &[
            ("gen_ai.operation.name", json!("invoke_agent")),
            ("gen_ai.conversation.id", json!("conv-9")),
        ],
    );
    let call = span("execute_tool t", &[("gen_ai.operation.name", json!("execute_tool"))]);
    let told = tell("a", &json!([call, agent]));
    assert!(told.iter().all(|line| line[2] == "conv-9"), "{told:?}");
}

#[test]
fn what_is_no_agents_work_is_left_out() {
    let plain = span("GET /users", &[("http.request.method", json!("GET"))]);
    assert!(tell("shop", &json!([plain])).is_empty());
    let log = json!([{"body": {"stringValue": "user logged in"}, "severityNumber": 9}]);
    let told = Telemetry::default().tell(&read(Signal::Logs, &log_batch("shop", &log)), None);
    assert!(told.is_empty());
}

#[test]
fn events_of_the_conventions_are_told_and_history_only_once() {
    let choice = json!({
        "timeUnixNano": 1, "eventName": "gen_ai.choice", "traceId": "5b8efff798038103d269b633813fc60c",
        "body": {"kvlistValue": {"values": [{"key": "message", "value": {"kvlistValue": {"values":
            [{"key": "content", "value": {"stringValue": "Hi."}}]}}}]}},
    });
    let user = |time: u64| {
        json!({
            "timeUnixNano": time, "attributes": attributes(&[("event.name", json!("gen_ai.user.message"))]),
            "traceId": "5b8efff798038103d269b633813fc60c",
            "body": {"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": "Hello?"}}]}},
        })
    };
    let records = read(Signal::Logs, &log_batch("a", &json!([user(1), choice, user(2)])));
    let told = Telemetry::default().tell(&records, None);
    assert_eq!(kinds(&told), ["chat_message"; 3]);
    assert_eq!(told[0].mark, told[2].mark);
    assert_ne!(told[0].mark, told[1].mark);
}

#[test]
fn a_record_of_a_session_that_no_convention_explains_is_kept_whole() {
    let said = attributes(&[
        ("session.id", json!("s1")),
        ("event.name", json!("cart.checkout")),
        ("n", json!(2.5)),
    ]);
    let log = json!([{"body": {"stringValue": "paid"}, "severityText": "INFO", "attributes": said, "unknown": {}}]);
    let told = Telemetry::default().tell(&read(Signal::Logs, &log_batch("shop", &log)), None);
    let data = json!({"name": "cart.checkout", "severity": "INFO", "body": "paid", "attributes": {"session.id": "s1", "n": 2.5}});
    assert_eq!(lines(&told), [json!(["otel_log", "shop", "s1", data])]);
}
