//! Hive's wire: what subscriptions let through, what agents publish and are told, who is let in, what is said of mistakes.

use std::io::Write;
use std::time::Duration;

use countersign_tests::{Foreign, Hub, Peer, Start, Ws, cli, frames, until};
use serde_json::{Value, json};
use tungstenite::Message;

use crate::wire::pending;

type Connect = fn(&str) -> Foreign;

/// An event as Hive's agents publish it.
pub(crate) fn publish(kind: &str, stream: &str, execution: &str, data: &Value) -> Value {
    json!({"action": "publish", "event": {
        "type": kind, "stream_id": stream, "execution_id": execution, "data": data,
        "timestamp": "2026-01-17T10:30:00.123456",
    }})
}

fn note(stream: &str, execution: &str, number: u64) -> Value {
    publish("NODE_EXECUTED", stream, execution, &json!({ "n": number }))
}

/// Publishes, and waits until the event is in the log.
fn published(agent: &mut Ws, frame: &Value) -> u64 {
    let mut frame = frame.clone();
    frame["ack"] = json!("a receipt");
    agent.send(&frame);
    let ack = agent.skip_to("ack");
    ack["seq"].as_u64().expect("a place")
}

/// The event in the next frame.
#[track_caller]
pub(crate) fn event(peer: &mut impl Peer) -> Value {
    peer.expect("event")["event"].take()
}

fn subscribe(peer: &mut impl Peer, rest: &Value) -> Value {
    let mut frame = json!({"action": "subscribe"});
    for (name, value) in rest.as_object().expect("fields") {
        frame[name] = value.clone();
    }
    peer.send(&frame);
    peer.expect("subscribed")
}

