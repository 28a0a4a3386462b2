//! Clients that nobody here wrote: Python `websockets` and Node `ws` on the socket, httpx and curl on REST, and the seed's own
//! examples as they stand.

use std::process::Command;

use countersign_tests::foreign::{clients, node, python};
use countersign_tests::{Folder, Foreign, Hub, Peer, command, frames, until};
use serde_json::{Value, json};

use crate::wire::{is_envelope_of, pending};

type Connect = fn(&str) -> Foreign;

/// A whole run: every event type, three approvals with the three answers, a stop.
fn round_trip(agent: Connect, monitor: Connect) {
    let hub = Hub::start();
    let mut monitor = monitor(&hub.ws_url("/"));
    let mut agent = agent(&hub.ws_url("/publish"));
    for frame in frames::of_the_seed() {
        let mut sent = frame.clone();
        sent["ack"] = frame["type"].clone();
        agent.send(&sent);
        let ack = agent.expect("ack");
        assert_eq!(ack["ack"], frame["type"]);
        assert_eq!(is_envelope_of(&monitor.next(), &frame), ack["seq"].as_u64().unwrap());
    }
    for response in ["approve", "deny", "stop"] {
        let asked = frames::approval_request(response);
        agent.send(&asked);
        is_envelope_of(&monitor.next(), &asked);
        // A monitor may look, and not answer.
        monitor.send(&frames::approval_response(response, "approve"));
        assert_eq!(monitor.expect("error")["data"]["field"], "type");
        pending(&hub, 1);
        hub.answer(response, response);
        let answer = agent.expect("approval_response");
        assert_eq!(
            (&answer["request_id"], &answer["response"]),
            (&json!(response), &json!(response))
        );
    }
    agent.expect("stop");
    agent.send_text("not JSON");
    agent.expect("error");
    agent.send(&frames::note(1));
    assert_eq!(monitor.expect("note")["data"]["n"], 1);
}

#[test]
fn python_publishes_and_node_watches() {
    round_trip(Foreign::python, Foreign::node);
}

#[test]
fn node_publishes_and_python_watches() {
    round_trip(Foreign::node, Foreign::python);
}

#[test]
fn foreign_clients_may_answer_with_the_token_and_resume() {
    let hub = Hub::start();
    for (name, connect) in [("py", Foreign::python as Connect), ("js", Foreign::node)] {
        let mut agent = connect(&hub.ws_url("/publish"));
        let place = agent.publish(&frames::note(0));
        let mut approver =
            connect(&hub.ws_url(&format!("/?since={place}&types=approval_request&token={}", hub.token())));
        approver.expect("hello");
        agent.send(&frames::approval_request(name));
        let request = approver.expect("approval_request");
        assert_eq!(request["data"]["request_id"], name);
        // It is shown once it is committed, so it may be answered at once.
        approver.send(&frames::approval_response(name, "approve"));
        assert_eq!(agent.expect("approval_response")["response"], "approve");
    }
}

#[test]
fn foreign_clients_are_told_why_the_connection_ends() {
    let mut hub = Hub::start();
    let large = json!({"type": "x", "data": {"text": "x".repeat(1024 * 1024)}});
    for connect in [Foreign::python as Connect, Foreign::node] {
        let mut peer = connect(&hub.ws_url("/"));
        peer.send(&large);
        assert_eq!(peer.closed().0, 1009);
    }
    let mut peers = [Foreign::python(&hub.ws_url("/")), Foreign::node(&hub.ws_url("/"))];
    assert!(hub.terminate().success());
    for peer in &mut peers {
        let (code, reason) = peer.closed();
        assert_eq!((code, reason.is_empty()), (1001, false));
    }
}

