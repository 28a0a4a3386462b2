//! Questions: each has a fate of its own, and ends with whoever asked it.

use std::time::{Duration, Instant};

use countersign_tests::{Hub, Start, until};
use serde_json::{Value, json};

use super::{Held, becomes, before, decide, hook, id, pending, permission, ruling, tell, wait_for};

const CLAUDE: &str = "claude-code";

fn ask(hub: &Hub, question: &Value) -> Held {
    Held::send(hub, CLAUDE, question, &[])
}

#[test]
fn a_question_offers_what_claude_offers_and_each_answer_is_said_in_its_words() {
    let hub = Hub::start();
    tell(&hub, &before("s", "t1", "ls"));
    let answers = [
        (json!({"decision": "approve"}), json!({"behavior": "allow"})),
        (
            json!({"decision": "approve", "grants": [1, 0]}),
            json!({"behavior": "allow", "updatedPermissions": [
                permission("s", "ls")["permission_suggestions"][1], permission("s", "ls")["permission_suggestions"][0]]}),
        ),
        (
            json!({"decision": "approve", "arguments": {"command": "ls -l"}}),
            json!({"behavior": "allow", "updatedInput": {"command": "ls -l"}}),
        ),
        (
            json!({"decision": "deny", "message": "not on a Friday"}),
            json!({"behavior": "deny", "message": "not on a Friday"}),
        ),
        (
            json!({"decision": "stop", "message": "enough"}),
            json!({"behavior": "deny", "message": "The person stopped this run in Countersign. enough", "interrupt": true}),
        ),
    ];
    for (decision, expected) in answers {
        let held = ask(&hub, &permission("s", "ls"));
        let asked = wait_for(&hub, 1).remove(0);
        assert_eq!(asked["tool_name"], "Bash");
        assert_eq!(asked["arguments"], json!({"command": "ls"}));
        assert_eq!(
            (&asked["edits"], &asked["stops"], &asked["cwd"]),
            (&json!(true), &json!(true), &json!("/p"))
        );
        assert_eq!(
            asked["tool_info"],
            json!({"permission_mode": "default", "hook": "PermissionRequest"})
        );
        assert_eq!(
            asked["grants"][0]["label"],
            "Always allow Bash(ls:*), in this project, for you"
        );
        decide(&hub, &asked, &decision).expect(200);
        assert_eq!(*ruling(&held.json()), expected);
        until("it is delivered", || {
            let now = hub.get(&format!("/api/approvals/{}", id(&asked))).json();
            (now["delivery"] == "delivered").then_some(())
        });
    }
    let rows = hub.history();
    let request = rows
        .iter()
        .find(|row| row["kind"] == "approval_request")
        .expect("the event");
    assert_eq!(request["data"]["call_id"], "t1", "only one call can be meant");
    let ended = rows
        .iter()
        .find(|row| row["kind"] == "tool_call_end")
        .expect("the denied call ended");
    assert_eq!(ended["data"]["error"], "not on a Friday");
}

#[test]
fn three_that_are_alike_and_wait_at_once_never_share_a_fate() {
    let hub = Hub::start();
    let mut held = Vec::new();
    for count in 1..=3 {
        held.push(ask(&hub, &permission("s", "ls")));
        wait_for(&hub, count);
    }
    let asked = wait_for(&hub, 3);
    let third = held.pop().unwrap();
    let second = held.pop().unwrap();
    let first = held.pop().unwrap();
    decide(&hub, &asked[1], &json!({"decision": "deny", "message": "two"})).expect(200);
    assert_eq!(*ruling(&second.json()), json!({"behavior": "deny", "message": "two"}));
    assert_eq!(pending(&hub).len(), 2);
    decide(
        &hub,
        &asked[2],
        &json!({"decision": "approve", "arguments": {"command": "three"}}),
    )
    .expect(200);
    assert_eq!(ruling(&third.json())["updatedInput"], json!({"command": "three"}));
    assert_eq!(pending(&hub).len(), 1);
    decide(&hub, &asked[0], &json!({"decision": "approve"})).expect(200);
    assert_eq!(*ruling(&first.json()), json!({"behavior": "allow"}));
}

#[test]
fn a_question_goes_at_once_with_the_connection_that_asked_it() {
    let hub = Hub::start();
    let (gone, stays) = (ask(&hub, &permission("s", "a")), ask(&hub, &permission("s", "b")));
    let asked = wait_for(&hub, 2);
    let of = |command: &str| {
        let found = asked.iter().find(|asked| asked["arguments"]["command"] == command);
        found.expect("asked").clone()
    };
    let begun = Instant::now();
    drop(gone);
    let taken_back = becomes(&hub, &of("a"), "cancelled");
    assert!(begun.elapsed() < Duration::from_secs(30), "not after the grace time");
    let why = "answered in the terminal, or the hook's process ended";
    assert_eq!(taken_back["decision"]["message"], why);
    let rows = hub.get("/api/events?types=approval_resolved").json();
    assert_eq!(rows["events"][0]["data"]["message"], why);
    let late = decide(&hub, &of("a"), &json!({"decision": "approve"}));
    assert_eq!(late.status, 409, "{}", late.text);
    decide(&hub, &of("b"), &json!({"decision": "approve"})).expect(200);
    assert_eq!(*ruling(&stays.json()), json!({"behavior": "allow"}));
}

