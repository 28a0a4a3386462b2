//! Questions that were answered in the terminal: what the agent does next shows it, and the question is taken back. Where several could
//! be meant, none is.

use countersign_tests::{Hub, until};
use serde_json::{Value, json};

use super::{Held, after, becomes, before, decide, id, pending, permission, tell, wait_for};

fn ask(hub: &Hub, question: &Value) -> Held {
    Held::send(hub, "claude-code", question, &[])
}

fn nothing_was_said(held: Held) {
    let said = held.said();
    assert!(said.status == 200 && said.body.is_empty() && said.whole, "{said:?}");
}

#[test]
fn a_call_that_ran_was_permitted_there() {
    let hub = Hub::start();
    for ended in [
        after("s", "t1", "ls"),
        json!({"session_id": "s", "cwd": "/p", "hook_event_name": "PostToolUseFailure", "tool_name": "Bash",
            "tool_input": {"command": "ls"}, "tool_use_id": "t1", "error": "Exit code 1"}),
        json!({"session_id": "s", "cwd": "/p", "hook_event_name": "PermissionDenied", "tool_name": "Bash",
            "tool_input": {"command": "ls"}, "tool_use_id": "t1", "reason": "no"}),
    ] {
        tell(&hub, &before("s", "t1", "ls"));
        let (held, other) = (ask(&hub, &permission("s", "ls")), ask(&hub, &permission("s", "pwd")));
        let asked = wait_for(&hub, 2);
        let own = asked
            .iter()
            .find(|asked| asked["arguments"]["command"] == "ls")
            .unwrap();
        tell(&hub, &ended);
        let taken_back = becomes(&hub, own, "cancelled");
        let ran = ended["hook_event_name"] != "PermissionDenied";
        let how = if ran {
            "answered in the terminal: allowed"
        } else {
            "answered in the terminal"
        };
        assert_eq!(taken_back["decision"]["message"], how);
        nothing_was_said(held);
        // Nothing was said to the agent, so nothing was delivered.
        until("it is noted", || {
            let now = hub.get(&format!("/api/approvals/{}", id(own))).json();
            (now["delivery"] == "undeliverable").then_some(())
        });
        assert_eq!(pending(&hub).len(), 1, "the other one still waits");
        drop(other);
        wait_for(&hub, 0);
    }
}

#[test]
fn of_two_that_are_alike_none_is_taken_for_the_other() {
    let hub = Hub::start();
    tell(&hub, &before("s", "t1", "ls"));
    tell(&hub, &before("s", "t2", "ls"));
    let held = [ask(&hub, &permission("s", "ls")), ask(&hub, &permission("s", "ls"))];
    wait_for(&hub, 2);
    tell(&hub, &after("s", "t1", "ls"));
    assert_eq!(pending(&hub).len(), 2, "which of them it was is not known");
    // Once the turn is over neither waits for anything.
    tell(&hub, &json!({"session_id": "s", "hook_event_name": "Stop"}));
    wait_for(&hub, 0);
    held.into_iter().for_each(nothing_was_said);
}

#[test]
fn the_end_of_a_batch_a_turn_or_a_session_takes_back_what_it_ends() {
    let hub = Hub::start();
    let mut of_subagent = permission("s", "ls");
    of_subagent["agent_id"] = json!("a1");
    for (end, left) in [("PostToolBatch", 2), ("Stop", 2), ("SessionEnd", 1)] {
        let own = ask(&hub, &permission("s", "ls"));
        let subagents = ask(&hub, &of_subagent);
        let anothers = ask(&hub, &permission("s2", "ls"));
        wait_for(&hub, 3);
        tell(
            &hub,
            &json!({"session_id": "s", "hook_event_name": end, "tool_calls": []}),
        );
        assert_eq!(wait_for(&hub, left).last().unwrap()["agent"], "claude-code", "{end}");
        nothing_was_said(own);
        drop((subagents, anothers));
        wait_for(&hub, 0);
    }
}

fn of_kind(hub: &Hub, kind: &str) -> Vec<Value> {
    let rows = hub.history().into_iter();
    rows.filter(|row| row["kind"] == kind)
        .map(|row| row["data"].clone())
        .collect()
}

