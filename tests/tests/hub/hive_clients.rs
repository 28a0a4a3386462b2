//! The five integrations of Hive's guide, and its quick start, as they are printed there but for the address.

use std::process::Command;
use std::time::Duration;

use countersign_tests::foreign::{clients, node, python};
use countersign_tests::{Folder, Foreign, Hub, Peer, Ws, until};
use serde_json::{Value, json};

use crate::hive::{event, publish};

/// The fixture of that name, which talks to this hub.
fn client(mut command: Command, folder: &Folder, hub: &Hub, name: &str) -> Command {
    let text = std::fs::read_to_string(clients().join("hive").join(name)).unwrap();
    assert_eq!(text.matches(":8765").count(), 1);
    command.env("NODE_PATH", clients().join("node/node_modules"));
    command.arg(folder.write(name, &text.replace(":8765", &format!(":{}", hub.port))));
    command
}

/// Publishes `frame` until the client says something: it does not tell when it has subscribed.
fn first_line(client: &mut Foreign, agent: &mut Ws, frame: &Value) -> String {
    until("it says something", || {
        agent.send(frame);
        client.line_within(Duration::from_millis(200))
    })
}

/// The next line that is not `warm`, which may have been said more than once.
fn after(client: &mut Foreign, warm: &str) -> String {
    loop {
        let line = client.line();
        if line != warm {
            return line;
        }
    }
}

#[test]
fn hive_clients_the_monitor_tells_of_failures_and_broken_rules() {
    let (hub, folder) = (Hub::start(), Folder::new());
    let mut monitor = Foreign::start(client(python(), &folder, &hub, "monitor.py"));
    let mut agent = hub.ws("/stream");
    let warm = publish("EXECUTION_FAILED", "a", "exec-0", &json!({"error": "warm-up"}));
    let warm = first_line(&mut monitor, &mut agent, &warm);
    assert_eq!(warm, "[ERROR] Agent failed: warm-up (exec: exec-0)");
    agent.send(&publish("EXECUTION_STARTED", "a", "exec-1", &json!({"input_data": {}})));
    agent.send(&publish("GOAL_PROGRESS", "a", "exec-1", &json!({"progress": 0.5})));
    agent.send(&publish(
        "CONSTRAINT_VIOLATION",
        "a",
        "exec-1",
        &json!({"constraint_id": "budget"}),
    ));
    let told = after(&mut monitor, &warm);
    assert_eq!(
        told,
        "[WARNING] Constraint violated: {'constraint_id': 'budget'} (exec: exec-1)"
    );
    agent.send(&publish(
        "execution_failed",
        "a",
        "exec-1",
        &json!({"error": "no such host"}),
    ));
    assert_eq!(monitor.line(), "[ERROR] Agent failed: no such host (exec: exec-1)");
}

#[test]
fn hive_clients_the_orchestrator_starts_the_next_agent_of_the_line() {
    let (hub, folder) = (Hub::start(), Folder::new());
    let mut orchestrator = Foreign::start(client(python(), &folder, &hub, "orchestrator.py"));
    let mut agent = hub.ws("/stream");
    let warm = publish("EXECUTION_COMPLETED", "data-collector", "e1", &json!({"output": 1}));
    let warm = first_line(&mut orchestrator, &mut agent, &warm);
    assert_eq!(warm, "Starting data-analyzer with input: {'output': 1}");
    agent.send(&publish(
        "EXECUTION_COMPLETED",
        "someone-else",
        "e2",
        &json!({"output": 2}),
    ));
    agent.send(&publish(
        "EXECUTION_COMPLETED",
        "data-analyzer",
        "e3",
        &json!({"output": 3}),
    ));
    let told = after(&mut orchestrator, &warm);
    assert_eq!(told, "Starting report-generator with input: {'output': 3}");
}

