//! Hooks that found no hub when they happened, and are delivered later: marked, once, and asking nothing.

use countersign_tests::{Hub, Start, rest::Reply};
use serde_json::{Value, json};

use super::{Held, after, before, pending, permission, wait_for};

const THEN: &str = "2026-08-01T10:00:00.000Z";

fn deliver(hub: &Hub, told: &Value, id: &str) -> Reply {
    let headers = [("X-Countersign-Late", THEN), ("X-Countersign-Spool", id)];
    hub.call("POST", "/hooks/claude-code", &headers, Some(&told.to_string()))
}

#[test]
fn what_comes_late_says_when_it_happened_and_asks_nothing() {
    let hub = Hub::start();
    for (n, told) in [before("s", "t1", "ls"), permission("s", "ls"), after("s", "t1", "ls")]
        .iter()
        .enumerate()
    {
        assert_eq!(deliver(&hub, told, &format!("id{n}:1")).expect(200).text, "");
    }
    let rows = hub.history();
    assert_eq!(
        super::kinds(&rows),
        ["tool_call_start", "permission_request", "tool_call_end"]
    );
    for row in &rows {
        assert_eq!(
            (&row["data"]["late"], &row["data"]["happened_at"]),
            (&json!(true), &json!(THEN))
        );
        assert_eq!(row["timestamp"], THEN);
    }
    assert_eq!(pending(&hub).len(), 0);
}

#[test]
fn once_means_once_over_a_crash_too() {
    let mut hub = Hub::start();
    for _ in 0..2 {
        for _ in 0..2 {
            deliver(&hub, &before("s", "t1", "ls"), "a:1").expect(200);
        }
        hub.kill();
        hub = Start::in_folder(&hub.folder).run();
    }
    assert_eq!(hub.history().len(), 1);
    deliver(&hub, &before("s", "t1", "ls"), "b:1").expect(200);
    assert_eq!(hub.history().len(), 2);
}

#[test]
fn what_was_told_at_once_is_not_told_again_late() {
    let hub = Hub::start();
    let request = [("X-Countersign-Request", "abc")];
    let told = before("s", "t1", "ls").to_string();
    for _ in 0..2 {
        hub.call("POST", "/hooks/claude-code", &request, Some(&told))
            .expect(200);
    }
    deliver(&hub, &before("s", "t1", "ls"), "abc:1").expect(200);
    assert_eq!(hub.history().len(), 1);
    let held = Held::send(
        &hub,
        "claude-code",
        &permission("s", "ls"),
        &[("X-Countersign-Request", "def")],
    );
    wait_for(&hub, 1);
    drop(held);
    wait_for(&hub, 0);
    deliver(&hub, &permission("s", "ls"), "def:1").expect(200);
    assert!(
        !super::kinds(&hub.history()).contains(&"permission_request"),
        "the question was told then"
    );
}
