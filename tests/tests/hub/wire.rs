//! SAM's wire: what goes in, what comes out, frame by frame.

use countersign_tests::{Hub, Peer, Ws, frames, until};
use serde_json::{Value, json};

/// The frame is the seed's envelope as it was sent, and beside it `seq`, `agent` and `session`; gives the place.
#[track_caller]
pub(crate) fn is_envelope_of(got: &Value, sent: &Value) -> u64 {
    let mut names: Vec<&str> = got.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["agent", "data", "seq", "session", "timestamp", "type"], "{got}");
    for name in ["type", "timestamp", "data"] {
        assert_eq!(
            got[name].to_string(),
            sent[name].to_string(),
            "{name} goes out as it came"
        );
    }
    got["seq"].as_u64().expect("a place")
}

#[test]
fn each_event_type_goes_out_as_it_came_with_a_place() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    let mut agent = hub.ws("/publish");
    let mut last = 0;
    for frame in frames::of_the_seed() {
        agent.send(&frame);
        let got = monitor.next();
        let seq = is_envelope_of(&got, &frame);
        assert!(seq > last, "{seq} after {last}");
        last = seq;
        assert_eq!(got["agent"], "sam");
        assert!(
            got["session"].as_str().is_some_and(|session| !session.is_empty()),
            "{got}"
        );
    }
}

#[test]
fn data_is_not_judged_and_unknown_types_are_forwarded() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    let mut agent = hub.ws("/publish");
    for (kind, timestamp, data) in [
        (
            "brand_new",
            "1705488610.123",
            r#"{"a":[1,2.50,1e3,{"b":null}],"é":"\u00e9 \ud83d\ude00","tool_name":7}"#,
        ),
        (
            "tool_call_start",
            r#""yesterday""#,
            r#"{"tool_name":["not","a","string"],"big":12345678901234567890.12}"#,
        ),
        ("tool_call_end", "0", "{\n  \"pretty\": 1\n}"),
        ("approval", r#""""#, "{}"),
    ] {
        agent.send_text(&format!(
            r#"{{"data": {data}, "unknown": {{}}, "timestamp": {timestamp}, "type": "{kind}"}}"#
        ));
        let got = monitor.text();
        let whole = format!(r#"{{"type":"{kind}","timestamp":{timestamp},"data":{data},"seq":"#);
        assert!(got.starts_with(&whole), "{got}");
    }
}

#[test]
fn agent_session_stream_and_timestamp_have_defaults() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    let mut agent = hub.ws("/publish");
    agent.send(&json!({"type": "x", "data": {}, "agent": "builder", "session": "run 7", "stream": "s"}));
    let named = monitor.next();
    assert_eq!(
        (&named["agent"], &named["session"]),
        (&json!("builder"), &json!("run 7"))
    );
    assert!(named["timestamp"].as_str().unwrap().ends_with('Z'), "{named}");
    assert_eq!(named["stream"], "s");
    agent.send(&json!({"type": "x", "data": {}}));
    agent.send(&json!({"type": "x", "data": {}}));
    let (first, second) = (monitor.next(), monitor.next());
    assert_eq!(first["agent"], "sam");
    assert_eq!(
        first["session"], second["session"],
        "without a session the connection is one"
    );
    let mut other = hub.ws("/publish");
    other.send(&json!({"type": "x", "data": {}}));
    assert_ne!(monitor.next()["session"], first["session"]);
    let row = &hub.history_since(named["seq"].as_u64().unwrap() - 1)[0];
    assert_eq!((&row["stream"], &row["origin"]), (&json!("s"), &json!("sam")));
}

#[test]
fn a_publisher_hears_no_echo_and_gets_its_receipts() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    let mut agent = hub.ws("/publish");
    for ack in [json!(1), json!("two"), json!(3.5)] {
        agent.send(&json!({"type": "x", "data": {}, "ack": ack}));
        let receipt = agent.next();
        let seq = monitor.next()["seq"].clone();
        let epoch = hub.get("/healthz").json()["epoch"].clone();
        assert_eq!(receipt, json!({"type": "ack", "ack": ack, "epoch": epoch, "seq": seq}));
        let durable = hub.get("/healthz").json()["durable"].as_u64();
        assert!(durable >= seq.as_u64(), "acknowledged before it was committed");
    }
    agent.send(&json!({"type": "x", "data": {}, "ack": null}));
    assert_eq!(
        agent.publish(&frames::note(1)),
        monitor.next()["seq"].as_u64().unwrap() + 1,
        "null asks for none"
    );
}

