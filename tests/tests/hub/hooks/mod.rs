//! The hooks of Claude Code and Codex: what each becomes, what is answered, who is told what when a question, a session or the hub
//! goes away in between.

mod asking;
mod bounds;
mod elsewhere;
mod late;
mod policy;
mod stopping;
mod told;

use std::io::{Read, Write};
use std::net::TcpStream;

use countersign_tests::{Hub, raw, rest::Reply, until};
use serde_json::{Value, json};

/// A hook's connection that may have to wait for its answer.
struct Held {
    stream: TcpStream,
    got: Vec<u8>,
}

/// What came back on it.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    status: u16,
    body: String,
    /// The reply ended as it should, and was not broken off.
    whole: bool,
}

impl Held {
    /// Sends a hook and waits for nothing.
    fn send(hub: &Hub, agent: &str, hook: &Value, headers: &[(&str, &str)]) -> Self {
        let mut stream = raw::connect(hub.port);
        let body = hook.to_string();
        let more: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let request = format!(
            "POST /hooks/{agent} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\nConnection: close\r\n{more}\r\n{body}",
            hub.port,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("sent");
        Self {
            stream,
            got: Vec::new(),
        }
    }

    /// Waits until the hub has taken it in and holds it: the head of the reply is there.
    fn held(mut self) -> Self {
        let mut piece = [0; 1024];
        while !self.got.windows(4).any(|end| end == b"\r\n\r\n") {
            let count = self.stream.read(&mut piece).expect("a head");
            assert!(count > 0, "closed without a word");
            self.got.extend_from_slice(&piece[..count]);
        }
        self
    }

    /// Waits for the end of the reply.
    fn said(mut self) -> Said {
        // An end without warning is one, too.
        let _ = self.stream.read_to_end(&mut self.got);
        let text = String::from_utf8_lossy(&self.got).into_owned();
        let (head, rest) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let (body, whole) = if chunked {
            unchunk(rest)
        } else {
            (rest.to_owned(), !head.is_empty())
        };
        Said {
            status: raw::status(head),
            body,
            whole,
        }
    }

    /// Waits for the end of the reply, which must be an answer.
    fn json(self) -> Value {
        let said = self.said();
        assert!(said.status == 200 && said.whole, "{said:?}");
        serde_json::from_str(&said.body).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    }
}

fn unchunk(mut text: &str) -> (String, bool) {
    let mut body = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        match usize::from_str_radix(size, 16) {
            Ok(0) => return (body, true),
            Ok(size) if rest.len() >= size + 2 => {
                body.push_str(&rest[..size]);
                text = &rest[size + 2..];
            }
            _ => break,
        }
    }
    (body, false)
}

/// A hook that only tells, or is answered at once.
fn hook(hub: &Hub, agent: &str, hook: &Value) -> Reply {
    hub.call("POST", &format!("/hooks/{agent}"), &[], Some(&hook.to_string()))
}

/// A hook of Claude Code that must be answered with nothing.
fn tell(hub: &Hub, told: &Value) {
    let reply = hook(hub, "claude-code", told).expect(200);
    assert_eq!(reply.text, "", "{told}");
}

fn before(session: &str, call: &str, command: &str) -> Value {
    json!({"session_id": session, "cwd": "/p", "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": {"command": command}, "tool_use_id": call})
}

fn after(session: &str, call: &str, command: &str) -> Value {
    json!({"session_id": session, "cwd": "/p", "hook_event_name": "PostToolUse", "tool_name": "Bash",
        "tool_input": {"command": command}, "tool_use_id": call, "tool_response": {"stdout": "x"}, "duration_ms": 250})
}

fn permission(session: &str, command: &str) -> Value {
    json!({"session_id": session, "cwd": "/p", "permission_mode": "default", "hook_event_name": "PermissionRequest",
        "tool_name": "Bash", "tool_input": {"command": command}, "permission_suggestions": [
            {"type": "addRules", "rules": [{"toolName": "Bash", "ruleContent": "ls:*"}], "behavior": "allow", "destination": "localSettings"},
            {"type": "setMode", "mode": "acceptEdits", "destination": "session"}]})
}

fn pending(hub: &Hub) -> Vec<Value> {
    let list = hub.get("/api/approvals?status=pending").expect(200).json();
    list["approvals"].as_array().expect("a list").clone()
}

/// Waits until so many wait, oldest first.
fn wait_for(hub: &Hub, count: usize) -> Vec<Value> {
    until("the questions are there", || {
        let pending = pending(hub);
        (pending.len() == count).then_some(pending)
    })
}

/// The hub's id of an approval.
fn id(approval: &Value) -> String {
    approval["id"].as_str().expect("an id").to_owned()
}

fn decide(hub: &Hub, approval: &Value, decision: &Value) -> Reply {
    hub.post_as_approver(&format!("/api/approvals/{}/decision", id(approval)), decision)
}

/// Waits until an approval has that status.
fn becomes(hub: &Hub, approval: &Value, status: &str) -> Value {
    until(status, || {
        let now = hub.get(&format!("/api/approvals/{}", id(approval))).json();
        (now["status"] == status).then_some(now)
    })
}

/// The decision of an answer to a `PermissionRequest`.
fn ruling(answer: &Value) -> &Value {
    assert_eq!(
        answer["hookSpecificOutput"]["hookEventName"], "PermissionRequest",
        "{answer}"
    );
    &answer["hookSpecificOutput"]["decision"]
}

fn kinds(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["kind"].as_str().expect("a kind")).collect()
}
