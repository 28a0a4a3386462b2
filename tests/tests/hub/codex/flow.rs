//! The usage flow of the seed, with clients that nobody here wrote; what the log holds of it; what is refused.

use countersign_tests::foreign::node;
use countersign_tests::hub::countersign;
use countersign_tests::{Foreign, Hub, Peer, Ws, until};
use serde_json::{Value, json};

use super::{
    CLIENTS, asks, connect, failed, git_status, hub, message, review, said, says, start, start_with, until_asked,
};

#[test]
fn a_client_written_from_the_document_gets_through_the_flow() {
    let hub = hub(&json!([git_status()]));
    for (review, end) in [
        ("YES", "assistant: The tree is clean."),
        ("NO_CONTINUE", "assistant: Then I leave it."),
    ] {
        let mut client = node();
        client.args(["codex_client.mjs", &hub.ws_url("/codex"), review]);
        let mut client = Foreign::start(client);
        for line in [
            "connected",
            "processing",
            "reasoning",
            "function_call",
            "may I: git status",
            "function_call_output",
            end,
            "idle",
            "finished resp_1",
        ] {
            assert_eq!(client.line(), line);
        }
    }
}

#[test]
fn a_listener_that_speaks_codex_has_sessions_at_its_root() {
    let start = start(&json!([git_status()]));
    let mut serve = countersign();
    serve
        .args(["serve", "--listen", "127.0.0.1:0=codex", "--data-dir"])
        .arg(start.folder.data());
    serve.arg("--config").arg(start.folder.file("countersign.toml"));
    let hub = start.run_as(serve);
    for path in ["/", "", "/codex"] {
        let mut client = Foreign::node(&hub.ws_url(path));
        until_asked(&mut client);
        client.send(&review("YES"));
        client.skip_to("agent_finished");
    }
    // The other paths are what they always are.
    hub.ws("/publish").publish(&json!({"type": "note", "data": {}}));
    assert_eq!(
        hub.get("/").expect(200).header("content-type"),
        "text/html; charset=utf-8"
    );
}

#[test]
fn every_message_has_the_shape_of_the_document() {
    let hub = hub(&json!([git_status(), {"steps": [
        {"error": {"message": "Command execution failed", "details": {"exitCode": 1}}},
        {"item": {"type": "web_search_call", "extra": {"kept": [1, null]}}},
        {"item": {"type": "message", "role": "assistant", "content": ["$input", "$previousResponseId"]}}
    ]}]));
    for connect in CLIENTS {
        let mut client = connect(&hub.ws_url("/codex"));
        client.send(&says("hello"));
        let mut ids = Vec::new();
        let mut next = |client: &mut Foreign, kind: &str| -> Value {
            let message = client.expect(kind);
            assert_eq!(message.as_object().expect("an object").len(), 3, "{message}");
            ids.push(message["id"].as_str().expect("an id").to_owned());
            message["payload"].clone()
        };
        assert_eq!(next(&mut client, "loading_state"), json!({"loading": true}));
        assert_eq!(next(&mut client, "response_item")["type"], "reasoning");
        assert_eq!(
            next(&mut client, "response_item")["arguments"],
            "{\"command\":[\"git\",\"status\"]}"
        );
        assert_eq!(
            next(&mut client, "approval_request"),
            json!({"command": ["git", "status"]})
        );
        client.send(&review("YES"));
        assert_eq!(next(&mut client, "response_item")["type"], "function_call_output");
        assert_eq!(
            next(&mut client, "response_item"),
            message("assistant", "The tree is clean.")
        );
        assert_eq!(next(&mut client, "loading_state"), json!({"loading": false}));
        assert_eq!(next(&mut client, "agent_finished"), json!({"responseId": "resp_1"}));
        let items = json!([{"type": "input_text", "text": "and now?"}]);
        client.send(
            &json!({"id": "2", "type": "user_input", "payload": {"input": items, "previousResponseId": "resp_1"}}),
        );
        let error = json!({"message": "Command execution failed", "details": {"exitCode": 1}});
        assert_eq!(next(&mut client, "error"), error);
        assert_eq!(
            next(&mut client, "response_item"),
            json!({"type": "web_search_call", "extra": {"kept": [1, null]}})
        );
        assert_eq!(next(&mut client, "response_item")["content"], json!([items, "resp_1"]));
        assert!(
            next(&mut client, "agent_finished")["responseId"]
                .as_str()
                .is_some_and(|id| !id.is_empty())
        );
        assert!(ids.iter().all(|id| id.len() == 36));
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 12);
    }
}

