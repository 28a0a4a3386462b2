//! AMIGA's clients, unchanged, on each transport: python-socketio, socket.io-client in two versions, and its HTTP routes.

use std::time::{Duration, Instant};

use countersign_tests::browser::Page;
use countersign_tests::foreign::{node, python};
use countersign_tests::{Foreign, Hub, Start, until};
use serde_json::{Value, json};
use tungstenite::Message;

const TRANSPORTS: [&str; 3] = ["polling", "websocket", "polling,websocket"];

type Connect = fn(&str, &str, &str, &str) -> Foreign;

fn newest(url: &str, transports: &str, namespace: &str, token: &str) -> Foreign {
    Foreign::node_socketio("socket.io-client", url, transports, namespace, token)
}

fn seeds(url: &str, transports: &str, namespace: &str, token: &str) -> Foreign {
    Foreign::node_socketio("socket.io-client-4.7.2", url, transports, namespace, token)
}

/// The next thing that is `name`; others are passed over.
fn next(client: &mut Foreign, name: &str) -> Value {
    loop {
        let event = client.event();
        if event["event"] == name {
            return event["args"][0].clone();
        }
        assert!(event.get("disconnected").is_none(), "it was disconnected: {event}");
    }
}

/// The next update of which `holds` is true.
fn update(client: &mut Foreign, holds: impl Fn(&Value) -> bool) -> Value {
    loop {
        let update = next(client, "metrics_update");
        if holds(&update) {
            return update;
        }
    }
}

fn say(client: &mut Foreign, line: &Value) {
    client.say(&line.to_string());
}

fn publish(hub: &Hub, kind: &str, data: &Value) {
    let event = json!({"type": kind, "data": data, "agent": "builder", "session": "run-1"});
    hub.post("/api/events", &event).expect(200);
}

fn calls(update: &Value) -> u64 {
    update["overview"]["tools"]["total_calls"].as_u64().unwrap()
}

/// What each client of AMIGA's does, on one transport.
fn speaks(connect: Connect, transports: &str, namespace: &str) {
    let hub = Hub::start();
    let mut client = connect(&hub.url(), transports, namespace, "");
    let connected = next(&mut client, "connected");
    assert_eq!(connected["status"], "connected");
    assert!(connected["client_id"].as_str().is_some_and(|id| !id.is_empty()));

    say(&mut client, &json!(["subscribe", {"hours": 500, "update_interval": 0}]));
    let subscribed = next(&mut client, "subscribed");
    assert_eq!(
        subscribed,
        json!({"status": "subscribed", "config": {"hours": 168, "update_interval": 1}})
    );
    let first = next(&mut client, "metrics_update");
    assert_eq!(first["overview"]["tasks"]["total"], 0);
    assert!(first["timestamp"].as_f64().is_some_and(|at| at > 1.7e9));

    publish(&hub, "execution_started", &json!({}));
    publish(&hub, "tool_call_start", &json!({"tool_name": "Read", "call_id": "1"}));
    publish(
        &hub,
        "usage",
        &json!({"model": "claude-haiku-4-5", "input_tokens": 1_000_000, "output_tokens": 0, "cost": 0.25}),
    );
    publish(
        &hub,
        "tool_call_end",
        &json!({"tool_name": "Read", "call_id": "1", "success": false}),
    );
    let told = update(&mut client, |update| update["overview"]["tasks"]["failed"] == 1);
    assert_eq!(
        told["overview"]["tasks"],
        json!({"total": 2, "running": 1, "completed": 0, "failed": 1})
    );
    assert_eq!(told["overview"]["costs"]["haiku_cost"], 0.25);
    assert_eq!(told["overview"]["claude_api"]["total_input_tokens"], 1_000_000);
    assert_eq!(told["overview"]["tools"]["by_type"], json!({"Read": 1}));
    assert_eq!(told["sessions"]["total_sessions"], 1);
    assert_eq!(told["sessions"]["tools_by_type"], json!({"Read": 1}));
    assert!(
        told["activity"][0]["description"]
            .as_str()
            .unwrap()
            .contains("Read failed")
    );

    // Nonsense gets an error and changes nothing.
    for nonsense in [
        json!(["subscribe", "24"]),
        json!(["subscribe", {"hours": "24"}]),
        json!(["subscribe", {"hours": null}]),
        json!(["set_interval", {}]),
        json!(["set_interval", {"interval": [1]}]),
        json!(["set_interval"]),
        json!(["no_such_event", {}]),
    ] {
        say(&mut client, &nonsense);
        let error = next(&mut client, "error");
        assert!(
            error["error"].is_string() && error["timestamp"].is_f64(),
            "{nonsense}: {error}"
        );
    }

    say(&mut client, &json!(["set_interval", {"interval": 3600}]));
    assert_eq!(next(&mut client, "interval_updated"), json!({"interval": 60}));
    publish(&hub, "tool_call_start", &json!({"tool_name": "Bash"}));
    say(&mut client, &json!(["request_refresh", {"hours": 1}]));
    assert_eq!(calls(&next(&mut client, "metrics_update")), 2);
    say(&mut client, &json!(["request_refresh", {"binary": true}]));
    assert_eq!(calls(&next(&mut client, "metrics_update")["bytes"]), 2);

    say(&mut client, &json!(["unsubscribe"]));
    assert_eq!(next(&mut client, "unsubscribed"), json!({"status": "unsubscribed"}));
    say(&mut client, &json!(["?transport"]));
    let transport = client.event();
    let last = transports.rsplit(',').next().unwrap();
    assert_eq!(transport["transport"], last, "{transport}");
}

