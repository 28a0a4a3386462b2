//! What clients hear, what they may say, and what ends a connection.

use super::*;

type Connect = fn(&str) -> Foreign;

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