#[test]
fn the_seeds_own_monitors_work_with_nothing_changed_but_the_port() {
    let hub = Hub::start();
    let folder = Folder::new();
    let with_port = |name: &str| {
        let text = std::fs::read_to_string(clients().join(name)).unwrap();
        assert_eq!(text.matches(":8765").count(), 1);
        text.replace(":8765", &format!(":{}", hub.port))
    };
    let mut in_python = python();
    in_python.arg(folder.write("seed_monitor.py", &with_port("seed_monitor.py")));
    let mut in_node = node();
    // Node looks for packages beside the script.
    in_node.env("NODE_PATH", clients().join("node/node_modules"));
    in_node.arg(folder.write("seed_monitor.cjs", &with_port("node/seed_monitor.cjs")));
    let mut monitors = [Foreign::start(in_python), Foreign::start(in_node)];
    for monitor in &mut monitors {
        assert_eq!(monitor.line(), "Connected to SAM WebSocket");
    }
    let mut agent = hub.ws("/publish");
    let mut sent = frames::of_the_seed();
    sent.push(frames::approval_request("r"));
    for frame in &sent {
        agent.send(frame);
        for monitor in &mut monitors {
            let start = format!("{}: ", frame["type"].as_str().unwrap());
            until("its line", || monitor.line().starts_with(&start).then_some(()));
        }
    }
}

#[test]
fn an_agent_without_a_socket_goes_through_httpx() {
    let hub = Hub::start();
    let mut script = python();
    script.args(["rest_agent.py", &hub.url(), "py-1"]);
    let mut agent = Foreign::start(script);
    assert_eq!(agent.event()["body"]["last"], 1);
    assert_eq!(
        agent.event()["body"],
        json!({"epoch": hub.get("/healthz").json()["epoch"], "first": 2, "last": 3})
    );
    let asked = agent.event();
    assert_eq!(
        (&asked["status"], &asked["body"]["status"]),
        (&json!(201), &json!("pending"))
    );
    hub.answer("py-1", "deny");
    let answered = agent.event();
    assert_eq!(
        (&answered["body"]["status"], &answered["body"]["decision"]["decision"]),
        (&json!("denied"), &json!("deny"))
    );
    assert_eq!(agent.event()["status"], 401);
}

#[test]
fn curl_does_all_that_rest_offers() {
    let hub = Hub::start();
    let url = |path: &str| format!("{}{path}", hub.url());
    let bearer = format!("Authorization: Bearer {}", hub.token());
    let event = r#"{"type":"note","agent":"shell","data":{"text":"hello"}}"#;
    // As people type it: curl says that it is a form.
    let (status, body) = command::curl(&["--data", event, &url("/api/events")]);
    assert_eq!((status, body.contains("\"last\":1")), (200, true), "{body}");
    let lines = hub.folder.write("lines", &format!("{event}\n{event}\n"));
    let data = format!("@{}", lines.display());
    let (status, _) = command::curl(&[
        "-H",
        "content-type: application/x-ndjson",
        "--data-binary",
        &data,
        &url("/api/events"),
    ]);
    assert_eq!(status, 200);
    let (_, rows) = command::curl(&["-H", "accept: application/x-ndjson", &url("/api/events?agents=shell")]);
    assert_eq!(rows.lines().count(), 3);

    let question = r#"{"request_id":"c-1","tool_name":"bash","arguments":{"command":"ls"},"agent":"shell"}"#;
    let mut asking = Command::new("curl");
    asking.args([
        "-q",
        "-sS",
        "--noproxy",
        "*",
        "--data",
        question,
        &url("/api/approvals?wait=50"),
    ]);
    let asking = command::Running::start(asking, "");
    pending(&hub, 1);
    let decide = url("/api/approvals/c-1/decision");
    assert_eq!(command::curl(&["--data", r#"{"decision":"approve"}"#, &decide]).0, 401);
    assert_eq!(
        command::curl(&["-H", &bearer, "--data", r#"{"decision":"approve"}"#, &decide]).0,
        200
    );
    assert_eq!(
        command::curl(&["-H", &bearer, "--data", r#"{"decision":"deny"}"#, &decide]).0,
        409
    );
    let answer: Value = serde_json::from_str(&asking.finish().expect(0).out).unwrap();
    assert_eq!(answer["status"], "approved");
    assert_eq!(command::curl(&["-H", "Host: evil.example", &url("/")]).0, 421);
    assert_eq!(
        command::curl(&["-H", "Origin: http://evil.example", &url("/api/status")]).0,
        403
    );
    assert_eq!(
        command::curl(&[&format!("http://localhost:{}/healthz", hub.port)]).0,
        200
    );
    let (status, page) = command::curl(&[&url("/")]);
    assert_eq!((status, page.contains("<html")), (200, true));
}
