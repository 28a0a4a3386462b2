//! Events by the batch: all of it or nothing.

use super::*;

#[test]
fn an_object_an_array_and_lines_are_published_and_answered_after_commit() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    let epoch = hub.get("/healthz").json()["epoch"].clone();
    let lines = format!("{}\n\n  {}\r\n{}", event(3), event(4), event(5));
    let cases = [
        (event(0).to_string(), "application/json", 1),
        (json!([event(1), event(2)]).to_string(), "application/json", 2),
        (lines.clone(), "application/x-ndjson", 3),
        (lines, "application/json", 3),
        (event(6).to_string(), "application/x-ndjson", 1),
        (format!("{:#}", event(7)), "text/plain", 1),
    ];
    let mut last = 0;
    for (body, kind, count) in cases {
        let reply = hub
            .call("POST", "/api/events", &[("content-type", kind)], Some(&body))
            .expect(200);
        let receipt = reply.json();
        assert_eq!(
            receipt,
            json!({"epoch": epoch, "first": last + 1, "last": last + count}),
            "{body}"
        );
        last += count;
        assert!(hub.get("/healthz").json()["durable"].as_u64() >= Some(last));
        for _ in 0..count {
            let frame = monitor.next();
            assert_eq!(
                (&frame["agent"], &frame["timestamp"]),
                (&json!("a"), &json!("2026-01-17T10:30:00.000Z"))
            );
        }
    }
    assert_eq!(hub.history().len() as u64, last);
}

#[test]
fn a_batch_with_a_bad_event_publishes_none_of_it() {
    let hub = Hub::start();
    let bad: &[(Value, u16, Value)] = &[
        (json!([event(1), {"type": "x"}]), 400, json!("data")),
        (json!([event(1), 7]), 400, Value::Null),
        (
            json!([event(1), {"type": "approval_resolved", "data": {}}]),
            403,
            json!("type"),
        ),
        (
            json!([event(1), frames::approval_response("r", "approve")]),
            403,
            json!("type"),
        ),
        (
            json!([event(1), {"type": "approval_request", "data": {"tool_name": "t"}}]),
            400,
            json!("data.request_id"),
        ),
    ];
    for (body, status, field) in bad {
        let problem = hub.post("/api/events", body).problem(*status);
        assert_eq!((&problem["field"], &problem["index"]), (field, &json!(1)), "{problem}");
        let lines: Vec<String> = body.as_array().unwrap().iter().map(Value::to_string).collect();
        let headers = [("content-type", "application/x-ndjson")];
        let problem = hub
            .call("POST", "/api/events", &headers, Some(&lines.join("\n")))
            .problem(*status);
        assert_eq!(problem["index"], 1);
    }
    for empty in ["", "[]", "\n\n"] {
        hub.call("POST", "/api/events", &[], Some(empty)).problem(400);
    }
    hub.call("POST", "/api/events", &[], Some("[{")).problem(400);
    assert_eq!(hub.history(), [] as [Value; 0]);
}

#[test]
fn a_batch_with_a_question_that_is_refused_publishes_none_of_it() {
    let hub = Hub::start();
    let ask = |id: &str, command: &str| {
        json!({"type": "approval_request", "agent": "a", "session": "s",
            "data": {"request_id": id, "tool_name": "bash", "arguments": {"command": command}}})
    };
    hub.post("/api/events", &ask("taken", "ls")).expect(200);
    let large = "x".repeat(300 * 1024);
    for (bad, status) in [(ask("taken", "rm"), 409), (ask("large", &large), 413)] {
        hub.post(
            "/api/events",
            &json!([event(1), ask(&format!("new-{status}"), "ls"), bad, event(2)]),
        )
        .problem(status);
    }
    // Two of the batch may be at odds with each other.
    let problem = hub
        .post(
            "/api/events",
            &json!([event(1), ask("twice", "ls"), event(2), ask("twice", "rm"), event(3)]),
        )
        .problem(409);
    assert_eq!(
        (&problem["index"], &problem["field"]),
        (&json!(3), &json!("data.request_id"))
    );
    assert_eq!(hub.history().len(), 1);
    assert_eq!(pending(&hub, 1)[0]["request_id"], "taken");
    let receipt = hub
        .post(
            "/api/events",
            &json!([event(1), ask("twice", "ls"), event(2), ask("twice", "ls")]),
        )
        .expect(200)
        .json();
    assert_eq!((&receipt["first"], &receipt["last"]), (&json!(2), &json!(4)));
}

#[test]
fn an_event_in_an_array_may_be_nested_as_deeply_as_one_alone() {
    let hub = Hub::start();
    let deep = |levels: usize| {
        let (open, close) = ("[".repeat(levels - 2), "]".repeat(levels - 2));
        format!(r#"{{"type":"x","data":{{"n":{open}{close}}}}}"#)
    };
    for (levels, status) in [(64, 200), (65, 400)] {
        for body in [deep(levels), format!("[{}]", deep(levels))] {
            let reply = hub.call("POST", "/api/events", &[], Some(&body));
            assert_eq!(reply.status, status, "{levels}: {body}");
        }
    }
}