#[test]
fn many_receipts_come_in_order_each_once() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    for n in 0..5000_u64 {
        agent
            .write(json!({"type": "x", "data": {}, "ack": n}).to_string())
            .unwrap();
    }
    agent.flush().unwrap();
    let mut last = 0;
    for n in 0..5000_u64 {
        let ack = agent.expect("ack");
        assert_eq!(ack["ack"], n);
        let seq = ack["seq"].as_u64().unwrap();
        assert!(seq > last);
        last = seq;
    }
}

#[test]
fn hello_comes_first_and_only_to_those_who_asked_for_something() {
    let hub = Hub::start();
    hub.ws("/publish").publish(&frames::note(0));
    let health = hub.get("/healthz").json();
    for query in ["?since=0", "?types=x", "?agents=sam", "?types=*&since=0"] {
        let hello = hub.ws(&format!("/{query}")).next();
        assert_eq!(hello["type"], "hello", "{query}");
        assert!(hello.get("seq").is_none() && hello["timestamp"].is_string(), "{hello}");
        let data = &hello["data"];
        assert_eq!(data["epoch"], health["epoch"]);
        assert!(
            data["head"].as_u64() >= Some(1) && data["version"].is_string(),
            "{hello}"
        );
        assert_eq!(data.as_object().unwrap().len(), 3);
    }
    let mut plain = hub.ws("/");
    hub.ws("/publish").send(&frames::note(1));
    assert_eq!(plain.next()["type"], "note");
}

#[test]
fn nothing_is_missed_between_the_upgrade_and_the_first_delivery() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    for n in 0..20 {
        let mut monitor = hub.ws("/");
        agent.send(&frames::note(n));
        assert_eq!(monitor.next()["data"]["n"], n);
    }
}

#[test]
fn a_monitor_gets_the_types_and_agents_that_it_named() {
    let hub = Hub::start();
    let mut by_type = hub.ws("/?types=a,b");
    let mut by_agent = hub.ws("/?agents=one,two");
    let mut by_both = hub.ws("/?types=b&agents=two");
    for monitor in [&mut by_type, &mut by_agent, &mut by_both] {
        monitor.expect("hello");
    }
    let mut agent = hub.ws("/publish");
    for (kind, name) in [("a", "one"), ("b", "three"), ("c", "two"), ("b", "two"), ("c", "three")] {
        agent.send(&json!({"type": kind, "agent": name, "session": "s", "data": {}}));
    }
    let got = |monitor: &mut Ws, count: usize| -> Vec<String> {
        (0..count)
            .map(|_| {
                let frame = monitor.next();
                format!(
                    "{}/{}",
                    frame["agent"].as_str().unwrap(),
                    frame["type"].as_str().unwrap()
                )
            })
            .collect()
    };
    assert_eq!(got(&mut by_type, 3), ["one/a", "three/b", "two/b"]);
    assert_eq!(got(&mut by_agent, 3), ["one/a", "two/c", "two/b"]);
    assert_eq!(got(&mut by_both, 1), ["two/b"]);
}

