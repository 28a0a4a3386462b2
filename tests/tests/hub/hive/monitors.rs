//! What subscribers get: each type, what fits, from where on, in which frames.

use super::*;

fn each_type_reaches_a_subscriber(agent: Connect, monitor: Connect, path: &str) {
    let hub = Hub::start();
    let mut monitor = monitor(&hub.ws_url(path));
    subscribe(&mut monitor, &json!({}));
    let mut agent = agent(&hub.ws_url(path));
    for (kind, data) in of_the_seed() {
        agent.send(&publish(kind, "webhook", "exec-1", &data));
        let got = event(&mut monitor);
        assert_eq!(got["type"], kind.to_lowercase());
        assert_eq!(
            (&got["stream_id"], &got["execution_id"], &got["timestamp"]),
            (
                &json!("webhook"),
                &json!("exec-1"),
                &json!("2026-01-17T10:30:00.123456")
            )
        );
        assert_eq!(got["data"].to_string(), data.to_string(), "to the letter");
        assert!(got["seq"].is_u64() && got["agent"] == "webhook", "{got}");
    }
    let rows = hub.history();
    let hive = rows.iter().filter(|row| row["origin"] == "hive").count();
    assert_eq!(hive, 10, "{rows:?}");
}

#[test]
fn hive_events_of_each_type_go_from_python_to_node_at_the_root() {
    each_type_reaches_a_subscriber(Foreign::python, Foreign::node, "/");
}

#[test]
fn hive_events_of_each_type_go_from_node_to_python_at_stream() {
    each_type_reaches_a_subscriber(Foreign::node, Foreign::python, "/stream");
}

#[test]
fn hive_nothing_flows_before_a_subscription_and_nothing_since_the_upgrade_is_missed() {
    let hub = Hub::start();
    for path in ["/", "/stream"] {
        let mut early = hub.ws(path);
        let mut agent = hub.ws("/stream");
        // A first message that is no subscription turns `/` to Hive and starts nothing.
        early.send(&json!({"action": "listen"}));
        assert_eq!(early.expect("error")["field"], "action");
        let first = published(&mut agent, &note("s", "e", 1));
        published(&mut agent, &note("s", "e", 2));
        let told = subscribe(&mut early, &json!({}));
        assert!(told["seq"].as_u64().unwrap() < first, "{told}");
        assert_eq!(
            (&event(&mut early)["data"]["n"], &event(&mut early)["data"]["n"]),
            (&json!(1), &json!(2))
        );
    }
}

#[test]
fn hive_a_client_that_was_taken_for_sam_still_misses_nothing() {
    let hub = Hub::start();
    let mut late = hub.ws("/");
    let mut agent = hub.ws("/stream");
    published(&mut agent, &note("s", "e", 1));
    // It said nothing for so long that SAM's frames have begun.
    assert_eq!(late.expect("node_executed")["data"]["n"], 1);
    late.send(&json!({"action": "subscribe"}));
    late.expect("subscribed");
    assert_eq!(event(&mut late)["data"]["n"], 1);
}

#[test]
fn hive_filters_by_stream_execution_and_type_in_any_letter_case() {
    let hub = Hub::start();
    let mut agent = hub.ws("/stream");
    let all = [
        ("EXECUTION_STARTED", "a", "1"),
        ("GOAL_PROGRESS", "a", "2"),
        ("Execution_Completed", "b", "1"),
        ("goal_progress", "b", "2"),
        ("MINE", "a", "1"),
    ];
    for (filter, wanted) in [
        (json!({}), vec![0, 1, 2, 3, 4]),
        (json!({"stream_id": "a"}), vec![0, 1, 4]),
        (json!({"execution_id": "2"}), vec![1, 3]),
        (json!({"event_types": ["Goal_Progress", "mine"]}), vec![1, 3, 4]),
        (
            json!({"stream_id": "b", "execution_id": "1", "event_types": ["EXECUTION_COMPLETED"]}),
            vec![2],
        ),
        (json!({"stream_id": null, "event_types": []}), vec![0, 1, 2, 3, 4]),
        (json!({"stream_id": "c"}), vec![]),
    ] {
        let mut monitor = hub.ws("/stream");
        subscribe(&mut monitor, &filter);
        for (number, (kind, stream, execution)) in all.iter().enumerate() {
            published(&mut agent, &publish(kind, stream, execution, &json!({ "n": number })));
        }
        // What was there before is the first subscription's, however late it is read.
        monitor.send(&json!({"action": "subscribe", "event_types": ["last"]}));
        let mut got: Vec<u64> = Vec::new();
        let mut subscribed = false;
        loop {
            let frame = monitor.next();
            if frame["type"] == "subscribed" {
                subscribed = true;
                published(&mut agent, &publish("LAST", "z", "z", &json!({})));
            } else if frame["event"]["type"] == "last" {
                break;
            } else {
                got.push(frame["event"]["data"]["n"].as_u64().unwrap());
            }
        }
        assert!(subscribed);
        assert_eq!(got, wanted, "{filter}");
    }
}

