//! A hub, a person's home folder that is connected to it, and what the person sees and answers there.

use std::collections::BTreeMap;

use countersign_tests::agents::{CLAUDE, CODEX};
use countersign_tests::{Folder, Home, Hub, until};
use serde_json::{Value, json};

/// What a session is told as in which one call ran unasked, in order.
pub(crate) const WHOLE: [&str; 6] = [
    "session_started",
    "chat_message",
    "tool_call_start",
    "tool_call_end",
    "turn_completed",
    "session_ended",
];

/// A hub and a home folder whose agents are connected to it.
pub(crate) struct Scene {
    pub(crate) home: Home,
    pub(crate) hub: Hub,
}

impl Scene {
    pub(crate) fn claude() -> Self {
        Self::with(Hub::start(), CLAUDE)
    }

    pub(crate) fn codex() -> Self {
        Self::with(Hub::start(), CODEX)
    }

    pub(crate) fn with(hub: Hub, agent: &str) -> Self {
        let home = Home::new();
        connect(&home, &hub.folder, agent);
        Self { home, hub }
    }

    /// The approvals that wait, once there are this many, in the order of what they ask for.
    pub(crate) fn asks(&self, count: usize) -> Vec<Value> {
        asks(&self.hub, count)
    }

    /// The one approval that waits.
    pub(crate) fn asks_one(&self) -> Value {
        self.asks(1).remove(0)
    }

    pub(crate) fn answer(&self, approval: &Value, answer: &Value) {
        answered(&self.hub, approval, answer);
    }

    /// An approval as it is now.
    pub(crate) fn approval(&self, approval: &Value) -> Value {
        let id = approval["id"].as_str().unwrap();
        self.hub.get(&format!("/api/approvals/{id}")).expect(200).json()
    }

    /// Waits until an approval is settled.
    pub(crate) fn settled(&self, approval: &Value) -> Value {
        until("the approval is settled", || {
            let now = self.approval(approval);
            (now["status"] != "pending").then_some(now)
        })
    }

    /// The events of an agent's kind, once there is one.
    pub(crate) fn events(&self, kind: &str) -> Vec<Value> {
        until(kind, || {
            let events: Vec<_> = self
                .hub
                .history()
                .into_iter()
                .filter(|event| event["type"] == kind)
                .collect();
            (!events.is_empty()).then_some(events)
        })
    }

    /// The events of the session of one call that `agent` told of through its hooks, by their kinds: all of them, in order.
    pub(crate) fn whole_session(&self, agent: &str) -> BTreeMap<&'static str, Value> {
        assert_eq!(self.story(), WHOLE);
        let mut events = self.hub.history();
        events.retain(|event| WHOLE.contains(&event["type"].as_str().unwrap()));
        for event in &events {
            assert_eq!((&event["agent"], &event["origin"]), (&json!(agent), &json!("hook")));
            assert_eq!(event["session"], events[0]["session"], "{event}");
        }
        WHOLE.into_iter().zip(events).collect()
    }

    /// The kinds of the events in the log, in order, without what the tests do not speak of.
    pub(crate) fn story(&self) -> Vec<String> {
        let told = |event: &Value| event["type"].as_str().unwrap().to_owned();
        let mut kinds: Vec<String> = self.hub.history().iter().map(told).collect();
        kinds.retain(|kind| {
            ![
                "post_tool_batch",
                "message_display",
                "approval_delivered",
                "notification",
            ]
            .contains(&kind.as_str())
        });
        kinds
    }
}

pub(crate) fn asks(hub: &Hub, count: usize) -> Vec<Value> {
    until(&format!("{count} approvals wait"), || {
        let list = hub.get("/api/approvals?status=pending").json()["approvals"].clone();
        let mut list = list.as_array().cloned().unwrap_or_default();
        list.sort_by_key(|approval| approval["arguments"].to_string());
        (list.len() == count).then_some(list)
    })
}

pub(crate) fn answered(hub: &Hub, approval: &Value, answer: &Value) {
    let id = approval["id"].as_str().unwrap();
    hub.post_as_approver(&format!("/api/approvals/{id}/decision"), answer)
        .expect(200);
}

/// Connects an agent as its person would.
pub(crate) fn connect(home: &Home, hub: &Folder, agent: &str) {
    home.countersign(hub, &["connect", agent]).expect(0);
}

/// A model's turn that runs a command.
pub(crate) fn runs(command: &str) -> Value {
    json!({"text": "I run it", "calls": [{"name": "Bash", "input": {"command": command, "description": "Run it"}}]})
}

/// A model's turn that runs a command by Codex, for which it needs a permission.
pub(crate) fn executes(command: &str) -> Value {
    let input = json!({"cmd": command, "sandbox_permissions": "require_escalated", "justification": "It must be run"});
    json!({"text": "I run it", "calls": [{"name": "exec_command", "input": input}]})
}

/// A model's last turn.
pub(crate) fn says(text: &str) -> Value {
    json!({ "text": text })
}
