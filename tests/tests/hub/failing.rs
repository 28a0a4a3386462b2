//! A disk that is full: nothing is approved that could not be recorded, what is live goes on, and all is written once there is room.
//! A limit on the size of files stands for the full disk.
#![cfg(target_os = "linux")]

use std::process::Command;

use countersign_tests::{Hub, Peer, Start, command, frames, until};
use serde_json::{Value, json};

/// A hub whose files may not grow beyond some 600 KiB.
fn confined() -> Hub {
    confined_with("")
}

/// The same, with its standard error as the shell is told here.
fn confined_with(errors: &str) -> Hub {
    let start = Start::new();
    let serve = start.command();
    let mut confined = Command::new("sh");
    // Ignored, the signal of a file that grew too large leaves an error to the writer.
    let script = format!("trap '' XFSZ; ulimit -S -f 1200; exec \"$@\" {errors}");
    confined.args(["-c", &script, "sh"]);
    confined.arg(serve.get_program()).args(serve.get_args());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => confined.env(name, value),
            None => confined.env_remove(name),
        };
    }
    start.run_as(confined)
}

fn give_room(hub: &Hub) {
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &hub.pid().to_string(), "--fsize=unlimited:"]);
    command::run(prlimit).expect(0);
}

fn failing(hub: &Hub) -> bool {
    hub.get("/healthz").status == 503
}

#[test]
fn a_store_that_cannot_write_approves_nothing_and_recovers() {
    let hub = confined();
    let mut monitor = hub.ws("/?types=note,approval_request");
    monitor.expect("hello");
    let mut waiting = hub.ws("/publish");
    waiting.send(&json!({"type": "approval_request", "agent": "sam", "session": "s", "data": {"request_id": "before", "tool_name": "t"}}));
    crate::wire::pending(&hub, 1);
    monitor.expect("approval_request");

    let mut agent = hub.ws("/publish");
    let filler = "x".repeat(20_000);
    let mut sent = 0_u64;
    until("the disk is full", || {
        agent.send(&json!({"type": "note", "data": {"n": sent, "filler": filler}}));
        sent += 1;
        failing(&hub).then_some(())
    });
    // What is live goes on, in order.
    for n in 0..sent {
        assert_eq!(monitor.expect("note")["data"]["n"], n);
    }
    let status = hub.get("/api/status").json();
    assert_eq!(status["problems"][0]["code"], "store_failing");
    assert!(
        status["problems"][0]["message"]
            .as_str()
            .unwrap()
            .contains(hub.folder.data().to_str().unwrap()),
        "{status}"
    );
    // No receipt for what is not kept.
    agent.send(&json!({"type": "note", "data": {"n": sent}, "ack": 1}));
    assert_eq!(agent.next()["type"], "error");
    sent += 1;
    hub.post("/api/events", &json!({"type": "note", "data": {"n": sent}}))
        .problem(503);
    sent += 1;
    // A new question is answered no, and so is an old one that somebody approves now.
    agent.send(&json!({"type": "approval_request", "agent": "sam", "session": "s", "data": {"request_id": "during", "tool_name": "t"}}));
    let answer = agent.skip_to("approval_response");
    assert_eq!(
        (&answer["request_id"], &answer["response"], &answer["by"]),
        (&json!("during"), &json!("deny"), &json!("hub"))
    );
    let reply = hub.post(
        "/api/approvals",
        &json!({"request_id": "too", "tool_name": "t", "agent": "ci"}),
    );
    assert_eq!(reply.expect(200).json()["status"], "denied");
    let reply = hub.post_as_approver("/api/approvals/before/decision", &json!({"decision": "approve"}));
    assert_eq!(
        reply.expect(200).json()["status"],
        "denied",
        "what is told is what counts"
    );
    assert_eq!(waiting.expect("approval_response")["response"], "deny");

    give_room(&hub);
    until("it has recovered", || (!failing(&hub)).then_some(()));
    agent.publish(&json!({"type": "note", "data": {"n": sent}}));
    let rows = hub.history();
    let places: Vec<u64> = rows.iter().map(|row| row["seq"].as_u64().unwrap()).collect();
    assert_eq!(places, (1..=rows.len() as u64).collect::<Vec<_>>(), "no gap");
    let kept: Vec<u64> = rows
        .iter()
        .filter(|row| row["kind"] == "note")
        .map(|row| row["data"]["n"].as_u64().unwrap())
        .collect();
    assert_eq!(kept, (0..=sent).collect::<Vec<_>>(), "all of it, once");
    let resolved: Vec<&Value> = rows.iter().filter(|row| row["kind"] == "approval_resolved").collect();
    assert_eq!(resolved.len(), 3);
    assert!(
        resolved.iter().all(|row| row["data"]["status"] == "denied"),
        "{resolved:?}"
    );
    // And it approves again.
    agent.send(&frames::approval_request("after"));
    crate::wire::pending(&hub, 1);
    hub.answer("after", "approve");
    assert_eq!(agent.expect("approval_response")["response"], "approve");
}