#[test]
fn a_no_that_the_terminals_yes_was_faster_than_is_said_to_have_come_late() {
    let hub = Hub::start();
    tell(&hub, &before("s", "t1", "sleep 9"));
    let held = ask(&hub, &permission("s", "sleep 9"));
    let asked = wait_for(&hub, 1).remove(0);
    decide(&hub, &asked, &json!({"decision": "deny", "message": "no"})).expect(200);
    held.json();
    assert!(
        of_kind(&hub, "tool_call_end").is_empty(),
        "nobody knows yet whether it runs"
    );
    tell(&hub, &after("s", "t1", "sleep 9"));
    let ends = of_kind(&hub, "tool_call_end");
    assert_eq!((ends.len(), &ends[0]["success"]), (1, &json!(true)), "{ends:?}");
    until("the log says so", || {
        let now = hub.get(&format!("/api/approvals/{}", id(&asked))).json();
        (now["delivery"] == "undeliverable").then_some(())
    });
    let told = of_kind(&hub, "approval_delivered");
    assert_eq!(
        told.last().unwrap()["message"],
        "answered in the terminal before: the call ran"
    );
}

#[test]
fn a_no_that_was_heard_ends_its_call_with_the_batch() {
    let hub = Hub::start();
    tell(&hub, &before("s", "t1", "ls"));
    let held = ask(&hub, &permission("s", "ls"));
    let asked = wait_for(&hub, 1).remove(0);
    decide(&hub, &asked, &json!({"decision": "deny", "message": "not on a Friday"})).expect(200);
    held.json();
    let call = json!({"tool_name": "Bash", "tool_use_id": "t1", "tool_response": "denied"});
    tell(
        &hub,
        &json!({"session_id": "s", "hook_event_name": "PostToolBatch", "tool_calls": [call]}),
    );
    let ends = of_kind(&hub, "tool_call_end");
    assert_eq!(
        (ends.len(), &ends[0]["success"], &ends[0]["error"]),
        (1, &json!(false), &json!("not on a Friday"))
    );
}

#[test]
fn a_hook_that_ends_without_an_answer_ends_its_call_and_the_turn() {
    let hub = Hub::start();
    tell(
        &hub,
        &json!({"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": "go"}),
    );
    tell(&hub, &before("s", "t1", "ls"));
    let held = ask(&hub, &permission("s", "ls"));
    wait_for(&hub, 1);
    drop(held);
    until("the session is at rest", || {
        let sessions = hub.get("/api/agents").json();
        (sessions["sessions"][0]["activity"] == "idle").then_some(())
    });
    let ends = of_kind(&hub, "tool_call_end");
    assert_eq!((ends.len(), &ends[0]["success"]), (1, &json!(false)), "{ends:?}");
    assert_eq!(of_kind(&hub, "interrupt").len(), 1);
}

#[test]
fn what_telemetry_says_of_the_terminals_answer_takes_the_question_back_at_once() {
    let hub = Hub::start();
    for (call, decision, how) in [
        ("t1", "accept", "answered in the terminal: allowed"),
        ("t2", "reject", "answered in the terminal: refused"),
    ] {
        tell(&hub, &before("s", call, call));
        let held = ask(&hub, &permission("s", call));
        let asked = wait_for(&hub, 1).remove(0);
        let source = if decision == "accept" {
            "user_temporary"
        } else {
            "user_reject"
        };
        let attribute = |name: &str, value: &str| json!({"key": name, "value": {"stringValue": value}});
        let log = json!({"timeUnixNano": "1795256708900000000", "body": {"stringValue": "claude_code.tool_decision"}, "attributes": [
            attribute("event.name", "tool_decision"), attribute("session.id", "s"), attribute("tool_name", "Bash"),
            attribute("tool_use_id", call), attribute("decision", decision), attribute("source", source)]});
        let batch = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]});
        let json = [("Content-Type", "application/json")];
        hub.call("POST", "/v1/logs", &json, Some(&batch.to_string()))
            .expect(200);
        assert_eq!(becomes(&hub, &asked, "cancelled")["decision"]["message"], how);
        nothing_was_said(held);
    }
}