#[test]
fn what_happens_is_in_the_log_in_the_words_of_all() {
    let hub = hub(&json!([git_status()]));
    let mut monitor = hub.ws("/");
    let mut client = connect(&hub);
    until_asked(&mut client);
    client.send(&review("YES"));
    client.skip_to("agent_finished");
    let mut shown = Vec::new();
    loop {
        let event = monitor.next();
        assert_eq!(event["agent"], "codex");
        let (kind, session) = (
            event["type"].as_str().unwrap().to_owned(),
            event["session"].as_str().unwrap(),
        );
        assert!(
            session.len() == 32 && session.bytes().all(|b| b.is_ascii_hexdigit()),
            "{session}"
        );
        let last = kind == "execution_completed";
        shown.push((kind, event["data"].clone()));
        if last {
            break;
        }
    }
    let kinds: Vec<_> = shown.iter().map(|(kind, _)| kind.as_str()).collect();
    let expected = [
        "execution_started",
        "chat_message",
        "agent_status",
        "reasoning",
        "tool_call_start",
        "approval_request",
        "tool_call_result",
        "tool_call_end",
        "chat_message",
        "agent_status",
        "execution_completed",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(
        (&shown[1].1["sender"], &shown[1].1["content"]),
        (&json!("user"), &json!("go on"))
    );
    assert_eq!(shown[2].1["status"], "working");
    assert_eq!(
        shown[4].1,
        json!({"tool_name": "shell", "arguments": {"command": ["git", "status"]}, "call_id": "call_1"})
    );
    let asked = &shown[5].1;
    assert_eq!(
        (&asked["tool_name"], &asked["arguments"], &asked["cwd"]),
        (&json!("shell"), &json!({"command": ["git", "status"]}), &json!("/repo"))
    );
    assert_eq!(
        (&shown[6].1["tool_name"], &shown[6].1["call_id"]),
        (&json!("shell"), &json!("call_1"))
    );
    assert_eq!(
        shown[7].1,
        json!({"tool_name": "shell", "call_id": "call_1", "success": true, "duration": 0.2})
    );
    assert_eq!(
        (&shown[8].1["sender"], &shown[8].1["content"]),
        (&json!("assistant"), &json!("The tree is clean."))
    );
    assert_eq!(shown[9].1["status"], "idle");
    let rows = hub.history();
    assert!(
        rows.iter()
            .filter(|row| row["agent"] == "codex" && row["type"] == "chat_message")
            .all(|row| row["origin"] == "codex")
    );
    let resolved = rows
        .iter()
        .find(|row| row["type"] == "approval_resolved")
        .expect("a decision");
    assert_eq!(
        (&resolved["data"]["status"], &resolved["data"]["by"]),
        (&json!("approved"), &json!("socket"))
    );
    drop(client);
    until("the agent's going is told", || {
        hub.history()
            .iter()
            .any(|row| row["type"] == "agent_disconnected")
            .then_some(())
    });
}

#[test]
fn what_is_no_message_is_an_error_and_changes_nothing() {
    for connect in CLIENTS {
        let hub = hub(&json!([git_status()]));
        let mut client = connect(&hub.ws_url("/codex"));
        let input = |payload: Value| json!({"id": "m-7", "type": "user_input", "payload": payload}).to_string();
        for (text, word) in [
            ("not JSON".to_owned(), "not JSON"),
            ("[]".to_owned(), "object"),
            (json!({"id": "m-7"}).to_string(), "type"),
            (
                json!({"id": "m-7", "type": "agent_finished", "payload": {}}).to_string(),
                "unknown message type",
            ),
            (json!({"id": "m-7", "type": "user_input"}).to_string(), "payload"),
            (input(json!({})), "payload.input"),
            (input(json!({"input": "text"})), "array"),
            (input(json!({"input": []})), "empty"),
            (review("YES").to_string(), "no request is outstanding"),
            (review("EXPLAIN").to_string(), "no request is outstanding"),
            (review("PERHAPS").to_string(), "unknown review"),
        ] {
            client.send_text(&text);
            let error = failed(&mut client, word);
            let id = serde_json::from_str::<Value>(&text).map_or(Value::Null, |sent| sent["id"].clone());
            assert_eq!(error["payload"]["details"]["id"], id, "{error}");
        }
        assert!(hub.history().is_empty(), "nothing has happened");
        until_asked(&mut client);
        client.send(&review("PERHAPS"));
        let error = failed(&mut client, "unknown review");
        assert_eq!(error["payload"]["details"]["field"], "payload.review");
        // The question is still there.
        client.send(&review("YES"));
        client.skip_to("agent_finished");
        client.send(&review("YES"));
        failed(&mut client, "no request is outstanding");
        client.send_text("still here?");
        failed(&mut client, "not JSON");
    }
}

#[test]
fn without_an_agent_the_user_is_told_so() {
    let hub = Hub::start();
    for connect in CLIENTS {
        let mut client = connect(&hub.ws_url("/codex"));
        client.send(&says("hello"));
        failed(&mut client, "no agent is configured");
    }
    assert!(hub.history().is_empty());
}

#[test]
fn a_message_that_is_too_large_closes_the_connection() {
    let hub = hub(&json!([git_status()]));
    let mut client = Foreign::node(&hub.ws_url("/codex"));
    client.send(&says(&"x".repeat(1024 * 1024)));
    assert_eq!(client.closed().0, 1009);
}

#[test]
fn two_connections_never_mix() {
    let echo = json!({"type": "message", "role": "assistant", "content": "$input"});
    let hub = hub(&json!([{"steps": [{"item": echo.clone()}, asks("build"), {"item": echo}]}]));
    let (mut one, mut other) = (
        Foreign::python(&hub.ws_url("/codex")),
        Foreign::node(&hub.ws_url("/codex")),
    );
    one.send(&says("first"));
    other.send(&says("second"));
    for (client, text) in [(&mut one, "first"), (&mut other, "second")] {
        let item = client.expect("response_item");
        assert_eq!(item["payload"]["content"][0]["content"][0]["text"], text);
        client.expect("approval_request");
    }
    // Each answers its own, and hears of its own alone.
    one.send(&review("YES"));
    assert_eq!(said(&mut one), "build ran");
    one.expect("response_item");
    one.expect("agent_finished");
    one.send(&review("YES"));
    failed(&mut one, "no request is outstanding");
    other.send(&review("NO_CONTINUE"));
    assert_eq!(said(&mut other), "build did not run");
    let sessions: Vec<_> = hub.get("/api/agents").expect(200).json()["sessions"]
        .as_array()
        .unwrap()
        .clone();
    let ids: Vec<_> = sessions
        .iter()
        .map(|session| session["session"].as_str().unwrap())
        .collect();
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
}

#[test]
fn what_is_said_while_the_agent_is_at_work_is_its_next_turn() {
    let echo =
        |step: Value| json!({"steps": [step, {"item": {"type": "message", "role": "assistant", "content": "$input"}}]});
    let hub = hub(&json!([echo(asks("build")), echo(json!({"loading": true}))]));
    let mut client = connect(&hub);
    until_asked(&mut client);
    client.send(&says("later"));
    client.send(&review("YES"));
    client.skip_to("agent_finished");
    client.expect("loading_state");
    assert_eq!(
        client.expect("response_item")["payload"]["content"][0]["content"][0]["text"],
        "later"
    );
    client.expect("agent_finished");
}

#[test]
fn where_tokens_are_required_a_session_needs_an_agents_and_its_log_a_monitors() {
    let hub = start_with(&json!([git_status()]), "auth = \"required\"").run();
    for path in ["/codex", "/codex?token=wrong"] {
        assert_eq!(Ws::try_connect(hub.port, path, &[]).err(), Some(401), "{path}");
    }
    for path in ["/sessions", "/sessions/0123456789abcdef0123456789abcdef"] {
        assert_eq!(hub.get(path).status, 401, "{path}");
    }
    let mut client = hub.approver("/codex?stream=build");
    until_asked(&mut client);
    client.send(&review("YES"));
    client.skip_to("agent_finished");
    let bearer = format!("Bearer {}", hub.token());
    let rows = hub
        .call("GET", "/api/events", &[("authorization", &bearer)], None)
        .expect(200)
        .json();
    let said = rows["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["type"] == "chat_message")
        .expect("it is there");
    assert_eq!(said["stream"], "build");
}
