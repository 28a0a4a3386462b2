//! Cloud Agents at `/ws` and at a root of its own: who is let in, who hears what, who is there, and what ends a connection.

use std::time::{Duration, Instant};

use countersign_tests::foreign::{clients, node};
use countersign_tests::hub::countersign;
use countersign_tests::{Folder, Foreign, Hub, Peer, Start, Ws, until};
use serde_json::{Value, json};
use tungstenite::Message;

const DEV: &str = "cloud_dev_tokens = true";

type Connect = fn(&str) -> Foreign;

/// A client, and the `auth` that it is greeted with.
fn client(hub: &Hub, token: &str) -> Ws {
    let mut client = hub.ws(&format!("/ws?token={token}"));
    let auth = client.expect("auth");
    assert_eq!(
        auth["data"],
        json!({"success": true, "userId": format!("user_{token}")})
    );
    is_time(&auth);
    client
}

fn stranger(hub: &Hub, path: &str) -> Ws {
    let mut client = hub.ws(path);
    assert_eq!(client.expect("auth")["data"], json!({"success": false, "userId": null}));
    client
}

fn is_time(frame: &Value) {
    let time = frame["timestamp"].as_str().unwrap_or_default();
    assert!(time.len() >= 20 && time.contains('T') && time.ends_with('Z'), "{frame}");
}

fn presence(frame: &Value) -> (&str, &str) {
    assert_eq!(frame["type"], "user_presence", "{frame}");
    is_time(frame);
    let text = |name: &str| frame["data"][name].as_str().unwrap_or_default();
    (text("userId"), text("status"))
}

/// Nothing else has come: an answer to a ping is the next thing.
fn nothing_more(client: &mut impl Peer) {
    client.send(&json!({"type": "ping"}));
    is_time(&client.expect("pong"));
}

fn broadcasts() -> Vec<Value> {
    vec![
        json!({"type": "agent_status", "data": {"agentName": "CLOUD_ASSISTANT", "state": "working",
            "currentTask": "Processing webhook event", "progress": 45}}),
        json!({"type": "chat_message", "data": {"conversationId": "conv-123", "messageId": "msg-456", "content": "Task completed!",
            "sender": "ENGINEERING_LEAD_SUPERVISOR", "timestamp": "2025-12-26T13:00:00.000Z"}}),
        json!({"type": "notification", "data": {"level": "success", "message": "All tests passed!"}}),
    ]
}

#[test]
fn foreign_clients_hear_what_agents_broadcast_over_the_socket_and_over_rest() {
    let hub = Hub::with_toml(DEV);
    for connect in [Foreign::python as Connect, Foreign::node] {
        let mut client = connect(&hub.ws_url("/ws?token=abc123"));
        assert_eq!(
            client.expect("auth")["data"],
            json!({"success": true, "userId": "user_abc123"})
        );
        let mut agent = connect(&hub.ws_url("/publish"));
        for frame in broadcasts() {
            agent.send(&frame);
            let told = client.next();
            assert_eq!((&told["type"], &told["data"]), (&frame["type"], &frame["data"]));
            is_time(&told);
            hub.post("/api/events", &frame).expect(200);
            assert_eq!(client.next()["data"], frame["data"]);
        }
        client.send_text("not JSON");
        let error = client.expect("error");
        is_time(&error);
        assert!(
            error["data"]["error"]
                .as_str()
                .unwrap()
                .starts_with("Invalid message format"),
            "{error}"
        );
        nothing_more(&mut client);
    }
}

#[test]
fn what_agents_broadcast_is_in_the_log_as_clouds() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    for frame in broadcasts() {
        agent.publish(&frame);
    }
    let rows: Vec<_> = hub
        .history()
        .into_iter()
        .filter(|row| row["origin"] == "cloud")
        .collect();
    let named: Vec<_> = rows
        .iter()
        .map(|row| (row["kind"].as_str().unwrap(), row["agent"].as_str().unwrap()))
        .collect();
    let expected = [
        ("agent_status", "CLOUD_ASSISTANT"),
        ("chat_message", "ENGINEERING_LEAD_SUPERVISOR"),
        ("notification", "cloud"),
    ];
    assert_eq!(named, expected);
    assert_eq!(rows[1]["session"], "conv-123");
}

