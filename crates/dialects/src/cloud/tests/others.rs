//! What agents of other dialects do, as Cloud's clients see it.

use countersign_model::Origin;
use serde_json::{Value, json};

use super::{event, told};

fn check(origin: Origin, kind: &str, data: &Value, expected: &Value) {
    let told: Vec<_> = told(&event(origin, kind, data))
        .into_iter()
        .map(|frame| {
            assert_eq!(
                (&frame["seq"], &frame["agent"], &frame["session"]),
                (&json!(12), &json!("builder"), &json!("run 7"))
            );
            assert_eq!(frame["timestamp"], "2025-12-26T13:00:00.000Z");
            json!([frame["type"], frame["data"]])
        })
        .collect();
    assert_eq!(Value::Array(told), *expected, "{kind} {data}");
}

fn state(data: &Value) -> Value {
    let mut data = data.clone();
    data["agentName"] = "builder".into();
    json!(["agent_status", data])
}

fn notice(level: &str, message: &str) -> Value {
    json!(["notification", {"level": level, "message": message}])
}

#[test]
fn sams_status_gets_clouds_words_and_keeps_its_own() {
    check(
        Origin::Sam,
        "agent_status",
        &json!({"status": "processing", "details": {"iteration": 3}}),
        &json!([state(
            &json!({"state": "working", "currentTask": "processing", "status": "processing", "details": {"iteration": 3}})
        )]),
    );
    check(
        Origin::Sam,
        "agent_status",
        &json!({"status": "idle"}),
        &json!([state(&json!({"state": "idle", "status": "idle"}))]),
    );
    check(
        Origin::Codex,
        "agent_status",
        &json!({"state": "working"}),
        &json!([state(&json!({"state": "working"}))]),
    );
    // What says nothing is not made to.
    check(
        Origin::Sam,
        "agent_status",
        &json!({"status": 5}),
        &json!([state(&json!({"status": 5}))]),
    );
}

#[test]
fn tool_calls_are_work() {
    let task = state(&json!({"state": "working", "currentTask": "execute_code"}));
    check(
        Origin::Sam,
        "tool_call_start",
        &json!({"tool_name": "execute_code", "arguments": {}}),
        &json!([task]),
    );
    let idle = state(&json!({"state": "idle"}));
    check(
        Origin::Codex,
        "tool_call_end",
        &json!({"tool_name": "x", "success": false}),
        &json!([idle]),
    );
    check(
        Origin::Sam,
        "tool_call_result",
        &json!({"tool_name": "x", "result": "r"}),
        &json!([]),
    );
}

#[test]
fn runs_are_states_and_their_ends_are_news() {
    let working = state(&json!({"state": "working"}));
    check(
        Origin::Hive,
        "execution_started",
        &json!({"input": {}}),
        &json!([working]),
    );
    check(Origin::Hive, "execution_resumed", &json!({}), &json!([working]));
    check(
        Origin::Hive,
        "execution_paused",
        &json!({"reason": "HITL: review"}),
        &json!([state(&json!({"state": "idle", "currentTask": "HITL: review"}))]),
    );
    check(
        Origin::Hive,
        "execution_completed",
        &json!({"output": 1}),
        &json!([state(&json!({"state": "idle"})), notice("success", "builder finished")]),
    );
    check(
        Origin::Hive,
        "execution_failed",
        &json!({"error": "no \"disk\""}),
        &json!([
            state(&json!({"state": "stopped"})),
            notice("error", "builder failed: no \"disk\"")
        ]),
    );
    for (share, percent) in [
        (json!(0.45), json!(45)),
        (json!(1), json!(100)),
        (json!(0.123_456), json!(12.35)),
        (json!(7), json!(100)),
    ] {
        let expected = state(&json!({"state": "working", "progress": percent}));
        check(
            Origin::Hive,
            "goal_progress",
            &json!({"progress": share}),
            &json!([expected]),
        );
    }
    check(
        Origin::Hive,
        "goal_achieved",
        &json!({}),
        &json!([notice("success", "builder achieved its goal")]),
    );
    check(
        Origin::Hive,
        "constraint_violation",
        &json!({"constraint": "no network"}),
        &json!([notice("warning", "builder broke a constraint: no network")]),
    );
}

#[test]
fn a_question_is_news_and_a_stop_is_a_state() {
    check(
        Origin::Sam,
        "approval_request",
        &json!({"request_id": "r", "tool_name": "execute_code", "arguments": {"secret": 1}}),
        &json!([notice("warning", "builder waits for approval of execute_code")]),
    );
    check(
        Origin::Hub,
        "session_stopped",
        &json!({}),
        &json!([state(&json!({"state": "stopped"}))]),
    );
    check(
        Origin::Hub,
        "session_resumed",
        &json!({}),
        &json!([state(&json!({"state": "idle"}))]),
    );
    for kind in [
        "approval_resolved",
        "agent_connected",
        "rule_created",
        "made_up",
        "usage",
    ] {
        check(Origin::Hub, kind, &json!({}), &json!([]));
    }
}

#[test]
fn a_conversation_of_another_dialect_gets_what_clouds_clients_read() {
    check(
        Origin::Codex,
        "chat_message",
        &json!({"sender": "assistant", "content": "Done.", "messageId": null}),
        &json!([["chat_message", {"conversationId": "run 7", "messageId": "e1:12", "timestamp": "2025-12-26T13:00:00.000Z",
            "sender": "assistant", "content": "Done."}]]),
    );
    // By a door for Cloud's own it is told as it came.
    check(
        Origin::Rest,
        "chat_message",
        &json!({"content": "Hi"}),
        &json!([["chat_message", {"content": "Hi"}]]),
    );
}

#[test]
fn large_data_is_cut() {
    let long = "x".repeat(2_000_000);
    for (kind, data) in [
        ("agent_status", json!({"status": long})),
        ("chat_message", json!({"content": long})),
        ("execution_failed", json!({"error": long})),
    ] {
        for frame in crate::cloud::messages(&event(Origin::Hive, kind, &data)) {
            assert!(frame.len() < crate::limits::MAX_OUT, "{kind}");
        }
    }
}

#[test]
fn what_the_envelope_says_beside_its_own_fields_goes_out_with_what_is_told_to_the_letter() {
    let mut own = event(
        Origin::Cloud,
        countersign_model::kind::NOTIFICATION,
        &json!({"level": "info", "message": "m"}),
    );
    own.extra = serde_json::from_str(r#"{"trace":[ 1 ],"Type":"auth"}"#).expect("an object");
    let out = crate::cloud::messages(&own);
    assert!(out[0].ends_with(r#","trace":[ 1 ]}"#), "{out:?}");
    let mut other = event(Origin::Hive, countersign_model::kind::EXECUTION_STARTED, &json!({}));
    other.extra = own.extra;
    assert!(!crate::cloud::messages(&other)[0].contains("trace"));
}
