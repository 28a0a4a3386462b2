//! Servers of the five systems that nobody here wrote.

use super::*;

/// The next thing that a client said to the server, as JSON.
fn said(server: &mut Foreign) -> Value {
    loop {
        let event = server.event();
        if let Some(text) = event["message"].as_str() {
            return serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        }
    }
}

fn serving(mut command: std::process::Command, script: &str, port: u16) -> (Foreign, u16) {
    command.args([script, &port.to_string()]);
    let mut server = Foreign::start(command);
    let port = server.event()["port"].as_u64().unwrap();
    (server, u16::try_from(port).unwrap())
}

#[test]
fn a_sam_servers_events_come_in_and_answers_go_back() {
    let (mut sam, port) = serving(python(), "socket_server.py", 0);
    let url = format!("ws://127.0.0.1:{port}");
    let config = format!("[[upstream]]\nname = \"up\"\ndialect = \"sam\"\nurl = \"{url}\"\n");
    let hub = Hub::with_toml(&config);
    assert!(sam.event()["open"].is_string());
    wait_state(&hub, "up", "connected");
    for frame in frames::of_the_seed() {
        sam.say(&frame.to_string());
    }
    let mut named = frames::note(1);
    named["agent"] = "builder".into();
    named["session"] = "s9".into();
    sam.say(&named.to_string());
    sam.say(&json!({"type": "rule_created", "data": {"rule": {}}}).to_string());
    sam.say("\"not JSON\"");
    let rows = rows(&hub, "sam", 9);
    for (row, frame) in rows.iter().zip(frames::of_the_seed()) {
        assert_eq!(
            (&row["agent"], &row["kind"], &row["data"], &row["timestamp"]),
            (&json!("up"), &frame["type"], &frame["data"], &frame["timestamp"])
        );
    }
    assert_eq!(
        (&rows[8]["agent"], &rows[8]["session"]),
        (&json!("up/builder"), &json!("s9"))
    );
    assert!(hub.history().iter().all(|row| row["kind"] != "rule_created"));
    for (id, answer) in [("r1", "approve"), ("r2", "deny"), ("r3", "stop")] {
        sam.say(&frames::approval_request(id).to_string());
        let approval = waiting(&hub);
        assert_eq!(
            (&approval["request_id"], &approval["agent"]),
            (&json!(id), &json!("up"))
        );
        hub.answer(approval["id"].as_str().unwrap(), answer);
        let response = said(&mut sam);
        assert_eq!(
            (&response["type"], &response["request_id"], &response["response"]),
            (&json!("approval_response"), &json!(id), &json!(answer))
        );
        until("delivered", || {
            let path = format!("/api/approvals/{}", approval["id"].as_str().unwrap());
            (hub.get(&path).json()["delivery"] == "delivered").then_some(())
        });
    }
    let view = upstream(&hub, "up");
    assert_eq!(
        (&view["dialect"], &view["configured"], &view["events"]),
        (&json!("sam"), &json!(true), &json!(9))
    );
}

#[test]
fn what_is_answered_there_or_vanishes_is_never_approved_here() {
    let (mut sam, port) = serving(python(), "socket_server.py", 0);
    let config = format!(
        "[approvals]\ngrace_seconds = 1\n[[upstream]]\nname = \"up\"\ndialect = \"sam\"\nurl = \"ws://127.0.0.1:{port}\"\n"
    );
    let hub = Hub::with_toml(&config);
    wait_state(&hub, "up", "connected");
    sam.say(&frames::approval_request("r1").to_string());
    let approval = waiting(&hub);
    sam.say(&json!({"type": "approval_resolved", "data": {"request_id": "r1", "status": "approved", "decision": "approve"}}).to_string());
    status_of(&hub, &approval["id"], "cancelled");
    let late = hub.post_as_approver(
        &format!("/api/approvals/{}/decision", approval["id"].as_str().unwrap()),
        &json!({"decision": "approve"}),
    );
    late.problem(409);
    sam.say(&frames::approval_request("r2").to_string());
    let approval = waiting(&hub);
    drop(sam);
    status_of(&hub, &approval["id"], "cancelled");
    let view = wait_state(&hub, "up", "waiting");
    assert!(view["last_error"].is_string(), "{view}");
    // It comes back by itself.
    let (mut sam, _) = serving(python(), "socket_server.py", port);
    assert!(sam.event()["open"].is_string());
    let view = wait_state(&hub, "up", "connected");
    assert!(view["last_error"].is_null(), "{view}");
    sam.say(&frames::note(5).to_string());
    until("it is merged", || {
        hub.history().iter().any(|row| row["data"]["n"] == 5).then_some(())
    });
}

