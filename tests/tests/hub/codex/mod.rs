//! Codex AgentLoop's door, with an agent that plays a script: every message, review and error of the seed, and what the rest of
//! the hub sees of it.

mod approvals;
mod flow;
mod logs;
mod stops;

use countersign_tests::{Foreign, Hub, Peer, Start, Ws};
use serde_json::{Value, json};

/// Starts a hub whose agent plays these turns.
fn start(turns: &Value) -> Start {
    start_with(turns, "")
}

/// The same, with more of the configuration.
pub(crate) fn start_with(turns: &Value, more: &str) -> Start {
    let start = Start::new();
    let script = start
        .folder
        .write("script.json", &json!({ "turns": turns }).to_string());
    let config = format!("{more}\n[codex]\nscript = {:?}\n", script.display().to_string());
    start.config("countersign.toml", &config)
}

fn hub(turns: &Value) -> Hub {
    start(turns).run()
}

fn message(role: &str, text: &str) -> Value {
    json!({"type": "message", "role": role, "content": [{"type": "output_text", "text": text}]})
}

/// A turn that asks for `git status`, runs it, and is done.
fn git_status() -> Value {
    json!({"steps": [
        {"loading": true},
        {"item": {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Look first."}]}},
        {"item": {"type": "function_call", "call_id": "call_1", "name": "shell", "arguments": "{\"command\":[\"git\",\"status\"]}"}},
        {"ask": {
            "command": ["git", "status"], "cwd": "/repo", "call_id": "call_1",
            "approved": [
                {"item": {"type": "function_call_output", "call_id": "call_1",
                    "output": "{\"output\":\"clean\",\"metadata\":{\"exit_code\":0,\"duration_seconds\":0.2}}"}},
                {"item": message("assistant", "The tree is clean.")}
            ],
            "denied": [
                {"item": {"type": "function_call_output", "call_id": "call_1", "output": "$message"}},
                {"item": message("assistant", "Then I leave it.")}
            ],
            "explained": [message("assistant", "It shows what has changed, and changes nothing.")]
        }},
        {"loading": false},
        {"finish": "resp_1"}
    ]})
}

/// A turn that asks about one command and says how it went.
fn asks(command: &str) -> Value {
    json!({"ask": {
        "command": [command],
        "approved": [{"item": message("assistant", &format!("{command} ran"))}],
        "denied": [{"item": message("assistant", &format!("{command} did not run"))}]
    }})
}

/// What a user says.
pub(crate) fn says(text: &str) -> Value {
    json!({"id": "msg-1", "type": "user_input", "payload": {"input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    ]}})
}

/// An answer, under an id that nobody knows.
fn review(review: &str) -> Value {
    json!({"id": "a-review", "type": "approval_response", "payload": {"review": review}})
}

/// The text of the next response item.
#[track_caller]
fn said(peer: &mut impl Peer) -> String {
    let item = peer.expect("response_item");
    let text = item["payload"]["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("no message: {item}")).to_owned()
}

#[track_caller]
fn failed(peer: &mut impl Peer, word: &str) -> Value {
    let error = peer.expect("error");
    let message = error["payload"]["message"].as_str().expect("a message");
    assert!(message.contains(word), "{message}");
    error
}

/// Says something and passes over what comes until the agent asks.
fn until_asked(peer: &mut impl Peer) -> Value {
    peer.send(&says("go on"));
    peer.skip_to("approval_request")
}

/// The one request that waits.
fn waiting(hub: &Hub) -> Value {
    let list = hub.get("/api/approvals?status=pending").expect(200).json();
    let list = list["approvals"].as_array().expect("a list").clone();
    assert_eq!(list.len(), 1, "{list:?}");
    list[0].clone()
}

fn decide(hub: &Hub, id: &Value, body: &Value) {
    let id = id.as_str().expect("an id");
    hub.post_as_approver(&format!("/api/approvals/{id}/decision"), body)
        .expect(200);
}

type Connect = fn(&str) -> Foreign;
const CLIENTS: [Connect; 2] = [Foreign::python, Foreign::node];

fn connect(hub: &Hub) -> Ws {
    hub.ws("/codex")
}
