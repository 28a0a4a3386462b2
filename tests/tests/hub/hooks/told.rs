//! Each hook as an event: in order, whole, under names that everybody knows.

use std::path::Path;

use countersign_tests::{Hub, until};
use serde_json::{Value, json};

use super::{after, before, hook, kinds, permission, tell};

/// The recorded hooks of an agent, by name of their files.
fn recorded(agent: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/agents/fixtures")
        .join(agent);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).expect("a fixture");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, serde_json::from_str(&text).expect("JSON"))
    };
    files.iter().map(read).collect()
}

#[test]
fn everything_that_the_real_programs_told_is_in_the_log_and_nothing_is_lost() {
    let hub = Hub::start();
    for (agent, folder) in [("claude-code", "claude"), ("codex", "codex")] {
        let mut told = 0;
        for (name, given) in recorded(folder) {
            if given["hook_event_name"] == "PermissionRequest" {
                continue;
            }
            hook(&hub, agent, &given).expect(200);
            told += 1;
            let rows = hub.history();
            let row = rows.last().expect("an event");
            assert_eq!(
                (&row["origin"], &row["agent"]),
                (&json!("hook"), &json!(agent)),
                "{name}"
            );
            let data = row["data"].as_object().expect("data");
            for (field, value) in given.as_object().expect("an object") {
                let kept = match field.as_str() {
                    "tool_input" => "arguments",
                    "tool_use_id" => "call_id",
                    "tool_response" => "result",
                    "prompt" if given["hook_event_name"] == "UserPromptSubmit" => "content",
                    "last_assistant_message" => "content",
                    "duration_ms" => "duration",
                    same => same,
                };
                let expected = if field == "duration_ms" {
                    json!(value.as_f64().expect("a number") / 1000.0)
                } else {
                    value.clone()
                };
                assert_eq!(data.get(kept), Some(&expected), "{name}: {field}");
            }
        }
        assert!(told > 10, "{told}");
    }
}

#[test]
fn a_session_is_told_in_order_and_each_call_once() {
    let hub = Hub::start();
    let s = |name: &str, more: Value| {
        let mut hook = json!({"session_id": "s", "cwd": "/p", "hook_event_name": name});
        hook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        hook
    };
    for told in [
        s("SessionStart", json!({"source": "startup"})),
        s("UserPromptSubmit", json!({"prompt": "list it"})),
        before("s", "t1", "ls"),
        after("s", "t1", "ls"),
        before("s", "t2", "cd"),
        s(
            "PostToolUseFailure",
            json!({"tool_name": "Bash", "tool_input": {"command": "cd"}, "tool_use_id": "t2", "error": "no", "is_interrupt": false}),
        ),
        after("s", "never begun", "pwd"),
        s("NobodyKnowsThis", json!({"x": {"y": [1]}})),
        s(
            "Stop",
            json!({"last_assistant_message": "done", "stop_hook_active": false}),
        ),
        s("SessionEnd", json!({"reason": "other"})),
    ] {
        tell(&hub, &told);
    }
    let rows = hub.history();
    let expected = [
        "session_started",
        "chat_message",
        "tool_call_start",
        "tool_call_end",
        "tool_call_start",
        "tool_call_end",
        "tool_call_end",
        "nobody_knows_this",
        "turn_completed",
        "session_ended",
    ];
    assert_eq!(kinds(&rows), expected);
    assert!(rows.iter().all(|row| row["session"] == "s"));
    let data = |at: usize| &rows[at]["data"];
    assert_eq!(
        (&data(1)["sender"], &data(1)["content"]),
        (&json!("user"), &json!("list it"))
    );
    assert_eq!(
        (&data(3)["success"], &data(3)["duration"]),
        (&json!(true), &json!(0.25))
    );
    assert_eq!(data(3).get("arguments"), None, "they are in the start");
    assert_eq!((&data(5)["success"], &data(5)["error"]), (&json!(false), &json!("no")));
    assert_eq!(data(6)["arguments"], json!({"command": "pwd"}), "there was no start");
    assert_eq!(data(7)["x"], json!({"y": [1]}));
    assert_eq!(data(8)["content"], "done");
    until("the figures have it", || {
        let figures = hub.get("/api/metrics/overview").json().to_string();
        figures.contains("\"Bash\":2").then_some(())
    });
}

#[test]
fn a_subagent_has_a_session_of_its_own_that_names_its_parent() {
    let hub = Hub::start();
    let mut of_subagent = before("s", "t1", "ls");
    of_subagent["agent_id"] = json!("a1");
    of_subagent["agent_type"] = json!("Explore");
    tell(&hub, &of_subagent);
    let row = &hub.history()[0];
    assert_eq!(row["session"], "s/a1");
    assert_eq!(row["data"]["parent_session"], "s");
    assert_eq!(row["data"]["agent_type"], "Explore");
}

#[test]
fn a_turn_is_told_once_whether_by_a_hook_or_by_notify() {
    let hub = Hub::start();
    let notify = |turn: &str| {
        json!({"type": "agent-turn-complete", "thread-id": "t", "turn-id": turn, "cwd": "/p",
            "input-messages": ["hi"], "last-assistant-message": "done"})
    };
    let stop = json!({"hook_event_name": "Stop", "session_id": "t", "turn_id": "1", "last_assistant_message": "done"});
    for told in [stop, notify("1"), notify("2")] {
        hook(&hub, "codex", &told).expect(200);
    }
    let rows = hub.history();
    assert_eq!(
        kinds(&rows),
        ["turn_completed", "agent_turn_complete", "turn_completed"]
    );
    assert_eq!(rows[2]["data"]["content"], "done");
    assert_eq!(rows[2]["data"]["input_messages"], json!(["hi"]));
}

#[test]
fn a_call_that_was_denied_or_broken_off_has_an_end() {
    let hub = Hub::start();
    tell(&hub, &before("s", "t1", "rm"));
    tell(&hub, &before("s", "t2", "cp"));
    tell(
        &hub,
        &json!({"session_id": "s", "hook_event_name": "PostToolBatch", "tool_calls": [
            {"tool_name": "Bash", "tool_input": {"command": "rm"}, "tool_use_id": "t1", "tool_response": "the user said no"}]}),
    );
    tell(&hub, &json!({"session_id": "s", "hook_event_name": "Stop"}));
    let rows = hub.history();
    let expected = [
        "tool_call_start",
        "tool_call_start",
        "tool_call_end",
        "post_tool_batch",
        "tool_call_end",
        "turn_completed",
    ];
    assert_eq!(kinds(&rows), expected);
    assert_eq!(
        (&rows[2]["data"]["call_id"], &rows[2]["data"]["error"]),
        (&json!("t1"), &json!("the user said no"))
    );
    assert_eq!(
        (&rows[4]["data"]["call_id"], &rows[4]["data"]["success"]),
        (&json!("t2"), &json!(false))
    );
}

#[test]
fn what_would_pass_for_the_hubs_word_is_told_under_another_name() {
    let hub = Hub::start();
    for name in [
        "SessionStopped",
        "ApprovalResolved",
        "ApprovalRequest",
        "approval_response",
    ] {
        tell(
            &hub,
            &json!({"session_id": "s", "hook_event_name": name, "decision": "approve"}),
        );
    }
    assert!(kinds(&hub.history()).iter().all(|kind| kind.starts_with("hook_")));
    assert_eq!(hub.get("/api/approvals").json()["approvals"], json!([]));
    let _ = permission("s", "x");
}