#[test]
fn a_hive_servers_events_come_in() {
    let (mut hive, port) = serving(python(), "socket_server.py", 0);
    let hub = Hub::start();
    attach(
        &hub,
        "up",
        "hive",
        &format!("ws://127.0.0.1:{port}/stream"),
        Some("a token"),
    );
    assert_eq!(hive.event()["open"], "/stream");
    assert_eq!(said(&mut hive), json!({"action": "auth", "token": "a token"}));
    assert_eq!(said(&mut hive), json!({"action": "subscribe"}));
    hive.say(&json!({"type": "authenticated"}).to_string());
    hive.say(&json!({"type": "subscribed"}).to_string());
    let event = json!({"type": "execution_started", "stream_id": "webhook", "execution_id": "x1",
        "data": {"input_data": {}}, "timestamp": "2026-01-17T10:30:00"});
    hive.say(&json!({"type": "event", "event": event}).to_string());
    hive.say(&json!({"type": "event", "event": {"type": "GOAL_PROGRESS", "stream_id": null, "execution_id": null, "data": {"progress": 0.5}}}).to_string());
    hive.say(&json!({"type": "event", "event": {"type": "session_stopped", "stream_id": "s", "data": {}}}).to_string());
    hive.say(
        &json!({"type": "event", "event": {"type": "state_changed", "stream_id": "s", "data": {"key": "k"}}})
            .to_string(),
    );
    let rows = rows(&hub, "hive", 3);
    let brief = |row: &Value| json!([row["kind"], row["agent"], row["session"], row["stream"]]);
    assert_eq!(
        brief(&rows[0]),
        json!(["execution_started", "up/webhook", "x1", "webhook"])
    );
    assert_eq!(
        (&rows[0]["data"], &rows[0]["timestamp"]),
        (&event["data"], &event["timestamp"])
    );
    assert_eq!(brief(&rows[1]), json!(["goal_progress", "up", "up", null]));
    assert_eq!(rows[2]["kind"], "state_changed");
}

