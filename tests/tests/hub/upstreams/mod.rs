//! Upstreams: the hub as a client of servers that nobody here wrote, of itself, and of other hubs in chains and circles.

mod chains;
mod servers;

use countersign_tests::foreign::{node, python};
use countersign_tests::{Foreign, Hub, Peer, Start, frames, until};
use serde_json::{Value, json};

fn attach(hub: &Hub, name: &str, dialect: &str, url: &str, token: Option<&str>) {
    let mut body = json!({"name": name, "dialect": dialect, "url": url});
    if let Some(token) = token {
        body["token"] = token.into();
    }
    hub.post_as_approver("/api/upstreams", &body).expect(201);
}

fn upstream(hub: &Hub, name: &str) -> Value {
    let list = hub.get("/api/upstreams").expect(200).json();
    let list = list["upstreams"].as_array().unwrap();
    list.iter()
        .find(|upstream| upstream["name"] == name)
        .cloned()
        .unwrap_or_default()
}

fn wait_state(hub: &Hub, name: &str, state: &str) -> Value {
    until(&format!("{name} is {state}"), || {
        let upstream = upstream(hub, name);
        (upstream["state"] == state).then_some(upstream)
    })
}

/// The rows of events that came in through an upstream, once there are so many.
fn rows(hub: &Hub, origin: &str, count: usize) -> Vec<Value> {
    until(&format!("{count} rows of {origin}"), || {
        let mut rows = hub.history();
        rows.retain(|row| row["origin"] == origin && row["agent"].as_str().unwrap().starts_with("up"));
        (rows.len() >= count).then_some(rows)
    })
}

fn waiting(hub: &Hub) -> Value {
    until("a question waits", || {
        let list = hub.get("/api/approvals?status=pending").json();
        list["approvals"].as_array().unwrap().first().cloned()
    })
}

fn status_of(hub: &Hub, id: &Value, status: &str) -> Value {
    until(&format!("{id} is {status}"), || {
        let approval = hub.get(&format!("/api/approvals/{}", id.as_str().unwrap())).json();
        (approval["status"] == status).then_some(approval)
    })
}

fn numbers(hub: &Hub) -> Vec<u64> {
    let rows = hub.history();
    let notes = rows.iter().filter(|row| row["kind"] == "note");
    notes.map(|row| row["data"]["n"].as_u64().unwrap()).collect()
}
