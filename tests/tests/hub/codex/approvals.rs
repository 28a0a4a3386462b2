//! Requests and their answers: the five reviews, answers from elsewhere, answers that come too late or for something else.

use countersign_tests::{Foreign, Peer, until};
use serde_json::{Value, json};

use super::{
    CLIENTS, asks, connect, decide, failed, git_status, hub, message, review, said, says, start_with, until_asked,
    waiting,
};

/// What the agent sees of a decision.
fn echo() -> Value {
    json!({"item": {"type": "message", "role": "assistant",
        "content": [{"message": "$message", "applyPatch": "$applyPatch", "arguments": "$arguments", "scope": "$scope"}]}})
}

fn patching() -> Value {
    json!([{"steps": [{"ask": {
        "command": ["apply_patch", "p"], "applyPatch": {"patch": "p", "files": ["a"]}, "cwd": "/repo",
        "approved": [echo()], "denied": [echo()]
    }}]}])
}

#[test]
fn yes_and_no_continue_answer_one_request() {
    let hub = hub(&json!([git_status()]));
    for connect in CLIENTS {
        let mut client = connect(&hub.ws_url("/codex"));
        for (answer, status, word) in [
            ("YES", "approved", "The tree is clean."),
            ("NO_CONTINUE", "denied", "Then I leave it."),
        ] {
            until_asked(&mut client);
            client.send(&review(answer));
            client.expect("response_item");
            assert_eq!(said(&mut client), word);
            client.expect("loading_state");
            client.expect("agent_finished");
            let approval = &hub.get("/api/approvals").expect(200).json()["approvals"][0];
            assert_eq!(
                (&approval["status"], &approval["origin"]),
                (&json!(status), &json!("codex"))
            );
        }
    }
    assert_eq!(hub.get("/api/rules").json()["rules"], json!([]));
}

#[test]
fn a_word_goes_to_the_agent_with_a_denial() {
    let hub = hub(&patching());
    let mut client = connect(&hub);
    until_asked(&mut client);
    client.send(&json!({"id": "1", "type": "approval_response", "payload": {"review": "NO_CONTINUE", "customDenyMessage": "not on main"}}));
    let item = client.expect("response_item");
    assert_eq!(item["payload"]["content"][0]["message"], "not on main");
    let approval = &hub.get("/api/approvals").expect(200).json()["approvals"][0];
    assert_eq!(approval["decision"]["message"], "not on main");
}

#[test]
fn always_makes_a_rule_that_answers_from_then_on() {
    let hub = hub(&json!([git_status()]));
    let mut client = Foreign::node(&hub.ws_url("/codex"));
    until_asked(&mut client);
    client.send(&review("ALWAYS"));
    client.skip_to("agent_finished");
    let rules = hub.get("/api/rules").expect(200).json();
    let rule = &rules["rules"][0];
    assert_eq!(
        (&rule["agent"], &rule["tool_name"], &rule["decision"]),
        (&json!("codex"), &json!("shell"), &json!("approve"))
    );
    // In another session, nobody is asked.
    let mut other = Foreign::python(&hub.ws_url("/codex"));
    other.send(&says("again"));
    for kind in [
        "loading_state",
        "response_item",
        "response_item",
        "response_item",
        "response_item",
        "loading_state",
        "agent_finished",
    ] {
        other.expect(kind);
    }
    let approval = &hub.get("/api/approvals").expect(200).json()["approvals"][0];
    assert_eq!(approval["decision"]["rule"], rule["id"]);
}

#[test]
fn explain_asks_the_agent_and_leaves_the_request() {
    let hub = hub(&json!([git_status()]));
    for connect in CLIENTS {
        let mut client = connect(&hub.ws_url("/codex"));
        until_asked(&mut client);
        for _ in 0..2 {
            client.send(&review("EXPLAIN"));
            assert_eq!(said(&mut client), "It shows what has changed, and changes nothing.");
            assert_eq!(waiting(&hub)["status"], "pending");
        }
        client.send(&review("YES"));
        client.skip_to("agent_finished");
    }
}

#[test]
fn patches_go_both_ways_and_another_patch_is_what_is_approved() {
    let hub = hub(&patching());
    let mut client = connect(&hub);
    let request = until_asked(&mut client);
    assert_eq!(
        request["payload"],
        json!({"command": ["apply_patch", "p"], "applyPatch": {"patch": "p", "files": ["a"]}})
    );
    let pending = waiting(&hub);
    assert_eq!(
        (&pending["tool_name"], &pending["cwd"]),
        (&json!("apply_patch"), &json!("/repo"))
    );
    assert_eq!(pending["arguments"], request["payload"]);
    let answer = |review: &str, patch: &Value| json!({"id": "1", "type": "approval_response", "payload": {"review": review, "applyPatch": patch}});
    // A standing approval is of what was asked about, and of nothing else.
    client.send(&answer("ALWAYS", &json!({"patch": "q"})));
    failed(&mut client, "single approval");
    // The same patch, spelled in another way, is the same.
    client.send(&answer("YES", &json!({"files": ["a"], "patch": "p"})));
    let echo = &client.expect("response_item")["payload"]["content"][0];
    assert_eq!(
        (&echo["applyPatch"]["patch"], &echo["arguments"]),
        (&json!("p"), &Value::Null)
    );
    client.expect("agent_finished");

    until_asked(&mut client);
    client.send(&answer("YES", &json!({"patch": "q"})));
    let echo = &client.expect("response_item")["payload"]["content"][0];
    assert_eq!(echo["applyPatch"], json!({"patch": "q"}));
    let edited = json!({"command": ["apply_patch", "p"], "applyPatch": {"patch": "q"}});
    assert_eq!(echo["arguments"], edited);
    let approval = &hub.get("/api/approvals").expect(200).json()["approvals"][0];
    assert_eq!(approval["decision"]["arguments"], edited);
}

