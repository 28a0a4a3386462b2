//! Hive's wire: what subscriptions let through, what agents publish and are told, who is let in, what is said of mistakes.

mod agents;
mod listeners;
mod monitors;
mod tokens;

use crate::wire::pending;
use countersign_tests::{Foreign, Hub, Peer, Start, Ws, cli, frames, until};
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;
use tungstenite::Message;

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

fn token(hub: &Hub, arguments: &[&str]) -> String {
    let mut all = vec!["token", "create"];
    all.extend_from_slice(arguments);
    let out = cli(hub, &all).expect(0).out;
    out.lines().last().expect("a token").to_owned()
}