#[test]
fn a_cloud_servers_messages_come_in() {
    let (mut cloud, port) = serving(node(), "socket_server.mjs", 0);
    let hub = Hub::start();
    attach(
        &hub,
        "up",
        "cloud",
        &format!("ws://127.0.0.1:{port}/ws"),
        Some("to&ken"),
    );
    assert_eq!(cloud.event()["open"], "/ws?token=to%26ken");
    cloud.say(&json!({"type": "auth", "data": {"success": true, "userId": "user_a"}}).to_string());
    cloud.say(&json!({"type": "ping"}).to_string());
    until("pong", || (said(&mut cloud)["type"] == "pong").then_some(()));
    let status = json!({"agentName": "CLOUD_ASSISTANT", "state": "working", "currentTask": "t", "progress": 45});
    cloud.say(&json!({"type": "agent_status", "data": status, "timestamp": "2025-12-26T13:00:00.000Z"}).to_string());
    cloud.say(&json!({"type": "chat_message", "data": {"conversationId": "conv-1", "messageId": "m", "content": "hi", "sender": "LEAD"}}).to_string());
    cloud.say(&json!({"type": "notification", "data": {"level": "success", "message": "done"}}).to_string());
    cloud.say(&json!({"type": "user_presence", "data": {"userId": "user_ann", "status": "offline"}}).to_string());
    let rows = rows(&hub, "cloud", 4);
    let brief: Vec<Value> = rows
        .iter()
        .map(|row| json!([row["kind"], row["agent"], row["session"]]))
        .collect();
    assert_eq!(
        brief,
        [
            json!(["agent_status", "up/CLOUD_ASSISTANT", "up/CLOUD_ASSISTANT"]),
            json!(["chat_message", "up/LEAD", "conv-1"]),
            json!(["notification", "up", "up"]),
            json!(["user_presence", "up", "up"])
        ]
    );
    assert_eq!(rows[0]["data"], status);
    let presence = json!({"userId": "up/user_ann", "status": "offline"});
    assert_eq!(rows[3]["data"], presence, "an upstream speaks of its own people");
    cloud.say(&json!({"type": "error", "data": {"error": "slow down"}}).to_string());
    until("the error is shown", || {
        (upstream(&hub, "up")["last_error"] == "slow down").then_some(())
    });
}

#[test]
fn a_codex_servers_items_come_in_and_reviews_go_back() {
    let (mut codex, port) = serving(node(), "socket_server.mjs", 0);
    let hub = Hub::start();
    attach(&hub, "up", "codex", &format!("ws://127.0.0.1:{port}/"), None);
    assert_eq!(codex.event()["open"], "/");
    wait_state(&hub, "up", "connected");
    let mut item = |kind: &str, payload: Value| {
        codex.say(&json!({"id": "1", "type": kind, "payload": payload}).to_string());
    };
    item("loading_state", json!({"loading": true}));
    item(
        "response_item",
        json!({"type": "function_call", "name": "shell", "call_id": "c1", "arguments": "{\"command\":[\"ls\"]}"}),
    );
    item(
        "response_item",
        json!({"type": "function_call_output", "call_id": "c1", "output": "{\"output\":\"x\",\"metadata\":{\"exit_code\":1}}"}),
    );
    item(
        "response_item",
        json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}),
    );
    item("agent_finished", json!({"responseId": "r1"}));
    let rows = rows(&hub, "codex", 6);
    let kinds: Vec<&str> = rows.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "agent_status",
            "tool_call_start",
            "tool_call_result",
            "tool_call_end",
            "chat_message",
            "execution_completed"
        ]
    );
    assert_eq!(
        rows[1]["data"],
        json!({"tool_name": "shell", "arguments": {"command": ["ls"]}, "call_id": "c1"})
    );
    assert_eq!(
        (&rows[3]["data"]["tool_name"], &rows[3]["data"]["success"]),
        (&json!("shell"), &json!(false))
    );
    assert_eq!(
        (&rows[4]["data"]["sender"], &rows[4]["data"]["content"]),
        (&json!("assistant"), &json!("Hello"))
    );
    for (decision, review) in [
        (json!({"decision": "approve"}), "YES"),
        (json!({"decision": "approve", "scope": "always"}), "ALWAYS"),
        (json!({"decision": "deny", "message": "no"}), "NO_CONTINUE"),
    ] {
        let request = json!({"id": format!("a-{review}"), "type": "approval_request", "payload": {"command": ["git", review], "applyPatch": null}});
        codex.say(&request.to_string());
        let approval = waiting(&hub);
        assert_eq!(
            (&approval["tool_name"], &approval["arguments"]["command"]),
            (&json!("shell"), &json!(["git", review]))
        );
        let path = format!("/api/approvals/{}/decision", approval["id"].as_str().unwrap());
        hub.post_as_approver(&path, &decision).expect(200);
        let answer = said(&mut codex);
        assert_eq!(
            (&answer["type"], &answer["payload"]["review"]),
            (&json!("approval_response"), &json!(review))
        );
        assert_eq!(
            answer["payload"].get("customDenyMessage").is_some(),
            review == "NO_CONTINUE"
        );
    }
    codex.say(&json!({"id": "z", "type": "approval_request", "payload": {"command": ["rm"]}}).to_string());
    let approval = waiting(&hub);
    codex.say(&json!({"close": true}).to_string());
    status_of(&hub, &approval["id"], "cancelled");
}