#[test]
fn strangers_stay_connected_and_get_only_what_is_for_all() {
    let hub = Hub::start();
    // Development tokens are off unless the configuration says so.
    let mut strangers = [
        stranger(&hub, "/ws"),
        stranger(&hub, "/ws?token="),
        stranger(&hub, "/ws?token=abc123"),
    ];
    let mut agent = hub.ws("/publish");
    for frame in broadcasts() {
        agent.send(&frame);
    }
    agent.send(&json!({"type": "execution_failed", "data": {"error": "secret"}}));
    agent.send(&json!({"type": "notification", "data": {"level": "error", "message": "m", "userId": "user_abc123"}}));
    agent.send(&json!({"type": "notification", "data": {"level": "info", "message": "for all"}}));
    for stranger in &mut strangers {
        assert_eq!(stranger.expect("notification")["data"]["message"], "All tests passed!");
        assert_eq!(stranger.expect("notification")["data"]["message"], "for all");
        stranger.send(&json!({"type": "user_presence", "data": "online"}));
        let error = stranger.expect("error");
        assert!(
            error["data"]["error"].as_str().unwrap().contains("Not authenticated"),
            "{error}"
        );
        nothing_more(stranger);
    }
}

#[test]
fn a_valid_credential_is_let_in() {
    let hub = Hub::start();
    let mut approver = hub.ws(&format!("/ws?token={}", hub.token()));
    assert_eq!(approver.expect("auth")["data"]["success"], true);
    hub.post("/api/events", &broadcasts()[0]).expect(200);
    approver.expect("agent_status");
}

/// A token from the command line, beside the running hub.
fn minted(hub: &Hub, arguments: &[&str]) -> String {
    let mut command = countersign();
    command
        .args(["token", "create", "--data-dir"])
        .arg(hub.folder.data())
        .args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .last()
        .unwrap()
        .to_owned()
}

#[test]
fn a_signed_token_names_its_user_and_its_streams() {
    for config in ["", "auth = \"required\"", DEV] {
        let hub = Hub::with_toml(config);
        let token = minted(&hub, &["--role", "monitor,agent", "--subject", "ann"]);
        let mut ann = hub.ws(&format!("/ws?token={token}"));
        assert_eq!(ann.expect("auth")["data"], json!({"success": true, "userId": "ann"}));
        let token = minted(&hub, &["--stream", "s1", "--subject", "bob"]);
        let mut bob = hub.ws(&format!("/ws?token={token}"));
        assert_eq!(bob.expect("auth")["data"], json!({"success": true, "userId": "bob"}));
        assert_eq!(presence(&ann.next()), ("bob", "online"));
        let mut agent = hub.ws(&format!("/publish?token={}", minted(&hub, &["--role", "agent"])));
        for stream in [json!(null), json!("s2"), json!("s1")] {
            let mut frame = broadcasts()[1].clone();
            frame["data"]["content"] = stream.clone();
            frame["stream"] = stream.clone();
            agent.publish(&frame);
            assert_eq!(ann.expect("chat_message")["data"]["content"], stream);
        }
        assert_eq!(bob.expect("chat_message")["data"]["content"], "s1");
        nothing_more(&mut bob);
    }
}

#[test]
fn a_token_that_expires_ends_its_connection() {
    let hub = Hub::start();
    let token = minted(&hub, &["--subject", "ann", "--ttl", "2s"]);
    let mut ann = hub.ws(&format!("/ws?token={token}"));
    assert_eq!(ann.expect("auth")["data"]["userId"], "ann");
    assert_eq!(ann.closed().0, 1008);
    // Expired, it is no user's any more, and what it names is not shown.
    stranger(&hub, &format!("/ws?token={token}"));
}

#[test]
fn a_notification_to_one_user_reaches_all_their_connections_and_nobody_else() {
    let hub = Hub::with_toml(DEV);
    let (mut one, mut other) = (client(&hub, "ann"), client(&hub, "ann"));
    let mut bob = client(&hub, "bob");
    for ann in [&mut one, &mut other] {
        assert_eq!(presence(&ann.next()), ("user_bob", "online"));
    }
    let to_ann =
        json!({"type": "notification", "data": {"level": "error", "message": "Task failed", "userId": "user_ann"}});
    hub.post("/api/events", &to_ann).expect(200);
    for ann in [&mut one, &mut other] {
        assert_eq!(ann.expect("notification")["data"], to_ann["data"]);
        nothing_more(ann);
    }
    nothing_more(&mut bob);
}