#[test]
fn python_socketio_speaks_on_each_transport() {
    for transports in TRANSPORTS {
        speaks(Foreign::python_socketio, transports, "/");
    }
}

#[test]
fn socket_io_client_speaks_on_each_transport() {
    for transports in TRANSPORTS {
        speaks(newest, transports, "/");
    }
}

#[test]
fn the_seeds_socket_io_client_speaks_on_each_transport() {
    for transports in TRANSPORTS {
        speaks(seeds, transports, "/");
    }
}

#[test]
fn the_metrics_namespace_speaks_the_same() {
    speaks(Foreign::python_socketio, "websocket", "/metrics");
    speaks(newest, "polling,websocket", "/metrics");
}

#[test]
fn a_number_that_is_none_gets_an_error_and_no_disconnect() {
    let hub = Hub::start();
    let mut client = Foreign::python_socketio(&hub.url(), "websocket", "/", "");
    next(&mut client, "connected");
    client.say(r#"["subscribe", {"hours": NaN}]"#);
    next(&mut client, "error");
    client.say(r#"["subscribe", {"hours": 1}]"#);
    next(&mut client, "metrics_update");
}

#[test]
fn rooms_tell_of_each_task_and_of_each_group() {
    let hub = Hub::start();
    let mut client = newest(&hub.url(), "websocket", "/metrics", "");
    next(&mut client, "connected");
    say(&mut client, &json!(["set_interval", {"interval": 1}]));
    for room in ["tasks", "costs"] {
        say(&mut client, &json!([format!("subscribe_{room}")]));
        assert_eq!(next(&mut client, "subscribed")["room"], room);
    }
    assert_eq!(next(&mut client, "costs_update")["costs"]["total_cost"], 0);
    publish(&hub, "execution_started", &json!({}));
    let begun = next(&mut client, "task_update");
    assert_eq!(
        (&begun["kind"], &begun["status"], &begun["name"]),
        (&json!("execution"), &json!("running"), &json!("run-1"))
    );
    publish(&hub, "execution_completed", &json!({}));
    let over = next(&mut client, "task_update");
    assert_eq!((&over["id"], &over["status"]), (&begun["id"], &json!("completed")));
    publish(
        &hub,
        "usage",
        &json!({"model": "claude-sonnet-4-5", "input_tokens": 1_000_000}),
    );
    let costs = next(&mut client, "costs_update");
    assert_eq!(
        (&costs["costs"]["sonnet_cost"], &costs["costs"]["estimated"]),
        (&json!(3), &json!(true))
    );
}

#[test]
fn a_series_comes_in_chunks() {
    let hub = Hub::start();
    publish(&hub, "tool_call_start", &json!({"tool_name": "Read"}));
    let mut client = newest(&hub.url(), "websocket", "/", "");
    next(&mut client, "connected");
    say(&mut client, &json!(["request_history", {"hours": 168, "step": 10}]));
    let mut points = Vec::new();
    for index in 0..9 {
        let chunk = next(&mut client, "history_chunk");
        assert_eq!((&chunk["index"], &chunk["step"]), (&json!(index), &json!(10)));
        points.extend(chunk["points"].as_array().unwrap().iter().cloned());
    }
    let complete = next(&mut client, "history_complete");
    assert_eq!(complete, json!({"hours": 168, "step": 10, "chunks": 9, "points": 1008}));
    assert_eq!(points.len(), 1008);
    let calls: u64 = points.iter().map(|point| point["tool_calls"].as_u64().unwrap()).sum();
    assert_eq!(calls, 1);
}

#[test]
fn the_clients_of_the_document_run_as_printed() {
    let hub = Hub::start();
    let mut command = node();
    command.args(["seed_amiga.mjs", &hub.url()]);
    let mut client = Foreign::start(command);
    let names: Vec<Value> = (0..6).map(|_| client.event()["name"].clone()).collect();
    assert_eq!(
        json!(names),
        json!([
            "connected",
            "subscribed",
            "metrics_update",
            "metrics_update",
            "interval_updated",
            "unsubscribed"
        ])
    );
    let mut command = python();
    command.args(["seed_amiga.py", &hub.url()]);
    let mut client = Foreign::start(command);
    assert_eq!(calls(&client.event()), 0);
    publish(&hub, "tool_call_start", &json!({"tool_name": "Read"}));
    assert_eq!(calls(&client.event()), 1);
}

#[test]
fn the_overview_is_read_as_it_is_and_its_hours_are_clamped() {
    let hub = Hub::start();
    publish(&hub, "tool_call_start", &json!({"tool_name": "Read"}));
    for query in ["", "?hours=1", "?hours=0", "?hours=9999", "?hours=-1"] {
        let overview = hub.get(&format!("/api/metrics/overview{query}")).expect(200).json();
        assert_eq!(
            overview["tools"],
            json!({"total_calls": 1, "by_type": {"Read": 1}}),
            "{query}"
        );
    }
    let refused = hub.get("/api/metrics/overview?hours=abc").expect(400).json();
    assert_eq!(refused["field"], "hours");
}

#[test]
fn the_figures_survive_a_restart() {
    let start = Start::new();
    let mut hub = start.run();
    publish(&hub, "tool_call_start", &json!({"tool_name": "Read"}));
    hub.terminate();
    drop(hub);
    let hub = start.run();
    let overview = hub.get("/api/metrics/overview").expect(200).json();
    assert_eq!(overview["tools"]["total_calls"], 1);
}

#[test]
fn the_event_stream_begins_at_once_and_goes_on_with_changes() {
    let hub = Hub::start();
    let mut command = python();
    command.args(["seed_amiga.py", &hub.url(), "sse"]);
    let mut stream = Foreign::start(command);
    assert!(
        stream.event()["type"]
            .as_str()
            .unwrap()
            .starts_with("text/event-stream")
    );
    let first = stream.event();
    assert_eq!(calls(&first["update"]), 0);
    assert!(
        !first["fields"].as_array().unwrap().contains(&json!("event")),
        "events are unnamed"
    );
    publish(&hub, "tool_call_start", &json!({"tool_name": "Read"}));
    let second = stream.event();
    assert_eq!(calls(&second["update"]), 1);
    assert_ne!(first["id"], second["id"]);
}

#[test]
fn without_a_token_where_one_is_needed_the_namespace_is_refused() {
    let hub = Hub::with_toml("auth = \"required\"\n");
    for connect in [Foreign::python_socketio as Connect, newest] {
        for token in ["", "wrong"] {
            let mut client = connect(&hub.url(), "websocket", "/", token);
            let refused = client.event();
            assert!(refused["refused"]["message"].is_string(), "{refused}");
        }
        let mut client = connect(&hub.url(), "websocket", "/", &hub.token());
        next(&mut client, "connected");
    }
    hub.get("/api/metrics/overview").expect(401);
    hub.get("/api/stream/metrics").expect(401);
}

#[test]
fn a_session_that_shows_no_token_where_one_is_needed_is_ended_soon() {
    let hub = Hub::with_toml("auth = \"required\"\n");
    let path = "/socket.io/?EIO=4&transport=polling";
    let opened = hub.get(path).expect(200).text;
    let begun = Instant::now();
    let open: Value = serde_json::from_str(&opened[1..]).expect("an open packet");
    let mine = format!("{path}&sid={}", open["sid"].as_str().expect("an id"));
    assert_eq!(sessions(&hub), 1.0, "it counts while it is there");
    // A poll waits until there is something to say; that the session is no more is said by an error.
    until("the session ends", || (hub.get(&mine).status == 400).then_some(()));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    until("it counts no longer", || (sessions(&hub) == 0.0).then_some(()));
}

/// Open sessions, as `/metrics` tells them.
fn sessions(hub: &Hub) -> f64 {
    let figures = hub
        .call(
            "GET",
            "/metrics",
            &[("Authorization", &format!("Bearer {}", hub.token()))],
            None,
        )
        .expect(200)
        .text;
    let name = "countersign_dialect_connections{dialect=\"amiga\"} ";
    let line = figures.lines().find_map(|line| line.strip_prefix(name));
    line.expect("a figure").parse().expect("a number")
}

#[test]
fn sessions_and_event_streams_count_while_they_are_open() {
    let hub = Hub::start();
    assert_eq!(sessions(&hub), 0.0);
    let mut client = Foreign::python_socketio(&hub.url(), "websocket", "/", "");
    next(&mut client, "connected");
    assert_eq!(sessions(&hub), 1.0);
    let mut command = python();
    command.args(["seed_amiga.py", &hub.url(), "sse"]);
    let mut stream = Foreign::start(command);
    stream.event();
    until("the stream counts too", || (sessions(&hub) == 2.0).then_some(()));
    drop(stream);
    drop(client);
    until("both are gone", || (sessions(&hub) == 0.0).then_some(()));
}

#[test]
fn pages_of_other_origins_get_no_session() {
    let hub = Hub::start();
    let path = "/socket.io/?EIO=4&transport=polling";
    let foreign = [("Origin", "https://evil.example")];
    assert_eq!(hub.call("GET", path, &foreign, None).status, 403);
    let own = hub.url();
    let reply = hub.call("GET", path, &[("Origin", &own)], None);
    assert_eq!(reply.status, 200);
    assert!(!reply.text.contains('*'));
}

#[test]
fn the_test_page_is_there_and_needs_nothing_from_elsewhere() {
    let hub = Hub::start();
    let page = hub.get("/websocket-test").expect(200);
    assert!(!page.text.contains("http://") && !page.text.contains("https://") && !page.text.contains("<script>"));
    for file in ["page.js", "socket.js", "page.css"] {
        hub.get(&format!("/websocket-test/{file}")).expect(200);
    }
    hub.get("/websocket-test/other").expect(404);
}

#[test]
fn the_test_page_connects_and_shows_figures_as_text() {
    let hub = Hub::start();
    let mut page = Page::open();
    page.goto(&format!("{}/websocket-test", hub.url()));
    page.see("#state[data-state=connected]");
    page.click("#subscribe");
    page.see("#metrics dt:has-text(\"Tool calls\")");
    publish(
        &hub,
        "tool_call_start",
        &json!({"tool_name": "<img src=x onerror=window.broken=1>"}),
    );
    page.see("#tools li:has-text(\"<img src=x\")");
    page.see("#log li[data-event=metrics_update]");
    page.click("#disconnect");
    page.see("#state[data-state=disconnected]");
    assert_eq!(page.run("() => window.broken ?? null", &Value::Null), Value::Null);
    assert_eq!(page.complaints(), json!([]));
}

#[test]
fn a_client_that_asks_and_does_not_read_holds_nobody_up_and_grows_nothing() {
    let hub = Hub::start();
    for n in 0..200 {
        publish(
            &hub,
            "tool_call_start",
            &json!({"tool_name": format!("{n}{}", "x".repeat(120))}),
        );
    }
    let before = hub.memory("VmRSS");
    let mut deaf: Vec<_> = (0..20)
        .map(|_| {
            let url = hub.ws_url("/socket.io/?EIO=4&transport=websocket");
            let (mut socket, _) = tungstenite::connect(url).unwrap();
            socket.send(Message::text("40")).unwrap();
            socket
        })
        .collect();
    // It is closed, or goes on: either way it is not kept in memory.
    for socket in &mut deaf {
        for _ in 0..2000 {
            if socket
                .send(Message::text(r#"42["request_refresh",{"hours":24}]"#))
                .is_err()
            {
                break;
            }
        }
    }
    let mut client = newest(&hub.url(), "websocket", "/", "");
    next(&mut client, "connected");
    say(&mut client, &json!(["subscribe", {"update_interval": 1}]));
    assert_eq!(calls(&next(&mut client, "metrics_update")), 200);
    publish(&hub, "tool_call_start", &json!({"tool_name": "Read"}));
    update(&mut client, |update| calls(update) == 201);
    until("memory stays", || {
        (hub.memory("VmRSS") < before + 64 * 1024 * 1024).then_some(())
    });
}
