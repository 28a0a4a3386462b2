//! The web monitor in Chromium: it watches by itself, answers with the right, and keeps pages of other origins out.

use countersign_tests::browser::Page;
use countersign_tests::foreign::python;
use countersign_tests::{Foreign, Hub, Peer, cli, frames, until};
use serde_json::{Value, json};

use crate::wire::pending;

fn call(kind: &str, data: &Value) -> Value {
    json!({"type": kind, "agent": "sam", "session": "run 1", "data": data})
}

/// The address that `countersign dashboard` prints.
fn dashboard(hub: &Hub) -> String {
    cli(hub, &["dashboard"])
        .expect(0)
        .out
        .lines()
        .last()
        .unwrap()
        .to_owned()
}

const ROW: &str = "[role=option]";

#[test]
fn it_connects_on_load_and_a_tool_call_is_one_row() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.publish(&call("agent_status", &json!({"status": "processing"})));
    let mut page = Page::open();
    page.goto(&hub.url());
    page.see("[role=listbox]");
    agent.publish(&call(
        "tool_call_start",
        &json!({"tool_name": "execute_code", "arguments": {"code": "print('hello')"}}),
    ));
    let row = format!("{ROW}:has-text(\"execute_code\")");
    page.see(&row);
    agent.publish(&call(
        "tool_call_result",
        &json!({"tool_name": "execute_code", "result": "hello\n", "truncated": false}),
    ));
    agent.publish(&call(
        "tool_call_end",
        &json!({"tool_name": "execute_code", "success": true, "duration": 0.523, "error": null}),
    ));
    page.see(&format!("{row}:has-text(\"0.52 s\")"));
    assert_eq!(page.count(&row), 1, "start, result and end are one row");
    page.click(&row);
    page.see(":text(\"hello\")");
    // What an agent says is text, whatever it looks like.
    agent.publish(&call("tool_call_start", &json!({"tool_name": "<img src=x onerror=window.broken=1>", "arguments": {"x": "<script>window.broken=1</script>"}})));
    page.see(&format!("{ROW}:has-text(\"<img\")"));
    assert_eq!(page.run("() => window.broken ?? null", &Value::Null), Value::Null);
    assert_eq!(page.complaints(), json!([]));
}

#[test]
fn without_the_right_it_watches_and_has_no_buttons() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    let mut page = Page::open();
    page.goto(&hub.url());
    agent.send(&frames::approval_request("r"));
    let id = pending(&hub, 1)[0]["id"].as_str().unwrap().to_owned();
    page.see(":text(\"execute_code\")");
    page.see(":text(\"countersign dashboard\")");
    for word in ["Approve", "Deny"] {
        assert_eq!(page.count(&format!("button:has-text(\"{word}\")")), 0, "{word}");
    }
    assert_eq!(page.count("dialog[open]"), 0);
    let tried = page.run(
        "async (id) => (await fetch(`/api/approvals/${id}/decision`, { method: 'POST', body: '{\"decision\":\"approve\"}' })).status",
        &json!(id),
    );
    assert_eq!(tried, 401);
    assert_eq!(pending(&hub, 1)[0]["id"], *id);
}

#[test]
fn with_a_one_time_code_it_answers_in_its_modal() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    let mut page = Page::open();
    let address = dashboard(&hub);
    page.goto(&address);
    page.see("[role=listbox], .first-run, main");
    until("the code has left the address", || {
        (page.run("() => location.hash", &Value::Null) == "").then_some(())
    });
    for (id, word, response) in [
        ("one", "Approve", "approve"),
        ("two", "Deny", "deny"),
        ("three", "Stop", "stop"),
    ] {
        agent.send(&frames::approval_request(id));
        page.see("dialog[open] :text(\"execute_code\")");
        page.see("dialog[open] :text(\"Hello World\")");
        // A person takes the moment in which the answers are inert.
        page.see(&format!(
            "dialog[open] button[aria-disabled=false]:has-text(\"{word}\")"
        ));
        page.click(&format!("dialog[open] button:has-text(\"{word}\")"));
        let answer = agent.expect("approval_response");
        assert_eq!(
            (&answer["request_id"], &answer["response"], &answer["by"]),
            (&json!(id), &json!(response), &json!("rest"))
        );
        page.gone("dialog[open]");
    }
    agent.expect("stop");
    // The code is spent: another page that opens the address only watches.
    let mut other = Page::open();
    other.goto(&address);
    let mut second = hub.ws("/publish");
    second.send(&frames::approval_request("four"));
    other.see(":text(\"countersign dashboard\")");
    assert_eq!(other.count("button:has-text(\"Approve\")"), 0);
}