#[test]
fn answered_elsewhere_first_the_client_hears_it_and_comes_too_late() {
    let hub = hub(&json!([git_status()]));
    for (connect, decision, review_, word) in [
        (CLIENTS[0], "approve", "YES", "The tree is clean."),
        (CLIENTS[1], "deny", "NO_CONTINUE", "Then I leave it."),
    ] {
        let mut client = connect(&hub.ws_url("/codex"));
        let request = until_asked(&mut client);
        let pending = waiting(&hub);
        assert_eq!(pending["request_id"], request["id"]);
        decide(
            &hub,
            &pending["id"],
            &json!({"decision": decision, "message": "as you like"}),
        );
        let resolved = client.expect("approval_resolved");
        assert_eq!(resolved["payload"]["requestId"], request["id"]);
        assert_eq!(resolved["payload"]["review"], review_);
        assert_eq!(resolved["payload"]["by"], "rest");
        client.expect("response_item");
        assert_eq!(said(&mut client), word);
        client.skip_to("agent_finished");
        client.send(&review("YES"));
        failed(&mut client, "over REST");
        client.send(&review("YES"));
        failed(&mut client, "no request is outstanding");
    }
}

#[test]
fn a_late_approval_does_not_approve_the_next_request() {
    let hub = hub(&json!([{"steps": [asks("ls"), asks("rm")]}]));
    let mut client = connect(&hub);
    until_asked(&mut client);
    decide(&hub, &waiting(&hub)["id"], &json!({"decision": "approve"}));
    client.expect("approval_resolved");
    assert_eq!(said(&mut client), "ls ran");
    let next = client.expect("approval_request");
    assert_eq!(next["payload"]["command"], json!(["rm"]));
    // The user had `ls` in mind.
    client.send(&review("YES"));
    failed(&mut client, "approves nothing");
    assert_eq!(waiting(&hub)["status"], "pending");
    // Sent twice at once, the second one has nothing left to answer: what was answered over REST was the request before.
    client.send(&review("YES"));
    client.send(&review("YES"));
    let error = client.skip_to("error")["payload"]["message"].to_string();
    assert!(error.contains("there is nothing to answer"), "{error}");
    client.skip_to("agent_finished");

    // Under the request's own id there is no doubt; and a denial is never in doubt.
    for (id, answer, word) in [(true, "YES", "rm ran"), (false, "NO_CONTINUE", "rm did not run")] {
        until_asked(&mut client);
        decide(&hub, &waiting(&hub)["id"], &json!({"decision": "approve"}));
        client.expect("approval_resolved");
        said(&mut client);
        let mut answer = review(answer);
        let next = client.expect("approval_request");
        if id {
            answer["id"] = next["id"].clone();
        }
        client.send(&answer);
        assert_eq!(said(&mut client), word);
        client.expect("agent_finished");
    }
}

#[test]
fn a_client_that_goes_leaves_its_request_the_grace_time() {
    let hub = start_with(&json!([git_status()]), "[approvals]\ngrace_seconds = 1").run();
    let mut client = Foreign::node(&hub.ws_url("/codex"));
    until_asked(&mut client);
    let id = waiting(&hub)["id"].as_str().expect("an id").to_owned();
    drop(client);
    until("the request is cancelled", || {
        let approval = hub.get(&format!("/api/approvals/{id}")).expect(200).json();
        (approval["status"] == "cancelled").then_some(())
    });
    // Nobody else's answer was heard by anybody.
    let mut other = connect(&hub);
    other.send(&review("YES"));
    failed(&mut other, "no request is outstanding");
}

#[test]
fn a_hub_that_is_killed_approves_nothing() {
    let start = start_with(&json!([git_status()]), "[approvals]\ngrace_seconds = 1");
    let mut hub = start.run();
    let mut client = Foreign::python(&hub.ws_url("/codex"));
    until_asked(&mut client);
    let id = waiting(&hub)["id"].as_str().expect("an id").to_owned();
    hub.kill();
    client.closed();
    let hub = start.run();
    until("the request is cancelled", || {
        let approval = hub.get(&format!("/api/approvals/{id}")).expect(200).json();
        assert_ne!(approval["status"], "approved");
        (approval["status"] == "cancelled").then_some(())
    });
}

#[test]
fn a_request_too_large_is_refused_and_the_agent_told() {
    let large = "x".repeat(300 * 1024);
    let hub = hub(
        &json!([{"steps": [{"ask": {"command": [large], "denied": [{"item": message("assistant", "I could not ask")}]}}, asks("ls")]}]),
    );
    let mut client = connect(&hub);
    client.send(&says("go on"));
    failed(&mut client, "refused");
    assert_eq!(said(&mut client), "I could not ask");
    client.expect("approval_request");
}