#[test]
fn hive_clients_the_bridge_posts_what_it_is_told() {
    let (hub, folder) = (Hub::start(), Folder::new());
    let mut target = python();
    target.arg("hive/receiver.py");
    let mut target = Foreign::start(target);
    let port = target.event()["port"].as_u64().unwrap();
    let mut bridge = client(python(), &folder, &hub, "webhook_bridge.py");
    bridge.arg(format!("http://127.0.0.1:{port}/events"));
    let _bridge = Foreign::start(bridge);
    let mut agent = hub.ws("/stream");
    let warm = publish("STATE_CHANGED", "production-agent-1", "e", &json!({"key": "k"}));
    let first = first_line(&mut target, &mut agent, &warm);
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(
        (&first["stream"], &first["body"]["type"]),
        (&json!("production-agent-1"), &json!("state_changed"))
    );
    agent.send(&publish("GOAL_ACHIEVED", "production-agent-2", "e", &json!({})));
    agent.send(&publish(
        "GOAL_ACHIEVED",
        "production-agent-1",
        "e",
        &json!({"final_status": "met"}),
    ));
    let posted = loop {
        let posted = target.event();
        if posted["body"]["type"] != "state_changed" {
            break posted["body"].clone();
        }
    };
    assert_eq!(
        (&posted["type"], &posted["stream_id"], &posted["data"]),
        (
            &json!("goal_achieved"),
            &json!("production-agent-1"),
            &json!({"final_status": "met"})
        )
    );
}

#[test]
fn hive_clients_the_dashboards_hook_follows_a_run() {
    let (hub, folder) = (Hub::start(), Folder::new());
    let mut hook = Foreign::start(client(node(), &folder, &hub, "useAgentStream.cjs"));
    let mut agent = hub.ws("/stream");
    let shown = |line: &str| -> (Value, Value) {
        let shown: Value = serde_json::from_str(line).unwrap();
        (shown["status"].clone(), shown["progress"].clone())
    };
    let warm = publish("STATE_CHANGED", "webhook", "e", &json!({}));
    assert_eq!(
        shown(&first_line(&mut hook, &mut agent, &warm)),
        (json!("idle"), json!(0))
    );
    agent.send(&publish("EXECUTION_STARTED", "elsewhere", "e", &json!({})));
    for (kind, data, wanted) in [
        ("EXECUTION_STARTED", json!({}), (json!("running"), json!(0))),
        ("GOAL_PROGRESS", json!({"progress": 0.5}), (json!("running"), json!(50))),
        (
            "EXECUTION_COMPLETED",
            json!({"output": 1}),
            (json!("completed"), json!(50)),
        ),
        ("EXECUTION_FAILED", json!({"error": "x"}), (json!("failed"), json!(50))),
    ] {
        agent.send(&publish(kind, "webhook", "e", &data));
        until("it shows", || (shown(&hook.line()) == wanted).then_some(()));
    }
}

#[test]
fn hive_clients_the_quick_start_subscribes_twice_and_the_second_counts() {
    let (hub, folder) = (Hub::start(), Folder::new());
    let mut quick = Foreign::start(client(node(), &folder, &hub, "quick_start.cjs"));
    assert_eq!(quick.line(), "subscribed");
    assert_eq!(quick.line(), "subscribed");
    let mut agent = hub.ws("/stream");
    agent.send(&publish("EXECUTION_STARTED", "elsewhere", "e", &json!({})));
    agent.send(&publish("STATE_CHANGED", "webhook", "e", &json!({})));
    agent.send(&publish("GOAL_PROGRESS", "webhook", "e", &json!({"progress": 0.5})));
    assert_eq!(quick.line(), r#"goal_progress: {"progress":0.5}"#);
}

#[test]
fn hive_clients_an_agents_event_bus_publishes_what_its_executor_does() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    monitor.send(&json!({"action": "subscribe", "stream_id": "webhook"}));
    monitor.expect("subscribed");
    let mut agent = python();
    agent.args(["hive/agent.py", &hub.ws_url("/")]);
    let _agent = Foreign::start(agent);
    for (kind, execution) in [
        ("execution_started", "exec-1"),
        ("node_executed", "exec-1"),
        ("goal_progress", "exec-1"),
        ("node_executed", "exec-1"),
        ("goal_progress", "exec-1"),
        ("execution_completed", "exec-1"),
        ("execution_started", "exec-2"),
        ("execution_failed", "exec-2"),
    ] {
        let got = event(&mut monitor);
        assert_eq!((&got["type"], &got["execution_id"]), (&json!(kind), &json!(execution)));
    }
}
