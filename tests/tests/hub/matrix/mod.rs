//! Who sees whose events: for each pair of an agent and a monitor, each in a dialect of its own, what must arrive, arrives.
//!
//! A dialect joins by a row in [`AGENTS`], how it publishes each [`Said`], or in [`MONITORS`], how it is told of each, or both.
//! AMIGA's monitors are told figures, and have a table of their own.

mod figures;

use countersign_tests::{Hub, Peer, Ws};
use serde_json::{Value, json};

use crate::codex;

/// Something that an agent says, in no dialect's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// A run begins.
    Started,
    /// A call of the tool `bash` begins.
    ToolStarted,
    /// It ends well.
    ToolEnded,
    /// The agent works.
    Working,
    /// The run is half done.
    Half,
    /// The run is over and went well.
    Completed,
    /// The run is over: `boom`.
    Failed,
    /// It asks whether it may use the tool `bash`.
    Asked,
}

const ALL: [Said; 8] = [
    Said::Started,
    Said::ToolStarted,
    Said::ToolEnded,
    Said::Working,
    Said::Half,
    Said::Completed,
    Said::Failed,
    Said::Asked,
];

/// Cloud's monitors are who they say.
const OPEN: &str = "cloud_dev_tokens = true";

/// An agent's side of a dialect.
struct AgentOf {
    name: &'static str,
    hub: fn() -> Hub,
    connect: fn(&Hub) -> Ws,
    /// Name and session that it is known under; without one it speaks of itself in its own words, and says more than it is
    /// asked to.
    known: Option<(&'static str, &'static str)>,
    /// The frame that says it; `None` where the dialect has no words for it.
    frame: fn(Said) -> Option<Value>,
}

/// A monitor's side of a dialect.
struct MonitorOf {
    name: &'static str,
    /// Connected, and listening from now on.
    connect: fn(&Hub) -> Ws,
    /// Whether the frame tells of it; `None` where the dialect has no words for it.
    tells: fn(&Tale, &Value) -> Option<bool>,
}

/// Something that was said, as the log has it.
struct Tale {
    said: Said,
    known: Option<(&'static str, &'static str)>,
}

impl Tale {
    /// Whether that is what was said, and who said it: to the letter where the agent publishes into the log as it stands.
    fn is(&self, kind: &Value, data: &Value, agent: &Value, session: &Value) -> bool {
        let (known, exact) = plain(self.said);
        *kind == known
            && match self.known {
                Some(who) => *data == exact && (agent.as_str(), session.as_str()) == (Some(who.0), Some(who.1)),
                None => {
                    agent == "codex" && session.as_str().is_some_and(|id| id.len() == 32) && in_codex(self.said, data)
                }
            }
    }
}

/// Whether Codex says the same in its own words.
fn in_codex(said: Said, data: &Value) -> bool {
    match said {
        Said::Started => data["input_data"].is_array(),
        Said::ToolStarted => data["tool_name"] == "bash" && data["call_id"] == "call-1",
        Said::ToolEnded => data["tool_name"] == "bash" && data["success"] == true && data["duration"] == 0.5,
        Said::Working => data["status"] == "working",
        Said::Half => false,
        Said::Completed => data["response_id"] == "resp-1",
        Said::Failed => data["error"] == "boom",
        Said::Asked => data["arguments"]["command"] == json!(["ls"]),
    }
}

/// What Codex's agent does, one turn for each thing that it says.
fn in_turns(said: Said) -> Option<Value> {
    let ended = r#"{"output":"","metadata":{"exit_code":0,"duration_seconds":0.5}}"#;
    Some(match said {
        Said::Started => json!([]),
        Said::ToolStarted => {
            json!([{"item": {"type": "function_call", "call_id": "call-1", "name": "bash", "arguments": "{}"}}])
        }
        Said::ToolEnded => json!([{"item": {"type": "function_call_output", "call_id": "call-1", "output": ended}}]),
        Said::Working => json!([{"loading": true}]),
        Said::Half => return None,
        Said::Completed => json!([{"finish": "resp-1"}]),
        Said::Failed => json!([{"fail": {"message": "boom"}}]),
        Said::Asked => json!([{"ask": {"command": ["ls"]}}]),
    })
}

const AGENTS: &[AgentOf] = &[
    AgentOf {
        name: "sam",
        hub: || Hub::with_toml(OPEN),
        connect: |hub| hub.ws("/publish"),
        known: Some(("worker", "run-1")),
        frame: |said| {
            let (kind, data) = plain(said);
            Some(json!({"type": kind, "agent": "worker", "session": "run-1", "data": data}))
        },
    },
    AgentOf {
        name: "hive",
        hub: || Hub::with_toml(OPEN),
        connect: |hub| hub.ws("/stream"),
        known: Some(("worker", "run-1")),
        frame: |said| {
            let (kind, data) = plain(said);
            Some(json!({"action": "publish", "event":
                {"type": kind.to_uppercase(), "stream_id": "worker", "execution_id": "run-1", "data": data}}))
        },
    },
    AgentOf {
        name: "codex",
        hub: || {
            let turns: Vec<_> = ALL
                .into_iter()
                .filter_map(in_turns)
                .map(|steps| json!({"steps": steps}))
                .collect();
            codex::start_with(&json!(turns), OPEN).run()
        },
        connect: |hub| hub.ws("/codex"),
        known: None,
        frame: |said| in_turns(said).map(|_| codex::says("go on")),
    },
];

