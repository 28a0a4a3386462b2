//! Cloud Agents at `/ws` and at a root of its own: who is let in, who hears what, who is there, and what ends a connection.

mod guide;
mod messages;
mod people;
mod tokens;

use countersign_tests::foreign::{clients, node};
use countersign_tests::hub::countersign;
use countersign_tests::{Folder, Foreign, Hub, Peer, Start, Ws, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tungstenite::Message;

const DEV: &str = "cloud_dev_tokens = true";

/// A client, and the `auth` that it is greeted with.
fn client(hub: &Hub, token: &str) -> Ws {
    let mut client = hub.ws(&format!("/ws?token={token}"));
    let auth = client.expect("auth");
    assert_eq!(
        auth["data"],
        json!({"success": true, "userId": format!("user_{token}")})
    );
    is_time(&auth);
    client
}

fn stranger(hub: &Hub, path: &str) -> Ws {
    let mut client = hub.ws(path);
    assert_eq!(client.expect("auth")["data"], json!({"success": false, "userId": null}));
    client
}

fn is_time(frame: &Value) {
    let time = frame["timestamp"].as_str().unwrap_or_default();
    assert!(time.len() >= 20 && time.contains('T') && time.ends_with('Z'), "{frame}");
}

fn presence(frame: &Value) -> (&str, &str) {
    assert_eq!(frame["type"], "user_presence", "{frame}");
    is_time(frame);
    let text = |name: &str| frame["data"][name].as_str().unwrap_or_default();
    (text("userId"), text("status"))
}

/// Nothing else has come: an answer to a ping is the next thing.
fn nothing_more(client: &mut impl Peer) {
    client.send(&json!({"type": "ping"}));
    is_time(&client.expect("pong"));
}

fn broadcasts() -> Vec<Value> {
    vec![
        json!({"type": "agent_status", "data": {"agentName": "CLOUD_ASSISTANT", "state": "working",
            "currentTask": "Processing webhook event", "progress": 45}}),
        json!({"type": "chat_message", "data": {"conversationId": "conv-123", "messageId": "msg-456", "content": "Task completed!",
            "sender": "ENGINEERING_LEAD_SUPERVISOR", "timestamp": "2025-12-26T13:00:00.000Z"}}),
        json!({"type": "notification", "data": {"level": "success", "message": "All tests passed!"}}),
    ]
}
