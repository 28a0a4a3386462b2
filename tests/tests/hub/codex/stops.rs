//! Stops: by the client's NO, from elsewhere in the middle of a turn; and what lifts them.

use countersign_tests::{Peer, until};
use serde_json::{Value, json};

use super::{
    CLIENTS, asks, connect, decide, failed, git_status, hub, message, review, said, says, until_asked, waiting,
};

fn stopped(hub: &countersign_tests::Hub) -> bool {
    let sessions = hub.get("/api/agents").expect(200).json();
    sessions["sessions"][0]["stopped"] == true || sessions["sessions"][0]["activity"] == "stopped"
}

#[test]
fn no_ends_the_turn_and_the_next_input_lifts_it() {
    for connect in CLIENTS {
        let hub = hub(&json!([git_status()]));
        let mut client = connect(&hub.ws_url("/codex"));
        until_asked(&mut client);
        client.send(&review("NO"));
        // Nothing more of the turn: neither output nor words.
        assert_eq!(client.expect("loading_state")["payload"]["loading"], false);
        client.expect("agent_finished");
        let approval = &hub.get("/api/approvals").expect(200).json()["approvals"][0];
        assert_eq!(approval["status"], "stopped");
        assert!(stopped(&hub));
        until_asked(&mut client);
        assert!(!stopped(&hub));
        client.send(&review("YES"));
        client.expect("response_item");
        assert_eq!(said(&mut client), "The tree is clean.");
        let kinds: Vec<Value> = hub.history().iter().map(|row| row["type"].clone()).collect();
        let place = |kind: &str| kinds.iter().position(|known| known == kind);
        assert!(place("session_stopped") < place("session_resumed"), "{kinds:?}");
    }
}

#[test]
fn a_stop_from_elsewhere_ends_a_turn_that_asks() {
    let hub = hub(&json!([{"steps": [asks("ls"), {"item": message("assistant", "never said")}]}]));
    let mut client = connect(&hub);
    let request = until_asked(&mut client);
    decide(
        &hub,
        &waiting(&hub)["id"],
        &json!({"decision": "stop", "message": "enough"}),
    );
    let resolved = client.expect("approval_resolved");
    assert_eq!(
        (&resolved["payload"]["requestId"], &resolved["payload"]["review"]),
        (&request["id"], &json!("NO"))
    );
    let mut words = Vec::new();
    loop {
        let message = client.next();
        let kind = message["type"].as_str().unwrap().to_owned();
        if kind == "agent_finished" {
            break;
        }
        words.push(message["payload"]["content"][0]["text"].clone());
    }
    assert!(
        words
            .iter()
            .any(|word| word.as_str().is_some_and(|word| word.ends_with("enough"))),
        "{words:?}"
    );
    assert!(!words.contains(&json!("never said")));
    until_asked(&mut client);
}

#[test]
fn a_stop_from_elsewhere_ends_a_turn_that_works_and_drops_what_was_to_come() {
    let hub = hub(&json!([
        {"steps": [{"loading": true}, {"wait": "stop"}, {"item": message("assistant", "never said")}]},
        {"steps": [{"item": message("assistant", "a new start")}]}
    ]));
    let mut client = connect(&hub);
    client.send(&says("work"));
    client.expect("loading_state");
    let mut waits = says("before the stop");
    waits["id"] = json!("waits");
    client.send(&waits);
    client.send_text("a mark");
    failed(&mut client, "not JSON");
    let session = until("the session is known", || {
        let sessions = hub.get("/api/agents").expect(200).json();
        sessions["sessions"][0]["session"].as_str().map(str::to_owned)
    });
    hub.post_as_approver(&format!("/api/sessions/{session}/stop"), &json!({"message": "lunch"}))
        .expect(200);
    assert_eq!(said(&mut client), "This session was stopped in Countersign: lunch");
    assert_eq!(failed(&mut client, "stopped")["payload"]["details"]["id"], "waits");
    client.expect("loading_state");
    client.expect("agent_finished");
    client.send(&says("go on"));
    assert_eq!(said(&mut client), "a new start");
}

#[test]
fn an_agent_that_fails_ends_its_turn() {
    let hub = hub(&json!([
        {"steps": [{"fail": {"message": "no credit", "details": {"code": 402}}}, {"item": message("assistant", "never said")}]},
        {"steps": [{"finish": "resp_2"}]}
    ]));
    let mut client = connect(&hub);
    client.send(&says("work"));
    assert_eq!(
        failed(&mut client, "no credit")["payload"]["details"],
        json!({"code": 402})
    );
    client.send(&says("again"));
    assert_eq!(client.expect("agent_finished")["payload"]["responseId"], "resp_2");
    let rows = hub.history();
    let failed = rows
        .iter()
        .find(|row| row["type"] == "execution_failed")
        .expect("it is in the log");
    assert_eq!(failed["data"]["error"], "no credit");
}