#[test]
fn hive_a_subscription_replaces_the_one_before_from_now_on() {
    let hub = Hub::start();
    let mut agent = hub.ws("/stream");
    let mut monitor = hub.ws("/stream");
    subscribe(&mut monitor, &json!({"stream_id": "a"}));
    published(&mut agent, &note("a", "e", 1));
    published(&mut agent, &note("b", "e", 2));
    // Whether it was read meanwhile or not: the first is the old subscription's, the second nobody's.
    monitor.send(&json!({"action": "subscribe", "stream_id": "b"}));
    let (mut confirmed, mut numbers) = (false, Vec::new());
    while !(confirmed && numbers == [1]) {
        let frame = monitor.next();
        if frame["type"] == "subscribed" {
            confirmed = true;
        } else {
            numbers.push(frame["event"]["data"]["n"].as_u64().unwrap());
        }
        assert!(numbers.is_empty() || numbers == [1], "{numbers:?}");
    }
    published(&mut agent, &note("a", "e", 3));
    published(&mut agent, &note("b", "e", 4));
    assert_eq!(event(&mut monitor)["data"]["n"], 4);
}

#[test]
fn hive_nothing_comes_after_unsubscribing_until_subscribing_anew() {
    let hub = Hub::start();
    let mut agent = hub.ws("/stream");
    let mut monitor = hub.ws("/");
    subscribe(&mut monitor, &json!({}));
    monitor.send(&json!({"action": "unsubscribe"}));
    assert_eq!(monitor.next(), json!({"type": "unsubscribed"}));
    published(&mut agent, &note("a", "e", 1));
    subscribe(&mut monitor, &json!({}));
    published(&mut agent, &note("a", "e", 2));
    assert_eq!(event(&mut monitor)["data"]["n"], 2, "from now on");
    monitor.send(&json!({"action": "unsubscribe"}));
    monitor.expect("unsubscribed");
    monitor.send(&json!({"action": "unsubscribe"}));
    monitor.expect("unsubscribed");
}

#[test]
fn hive_subscriptions_resume_from_a_place() {
    let hub = Hub::start();
    let mut agent = hub.ws("/stream");
    let first = published(&mut agent, &note("a", "e", 1));
    published(&mut agent, &note("a", "e", 2));
    let epoch = hub.get("/healthz").json()["epoch"].as_str().unwrap().to_owned();
    for since in [
        json!(first),
        json!(first.to_string()),
        json!(format!("{epoch}:{first}")),
    ] {
        let mut monitor = hub.ws("/stream");
        let told = subscribe(&mut monitor, &json!({ "since": since }));
        assert_eq!((&told["epoch"], &told["seq"]), (&json!(epoch), &json!(first)));
        assert_eq!(event(&mut monitor)["data"]["n"], 2);
        // Once more on the same connection.
        subscribe(&mut monitor, &json!({ "since": since }));
        assert_eq!(event(&mut monitor)["data"]["n"], 2);
    }
    let mut lost = hub.ws("/stream");
    subscribe(&mut lost, &json!({"since": "otherepoch:7"}));
    let told = lost.expect("history_lost");
    assert_eq!((&told["epoch"], told["head"].is_u64()), (&json!(epoch), true));
    published(&mut agent, &note("a", "e", 3));
    assert_eq!(event(&mut lost)["data"]["n"], 3);
    let mut query = hub.ws(&format!("/stream?since={first}"));
    subscribe(&mut query, &json!({}));
    assert_eq!(event(&mut query)["data"]["n"], 2);
}

#[test]
fn hive_the_hubs_own_kinds_come_only_when_named() {
    let hub = Hub::start();
    let mut plain = hub.ws("/stream");
    subscribe(&mut plain, &json!({}));
    let mut named = hub.ws("/stream");
    subscribe(
        &mut named,
        &json!({"event_types": ["AGENT_CONNECTED", "NODE_EXECUTED"]}),
    );
    let mut agent = hub.ws("/stream");
    published(&mut agent, &note("a", "e", 1));
    assert_eq!(event(&mut plain)["type"], "node_executed");
    assert_eq!(event(&mut named)["type"], "agent_connected");
    assert_eq!(event(&mut named)["type"], "node_executed");
}

#[test]
fn hive_binary_frames_come_to_those_who_ask_and_are_taken_from_all() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    monitor.send_message(Message::binary(
        json!({"action": "subscribe", "binary": true}).to_string().into_bytes(),
    ));
    let told = monitor.expect("subscribed");
    assert_eq!(told["binary"], true);
    let mut plain = hub.ws("/stream");
    subscribe(&mut plain, &json!({}));
    let mut agent = hub.ws("/stream");
    agent.send_message(Message::binary(note("a", "e", 1).to_string().into_bytes()));
    let Message::Binary(bytes) = monitor.message() else {
        panic!("not a binary frame")
    };
    assert_eq!(String::from_utf8(bytes.to_vec()).unwrap(), plain.text());
    let mut node = Foreign::node(&hub.ws_url("/stream"));
    node.send(&json!({"action": "subscribe", "binary": true}));
    node.expect("subscribed");
    agent.send(&publish(
        "GOAL_PROGRESS",
        "a",
        "e",
        &json!({"text": "x".repeat(200_000)}),
    ));
    assert_eq!(event(&mut node)["data"]["text"].as_str().unwrap().len(), 200_000);
    agent.send_message(Message::binary(vec![0xff, 0xfe]));
    assert_eq!(agent.closed().0, 1007);
}

#[test]
fn hive_a_monitor_that_falls_behind_gets_everything_once_and_in_order() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/stream");
    subscribe(&mut monitor, &json!({}));
    let mut agent = hub.ws("/stream");
    for number in 0..5_000 {
        agent.write(note("a", "e", number).to_string()).unwrap();
    }
    agent.flush().unwrap();
    for number in 0..5_000 {
        assert_eq!(event(&mut monitor)["data"]["n"], number);
    }
}