#[test]
fn a_page_that_may_answer_counts_as_somebody_who_can() {
    let hub = Hub::start();
    let mut page = Page::open();
    page.goto(&dashboard(&hub));
    until("an approver is there", || {
        (hub.get("/api/status").json()["approvers"] == 1).then_some(())
    });
    page.goto("about:blank");
    until("it is gone", || {
        (hub.get("/api/status").json()["approvers"] == 0).then_some(())
    });
}

#[test]
fn keys_meant_for_something_else_answer_nothing_and_escape_keeps_the_request() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    let mut page = Page::open();
    page.goto(&dashboard(&hub));
    agent.send(&frames::approval_request("r"));
    page.see("dialog[open]");
    for key in ["Enter", "Space", "a", "d", "s", "y"] {
        page.press(key);
    }
    page.press("Escape");
    page.gone("dialog[open]");
    assert_eq!(pending(&hub, 1)[0]["request_id"], "r");
    // Answered elsewhere, the next one takes its place.
    agent.send(&frames::approval_request("next"));
    page.see("dialog[open]");
    pending(&hub, 2);
    hub.answer("next", "deny");
    assert_eq!(agent.expect("approval_response")["request_id"], "next");
    page.gone("dialog[open]");
}

#[test]
fn a_page_of_another_origin_gets_nowhere() {
    let hub = Hub::start();
    let mut script = python();
    script.arg("foreign_page.py");
    let mut elsewhere = Foreign::start(script);
    let port = elsewhere.line();
    hub.post("/api/events", &json!({"type": "secret", "data": {}}))
        .expect(200);
    let before = hub.get("/healthz").json()["head"].clone();
    let mut page = Page::open();
    for host in ["127.0.0.1", "localhost"] {
        page.goto(&format!("http://{host}:{port}/"));
        for name in ["127.0.0.1", "localhost"] {
            let hub_at = format!("{name}:{}", hub.port);
            let socket = page.run(
                "(hub) => new Promise((done) => { const socket = new WebSocket(`ws://${hub}/?since=0`);
                    socket.onopen = () => done('open'); socket.onmessage = () => done('message'); socket.onerror = () => done('refused'); })",
                &json!(hub_at),
            );
            assert_eq!(socket, "refused", "{host} to {name}");
            let fetched = page.run(
                "async (hub) => { try { return (await fetch(`http://${hub}/api/events`)).status; } catch { return 'refused'; } }",
                &json!(hub_at),
            );
            assert_eq!(fetched, "refused");
            // What needs no permission to be sent is refused when it arrives.
            page.run(
                "(hub) => Promise.allSettled([
                    fetch(`http://${hub}/api/events`, { method: 'POST', mode: 'no-cors', body: '{\"type\":\"forged\",\"data\":{}}' }),
                    fetch(`http://${hub}/api/approvals`, { method: 'POST', mode: 'no-cors', body: '{\"tool_name\":\"forged\"}' }),
                    new Promise((done) => { const image = new Image(); image.onload = image.onerror = done; image.src = `http://${hub}/icon.svg`; }),
                ])",
                &json!(hub_at),
            );
        }
    }
    assert_eq!(hub.get("/healthz").json()["head"], before);
    // It cannot be put into a frame either.
    let policy = hub.get("/").expect(200);
    assert!(
        policy
            .header("content-security-policy")
            .contains("frame-ancestors 'none'")
    );
    assert_eq!(policy.header("x-frame-options"), "DENY");
}