const MONITORS: &[MonitorOf] = &[
    MonitorOf {
        name: "sam",
        connect: |hub| {
            let mut monitor = hub.ws("/?types=*");
            monitor.expect("hello");
            monitor
        },
        tells: |tale, frame| Some(tale.is(&frame["type"], &frame["data"], &frame["agent"], &frame["session"])),
    },
    MonitorOf {
        name: "hive",
        connect: |hub| {
            let mut monitor = hub.ws("/stream");
            monitor.send(&json!({"action": "subscribe"}));
            monitor.expect("subscribed");
            monitor
        },
        tells: |tale, frame| {
            let event = &frame["event"];
            let told = tale.is(
                &event["type"],
                &event["data"],
                &event["stream_id"],
                &event["execution_id"],
            );
            Some(frame["type"] == "event" && told)
        },
    },
    MonitorOf {
        name: "cloud",
        connect: |hub| {
            let mut monitor = hub.ws("/ws?token=monitor");
            monitor.expect("auth");
            monitor
        },
        tells: |tale, frame| {
            let data = &frame["data"];
            let agent = tale.known.map_or("codex", |(agent, _)| agent);
            let state =
                |state: &str| frame["type"] == "agent_status" && data["agentName"] == agent && data["state"] == state;
            let notice = |level: &str, word: &str| {
                let message = data["message"].as_str().unwrap_or_default();
                frame["type"] == "notification" && data["level"] == level && message.contains(word)
            };
            Some(match tale.said {
                Said::Started => state("working") && data.as_object().is_some_and(|data| data.len() == 2),
                Said::ToolStarted => state("working") && data["currentTask"] == "bash",
                // It is idle then, as at the end of a run.
                Said::ToolEnded => return None,
                Said::Working if tale.known.is_none() => state("working") && data["status"] == "working",
                Said::Working => state("working") && data["currentTask"] == "processing",
                Said::Half => state("working") && data["progress"] == 50,
                Said::Completed => notice("success", agent),
                Said::Failed => notice("error", "boom"),
                // Codex asks to run a command, with whatever tool.
                Said::Asked if tale.known.is_none() => notice("warning", agent),
                Said::Asked => notice("warning", "bash"),
            })
        },
    },
];

/// Kind and data as the log has them from a dialect that publishes into it as it stands.
fn plain(said: Said) -> (&'static str, Value) {
    match said {
        Said::Started => ("execution_started", json!({"input_data": {"task": "t"}})),
        Said::ToolStarted => (
            "tool_call_start",
            json!({"tool_name": "bash", "arguments": {}, "context": {}}),
        ),
        Said::ToolEnded => (
            "tool_call_end",
            json!({"tool_name": "bash", "success": true, "duration": 0.5, "error": null}),
        ),
        Said::Working => (
            "agent_status",
            json!({"status": "processing", "details": {"iteration": 3}}),
        ),
        Said::Half => ("goal_progress", json!({"progress": 0.5, "criteria_status": {}})),
        Said::Completed => ("execution_completed", json!({"output": {"answer": 42}})),
        Said::Failed => ("execution_failed", json!({"error": "boom"})),
        Said::Asked => (
            "approval_request",
            json!({"request_id": "r-1", "tool_name": "bash", "arguments": {"command": "ls"}}),
        ),
    }
}

#[test]
fn what_an_agent_says_reaches_monitors_of_each_dialect() {
    for agent in AGENTS {
        for monitor in MONITORS {
            let hub = (agent.hub)();
            let mut listening = (monitor.connect)(&hub);
            let mut saying = (agent.connect)(&hub);
            let tells = |said, told: &Value| {
                let known = agent.known;
                (monitor.tells)(&Tale { said, known }, told)
            };
            for said in ALL {
                let Some(frame) = (agent.frame)(said) else { continue };
                saying.send(&frame);
                // Others may come between; what must come, comes.
                while let Some(told) = tells(said, &Value::Null).map(|_| listening.next()) {
                    if tells(said, &told) == Some(true) {
                        break;
                    }
                    let other = ALL.iter().find(|other| tells(**other, &told) == Some(true));
                    assert!(
                        other.is_none() || agent.known.is_none(),
                        "{} says {said:?}, {} is told {told}",
                        agent.name,
                        monitor.name
                    );
                }
            }
        }
    }
}

#[test]
fn a_cloud_agents_status_reaches_monitors_of_each_dialect_in_their_words() {
    let cloud = json!({"agentName": "worker", "state": "working", "currentTask": "Tests", "progress": 45});
    for monitor in MONITORS {
        let hub = Hub::with_toml("cloud_dev_tokens = true");
        let mut listening = (monitor.connect)(&hub);
        hub.ws("/publish")
            .publish(&json!({"type": "agent_status", "data": cloud}));
        let told = loop {
            let told = listening.next();
            if told["type"] == "agent_status" || told["event"]["type"] == "agent_status" {
                break told;
            }
        };
        let data = if told["type"] == "event" {
            &told["event"]["data"]
        } else {
            &told["data"]
        };
        for (name, value) in cloud.as_object().unwrap() {
            assert_eq!(data[name], *value, "{}: {told}", monitor.name);
        }
        if monitor.name == "sam" {
            assert_eq!(data["status"], "working", "{told}");
        }
    }
}
