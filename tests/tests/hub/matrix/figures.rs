//! AMIGA as a monitor of each agent: its clients are told no event, but the figures that the agent's run must change.

use countersign_tests::{Foreign, Hub, PATIENCE, Peer};
use serde_json::{Value, json};

use super::{AGENTS, ALL, AgentOf, OPEN, Said};

/// Tasks running, completed and failed; calls of `bash`; sessions.
type Figures = [u64; 5];

/// The figures once that is said, by an agent whose events go into the log as they stand, and by Codex: there each turn is a run,
/// which is over when the turn is.
const ONCE: [(Said, Figures, Figures); 8] = [
    (Said::Started, [1, 0, 0, 0, 1], [0, 1, 0, 0, 1]),
    (Said::ToolStarted, [2, 0, 0, 1, 1], [1, 2, 0, 1, 1]),
    (Said::ToolEnded, [1, 1, 0, 1, 1], [0, 4, 0, 1, 1]),
    (Said::Working, [2, 1, 0, 1, 1], [1, 5, 0, 1, 1]),
    (Said::Half, [2, 1, 0, 1, 1], [1, 5, 0, 1, 1]),
    (Said::Completed, [1, 2, 0, 1, 1], [1, 6, 0, 1, 1]),
    // A run that ends a second time began unseen, and counts.
    (Said::Failed, [1, 2, 1, 1, 1], [1, 6, 1, 1, 1]),
    (Said::Asked, [1, 2, 1, 1, 1], [2, 6, 1, 1, 1]),
];

/// A client of AMIGA's that has subscribed, and the figures that it has.
struct Watching {
    name: &'static str,
    client: Foreign,
    has: Figures,
}

impl Watching {
    fn both(hub: &Hub) -> [Self; 2] {
        let url = hub.url();
        [
            (
                "socket.io-client",
                Foreign::node_socketio("socket.io-client", &url, "websocket", "/", ""),
            ),
            (
                "python-socketio",
                Foreign::python_socketio(&url, "polling,websocket", "/", ""),
            ),
        ]
        .map(|(name, mut client)| {
            client.say(&json!(["subscribe", {"hours": 24, "update_interval": 1}]).to_string());
            let has = update(&mut client).expect("the figures as they are");
            assert_eq!(has, [0; 5], "{name}: nothing has happened");
            Self { name, client, has }
        })
    }

    fn comes_to(&mut self, expected: Figures, why: &str) {
        while self.has != expected {
            let name = self.name;
            self.has = update(&mut self.client)
                .unwrap_or_else(|| panic!("{why}: {name} stays at {:?}, not {expected:?}", self.has));
        }
    }
}

/// The figures of the next update, if one comes.
fn update(client: &mut Foreign) -> Option<Figures> {
    loop {
        let line = client.line_within(PATIENCE)?;
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["event"] == "metrics_update" {
            return Some(read(&event["args"][0]));
        }
    }
}

/// The five, and that the rest of the structure says the same.
fn read(update: &Value) -> Figures {
    let (tasks, tools, sessions) = (
        &update["overview"]["tasks"],
        &update["overview"]["tools"],
        &update["sessions"],
    );
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("no number: {update}"));
    let [running, completed, failed] = ["running", "completed", "failed"].map(|state| number(&tasks[state]));
    assert_eq!(number(&tasks["total"]), running + completed + failed, "{update}");
    let calls = number(&tools["total_calls"]);
    let by_type = if calls == 0 { json!({}) } else { json!({"bash": calls}) };
    assert_eq!(
        (&tools["by_type"], &sessions["tools_by_type"], &sessions["total_tools"]),
        (&by_type, &by_type, &json!(calls)),
        "{update}"
    );
    [running, completed, failed, calls, number(&sessions["total_sessions"])]
}

/// An agent says all that it can, and both clients come to each figure.
fn is_counted(agent: &AgentOf) {
    let hub = (agent.hub)();
    let mut watching = Watching::both(&hub);
    let mut saying = (agent.connect)(&hub);
    for (said, plain, codex) in ONCE {
        let Some(frame) = (agent.frame)(said) else { continue };
        saying.send(&frame);
        let expected = if agent.known.is_some() { plain } else { codex };
        for client in &mut watching {
            client.comes_to(expected, &format!("{} says {said:?}", agent.name));
        }
    }
}

#[test]
fn what_an_agent_does_changes_the_figures_of_amigas_clients() {
    assert_eq!(ONCE.map(|(said, ..)| said), ALL);
    // Each client has its turn once a second: agents need not wait for each other.
    std::thread::scope(|scope| {
        for agent in AGENTS {
            scope.spawn(move || is_counted(agent));
        }
    });
}

#[test]
fn what_a_cloud_agent_tells_changes_the_figures_of_amigas_clients() {
    let hub = Hub::with_toml(OPEN);
    let mut watching = Watching::both(&hub);
    let mut agent = hub.ws("/publish");
    let status = |state: &str| json!({"type": "agent_status", "data": {"agentName": "worker", "state": state}});
    let chat =
        json!({"type": "chat_message", "data": {"conversationId": "conv-1", "content": "hi", "sender": "worker"}});
    for (frame, expected) in [
        (status("working"), [1, 0, 0, 0, 1]),
        // A conversation is a session of its own.
        (chat, [1, 0, 0, 0, 2]),
        (status("working"), [1, 0, 0, 0, 2]),
        (status("idle"), [0, 1, 0, 0, 2]),
        (status("stopped"), [0, 1, 0, 0, 2]),
        (status("working"), [1, 1, 0, 0, 2]),
    ] {
        agent.publish(&frame);
        for client in &mut watching {
            client.comes_to(expected, &frame.to_string());
        }
    }
}
