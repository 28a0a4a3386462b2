//! Sizes: what comes in, what goes out, what is kept.

use std::io::Write;

use countersign_tests::{Foreign, Hub, Peer, command, frames, raw};
use serde_json::{Value, json};
use tungstenite::Message;

const MIB: usize = 1024 * 1024;

/// A frame of exactly so many bytes.
fn frame_of(bytes: usize) -> String {
    let around = r#"{"type":"x","ack":1,"data":{"text":""}}"#.len();
    format!(
        r#"{{"type":"x","ack":1,"data":{{"text":"{}"}}}}"#,
        "x".repeat(bytes - around)
    )
}

#[test]
fn a_large_result_is_cut_on_the_wire_and_kept_whole() {
    let hub = Hub::start();
    // At its defaults the client refuses more than 1 MiB.
    let mut monitor = Foreign::python(&hub.ws_url("/"));
    let mut agent = hub.ws("/publish");
    let whole = "line of output\n".repeat(400_000);
    agent.publish(&json!({"type": "tool_call_result", "data": {"tool_name": "bash", "result": whole, "truncated": false, "call_id": 7}}));
    let got = monitor.expect("tool_call_result");
    let result = got["data"]["result"].as_str().unwrap();
    assert_eq!(result.len(), 64 * 1024);
    assert!(whole.starts_with(result));
    assert_eq!(
        (
            &got["data"]["truncated"],
            &got["data"]["tool_name"],
            &got["data"]["call_id"]
        ),
        (&json!(true), &json!("bash"), &json!(7))
    );
    let seq = got["seq"].as_u64().unwrap();
    let row = &hub.history_since(seq - 1)[0];
    assert_eq!(row["data"]["result"], whole);
    assert_eq!(row["data"]["truncated"], false);
    // One that fits goes out as it came.
    let small = "é".repeat(30_000);
    agent.publish(
        &json!({"type": "tool_call_result", "data": {"tool_name": "bash", "result": small, "truncated": false}}),
    );
    let got = monitor.expect("tool_call_result");
    assert_eq!(
        (&got["data"]["result"], &got["data"]["truncated"]),
        (&json!(small), &json!(false))
    );
}

#[test]
fn of_a_result_8_mib_are_kept() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    let seq = agent
        .publish(&json!({"type": "tool_call_result", "data": {"tool_name": "bash", "result": "y".repeat(10 * MIB)}}));
    let row = &hub.history_since(seq - 1)[0];
    assert_eq!(row["data"]["result"].as_str().unwrap().len(), 8 * MIB);
    assert_eq!(row["data"]["truncated"], true);
}

#[test]
fn no_frame_that_goes_out_is_too_large_for_common_clients() {
    let hub = Hub::start();
    let mut monitors = [Foreign::python(&hub.ws_url("/")), Foreign::node(&hub.ws_url("/"))];
    let mut agent = hub.ws("/publish");
    let datas = [
        json!({"lines": vec!["y".repeat(5000); 2000]}),
        json!({"numbers": (0..1_000_000).collect::<Vec<u32>>()}),
        json!({"one": "z".repeat(10 * MIB)}),
        Value::Object((0..200_000).map(|n| (format!("field {n}"), json!(n))).collect()),
        json!({"result": {"not": "a string", "deep": [["\u{1}".repeat(MIB)]]}}),
    ];
    for data in datas {
        agent.publish(&json!({"type": "tool_call_result", "data": data}));
        for monitor in &mut monitors {
            let text = monitor.text();
            assert!(text.len() < 768 * 1024, "{}", text.len());
            let frame: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(frame["data"]["truncated"], true);
        }
    }
}

#[test]
fn a_publisher_may_send_12_mib_and_others_1_mib() {
    let hub = Hub::start();
    for (path, most) in [("/publish", 12 * MIB), ("/", MIB)] {
        let mut peer = hub.ws(path);
        peer.send_text(&frame_of(most));
        peer.skip_to("ack");
        let mut other = hub.ws("/publish");
        peer.send_message(Message::text(frame_of(most + 1)));
        let (code, reason) = peer.closed();
        assert_eq!(
            (code, reason.contains(&most.to_string())),
            (1009, true),
            "{path}: {reason}"
        );
        other.publish(&frames::note(1));
    }
}

#[test]
fn a_message_that_grows_fragment_by_fragment_is_refused_too() {
    use tungstenite::protocol::frame::Frame;
    use tungstenite::protocol::frame::coding::{Data, OpCode};
    let hub = Hub::start();
    let mut peer = hub.ws("/");
    let piece = vec![b'x'; 256 * 1024];
    for n in 0..5 {
        let kind = if n == 0 { Data::Text } else { Data::Continue };
        peer.send_message(Message::Frame(Frame::message(piece.clone(), OpCode::Data(kind), false)));
    }
    assert_eq!(peer.closed().0, 1009);
}

#[test]
fn bodies_are_bounded() {
    let hub = Hub::start();
    let file = |bytes: usize| {
        let text = frame_of(bytes);
        hub.folder.write(&format!("body-{bytes}"), &text)
    };
    let post = |path: &str, bytes: usize| {
        let data = format!("@{}", file(bytes).display());
        command::curl(&["--data-binary", &data, &format!("{}{path}", hub.url())])
    };
    assert_eq!(post("/api/events", 12 * MIB).0, 200);
    assert_eq!(post("/api/events", 12 * MIB + 1).0, 413);
    assert_eq!(post("/api/approvals", MIB + 1).0, 413);
    assert_eq!(hub.history().len(), 1);
}

#[test]
fn a_body_without_a_length_is_bounded_as_it_comes() {
    let hub = Hub::start();
    let mut stream = raw::connect(hub.port);
    let head = format!(
        "POST /api/approvals HTTP/1.1\r\nHost: localhost:{}\r\nTransfer-Encoding: chunked\r\n\r\n",
        hub.port
    );
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, "x".repeat(64 * 1024));
    for _ in 0..32 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    let reply = raw::head(&mut stream);
    assert!(matches!(raw::status(&reply), 413 | 0), "{reply}");
    assert_eq!(hub.get("/healthz").json()["head"], 0);
}

#[test]
fn a_question_over_256_kib_is_refused_on_every_door() {
    let hub = Hub::start();
    let large = json!({"request_id": "large", "tool_name": "bash", "arguments": {"text": "x".repeat(256 * 1024)}});
    hub.post("/api/approvals", &large).problem(413);
    hub.post("/api/events", &json!({"type": "approval_request", "data": large}))
        .problem(413);
    for path in ["/publish", "/"] {
        let mut agent = hub.ws(path);
        agent.send(&json!({"type": "approval_request", "data": large}));
        assert_eq!(agent.skip_to("error")["data"]["field"], "data");
        agent.publish(&frames::note(1));
    }
    hub.get("/api/approvals/large").problem(404);
}

#[test]
fn what_would_be_approved_is_never_cut() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    let command = "echo ".repeat(50_000);
    let asked = json!({"request_id": "r", "tool_name": "bash", "arguments": {"command": command}});
    let mut agent = hub.ws("/publish");
    agent.send(&json!({"type": "approval_request", "data": asked}));
    assert_eq!(monitor.expect("approval_request")["data"], asked);
    assert_eq!(hub.get("/api/approvals/r").json()["arguments"], asked["arguments"]);
}
