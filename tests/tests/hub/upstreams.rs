//! Upstreams: the hub as a client of servers that nobody here wrote, of itself, and of other hubs in chains and circles.

use countersign_tests::foreign::{node, python};
use countersign_tests::{Foreign, Hub, Peer, Start, frames, until};
use serde_json::{Value, json};

fn serving(mut command: std::process::Command, script: &str, port: u16) -> (Foreign, u16) {
    command.args([script, &port.to_string()]);
    let mut server = Foreign::start(command);
    let port = server.event()["port"].as_u64().unwrap();
    (server, u16::try_from(port).unwrap())
}

fn attach(hub: &Hub, name: &str, dialect: &str, url: &str, token: Option<&str>) {
    let mut body = json!({"name": name, "dialect": dialect, "url": url});
    if let Some(token) = token {
        body["token"] = token.into();
    }
    hub.post_as_approver("/api/upstreams", &body).expect(201);
}

fn upstream(hub: &Hub, name: &str) -> Value {
    let list = hub.get("/api/upstreams").expect(200).json();
    let list = list["upstreams"].as_array().unwrap();
    list.iter()
        .find(|upstream| upstream["name"] == name)
        .cloned()
        .unwrap_or_default()
}

fn wait_state(hub: &Hub, name: &str, state: &str) -> Value {
    until(&format!("{name} is {state}"), || {
        let upstream = upstream(hub, name);
        (upstream["state"] == state).then_some(upstream)
    })
}

/// The rows of events that came in through an upstream, once there are so many.
fn rows(hub: &Hub, origin: &str, count: usize) -> Vec<Value> {
    until(&format!("{count} rows of {origin}"), || {
        let mut rows = hub.history();
        rows.retain(|row| row["origin"] == origin && row["agent"].as_str().unwrap().starts_with("up"));
        (rows.len() >= count).then_some(rows)
    })
}

fn waiting(hub: &Hub) -> Value {
    until("a question waits", || {
        let list = hub.get("/api/approvals?status=pending").json();
        list["approvals"].as_array().unwrap().first().cloned()
    })
}

fn status_of(hub: &Hub, id: &Value, status: &str) -> Value {
    until(&format!("{id} is {status}"), || {
        let approval = hub.get(&format!("/api/approvals/{}", id.as_str().unwrap())).json();
        (approval["status"] == status).then_some(approval)
    })
}