#[test]
fn a_question_waits_longer_than_any_time_out_of_the_connection() {
    let hub = Hub::start();
    let held = ask(&hub, &permission("s", "ls"));
    let asked = wait_for(&hub, 1).remove(0);
    // Longer than the ten seconds within which a request's head must come.
    std::thread::sleep(Duration::from_secs(12));
    decide(&hub, &asked, &json!({"decision": "approve"})).expect(200);
    assert_eq!(*ruling(&held.json()), json!({"behavior": "allow"}));
}

#[test]
fn the_same_request_again_is_the_same_question() {
    let hub = Hub::start();
    let request = [("X-Countersign-Request", "0123456789abcdef")];
    let first = Held::send(&hub, CLAUDE, &permission("s", "ls"), &request);
    let asked = wait_for(&hub, 1).remove(0);
    let second = Held::send(&hub, CLAUDE, &permission("s", "ls"), &request).held();
    // Another question is none of the same name.
    let other = Held::send(&hub, CLAUDE, &permission("s", "rm"), &request).said();
    assert_eq!(other.status, 409, "{other:?}");
    drop(first);
    decide(&hub, &asked, &json!({"decision": "deny"})).expect(200);
    assert_eq!(ruling(&second.json())["behavior"], "deny");
    let again = Held::send(&hub, CLAUDE, &permission("s", "ls"), &request).json();
    assert_eq!(ruling(&again)["behavior"], "deny", "the decision is kept");
    assert_eq!(
        hub.get("/api/approvals").json()["approvals"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn crash_of_the_hub_in_between_leaves_the_question_and_approves_nothing() {
    let mut hub = Hub::start();
    let request = [("X-Countersign-Request", "0123456789abcdef")];
    let held = Held::send(&hub, CLAUDE, &permission("s", "ls"), &request);
    let asked = wait_for(&hub, 1).remove(0);
    hub.kill();
    let said = held.said();
    assert!(!said.whole && said.body.is_empty(), "{said:?}");
    let hub = Start::in_folder(&hub.folder).run();
    assert_eq!(id(&wait_for(&hub, 1)[0]), id(&asked));
    let held = Held::send(&hub, CLAUDE, &permission("s", "ls"), &request);
    decide(&hub, &asked, &json!({"decision": "approve"})).expect(200);
    assert_eq!(*ruling(&held.json()), json!({"behavior": "allow"}));
}

#[test]
fn a_hub_that_closes_breaks_the_reply_off_and_says_nothing_that_is_an_answer() {
    let mut hub = Hub::start();
    let held = ask(&hub, &permission("s", "ls"));
    let asked = wait_for(&hub, 1).remove(0);
    assert!(hub.terminate().success());
    let said = held.said();
    assert!(!said.whole && said.body.is_empty(), "{said:?}");
    let hub = Start::in_folder(&hub.folder).run();
    let still = hub.get(&format!("/api/approvals/{}", id(&asked))).json();
    assert_eq!(still["status"], "pending", "its process may come back");
}

#[test]
fn a_standing_rule_answers_by_itself() {
    let hub = Hub::start();
    let held = ask(&hub, &permission("s", "ls"));
    let asked = wait_for(&hub, 1).remove(0);
    decide(&hub, &asked, &json!({"decision": "approve", "scope": "always"})).expect(200);
    assert_eq!(*ruling(&held.json()), json!({"behavior": "allow"}));
    assert_eq!(
        *ruling(&ask(&hub, &permission("t", "ls")).json()),
        json!({"behavior": "allow"})
    );
    let other = ask(&hub, &permission("t", "ls -a"));
    wait_for(&hub, 1);
    drop(other);
}

#[test]
fn codex_is_told_allow_or_deny_and_never_a_stop() {
    let hub = Hub::start();
    let question = json!({"session_id": "s", "turn_id": "1", "cwd": "/p", "hook_event_name": "PermissionRequest", "model": "m",
        "permission_mode": "default", "tool_name": "Bash", "tool_input": {"command": "ls", "description": "to see"}});
    for (decision, expected) in [
        (json!({"decision": "approve"}), json!({"behavior": "allow"})),
        (
            json!({"decision": "deny", "message": "no"}),
            json!({"behavior": "deny", "message": "no"}),
        ),
    ] {
        let mut call = before("s", "t1", "ls");
        call["turn_id"] = json!("1");
        assert_eq!(hook(&hub, "codex", &call).expect(200).text, "");
        let held = Held::send(&hub, "codex", &question, &[]);
        let asked = wait_for(&hub, 1).remove(0);
        assert_eq!((&asked["edits"], &asked["stops"]), (&json!(false), &json!(false)));
        decide(&hub, &asked, &json!({"decision": "stop"})).problem(422);
        decide(&hub, &asked, &json!({"decision": "approve", "arguments": {}})).problem(422);
        decide(&hub, &asked, &decision).expect(200);
        assert_eq!(*ruling(&held.json()), expected);
    }
    let rows = hub.history();
    let request = rows
        .iter()
        .find(|row| row["kind"] == "approval_request")
        .expect("the event");
    assert_eq!(request["data"]["call_id"], "t1", "the question says more than the call");
}

#[test]
fn what_is_too_large_to_approve_is_left_to_the_agents_own_prompt_and_told() {
    let hub = Hub::start();
    let question = permission("s", &"x".repeat(300 * 1024));
    let reply = hook(&hub, CLAUDE, &question).expect(200);
    assert_eq!(reply.text, "");
    let rows = hub.history();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["kind"], "permission_request");
    assert_eq!(pending(&hub).len(), 0);
}
