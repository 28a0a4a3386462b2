//! Hooks and telemetry of one call, in either order, over a crash of the hub, and of a subagent.

use countersign_tests::command::Running;
use countersign_tests::hub::countersign;
use countersign_tests::{Folder, Hub, Start};
use serde_json::{Value, json};

use super::{batch, claude_event, of, of_kind, overview, request};

const S: &str = "5f0c1d2e-aaaa-4bbb-8ccc-000000000001";

fn told(event: &str, more: &Value) -> Value {
    let mut body = json!({"hook_event_name": event, "session_id": S, "cwd": "/", "transcript_path": "/t"});
    for (name, value) in more.as_object().expect("fields") {
        body[name] = value.clone();
    }
    body
}

fn hook(hub: &Hub, event: &str, more: &Value) {
    let body = told(event, more);
    hub.post("/hooks/claude-code", &body).expect(200);
}

fn hooks_of_a_call(hub: &Hub, more: &Value) {
    let mut call = json!({"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "toolu_9"});
    for (name, value) in more.as_object().expect("fields") {
        call[name] = value.clone();
    }
    hook(hub, "PreToolUse", &call);
    call["tool_response"] = json!({"stdout": "a", "stderr": ""});
    hook(hub, "PostToolUse", &call);
}

fn telemetry(hub: &Hub) {
    let said = [
        ("tool_name", json!("Bash")),
        ("tool_use_id", json!("toolu_9")),
        ("success", json!("true")),
        ("duration_ms", json!("1250")),
    ];
    let logs = batch(&[claude_event(S, 7, "tool_result", &said), request(S, 8)]);
    let json = [("Content-Type", "application/json")];
    hub.call("POST", "/v1/logs", &json, Some(&logs.to_string())).expect(200);
}

fn check(hub: &Hub) {
    let figures = overview(hub);
    assert_eq!(figures["tools"]["by_type"], json!({"Bash": 1}), "{figures}");
    assert_eq!(
        (&figures["tasks"]["completed"], &figures["tasks"]["running"]),
        (&json!(1), &json!(0)),
        "{figures}"
    );
    assert_eq!(figures["claude_api"]["total_requests"], 1, "{figures}");
}

#[test]
fn a_call_is_one_whichever_tells_of_it_first() {
    let hub = Hub::start();
    hooks_of_a_call(&hub, &json!({}));
    telemetry(&hub);
    telemetry(&hub);
    let rows = of(&hub, S);
    assert_eq!(of_kind(&rows, "tool_call_start").len(), 1, "{rows:?}");
    let about = of_kind(&rows, "tool_telemetry");
    assert_eq!(
        (about.len(), &about[0]["call_id"], &about[0]["duration"]),
        (1, &json!("toolu_9"), &json!(1.25))
    );
    check(&hub);

    let hub = Hub::start();
    telemetry(&hub);
    hooks_of_a_call(&hub, &json!({}));
    // An exporter that lost the answer comes again once the hooks are known.
    telemetry(&hub);
    let rows = of(&hub, S);
    for (kind, count) in [("tool_call_start", 1), ("tool_call_end", 1), ("tool_telemetry", 2)] {
        assert_eq!(of_kind(&rows, kind).len(), count, "{kind}: {rows:?}");
    }
    let late = of_kind(&rows, "tool_telemetry");
    assert_eq!(late[0]["arguments"]["command"], "ls", "what the hooks add is kept");
    assert_eq!(late[1]["result"]["stdout"], "a", "{late:?}");
    check(&hub);
}

#[test]
fn what_hooks_left_to_a_hub_that_was_away_goes_before_telemetry() {
    let folder = Folder::new();
    drop(Start::in_folder(&folder).run());
    for (event, more) in [
        ("UserPromptSubmit", json!({"prompt": "go"})),
        (
            "PreToolUse",
            json!({"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "toolu_9"}),
        ),
    ] {
        let mut command = countersign();
        command.args(["hook", "claude-code", "--data-dir"]).arg(folder.data());
        Running::start(command, &told(event, &more).to_string())
            .finish()
            .expect(0);
    }
    let hub = Start::in_folder(&folder).run();
    telemetry(&hub);
    let rows = of(&hub, S);
    assert_eq!(of_kind(&rows, "tool_call_start").len(), 1, "{rows:?}");
    assert_eq!(of_kind(&rows, "tool_telemetry").len(), 1, "{rows:?}");
    assert_eq!(of_kind(&rows, "chat_message").len(), 1, "{rows:?}");
}

#[test]
fn after_a_crash_the_hub_still_knows_whose_hooks_are_connected() {
    let folder = Folder::new();
    hooks_of_a_call(&Start::in_folder(&folder).run(), &json!({}));
    let hub = Start::in_folder(&folder).run();
    telemetry(&hub);
    let rows = of(&hub, S);
    assert_eq!(of_kind(&rows, "tool_call_start").len(), 1, "{rows:?}");
    assert_eq!(of_kind(&rows, "tool_telemetry").len(), 1, "{rows:?}");
    check(&hub);
}

#[test]
fn telemetry_of_a_subagents_call_goes_to_the_subagent() {
    let hub = Hub::start();
    hook(&hub, "UserPromptSubmit", &json!({"prompt": "go"}));
    hooks_of_a_call(&hub, &json!({"agent_id": "a1", "agent_type": "Explore"}));
    telemetry(&hub);
    let rows = of(&hub, &format!("{S}/a1"));
    assert_eq!(of_kind(&rows, "tool_telemetry").len(), 1, "{rows:?}");
    check(&hub);
}
