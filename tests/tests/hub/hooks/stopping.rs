//! A stopped session: nothing of it runs, whoever it is that would, until a person lifts the stop.

use countersign_tests::ws::Peer;
use countersign_tests::{Hub, Start, until};
use serde_json::{Value, json};

use super::{Held, after, before, decide, hook, permission, ruling, tell, wait_for};

fn stop(hub: &Hub, agent: &str, session: &str) {
    hub.post_as_approver(
        &format!("/api/sessions/{session}/stop?agent={agent}"),
        &json!({"message": "enough"}),
    )
    .expect(200);
}

fn answer(hub: &Hub, agent: &str, told: &Value) -> Value {
    until("the stop is in force", || {
        let reply = hook(hub, agent, told).expect(200);
        (!reply.text.is_empty()).then(|| reply.json())
    })
}

#[test]
fn nothing_of_a_stopped_session_runs_and_no_words_go_to_its_model() {
    let mut hub = Hub::start();
    tell(&hub, &before("s", "t0", "sleep 9"));
    stop(&hub, "claude-code", "s");
    for _ in 0..2 {
        let denied = answer(&hub, "claude-code", &before("s", "t1", "ls"));
        assert_eq!(denied["continue"], false);
        assert_eq!(denied["hookSpecificOutput"]["permissionDecision"], "deny");
        let batch = json!({"session_id": "s", "hook_event_name": "PostToolBatch", "tool_calls": []});
        assert_eq!(answer(&hub, "claude-code", &batch)["continue"], false);
        assert_eq!(
            answer(&hub, "claude-code", &after("s", "t0", "sleep 9"))["continue"],
            false
        );
        let prompt = json!({"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": "go on"});
        let blocked = answer(&hub, "claude-code", &prompt);
        assert_eq!(blocked["decision"], "block");
        assert!(
            blocked["reason"].as_str().unwrap().contains("lift the stop"),
            "{blocked}"
        );
        let asked = Held::send(&hub, "claude-code", &permission("s", "ls"), &[]).json();
        assert_eq!(ruling(&asked)["interrupt"], true);
        // And over a restart.
        hub.terminate();
        hub = Start::in_folder(&hub.folder).run();
    }
    tell(&hub, &before("another", "t1", "ls"));
    hub.post_as_approver("/api/sessions/s/resume", &json!({})).expect(200);
    tell(&hub, &before("s", "t2", "ls"));
    let ends = hub.get("/api/events?types=tool_call_end").json().to_string();
    assert!(
        ends.contains("The person stopped this run in Countersign. enough"),
        "{ends}"
    );
}

#[test]
fn a_stop_reaches_the_subagents_of_a_session_and_the_questions_that_wait() {
    let hub = Hub::start();
    let of = |mut hook: Value| {
        hook["agent_id"] = json!("a1");
        hook
    };
    let held = [
        Held::send(&hub, "claude-code", &permission("s", "a"), &[]),
        Held::send(&hub, "claude-code", &of(permission("s", "b")), &[]),
    ];
    let other = Held::send(&hub, "claude-code", &permission("s2", "c"), &[]);
    let asked = wait_for(&hub, 3);
    let own = asked.iter().find(|asked| asked["session"] == "s").unwrap();
    decide(&hub, own, &json!({"decision": "stop"})).expect(200);
    for held in held {
        assert_eq!(ruling(&held.json())["interrupt"], true);
    }
    assert_eq!(wait_for(&hub, 1)[0]["session"], "s2");
    assert_eq!(
        answer(&hub, "claude-code", &of(before("s", "t1", "ls")))["continue"],
        false
    );
    drop(other);
    let sessions = hub.get("/api/agents").json().to_string();
    assert!(sessions.contains("s/a1"), "{sessions}");
    hub.post_as_approver("/api/sessions/s/resume", &json!({})).expect(200);
    tell(&hub, &of(before("s", "t1", "ls")));
}

#[test]
fn a_stop_of_a_subagent_leaves_its_parent_alone() {
    let hub = Hub::start();
    let mut of_subagent = permission("s", "b");
    of_subagent["agent_id"] = json!("a1");
    let held = Held::send(&hub, "claude-code", &of_subagent, &[]);
    let asked = wait_for(&hub, 1).remove(0);
    decide(&hub, &asked, &json!({"decision": "stop"})).expect(200);
    assert_eq!(ruling(&held.json())["interrupt"], true);
    tell(&hub, &before("s", "t1", "ls"));
}

#[test]
fn a_stopped_session_of_codex_is_denied_in_words_that_it_takes() {
    let hub = Hub::start();
    hook(&hub, "codex", &before("s", "t0", "ls")).expect(200);
    let stopped = hub
        .post_as_approver("/api/sessions/s/stop?agent=codex", &json!({"message": "enough"}))
        .expect(200)
        .json();
    assert_eq!((&stopped["stopped"], &stopped["stops"]), (&json!(true), &json!(false)));
    assert!(
        stopped["note"].as_str().unwrap().contains("may go on talking"),
        "{stopped}"
    );
    let denied = answer(&hub, "codex", &before("s", "t1", "ls"));
    let reason = "The person stopped this run in Countersign. enough";
    let expected = json!({"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": reason}});
    assert_eq!(denied, expected);
    let prompt = json!({"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": "go on"});
    assert_eq!(answer(&hub, "codex", &prompt)["decision"], "block");
    assert_eq!(hook(&hub, "codex", &after("s", "t0", "ls")).expect(200).text, "");
}

#[test]
fn a_question_of_codex_is_never_answered_with_a_stop_by_any_door() {
    let hub = Hub::start();
    let held = Held::send(&hub, "codex", &permission("s", "ls"), &[]);
    let asked = wait_for(&hub, 1).remove(0);
    let refused = decide(&hub, &asked, &json!({"decision": "stop"})).problem(422);
    assert!(
        refused["detail"].as_str().unwrap().contains("deny instead"),
        "{refused}"
    );
    let stop = json!({"type": "approval_response", "request_id": asked["id"], "response": "stop"});
    let mut sam = hub.approver("/publish");
    sam.send(&stop);
    assert!(sam.text().contains("deny instead"));
    let mut hive = hub.approver("/stream");
    hive.send(&json!({"action": "publish", "event": {"type": "approval_response", "data": {"request_id": asked["id"], "response": "stop"}}}));
    loop {
        let said = hive.text();
        if said.contains("error") {
            assert!(said.contains("deny instead"), "{said}");
            break;
        }
    }
    assert_eq!(wait_for(&hub, 1).len(), 1, "it still waits");
    decide(&hub, &asked, &json!({"decision": "deny"})).expect(200);
    assert_eq!(ruling(&held.json())["behavior"], "deny");
}

#[test]
fn what_only_telemetry_tells_of_cannot_be_stopped() {
    let hub = Hub::start();
    let attribute = |name: &str, value: &str| json!({"key": name, "value": {"stringValue": value}});
    let log = json!({"body": {"stringValue": "x"}, "attributes": [attribute("session.id", "s"), attribute("event.name", "shop.sold")]});
    let resource = json!({"attributes": [attribute("service.name", "shop")]});
    let batch = json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [log]}]}]});
    let json = [("Content-Type", "application/json")];
    hub.call("POST", "/v1/logs", &json, Some(&batch.to_string()))
        .expect(200);
    until("the session is known", || {
        hub.get("/api/agents").text.contains("\"shop\"").then_some(())
    });
    let refused = hub.post_as_approver("/api/sessions/s/stop", &json!({})).problem(409);
    assert!(refused["detail"].as_str().unwrap().contains("telemetry"), "{refused}");
}