#[test]
fn what_was_answered_while_the_store_failed_is_not_granted_by_a_crash() {
    let mut hub = confined();
    let mut waiting = hub.ws("/publish");
    let asked = json!({"type": "approval_request", "agent": "sam", "session": "s", "data": {"request_id": "before", "tool_name": "t"}});
    waiting.send(&asked);
    crate::wire::pending(&hub, 1);
    let mut agent = hub.ws("/publish");
    let filler = "x".repeat(20_000);
    until("the disk is full", || {
        agent.send(&json!({"type": "note", "data": {"filler": filler}}));
        failing(&hub).then_some(())
    });
    hub.post_as_approver("/api/approvals/before/decision", &json!({"decision": "approve"}));
    assert_eq!(waiting.expect("approval_response")["response"], "deny");
    hub.kill();
    let hub = Start::in_folder(&hub.folder).run();
    let approval = hub.get("/api/approvals/before").json();
    assert_ne!(approval["status"], "approved");
    let mut again = hub.ws("/publish");
    again.send(&asked);
    again.publish(&frames::note(1));
    assert!(
        hub.get("/api/events?types=approval_resolved").json()["events"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["data"]["status"] != "approved")
    );
}

#[test]
fn telemetry_that_cannot_be_kept_is_asked_for_again() {
    let hub = confined();
    let mut agent = hub.ws("/publish");
    let filler = "x".repeat(20_000);
    until("the disk is full", || {
        agent.send(&json!({"type": "note", "data": {"filler": filler}}));
        failing(&hub).then_some(())
    });
    let log = json!({"timeUnixNano": "1", "attributes": [
        {"key": "session.id", "value": {"stringValue": "s"}}, {"key": "event.name", "value": {"stringValue": "api_request"}},
    ]});
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "claude-code"}}]});
    let batch = json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [log]}]}]}).to_string();
    let export = || {
        hub.call(
            "POST",
            "/v1/logs",
            &[("Content-Type", "application/json")],
            Some(&batch),
        )
    };
    let later = export().expect(503);
    assert_eq!(
        (later.header("retry-after"), later.json()["code"].as_i64()),
        ("2", Some(14))
    );
    give_room(&hub);
    until("it has recovered", || (export().status == 200).then_some(()));
    assert_eq!(hub.history().iter().filter(|row| row["kind"] == "usage").count(), 1);
}

#[test]
fn a_log_on_the_same_full_disk_keeps_the_store_from_nothing() {
    let hub = confined_with("2>/dev/full");
    let mut agent = hub.ws("/publish");
    let filler = "x".repeat(20_000);
    until("the disk is full", || {
        agent.send(&json!({"type": "note", "data": {"filler": filler}}));
        failing(&hub).then_some(())
    });
    give_room(&hub);
    until("it has recovered", || (hub.get("/healthz").status == 200).then_some(()));
    hub.post("/api/events", &json!({"type": "note", "data": {}}))
        .expect(200);
}