#[test]
fn an_amiga_servers_figures_come_in() {
    let (mut amiga, port) = serving(python(), "amiga_server.py", 0);
    let hub = Hub::start();
    attach(&hub, "up", "amiga", &format!("http://127.0.0.1:{port}"), Some("word"));
    let open = amiga.event();
    assert_eq!(
        (&open["open"], &open["auth"]),
        (&json!("/socket.io/"), &json!({"token": "word"}))
    );
    assert_eq!(amiga.event()["subscribe"], json!({"hours": 24, "update_interval": 2}));
    let figures =
        json!({"overview": {"tasks": {"total": 42}}, "sessions": {}, "activity": [], "timestamp": 1_729_432_123.4});
    amiga.say(&figures.to_string());
    let rows = rows(&hub, "amiga", 1);
    assert_eq!(
        (&rows[0]["kind"], &rows[0]["agent"], &rows[0]["data"]),
        (&json!("metrics_update"), &json!("up"), &figures)
    );
    drop(amiga);
    wait_state(&hub, "up", "waiting");
}

#[test]
fn a_person_adds_and_removes_upstreams_that_outlive_the_hub() {
    let (_sam, port) = serving(python(), "socket_server.py", 0);
    let config =
        format!("[[upstream]]\nname = \"fixed\"\ndialect = \"sam\"\nurl = \"ws://127.0.0.1:{port}/?x=secret\"\n");
    let start = Start::new().config("countersign.toml", &config);
    let mut hub = start.run();
    let body = json!({"name": "up", "dialect": "sam", "url": format!("ws://127.0.0.1:{port}"), "token": "secret"});
    hub.post("/api/upstreams", &body).problem(401);
    let made = hub.post_as_approver("/api/upstreams", &body).expect(201).json();
    assert_eq!((&made["name"], &made["configured"]), (&json!("up"), &json!(false)));
    hub.post_as_approver("/api/upstreams", &body).problem(409);
    for (field, value) in [
        ("name", json!("a/b")),
        ("dialect", json!("x")),
        ("url", json!("file:///etc/passwd")),
    ] {
        let mut bad = body.clone();
        bad["name"] = "other".into();
        bad[field] = value;
        assert_eq!(
            hub.post_as_approver("/api/upstreams", &bad).problem(400)["field"],
            field
        );
    }
    let mut file = body.clone();
    file["name"] = "other".into();
    file["token_file"] = "/etc/passwd".into();
    file.as_object_mut().unwrap().remove("token");
    hub.post_as_approver("/api/upstreams", &file).problem(400);
    wait_state(&hub, "up", "connected");
    wait_state(&hub, "fixed", "connected");
    for path in ["/api/upstreams", "/api/status"] {
        let text = hub.get(path).expect(200).text;
        assert!(!text.contains("secret"), "{text}");
    }
    hub.kill();
    let hub = start.run();
    wait_state(&hub, "up", "connected");
    let bearer = format!("Bearer {}", hub.token());
    let delete = |name: &str| {
        hub.call(
            "DELETE",
            &format!("/api/upstreams/{name}"),
            &[("Authorization", &bearer)],
            None,
        )
    };
    hub.call("DELETE", "/api/upstreams/up", &[], None).problem(401);
    delete("fixed").problem(409);
    delete("none").problem(404);
    delete("up").expect(204);
    assert_eq!(upstream(&hub, "up"), Value::Null);
    assert_eq!(upstream(&hub, "fixed")["state"], "connected");
}
