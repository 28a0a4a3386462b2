//! Who sees whose events: for each pair of an agent and a monitor, each in a dialect of its own, what must arrive, arrives.
//!
//! A dialect joins by a row in [`AGENTS`], how it publishes each [`Said`], or in [`MONITORS`], how it is told of each, or both.

use countersign_tests::{Hub, Peer, Ws};
use serde_json::{Value, json};

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

/// An agent's side of a dialect.
struct AgentOf {
    name: &'static str,
    connect: fn(&Hub) -> Ws,
    /// The frame that says it; `None` where the dialect has no words for it.
    frame: fn(Said) -> Option<Value>,
}

/// A monitor's side of a dialect.
struct MonitorOf {
    name: &'static str,
    /// Connected, and listening from now on.
    connect: fn(&Hub) -> Ws,
    /// Whether the frame tells of it; `None` where the dialect has no words for it.
    tells: fn(Said, &Value) -> Option<bool>,
}

const AGENTS: &[AgentOf] = &[
    AgentOf {
        name: "sam",
        connect: |hub| hub.ws("/publish"),
        frame: |said| {
            let (kind, data) = plain(said);
            Some(json!({"type": kind, "agent": "worker", "session": "run-1", "data": data}))
        },
    },
    AgentOf {
        name: "hive",
        connect: |hub| hub.ws("/stream"),
        frame: |said| {
            let (kind, data) = plain(said);
            Some(json!({"action": "publish", "event":
                {"type": kind.to_uppercase(), "stream_id": "worker", "execution_id": "run-1", "data": data}}))
        },
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
        tells: |said, frame| {
            let (kind, data) = plain(said);
            Some(
                frame["type"] == kind
                    && frame["data"] == data
                    && frame["agent"] == "worker"
                    && frame["session"] == "run-1",
            )
        },
    },
    MonitorOf {
        name: "hive",
        connect: |hub| {
            let mut monitor = hub.ws("/stream");
            monitor.send(&json!({"action": "subscribe"}));
            monitor.expect("subscribed");
            monitor
        },
        tells: |said, frame| {
            let (kind, data) = plain(said);
            let event = &frame["event"];
            let named = event["stream_id"] == "worker" && event["execution_id"] == "run-1";
            Some(frame["type"] == "event" && event["type"] == kind && event["data"] == data && named)
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
            let hub = Hub::start();
            let mut listening = (monitor.connect)(&hub);
            let mut saying = (agent.connect)(&hub);
            for said in ALL {
                let Some(frame) = (agent.frame)(said) else { continue };
                saying.send(&frame);
                // Others may come between; what must come, comes.
                while let Some(told) = (monitor.tells)(said, &Value::Null).map(|_| listening.next()) {
                    if (monitor.tells)(said, &told) == Some(true) {
                        break;
                    }
                    let other = ALL.iter().find(|other| (monitor.tells)(**other, &told) == Some(true));
                    assert_eq!(
                        other, None,
                        "{} says {said:?}, {} is told {told}",
                        agent.name, monitor.name
                    );
                }
            }
        }
    }
}