/// The ten types, each with data as the seed names its fields.
fn of_the_seed() -> Vec<(&'static str, Value)> {
    vec![
        (
            "EXECUTION_STARTED",
            json!({"input_data": {"a": 1}, "stream_id": "webhook", "execution_id": "exec-1"}),
        ),
        ("NODE_EXECUTED", json!({"node_id": "fetch"})),
        (
            "GOAL_PROGRESS",
            json!({"progress": 0.5, "criteria_status": {"done": false}}),
        ),
        (
            "STATE_CHANGED",
            json!({"key": "k", "old_value": null, "new_value": [1]}),
        ),
        ("EXECUTION_PAUSED", json!({"node_id": "review", "reason": "HITL"})),
        ("EXECUTION_RESUMED", json!({"node_id": "review", "decision": "go"})),
        ("CONSTRAINT_VIOLATION", json!({"constraint_id": "budget"})),
        ("GOAL_ACHIEVED", json!({"final_status": "met"})),
        (
            "EXECUTION_COMPLETED",
            json!({"output": {"b": 2}, "execution_id": "exec-1"}),
        ),
        ("EXECUTION_FAILED", json!({"error": "boom", "execution_id": "exec-1"})),
    ]
}

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
fn hive_mistakes_are_told_and_close_nothing() {
    let hub = Hub::start();
    for path in ["/", "/stream"] {
        let mut peer = hub.ws(path);
        subscribe(&mut peer, &json!({"stream_id": "mistakes"}));
        for (frame, field) in [
            ("nonsense", Value::Null),
            ("[]", Value::Null),
            ("{}", json!("action")),
            (r#"{"action":"fly"}"#, json!("action")),
            (r#"{"action":"subscribe","stream_id":7}"#, json!("stream_id")),
            (r#"{"action":"subscribe","execution_id":[]}"#, json!("execution_id")),
            (r#"{"action":"subscribe","event_types":"ALL"}"#, json!("event_types")),
            (r#"{"action":"subscribe","binary":"yes"}"#, json!("binary")),
            (r#"{"action":"subscribe","since":"a:b:c"}"#, json!("since")),
            (r#"{"action":"publish"}"#, json!("event")),
            (r#"{"action":"publish","event":{"data":{}}}"#, json!("event.type")),
            (r#"{"action":"publish","event":{"type":"x"}}"#, json!("event.data")),
            (
                r#"{"action":"publish","event":{"type":"x","data":{},"stream_id":""}}"#,
                json!("event.stream_id"),
            ),
            (
                r#"{"action":"publish","event":{"type":"x","data":{}},"ack":{}}"#,
                json!("ack"),
            ),
            (
                r#"{"action":"publish","event":{"type":"APPROVAL_RESOLVED","data":{}}}"#,
                json!("event.type"),
            ),
            (
                r#"{"action":"publish","event":{"type":"Session_Stopped","data":{}}}"#,
                json!("event.type"),
            ),
            (
                r#"{"action":"publish","event":{"type":"approval_request","data":{"tool_name":"t"}}}"#,
                json!("event.data.request_id"),
            ),
            (
                r#"{"action":"publish","event":{"type":"approval_response","data":{"request_id":"r","response":"approve"}}}"#,
                json!("event.type"),
            ),
        ] {
            peer.send_text(frame);
            let told = peer.expect("error");
            assert_eq!(told["field"], field, "{frame}: {told}");
            assert!(told["error"].as_str().is_some_and(|error| !error.is_empty()));
        }
        // The subscription is as it was.
        peer.send(&note("other", "e", 1));
        peer.send(&note("mistakes", "e", 2));
        assert_eq!(event(&mut peer)["data"]["n"], 2);
    }
    assert!(hub.history().iter().all(|row| row["kind"] != "x"));
}

#[test]
fn hive_events_come_in_over_publish_too() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/stream");
    subscribe(&mut monitor, &json!({}));
    let mut agent = hub.ws("/publish");
    agent
        .send(&json!({"type": "EXECUTION_STARTED", "stream_id": "s", "execution_id": "e", "data": {"input_data": {}}}));
    let got = event(&mut monitor);
    assert_eq!(
        (&got["type"], &got["stream_id"], &got["execution_id"], &got["agent"]),
        (&json!("execution_started"), &json!("s"), &json!("e"), &json!("s"))
    );
    // In Hive's own frame as well, for which the first message decides.
    let mut other = hub.ws("/publish");
    published(&mut other, &note("s", "e", 2));
    assert_eq!(event(&mut monitor)["data"]["n"], 2);
    other.send(&json!({"action": "subscribe"}));
    assert_eq!(other.expect("error")["field"], "action");
}

#[test]
fn hive_an_agent_is_answered_and_stopped_in_events() {
    let hub = Hub::start();
    let mut agent = hub.ws("/stream");
    for (id, decision) in [("r1", "approve"), ("r2", "deny"), ("r3", "stop")] {
        let data = json!({"request_id": id, "tool_name": "send_mail", "arguments": {"to": id}});
        let mut frame = publish("APPROVAL_REQUEST", "mailer", "exec-1", &data);
        frame["ack"] = json!(id);
        agent.send(&frame);
        assert_eq!(agent.expect("ack")["ack"], id);
        let asked = hub.get(&format!("/api/approvals/{id}")).expect(200).json();
        assert_eq!(
            (&asked["agent"], &asked["session"], &asked["stream"], &asked["origin"]),
            (&json!("mailer"), &json!("exec-1"), &json!("mailer"), &json!("hive"))
        );
        hub.answer(id, decision);
        let answer = event(&mut agent);
        assert_eq!(
            (&answer["type"], &answer["stream_id"], &answer["execution_id"]),
            (&json!("approval_response"), &json!("mailer"), &json!("exec-1"))
        );
        assert_eq!(
            (&answer["data"]["request_id"], &answer["data"]["response"]),
            (&json!(id), &json!(decision))
        );
    }
    let stop = event(&mut agent);
    assert_eq!(
        (&stop["type"], &stop["execution_id"], &stop["data"]["session"]),
        (&json!("stop"), &json!("exec-1"), &json!("exec-1"))
    );
    // The same id with other content is refused.
    agent.send(&publish(
        "approval_request",
        "mailer",
        "exec-1",
        &json!({"request_id": "r1", "tool_name": "other"}),
    ));
    assert_eq!(agent.expect("error")["field"], "event.data.request_id");
}

#[test]
fn hive_an_approver_answers_with_an_event() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send(&frames::approval_request("q"));
    let mut approver = hub.approver("/stream");
    approver.send(&json!({"action": "subscribe", "event_types": ["approval_request"], "since": 0}));
    approver.expect("subscribed");
    assert_eq!(event(&mut approver)["data"]["request_id"], "q");
    let answer = json!({"action": "publish", "event": {"type": "approval_response", "data": {"request_id": "q", "response": "approve"}}});
    approver.send(&answer);
    assert_eq!(agent.expect("approval_response")["response"], "approve");
    approver.send(&answer);
    assert_eq!(approver.expect("error")["field"], "event.data.request_id");
}

#[test]
fn hive_a_pause_for_a_person_and_the_progress_show_in_the_sessions() {
    let hub = Hub::start();
    let mut agent = hub.ws("/stream");
    let session = || {
        let agents = hub.get("/api/agents").expect(200).json();
        let text = agents.to_string();
        let found = find(&agents, "exec-1");
        found.unwrap_or_else(|| panic!("{text}"))
    };
    published(
        &mut agent,
        &publish("EXECUTION_STARTED", "worker", "exec-1", &json!({})),
    );
    published(
        &mut agent,
        &publish("GOAL_PROGRESS", "worker", "exec-1", &json!({"progress": 0.4})),
    );
    until("working", || {
        (session()["activity"] == "working" && session()["progress"] == 0.4).then_some(())
    });
    let paused = json!({"node_id": "review", "reason": "HITL: check the draft"});
    published(&mut agent, &publish("EXECUTION_PAUSED", "worker", "exec-1", &paused));
    until("needs a person", || {
        (session()["activity"] == "needs_you").then_some(())
    });
    assert_eq!(session()["task"], "HITL: check the draft");
    published(
        &mut agent,
        &publish("EXECUTION_RESUMED", "worker", "exec-1", &json!({"decision": "ok"})),
    );
    until("goes on", || (session()["activity"] == "working").then_some(()));
    published(
        &mut agent,
        &publish("EXECUTION_FAILED", "worker", "exec-1", &json!({"error": "boom"})),
    );
    until("failed", || (session()["activity"] == "failed").then_some(()));
}

/// The line of that session, wherever the reply has it.
fn find(value: &Value, session: &str) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.get("session").is_some_and(|name| name == session) => Some(value.clone()),
        Value::Object(fields) => fields.values().find_map(|value| find(value, session)),
        Value::Array(values) => values.iter().find_map(|value| find(value, session)),
        _ => None,
    }
}

#[test]
fn hive_two_agents_without_an_execution_have_none() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/stream");
    subscribe(&mut monitor, &json!({}));
    let mut agent = hub.ws("/stream");
    agent.send(&json!({"action": "publish", "event": {"type": "STATE_CHANGED", "data": {}}}));
    let got = event(&mut monitor);
    assert_eq!(
        (&got["stream_id"], &got["execution_id"]),
        (&json!("hive"), &Value::Null)
    );
    // The log files them under their connection all the same.
    let row = hub.history().pop().unwrap();
    assert!(
        row["session"].as_str().is_some_and(|session| session.starts_with("c-")),
        "{row}"
    );
}

#[test]
fn hive_sams_first_message_keeps_the_root_sams() {
    let hub = Hub::start();
    let mut sam = hub.ws("/");
    sam.send(&frames::note(1));
    assert_eq!(sam.expect("note")["data"]["n"], 1);
    sam.send(&json!({"action": "subscribe"}));
    assert_eq!(sam.expect("error")["data"]["field"], "type");
}

fn required(hub: &Start) -> Hub {
    hub.clone().config("countersign.toml", "auth = \"required\"\n").run()
}

#[test]
fn hive_where_tokens_are_required_the_first_message_brings_one() {
    let hub = required(&Start::new());
    let token = hub.token();
    for path in ["/", "/stream"] {
        let mut known = Foreign::python(&hub.ws_url(path));
        known.send(&json!({"action": "auth", "token": token}));
        assert_eq!(known.next(), json!({"type": "authenticated"}));
        subscribe(&mut known, &json!({}));
        known.send(&note("a", "e", 1));
        assert_eq!(event(&mut known)["data"]["n"], 1);

        for (first, reason) in [
            (json!({"action": "subscribe"}), "Auth required"),
            (note("a", "e", 1), "Auth required"),
            (json!({"type": "x", "data": {}}), "Auth required"),
            (json!({"action": "auth", "token": "wrong"}), "Auth failed: "),
            (json!({"action": "auth"}), "Auth failed: "),
            (json!("auth"), "Auth failed: "),
        ] {
            let mut stranger = hub.ws(path);
            stranger.send(&first);
            let (code, told) = stranger.closed();
            assert_eq!((code, told.starts_with(reason)), (1008, true), "{first}: {told}");
        }
    }
    assert_eq!(
        hub.call(
            "GET",
            "/api/events",
            &[("authorization", &format!("Bearer {token}"))],
            None
        )
        .status,
        200
    );
}

#[test]
fn hive_a_first_message_that_is_no_text_is_no_valid_token_either() {
    let hub = required(&Start::new());
    // A text frame of one byte that no UTF-8 has, behind its mask of zeros; and the same in a binary frame.
    let frames: [&[u8]; 2] = [&[0x81, 0x81, 0, 0, 0, 0, 0xFF], &[0x82, 0x81, 0, 0, 0, 0, 0xFF]];
    for path in ["/", "/stream"] {
        for frame in frames {
            let mut stranger = hub.ws(path);
            stranger.stream().write_all(frame).expect("sent");
            let (code, reason) = stranger.closed();
            assert_eq!(
                (code, reason.starts_with("Auth failed: ")),
                (1008, true),
                "{path}: {reason}"
            );
            let mut known = hub.approver(path);
            known.stream().write_all(frame).expect("sent");
            assert_eq!(known.closed().0, 1007, "{path}");
        }
    }
}

#[test]
fn hive_a_stream_that_is_not_the_tokens_is_refused_and_the_subscription_stays() {
    let hub = required(&Start::new());
    let token = crate::access::create(&hub, &["--role", "agent,monitor", "--stream", "s"]);
    for path in ["/", "/stream"] {
        let mut monitor = hub.ws(path);
        monitor.send(&json!({"action": "auth", "token": token}));
        monitor.expect("authenticated");
        subscribe(&mut monitor, &json!({"stream_id": "s"}));
        monitor.send(&json!({"action": "subscribe", "stream_id": "t"}));
        let error = monitor.expect("error");
        assert_eq!(error["field"], "stream_id", "{error}");
        monitor.send(&note("s", "e", 1));
        assert_eq!(event(&mut monitor)["data"]["n"], 1);
    }
}

#[test]
fn hive_who_says_nothing_for_five_seconds_is_let_go() {
    let hub = required(&Start::new());
    for path in ["/", "/stream"] {
        let mut silent = hub.ws(path);
        let (code, reason) = silent.closed();
        assert_eq!((code, reason.starts_with("Auth failed: ")), (1008, true), "{reason}");
    }
    let mut known = hub.ws("/stream");
    known.send(&json!({"action": "auth", "token": hub.token()}));
    known.expect("authenticated");
    assert!(known.silent_for(Duration::from_secs(6)), "it stays");
}

#[test]
fn hive_a_token_in_the_upgrade_needs_no_message() {
    let hub = required(&Start::new());
    let mut known = hub.approver("/");
    subscribe(&mut known, &json!({}));
    let mut monitor = hub.approver("/stream");
    subscribe(&mut monitor, &json!({}));
    known.send(&note("a", "e", 1));
    assert_eq!(event(&mut monitor)["data"]["n"], 1);
    assert_eq!(Ws::try_connect(hub.port, "/stream?token=wrong", &[]).err(), Some(401));
}

#[test]
fn hive_where_tokens_are_not_required_one_is_honoured_all_the_same() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send(&frames::approval_request("q"));
    pending(&hub, 1);
    let mut peer = hub.ws("/stream");
    let answer = json!({"action": "publish", "event": {"type": "approval_response", "data": {"request_id": "q", "response": "deny"}}});
    peer.send(&answer);
    assert_eq!(peer.expect("error")["field"], "event.type");
    peer.send(&json!({"action": "auth", "token": hub.token()}));
    peer.expect("authenticated");
    peer.send(&answer);
    assert_eq!(agent.expect("approval_response")["response"], "deny");
    peer.send(&json!({"action": "auth", "token": "wrong"}));
    let (code, reason) = peer.closed();
    assert_eq!((code, reason.starts_with("Auth failed: ")), (1008, true), "{reason}");
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

/// A root that speaks Hive and nothing else.
fn speaks_hive(hub: &Hub) {
    let mut monitor = hub.ws("/");
    monitor.send(&frames::note(1));
    assert_eq!(monitor.expect("error")["field"], "action", "no SAM at this root");
    let mut agent = hub.ws("/publish");
    agent.publish(&json!({"type": "EXECUTION_STARTED", "stream_id": "a", "data": {"n": 1}}));
    assert!(
        monitor.silent_for(Duration::from_millis(400)),
        "nothing flows before a subscription"
    );
    subscribe(&mut monitor, &json!({}));
    assert_eq!(event(&mut monitor)["data"]["n"], 1);
}

#[test]
fn hive_stream_serves_hive_at_the_root() {
    let start = Start::new();
    let mut command = countersign_tests::hub::countersign();
    command.args(["stream", "--host", "127.0.0.1", "--port", "0", "--data-dir"]);
    command.arg(start.folder.data());
    speaks_hive(&start.run_as(command));
}

#[test]
fn hive_a_listener_of_its_own_serves_hive_at_the_root() {
    let start = Start::new();
    let mut command = countersign_tests::hub::countersign();
    command.args(["serve", "--listen", "127.0.0.1:0=hive", "--data-dir"]);
    command.arg(start.folder.data());
    speaks_hive(&start.run_as(command));
}

#[test]
fn hive_stream_off_loopback_is_refused_with_the_recipe_for_a_proxy() {
    let start = Start::new();
    let mut command = countersign_tests::hub::countersign();
    command.args(["stream", "--host", "0.0.0.0", "--port", "0", "--data-dir"]);
    command.arg(start.folder.data());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("proxy"), "{said}");
}

fn token(hub: &Hub, arguments: &[&str]) -> String {
    let mut all = vec!["token", "create"];
    all.extend_from_slice(arguments);
    let out = cli(hub, &all).expect(0).out;
    out.lines().last().expect("a token").to_owned()
}

fn introduce(hub: &Hub, path: &str, token: &str) -> Ws {
    let mut peer = hub.ws(path);
    peer.send(&json!({"action": "auth", "token": token}));
    peer.expect("authenticated");
    peer
}

#[test]
fn hive_a_token_for_named_streams_gets_those_and_publishes_to_those() {
    let hub = required(&Start::new());
    for path in ["/", "/stream"] {
        let mut all = introduce(&hub, path, &token(&hub, &["--role", "agent,monitor"]));
        let limited = token(&hub, &["--role", "agent,monitor", "--stream", "a", "--stream", "b"]);
        let mut some = introduce(&hub, path, &limited);
        subscribe(&mut some, &json!({"event_types": ["*"]}));
        published(
            &mut all,
            &json!({"action": "publish", "event": {"type": "X", "data": {"n": 0}}}),
        );
        published(&mut all, &note("c", "e", 1));
        published(&mut all, &note("a", "e", 2));
        assert_eq!(
            event(&mut some)["data"]["n"],
            2,
            "nothing without a stream, nothing of others"
        );
        some.send(&note("c", "e", 3));
        assert_eq!(some.expect("error")["field"], "event.stream_id");
        some.send(&json!({"action": "publish", "event": {"type": "X", "data": {}}}));
        assert_eq!(some.expect("error")["field"], "event.stream_id", "which of the two?");
        some.send(&note("b", "e", 4));
        assert_eq!(event(&mut some)["data"]["n"], 4);
    }
}

#[test]
fn hive_a_tokens_roles_say_what_it_is_good_for() {
    let hub = required(&Start::new());
    let mut monitor = introduce(&hub, "/stream", &token(&hub, &["--role", "monitor"]));
    monitor.send(&note("a", "e", 1));
    assert_eq!(monitor.expect("error")["field"], "event.type");
    subscribe(&mut monitor, &json!({}));
    let mut agent = introduce(&hub, "/", &token(&hub, &["--role", "agent"]));
    agent.send(&json!({"action": "subscribe"}));
    assert_eq!(agent.expect("error")["field"], "action");
    published(&mut agent, &note("a", "e", 2));
    assert_eq!(event(&mut monitor)["data"]["n"], 2);
}

#[test]
fn hive_a_connection_ends_with_its_token() {
    let hub = required(&Start::new());
    let mut brief = introduce(&hub, "/stream", &token(&hub, &["--ttl", "8s"]));
    let (code, reason) = brief.closed();
    assert_eq!((code, reason.is_empty()), (1008, false), "{reason}");
}
