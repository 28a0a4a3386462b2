//! Listeners whose root speaks Hive.

use super::*;

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