/// The next thing that a client said to the server, as JSON.
fn said(server: &mut Foreign) -> Value {
    loop {
        let event = server.event();
        if let Some(text) = event["message"].as_str() {
            return serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        }
    }
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
    wait_state(&hub, "up", "connected");
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
    cloud.say(&json!({"type": "user_presence", "data": {"userId": "u", "status": "online"}}).to_string());
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

/// A hub attached to another one as `up`, over SAM.
fn attached_to(upper: &Hub, folder: &countersign_tests::Folder) -> Hub {
    let config = format!(
        "[[upstream]]\nname = \"up\"\ndialect = \"sam\"\nurl = \"{}\"\ntoken = \"{}\"\n",
        upper.ws_url("/"),
        upper.token()
    );
    Start::in_folder(folder).config("countersign.toml", &config).run()
}

fn numbers(hub: &Hub) -> Vec<u64> {
    let rows = hub.history();
    let notes = rows.iter().filter(|row| row["kind"] == "note");
    notes.map(|row| row["data"]["n"].as_u64().unwrap()).collect()
}

fn wait_numbers(hub: &Hub, expected: &[u64]) {
    until("all that was published above", || {
        let seen = numbers(hub);
        (seen.len() >= expected.len()).then_some(())
    });
    assert_eq!(numbers(hub), expected);
}

#[test]
fn a_chain_of_two_hubs_loses_and_doubles_nothing_whichever_is_killed() {
    let upper_start = Start::new();
    let mut upper = upper_start.run();
    let port = upper.port;
    let upper_start = upper_start.port(port);
    let folder = countersign_tests::Folder::new();
    let mut lower = attached_to(&upper, &folder);
    wait_state(&lower, "up", "connected");
    let mut expected: Vec<u64> = Vec::new();
    let publish = |upper: &Hub, expected: &mut Vec<u64>, count: u64| {
        let mut agent = upper.ws("/publish");
        for _ in 0..count {
            let n = expected.len() as u64;
            let mut frame = frames::note(n);
            frame["agent"] = "builder".into();
            agent.publish(&frame);
            expected.push(n);
        }
    };
    publish(&upper, &mut expected, 200);
    wait_numbers(&lower, &expected);
    // The lower one is killed while events come; what came in the meantime is there afterwards, once.
    for _ in 0..3 {
        publish(&upper, &mut expected, 50);
        lower.kill();
        publish(&upper, &mut expected, 50);
        lower = attached_to(&upper, &folder);
        wait_numbers(&lower, &expected);
    }
    for _ in 0..2 {
        upper.kill();
        wait_state(&lower, "up", "waiting");
        upper = upper_start.run();
        publish(&upper, &mut expected, 50);
        // The token is another one in each run of the upper hub; reading needs none, so an old one must not be given.
        lower.kill();
        lower = attached_to(&upper, &folder);
        wait_numbers(&lower, &expected);
    }
    let rows = lower.history();
    let row = rows.iter().find(|row| row["kind"] == "note").unwrap();
    assert_eq!(row["agent"], "up/builder");
    assert_eq!(row["via"].as_array().map(Vec::len), Some(1), "{row}");
}

#[test]
fn questions_go_down_the_chain_and_answers_up() {
    let upper = Hub::start();
    let lower = attached_to(&upper, &countersign_tests::Folder::new());
    wait_state(&lower, "up", "connected");
    let mut agent = upper.ws("/publish");
    agent.send(&frames::approval_request("r1"));
    let below = waiting(&lower);
    assert_eq!(
        (&below["agent"], &below["request_id"]),
        (&json!("up/sam"), &json!("r1"))
    );
    lower.answer(below["id"].as_str().unwrap(), "approve");
    assert_eq!(agent.skip_to("approval_response")["response"], "approve");
    let path = format!("/api/approvals/{}", below["id"].as_str().unwrap());
    until("delivered below", || {
        (lower.get(&path).json()["delivery"] == "delivered").then_some(())
    });
    // Answered above first: below it is cancelled, and an answer there comes too late.
    agent.send(&frames::approval_request("r2"));
    let below = waiting(&lower);
    upper.answer("r2", "deny");
    assert_eq!(agent.skip_to("approval_response")["response"], "deny");
    status_of(&lower, &below["id"], "cancelled");
}

#[test]
fn circles_are_recognised_and_make_no_storm() {
    for dialect in ["sam", "hive"] {
        let path = if dialect == "hive" { "/stream" } else { "/" };
        let (a, b, c) = (Hub::start(), Hub::start(), Hub::start());
        attach(&a, "self", dialect, &a.ws_url(path), None);
        let itself = wait_state(&a, "self", "loop");
        assert!(itself["last_error"].as_str().unwrap().contains("itself"), "{itself}");
        attach(&a, "b", dialect, &b.ws_url(path), None);
        wait_state(&a, "b", "connected");
        attach(&b, "c", dialect, &c.ws_url(path), None);
        wait_state(&b, "c", "connected");
        attach(&b, "a", dialect, &a.ws_url(path), None);
        wait_state(&b, "a", "loop");
        // a <- b <- c: c must not attach to a, once a knows that c is behind b.
        c.ws("/publish").publish(&frames::note(1));
        until("it went all the way down", || numbers(&a).contains(&1).then_some(()));
        attach(&c, "a", dialect, &a.ws_url(path), None);
        for n in 2..20 {
            for hub in [&a, &b, &c] {
                hub.ws("/publish").publish(&frames::note(n));
            }
        }
        wait_state(&c, "a", "loop");
        until("everything went down", || (numbers(&a).len() > 3 * 18).then_some(()));
        assert_eq!(numbers(&c).len(), 1 + 18, "nothing came back ({dialect})");
        assert_eq!(numbers(&b).len(), 1 + 2 * 18);
        assert_eq!(numbers(&a).len(), 1 + 3 * 18);
    }
}

#[test]
fn two_hubs_that_attach_to_each_other_at_once_make_no_storm() {
    let free = || {
        std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port()
    };
    let (first, second) = (free(), free());
    let start = |port: u16, other: u16| {
        let config =
            format!("[[upstream]]\nname = \"up\"\ndialect = \"hive\"\nurl = \"ws://127.0.0.1:{other}/stream\"\n");
        Start::new().config("countersign.toml", &config).port(port)
    };
    let (one, two) = (start(first, second), start(second, first));
    let other = std::thread::spawn(move || two.run());
    let (a, b) = (one.run(), other.join().unwrap());
    until("one of them sees the circle", || {
        [&a, &b]
            .iter()
            .any(|hub| upstream(hub, "up")["state"] == "loop")
            .then_some(())
    });
    let mut agents = (a.ws("/publish"), b.ws("/publish"));
    for n in 0..50 {
        agents.0.publish(&frames::note(n));
        agents.1.publish(&frames::note(n));
    }
    for hub in [&a, &b] {
        assert!(
            numbers(hub).len() <= 100,
            "each event is there once at most: {}",
            numbers(hub).len()
        );
    }
}