#[test]
fn a_person_is_online_from_the_first_connection_to_the_end_of_the_last() {
    let hub = Hub::with_toml(DEV);
    let mut watcher = client(&hub, "watcher");
    let first = client(&hub, "ann");
    assert_eq!(presence(&watcher.next()), ("user_ann", "online"));
    let mut second = client(&hub, "ann");
    for status in ["busy", "away", "online", "online"] {
        second.send(&json!({"type": "user_presence", "data": status}));
        assert_eq!(presence(&watcher.next()), ("user_ann", status));
    }
    for wrong in [
        json!("offline"),
        json!("asleep"),
        json!({"userId": "user_bob", "status": "busy"}),
        Value::Null,
    ] {
        second.send(&json!({"type": "user_presence", "data": wrong}));
        second.expect("error");
    }
    // Of itself it heard nothing.
    nothing_more(&mut second);
    drop(first);
    let connected = || hub.get("/healthz").json()["cloud"].clone();
    until("one connection less", || {
        (connected() == json!({"connected": 2, "authenticated": 2})).then_some(())
    });
    nothing_more(&mut watcher);
    drop(second);
    assert_eq!(presence(&watcher.next()), ("user_ann", "offline"));
    let rows = hub.get("/api/events?types=user_presence").expect(200).json();
    let ann: Vec<_> = rows["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["agent"] == "user_ann")
        .map(|row| (row["origin"].as_str().unwrap(), row["data"]["status"].as_str().unwrap()))
        .collect();
    let expected = ["online", "busy", "away", "online", "online", "offline"].map(|status| ("cloud", status));
    assert_eq!(ann, expected);
}

#[test]
fn agents_cannot_say_who_is_there() {
    let hub = Hub::with_toml(DEV);
    let mut watcher = client(&hub, "watcher");
    let forged = json!({"type": "user_presence", "data": {"userId": "user_ann", "status": "online"}});
    let mut agent = hub.ws("/publish");
    agent.send(&forged);
    assert_eq!(agent.expect("error")["data"]["field"], "type");
    let mut hive = hub.ws("/stream");
    hive.send(&json!({"action": "publish", "event": forged}));
    hive.expect("error");
    assert_eq!(hub.post("/api/events", &forged).problem(403)["field"], "type");
    nothing_more(&mut watcher);
}

#[test]
fn each_mistake_gets_an_error_and_the_connection_goes_on() {
    let hub = Hub::with_toml(DEV);
    let mut client = client(&hub, "ann");
    for text in [
        "",
        "[]",
        "{}",
        "7",
        r#"{"type":7}"#,
        r#"{"type":"subscribe"}"#,
        r#"{"type":"agent_status","data":{}}"#,
        "{\"type\"",
    ] {
        client.send_text(text);
        let error = client.expect("error");
        is_time(&error);
        assert!(
            error["data"]["error"].as_str().is_some_and(|text| !text.is_empty()),
            "{error}"
        );
    }
    client.send_message(Message::binary(vec![0xff, 0xfe]));
    client.expect("error");
    client.send_message(Message::binary(r#"{"type":"ping"}"#.as_bytes().to_vec()));
    client.expect("pong");
    client.send(&json!({"type": "pong"}));
    nothing_more(&mut client);
    client.send_text(&"x".repeat(1024 * 1024 + 1));
    assert_eq!(client.closed().0, 1009);
}

#[test]
fn the_hub_pings_and_closes_who_says_nothing() {
    let hub = Hub::with_toml(&format!("{DEV}\n[cloud]\nping_seconds = 0.2\ntimeout_seconds = 3\n"));
    let mut alive = client(&hub, "alive");
    let mut silent = client(&hub, "silent");
    assert_eq!(presence(&alive.next()), ("user_silent", "online"));
    let begun = Instant::now();
    // One answers; the other one's protocol-level pings are answered, and are no message.
    let mut pings = 0;
    let gone = loop {
        let frame = alive.next();
        if frame["type"] == "ping" {
            is_time(&frame);
            pings += 1;
            alive.send(&json!({"type": "pong"}));
            let _ = silent.try_message(Message::Ping(b"there?".to_vec().into()));
        } else {
            break frame;
        }
    };
    assert_eq!(presence(&gone), ("user_silent", "offline"));
    assert!(
        begun.elapsed() >= Duration::from_secs(2) && pings >= 2,
        "{pings} in {:?}",
        begun.elapsed()
    );
    let mut ponged = false;
    let (code, reason) = loop {
        match silent.message() {
            Message::Close(Some(close)) => break (u16::from(close.code), close.reason.to_string()),
            Message::Pong(payload) => ponged |= &payload[..] == b"there?",
            _ => {}
        }
    };
    assert!(
        ponged && code == 1008 && reason.contains("no message"),
        "{ponged} {code} {reason}"
    );
}

#[test]
fn who_is_too_fast_is_told_and_who_goes_on_is_closed() {
    let hub = Hub::with_toml(&format!("{DEV}\nrate_limit = {{ per_second = 0.01, burst = 5 }}\n"));
    let mut client = client(&hub, "fast");
    let ping = json!({"type": "ping"});
    for _ in 0..5 {
        client.send(&ping);
        client.expect("pong");
    }
    client.send(&ping);
    let error = client.expect("error");
    assert!(
        error["data"]["error"].as_str().unwrap().contains("Rate limit"),
        "{error}"
    );
    for _ in 0..40 {
        if client.try_send(&ping).is_err() {
            break;
        }
    }
    let (code, reason) = client.closed();
    assert!(code == 1008 && reason.contains("rate limit"), "{code} {reason}");
}

#[test]
fn two_listeners_share_one_room_and_the_root_of_clouds_is_clouds() {
    let start = Start::new();
    let mut command = countersign();
    command.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--listen",
        "127.0.0.1:0=cloud",
        "--data-dir",
    ]);
    command
        .arg(start.folder.data())
        .arg("--config")
        .arg(start.folder.write("countersign.toml", DEV));
    let mut hub = start.run_as(command);
    let listeners = hub.get("/api/status").json()["listeners"].clone();
    assert_eq!(listeners[1]["dialect"], "cloud");
    let root = listeners[1]["url"]
        .as_str()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let mut watcher = client(&hub, "watcher");
    let mut ann = Ws::connect(root, "/?token=ann");
    assert_eq!(
        ann.expect("auth")["data"],
        json!({"success": true, "userId": "user_ann"})
    );
    assert_eq!(presence(&watcher.next()), ("user_ann", "online"));
    let mut nobody = Ws::connect(root, "/");
    assert_eq!(nobody.expect("auth")["data"]["success"], false);
    hub.post("/api/events", &broadcasts()[0]).expect(200);
    ann.expect("agent_status");
    nothing_more(&mut nobody);
    let _ = Ws::connect(root, "/ws?token=ann").expect("auth");
    assert!(hub.terminate().success());
    assert_eq!(ann.closed().0, 1001);
}

#[test]
fn a_restart_leaves_nobody_online() {
    let folder = Folder::new();
    let start = Start::in_folder(&folder).config("countersign.toml", DEV);
    let mut hub = start.run();
    let _ann = client(&hub, "ann");
    assert!(hub.terminate().success());
    let hub = start.run();
    let rows = hub.get("/api/events?types=user_presence").expect(200).json();
    let statuses: Vec<_> = rows["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["data"]["status"].clone())
        .collect();
    assert_eq!(statuses, ["online", "offline"]);
}

#[test]
fn prometheus_is_told_what_there_is() {
    let hub = Hub::with_toml(DEV);
    let _ann = client(&hub, "ann");
    let _stranger = stranger(&hub, "/ws");
    let mut hive = hub.ws("/");
    hive.send(&json!({"action": "subscribe"}));
    hive.expect("subscribed");
    let mut agent = hub.ws("/publish");
    agent.publish(&json!({"type": "note", "data": {}}));
    let reply = hub.get("/metrics").expect(200);
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let value = |name: &str| -> f64 {
        let line = reply
            .text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {}", reply.text))
            .parse()
            .unwrap()
    };
    assert_eq!(value("countersign_cloud_clients_connected"), 2.0);
    assert_eq!(value("countersign_cloud_clients_authenticated"), 1.0);
    assert_eq!(value("countersign_dialect_connections{dialect=\"cloud\"}"), 2.0);
    assert_eq!(value("countersign_dialect_connections{dialect=\"hive\"}"), 1.0);
    assert_eq!(value("countersign_dialect_connections{dialect=\"sam\"}"), 1.0);
    assert_eq!(value("countersign_approvals_pending"), 0.0);
    assert!(value("countersign_events_total") >= 2.0 && value("countersign_connections") >= 4.0);
    assert!(value("countersign_log_durable") <= value("countersign_log_head"));
    assert!(value("countersign_ring_bytes") > 0.0 && value("countersign_store_bytes") > 0.0);
    for family in reply.text.lines().filter(|line| !line.starts_with('#')) {
        let name = family.split(['{', ' ']).next().unwrap();
        for kind in ["HELP", "TYPE"] {
            assert!(reply.text.contains(&format!("# {kind} {name} ")), "{kind} of {name}");
        }
    }
}

#[test]
fn development_tokens_do_not_go_with_required_ones() {
    let start = Start::new().config("countersign.toml", "cloud_dev_tokens = true\nauth = \"required\"\n");
    let mut hub = start.spawn();
    assert!(!hub.wait().success());
    assert!(hub.log().contains("cloud_dev_tokens"), "{}", hub.log());
}

#[test]
fn where_tokens_are_required_nobody_comes_in_without() {
    let hub = Hub::with_toml("auth = \"required\"");
    assert_eq!(Ws::try_connect(hub.port, "/ws", &[]).err(), Some(401));
    assert_eq!(Ws::try_connect(hub.port, "/ws?token=abc", &[]).err(), Some(401));
    let mut approver = hub.ws(&format!("/ws?token={}", hub.token()));
    assert_eq!(approver.expect("auth")["data"]["success"], true);
}

/// A client of the guide, with nothing changed but the address.
fn of_the_guide(hub: &Hub, folder: &Folder, name: &str) -> Foreign {
    let text = std::fs::read_to_string(clients().join("node").join(name)).unwrap();
    assert_eq!(text.matches("localhost:3000").count(), 1);
    let text = text.replace("localhost:3000", &format!("localhost:{}", hub.port));
    // Node looks for packages beside the script.
    let mut command = node();
    command.env("NODE_PATH", clients().join("node/node_modules"));
    command.arg(folder.write(name, &text));
    Foreign::start(command)
}

#[test]
fn the_class_of_the_guide_works_as_printed() {
    let (hub, folder) = (Hub::with_toml(DEV), Folder::new());
    let mut watcher = client(&hub, "watcher");
    let mut class = of_the_guide(&hub, &folder, "cloud_class.cjs");
    assert_eq!(class.line(), "✅ WebSocket connected");
    assert_eq!(presence(&watcher.next()), ("user_your-token-here", "online"));
    class.say("away");
    assert_eq!(presence(&watcher.next()), ("user_your-token-here", "away"));
    for frame in broadcasts() {
        hub.post("/api/events", &frame).expect(200);
    }
    assert_eq!(class.event(), json!({"id": "agent-status", "text": "working"}));
    assert!(class.line().starts_with("Chat message:"));
    until("the toast", || {
        let line = class.line();
        (line == r#"{"level":"success","message":"All tests passed!"}"#).then_some(())
    });
    watcher.send(&json!({"type": "user_presence", "data": "busy"}));
    assert_eq!(
        class.line(),
        "User presence: { userId: 'user_watcher', status: 'busy' }"
    );
}

#[test]
fn the_node_client_of_the_guide_works_as_printed() {
    let (hub, folder) = (Hub::with_toml(DEV), Folder::new());
    let mut watcher = client(&hub, "watcher");
    let mut client = of_the_guide(&hub, &folder, "cloud_node.cjs");
    // Once for its coming, once for what it says itself.
    for _ in 0..2 {
        assert_eq!(presence(&watcher.next()), ("user_test-token", "online"));
    }
    let mut said = Vec::new();
    until("its greeting", || {
        said.push(client.line());
        said.last().unwrap().starts_with('}').then_some(())
    });
    let said = said.join("\n");
    assert!(
        said.contains("✅ Connected") && said.contains("userId: 'user_test-token'"),
        "{said}"
    );
}

#[test]
fn the_hook_of_the_guide_works_as_printed() {
    let (hub, folder) = (Hub::with_toml(DEV), Folder::new());
    let mut watcher = client(&hub, "watcher");
    let mut hook = of_the_guide(&hub, &folder, "cloud_hook.cjs");
    assert_eq!(presence(&watcher.next()), ("user_your-token", "online"));
    until("connected", || (hook.event()["isConnected"] == true).then_some(()));
    hook.say("busy");
    assert_eq!(presence(&watcher.next()), ("user_your-token", "busy"));
    for frame in broadcasts() {
        hub.post("/api/events", &frame).expect(200);
    }
    until("both", || {
        let shown = hook.event();
        (shown["agentStatus"]["state"] == "working" && shown["notifications"][0]["message"] == "All tests passed!")
            .then_some(())
    });
}