#[test]
fn the_hubs_own_kinds_come_only_when_named() {
    let hub = Hub::start();
    let mut plain = hub.ws("/");
    let mut named = hub.ws("/?types=agent_connected,approval_resolved");
    let mut every = hub.ws("/?types=*");
    named.expect("hello");
    every.expect("hello");
    let mut agent = hub.ws("/publish");
    agent.send(&frames::approval_request("r1"));
    let id = pending(&hub, 1)[0]["id"].as_str().unwrap().to_owned();
    hub.answer(&id, "deny");
    agent.expect("approval_response");
    agent.send(&frames::note(1));

    assert_eq!(plain.next()["type"], "approval_request");
    assert_eq!(plain.next()["type"], "note");
    assert_eq!(named.next()["type"], "agent_connected");
    let resolved = named.next();
    assert_eq!(resolved["type"], "approval_resolved");
    assert_eq!(resolved["data"]["approval_id"], *id);
    assert_eq!(resolved["data"]["decision"], "deny");
    assert_eq!(
        (&resolved["data"]["by"], &resolved["data"]["status"]),
        (&json!("rest"), &json!("denied"))
    );
    let mut kinds = Vec::new();
    while kinds.last().is_none_or(|kind| kind != "note") {
        kinds.push(every.next()["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds[..3], ["agent_connected", "approval_request", "approval_resolved"]);
    assert!(kinds.iter().any(|kind| kind == "approval_delivered"), "{kinds:?}");
}

/// Waits until so many approvals wait, and gives them.
pub(crate) fn pending(hub: &Hub, count: usize) -> Vec<Value> {
    until(&format!("{count} approvals wait"), || {
        let list = hub.get("/api/approvals?status=pending").json()["approvals"].clone();
        let list = list.as_array().cloned().unwrap_or_default();
        (list.len() == count).then_some(list)
    })
}

#[test]
fn a_malformed_frame_gets_one_error_that_names_the_field_and_the_connection_lives() {
    let deep = format!(r#"{{"type":"x","data":{{"a":{}{}}}}}"#, "[".repeat(63), "]".repeat(63));
    let long = format!(r#"{{"type":"{}","data":{{}}}}"#, "x".repeat(129));
    let agent_long = format!(r#"{{"type":"x","agent":"{}","data":{{}}}}"#, "x".repeat(257));
    let cases: &[(&str, Value)] = &[
        ("not json", json!(null)),
        ("", json!(null)),
        ("{", json!(null)),
        (r#"{"type":"x","data":{}} trailing"#, json!(null)),
        (r#"["type","data"]"#, json!(null)),
        ("7", json!(null)),
        (r#"{"type":"x","type":"y","data":{}}"#, json!(null)),
        (&deep, json!(null)),
        ("{}", json!("type")),
        (r#"{"type":null,"data":{}}"#, json!("type")),
        (r#"{"type":5,"data":{}}"#, json!("type")),
        (r#"{"type":"","data":{}}"#, json!("type")),
        (&long, json!("type")),
        (r#"{"type":"x"}"#, json!("data")),
        (r#"{"type":"x","data":null}"#, json!("data")),
        (r#"{"type":"x","data":[]}"#, json!("data")),
        (r#"{"type":"x","data":"text"}"#, json!("data")),
        (r#"{"type":"x","data":{},"timestamp":{}}"#, json!("timestamp")),
        (r#"{"type":"x","data":{},"agent":7}"#, json!("agent")),
        (r#"{"type":"x","data":{},"agent":""}"#, json!("agent")),
        (r#"{"type":"x","data":{},"agent":"a\nb"}"#, json!("agent")),
        (&agent_long, json!("agent")),
        (r#"{"type":"x","data":{},"session":[]}"#, json!("session")),
        (r#"{"type":"x","data":{},"stream":false}"#, json!("stream")),
        (r#"{"type":"x","data":{},"ack":{}}"#, json!("ack")),
        (
            r#"{"type":"approval_request","data":{"tool_name":"t"}}"#,
            json!("data.request_id"),
        ),
        (
            r#"{"type":"approval_request","data":{"request_id":7,"tool_name":"t"}}"#,
            json!("data.request_id"),
        ),
        (
            r#"{"type":"approval_request","data":{"request_id":"r"}}"#,
            json!("data.tool_name"),
        ),
        (
            r#"{"type":"approval_request","data":{"request_id":"r","tool_name":"t","timeout":"soon"}}"#,
            json!("data.timeout"),
        ),
        (
            r#"{"type":"approval_request","data":{"request_id":"r","tool_name":"t","timeout":0}}"#,
            json!("data.timeout"),
        ),
        (
            r#"{"type":"approval_request","data":{"request_id":"r","tool_name":"t","cwd":5}}"#,
            json!("data.cwd"),
        ),
        (
            r#"{"type":"approval_response","response":"approve"}"#,
            json!("request_id"),
        ),
        (
            r#"{"type":"approval_response","request_id":"r","response":"maybe"}"#,
            json!("response"),
        ),
        (r#"{"type":"approval_response","request_id":"r"}"#, json!("response")),
        (r#"{"type":"approval_resolved","data":{}}"#, json!("type")),
        (r#"{"type":"rule_anything","data":{}}"#, json!("type")),
    ];
    let hub = Hub::start();
    // Both stay: that one is gone would be an event.
    let mut peers = [hub.ws("/publish"), hub.ws("/")];
    for peer in &mut peers {
        let before = peer.publish(&frames::note(0));
        for (text, field) in cases {
            peer.send_text(text);
            let error = peer.skip_to("error");
            assert_eq!(error["data"]["field"], *field, "{text}: {error}");
            assert!(
                error["data"]["error"].as_str().is_some_and(|error| !error.is_empty()),
                "{error}"
            );
            assert_eq!(error.as_object().unwrap().len(), 2, "{error}");
        }
        assert_eq!(peer.publish(&frames::note(1)), before + 1, "nothing else changes");
    }
    assert_eq!(hub.get("/healthz").json()["pending"], 0);
}

#[test]
fn json_is_taken_up_to_64_levels() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    // The envelope and `data` are two of them.
    let nested = |levels: usize| {
        format!(
            r#"{{"type":"x","ack":1,"data":{{"a":{}{}}}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    agent.send_text(&nested(62));
    agent.expect("ack");
    agent.send_text(&nested(63));
    agent.expect("error");
    for open in ["[", "{\"a\":"] {
        agent.send_text(&open.repeat(200_000));
        agent.expect("error");
    }
    agent.publish(&frames::note(1));
}

#[test]
fn an_agent_may_publish_at_the_root_as_sam_like_code_does() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    let mut agent = hub.ws("/");
    agent.send(&frames::note(1));
    assert_eq!(monitor.next()["data"]["n"], 1);
    agent.send(&frames::approval_request("root-1"));
    assert_eq!(monitor.next()["type"], "approval_request");
    hub.answer(pending(&hub, 1)[0]["id"].as_str().unwrap(), "approve");
    let answer = agent.skip_to("approval_response");
    assert_eq!(
        (&answer["request_id"], &answer["response"]),
        (&json!("root-1"), &json!("approve"))
    );
}

#[test]
fn binary_frames_are_text_too_and_pings_are_answered_between_frames() {
    use tungstenite::Message;
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send_message(Message::binary(br#"{"type":"x","data":{},"ack":1}"#.to_vec()));
    agent.expect("ack");
    agent.send_message(Message::Ping("here".into()));
    assert_eq!(agent.message(), Message::Pong("here".into()));
    agent.send_message(Message::binary(b"\xff\xfe".to_vec()));
    assert_eq!(agent.closed().0, 1007);
}

#[test]
fn a_closed_hub_says_goodbye() {
    let mut hub = Hub::start();
    let mut monitor = hub.ws("/");
    let mut agent = hub.ws("/publish");
    agent.send(&frames::note(1));
    monitor.expect("note");
    assert!(hub.terminate().success());
    assert_eq!(monitor.closed().0, 1001);
    assert_eq!(agent.closed().0, 1001);
    assert!(!hub.folder.data().join("hub.json").exists());
    assert!(!hub.folder.data().join("approver.token").exists());
}

#[test]
fn a_frame_behind_the_handshake_is_not_lost() {
    use std::io::{Read, Write};
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    let mut stream = countersign_tests::raw::connect(hub.port);
    let payload = br#"{"type":"x","data":{"early":true}}"#;
    let mut bytes = format!(
        "GET /publish HTTP/1.1\r\nHost: localhost:{}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        hub.port
    )
    .into_bytes();
    // Masked with zeros, as a client may.
    bytes.extend([0x81, 0x80 | payload.len() as u8, 0, 0, 0, 0]);
    bytes.extend(payload);
    stream.write_all(&bytes).unwrap();
    assert_eq!(monitor.expect("x")["data"]["early"], true);
    let head = countersign_tests::raw::head(&mut stream);
    assert!(
        head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "the RFC's own example: {head}"
    );
    // A frame without a mask breaks the protocol.
    stream.write_all(&[0x81, 2, b'{', b'}']).unwrap();
    let mut end = Vec::new();
    stream.read_to_end(&mut end).unwrap();
    assert_eq!(end[..4], [0x88, end[1], 0x03, 0xea], "1002: {end:?}");
}

#[test]
fn an_empty_list_of_names_asks_for_everything() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/?types=&agents=,");
    monitor.expect("hello");
    hub.ws("/publish").send(&frames::note(1));
    monitor.expect("note");
    let many = vec!["x"; 300].join(",");
    assert_eq!(
        Ws::try_connect(hub.port, &format!("/?types={many}"), &[]).err(),
        Some(400)
    );
}
