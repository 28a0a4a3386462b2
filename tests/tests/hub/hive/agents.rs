//! What agents publish, ask and are told, and what is wrong with a frame.

use super::*;

/// The line of that session, wherever the reply has it.
fn find(value: &Value, session: &str) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.get("session").is_some_and(|name| name == session) => Some(value.clone()),
        Value::Object(fields) => fields.values().find_map(|value| find(value, session)),
        Value::Array(values) => values.iter().find_map(|value| find(value, session)),
        _ => None,
    }
}

#[test]
fn hive_mistakes_are_told_and_close_nothing() {
    let hub = Hub::start();
    for path in ["/", "/stream"] {
        let mut peer = hub.ws(path);
        subscribe(&mut peer, &json!({"stream_id": "mistakes"}));
        for (frame, field) in [
            ("nonsense", Value::Null),
            ("[]", Value::Null),
            ("{}", json!("action")),
            (r#"{"action":"fly"}"#, json!("action")),
            (r#"{"action":"subscribe","stream_id":7}"#, json!("stream_id")),
            (r#"{"action":"subscribe","execution_id":[]}"#, json!("execution_id")),
            (r#"{"action":"subscribe","event_types":"ALL"}"#, json!("event_types")),
            (r#"{"action":"subscribe","binary":"yes"}"#, json!("binary")),
            (r#"{"action":"subscribe","since":"a:b:c"}"#, json!("since")),
            (r#"{"action":"publish"}"#, json!("event")),
            (r#"{"action":"publish","event":{"data":{}}}"#, json!("event.type")),
            (r#"{"action":"publish","event":{"type":"x"}}"#, json!("event.data")),
            (
                r#"{"action":"publish","event":{"type":"x","data":{},"stream_id":""}}"#,
                json!("event.stream_id"),
            ),
            (
                r#"{"action":"publish","event":{"type":"x","data":{}},"ack":{}}"#,
                json!("ack"),
            ),
            (
                r#"{"action":"publish","event":{"type":"APPROVAL_RESOLVED","data":{}}}"#,
                json!("event.type"),
            ),
            (
                r#"{"action":"publish","event":{"type":"Session_Stopped","data":{}}}"#,
                json!("event.type"),
            ),
            (
                r#"{"action":"publish","event":{"type":"approval_request","data":{"tool_name":"t"}}}"#,
                json!("event.data.request_id"),
            ),
            (
                r#"{"action":"publish","event":{"type":"approval_response","data":{"request_id":"r","response":"approve"}}}"#,
                json!("event.type"),
            ),
        ] {
            peer.send_text(frame);
            let told = peer.expect("error");
            assert_eq!(told["field"], field, "{frame}: {told}");
            assert!(told["error"].as_str().is_some_and(|error| !error.is_empty()));
        }
        // The subscription is as it was.
        peer.send(&note("other", "e", 1));
        peer.send(&note("mistakes", "e", 2));
        assert_eq!(event(&mut peer)["data"]["n"], 2);
    }
    assert!(hub.history().iter().all(|row| row["kind"] != "x"));
}

#[test]
fn hive_events_come_in_over_publish_too() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/stream");
    subscribe(&mut monitor, &json!({}));
    let mut agent = hub.ws("/publish");
    agent
        .send(&json!({"type": "EXECUTION_STARTED", "stream_id": "s", "execution_id": "e", "data": {"input_data": {}}}));
    let got = event(&mut monitor);
    assert_eq!(
        (&got["type"], &got["stream_id"], &got["execution_id"], &got["agent"]),
        (&json!("execution_started"), &json!("s"), &json!("e"), &json!("s"))
    );
    // In Hive's own frame as well, for which the first message decides.
    let mut other = hub.ws("/publish");
    published(&mut other, &note("s", "e", 2));
    assert_eq!(event(&mut monitor)["data"]["n"], 2);
    other.send(&json!({"action": "subscribe"}));
    assert_eq!(other.expect("error")["field"], "action");
}

#[test]
fn hive_an_agent_is_answered_and_stopped_in_events() {
    let hub = Hub::start();
    let mut agent = hub.ws("/stream");
    for (id, decision) in [("r1", "approve"), ("r2", "deny"), ("r3", "stop")] {
        let data = json!({"request_id": id, "tool_name": "send_mail", "arguments": {"to": id}});
        let mut frame = publish("APPROVAL_REQUEST", "mailer", "exec-1", &data);
        frame["ack"] = json!(id);
        agent.send(&frame);
        assert_eq!(agent.expect("ack")["ack"], id);
        let asked = hub.get(&format!("/api/approvals/{id}")).expect(200).json();
        assert_eq!(
            (&asked["agent"], &asked["session"], &asked["stream"], &asked["origin"]),
            (&json!("mailer"), &json!("exec-1"), &json!("mailer"), &json!("hive"))
        );
        hub.answer(id, decision);
        let answer = event(&mut agent);
        assert_eq!(
            (&answer["type"], &answer["stream_id"], &answer["execution_id"]),
            (&json!("approval_response"), &json!("mailer"), &json!("exec-1"))
        );
        assert_eq!(
            (&answer["data"]["request_id"], &answer["data"]["response"]),
            (&json!(id), &json!(decision))
        );
    }
    let stop = event(&mut agent);
    assert_eq!(
        (&stop["type"], &stop["execution_id"], &stop["data"]["session"]),
        (&json!("stop"), &json!("exec-1"), &json!("exec-1"))
    );
    // The same id with other content is refused.
    agent.send(&publish(
        "approval_request",
        "mailer",
        "exec-1",
        &json!({"request_id": "r1", "tool_name": "other"}),
    ));
    assert_eq!(agent.expect("error")["field"], "event.data.request_id");
}

#[test]
fn hive_an_approver_answers_with_an_event() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send(&frames::approval_request("q"));
    let mut approver = hub.approver("/stream");
    approver.send(&json!({"action": "subscribe", "event_types": ["approval_request"], "since": 0}));
    approver.expect("subscribed");
    assert_eq!(event(&mut approver)["data"]["request_id"], "q");
    let answer = json!({"action": "publish", "event": {"type": "approval_response", "data": {"request_id": "q", "response": "approve"}}});
    approver.send(&answer);
    assert_eq!(agent.expect("approval_response")["response"], "approve");
    approver.send(&answer);
    assert_eq!(approver.expect("error")["field"], "event.data.request_id");
}

#[test]
fn hive_a_pause_for_a_person_and_the_progress_show_in_the_sessions() {
    let hub = Hub::start();
    let mut agent = hub.ws("/stream");
    let session = || {
        let agents = hub.get("/api/agents").expect(200).json();
        let text = agents.to_string();
        let found = find(&agents, "exec-1");
        found.unwrap_or_else(|| panic!("{text}"))
    };
    published(
        &mut agent,
        &publish("EXECUTION_STARTED", "worker", "exec-1", &json!({})),
    );
    published(
        &mut agent,
        &publish("GOAL_PROGRESS", "worker", "exec-1", &json!({"progress": 0.4})),
    );
    until("working", || {
        (session()["activity"] == "working" && session()["progress"] == 0.4).then_some(())
    });
    let paused = json!({"node_id": "review", "reason": "HITL: check the draft"});
    published(&mut agent, &publish("EXECUTION_PAUSED", "worker", "exec-1", &paused));
    until("needs a person", || {
        (session()["activity"] == "needs_you").then_some(())
    });
    assert_eq!(session()["task"], "HITL: check the draft");
    published(
        &mut agent,
        &publish("EXECUTION_RESUMED", "worker", "exec-1", &json!({"decision": "ok"})),
    );
    until("goes on", || (session()["activity"] == "working").then_some(()));
    published(
        &mut agent,
        &publish("EXECUTION_FAILED", "worker", "exec-1", &json!({"error": "boom"})),
    );
    until("failed", || (session()["activity"] == "failed").then_some(()));
}

#[test]
fn hive_two_agents_without_an_execution_have_none() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/stream");
    subscribe(&mut monitor, &json!({}));
    let mut agent = hub.ws("/stream");
    agent.send(&json!({"action": "publish", "event": {"type": "STATE_CHANGED", "data": {}}}));
    let got = event(&mut monitor);
    assert_eq!(
        (&got["stream_id"], &got["execution_id"]),
        (&json!("hive"), &Value::Null)
    );
    // The log files them under their connection all the same.
    let row = hub.history().pop().unwrap();
    assert!(
        row["session"].as_str().is_some_and(|session| session.starts_with("c-")),
        "{row}"
    );
}

#[test]
fn hive_sams_first_message_keeps_the_root_sams() {
    let hub = Hub::start();
    let mut sam = hub.ws("/");
    sam.send(&frames::note(1));
    assert_eq!(sam.expect("note")["data"]["n"], 1);
    sam.send(&json!({"action": "subscribe"}));
    assert_eq!(sam.expect("error")["data"]["field"], "type");
}
