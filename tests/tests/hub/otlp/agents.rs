//! The real agents, with telemetry switched on as their documentation says, with hooks and without.

use countersign_tests::agents::{CLAUDE, CODEX, Home};
use countersign_tests::hub::program;
use countersign_tests::{Hub, Models, run};
use serde_json::{Value, json};

use super::{of, of_kind, overview};

/// Two calls and three requests.
fn script() -> Value {
    json!([
        {"text": "Looking.", "calls": [{"name": "Bash", "input": {"command": "echo hello", "description": "Says hello"}}]},
        {"calls": [{"name": "Bash", "input": {"command": "exit 3", "description": "Fails"}}]},
        {"text": "All done."},
    ])
}

/// What a person sets to send Claude Code's telemetry here.
fn telemetry(hub: &Hub) -> Value {
    json!({
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": hub.url(),
        "OTEL_LOG_USER_PROMPTS": "1",
        "OTEL_LOG_TOOL_DETAILS": "1",
    })
}

fn claude(hub: &Hub, settings: &Value) -> String {
    let home = Home::new();
    let models = Models::playing(&json!({ "main": script() }));
    home.write(".claude/settings.json", &settings.to_string());
    let mut command = home.claude(&hub.folder, &models);
    command.args(["-p", "say hello", "--allowedTools", "Bash", "--output-format", "json"]);
    let output = run(command);
    let result: Value = serde_json::from_str(output.out.trim()).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    result["session_id"].as_str().expect("a session").to_owned()
}

fn check_figures(hub: &Hub, session: &str) {
    let rows = of(hub, session);
    let logs: Vec<_> = of_kind(&rows, "usage")
        .into_iter()
        .filter(|data| data["source"] == "log")
        .collect();
    assert!(logs.len() >= 3, "{rows:?}");
    let tokens: u64 = logs.iter().map(|data| data["input_tokens"].as_u64().unwrap()).sum();
    let cost: f64 = logs.iter().map(|data| data["cost"].as_f64().unwrap()).sum();
    let figures = overview(hub);
    assert_eq!(figures["claude_api"]["total_input_tokens"], tokens, "{figures}");
    assert_eq!(figures["claude_api"]["total_requests"], logs.len(), "{figures}");
    assert!(
        (figures["costs"]["total_cost"].as_f64().unwrap() - cost).abs() < 1e-6,
        "{figures}"
    );
    assert!(cost > 0.0);
    assert_eq!(figures["tools"]["by_type"], json!({"Bash": 2}), "{figures}");
    assert_eq!(
        (&figures["tasks"]["completed"], &figures["tasks"]["failed"]),
        (&json!(1), &json!(1)),
        "{figures}"
    );
}

#[test]
fn claude_code_without_hooks_is_known_by_its_telemetry() {
    let hub = Hub::start();
    let session = claude(&hub, &json!({ "env": telemetry(&hub) }));
    let rows = of(&hub, &session);
    assert!(
        rows.iter().all(|row| row["agent"] == CLAUDE && row["origin"] == "otlp"),
        "{rows:?}"
    );
    let said = of_kind(&rows, "chat_message");
    let said: Vec<_> = said.iter().map(|data| (&data["sender"], &data["content"])).collect();
    assert_eq!(said.first(), Some(&(&json!("user"), &json!("say hello"))));
    assert_eq!(said.last(), Some(&(&json!("assistant"), &json!("All done."))));
    let starts = of_kind(&rows, "tool_call_start");
    assert_eq!(starts[0]["arguments"]["command"], "echo hello", "{rows:?}");
    let ends = of_kind(&rows, "tool_call_end");
    let ends: Vec<_> = ends.iter().map(|data| &data["success"]).collect();
    assert_eq!(ends, [true, false]);
    check_figures(&hub, &session);
}

#[test]
fn claude_code_with_hooks_has_each_call_once_with_what_telemetry_adds() {
    let hub = Hub::start();
    let hook =
        json!([{"hooks": [{"type": "command", "command": format!("{} hook claude-code", program().display())}]}]);
    let events = [
        "SessionStart",
        "UserPromptSubmit",
        "PreToolUse",
        "PostToolUse",
        "PostToolUseFailure",
        "Stop",
        "SessionEnd",
    ];
    let hooks: serde_json::Map<String, Value> =
        events.iter().map(|event| ((*event).to_owned(), hook.clone())).collect();
    let session = claude(&hub, &json!({ "env": telemetry(&hub), "hooks": hooks }));
    let rows = of(&hub, &session);
    let hooked: Vec<Value> = rows.iter().filter(|row| row["origin"] == "hook").cloned().collect();
    let told: Vec<Value> = rows.iter().filter(|row| row["origin"] == "otlp").cloned().collect();
    assert_eq!(of_kind(&hooked, "tool_call_start").len(), 2, "{rows:?}");
    for kind in ["tool_call_start", "tool_call_end", "chat_message"] {
        assert_eq!(of_kind(&told, kind).len(), 0, "{kind}: {told:?}");
    }
    let calls = of_kind(&hooked, "tool_call_start");
    for call in calls {
        let about: Vec<_> = of_kind(&told, "tool_telemetry")
            .into_iter()
            .filter(|data| data["call_id"] == call["call_id"])
            .collect();
        assert!(about.iter().any(|data| data["decision"] == "accept"), "{told:?}");
        assert!(about.iter().any(|data| data["duration"].is_number()), "{told:?}");
    }
    let figures = overview(&hub);
    assert_eq!(figures["tools"]["by_type"], json!({"Bash": 2}), "{figures}");
    assert!(figures["costs"]["total_cost"].as_f64().unwrap() > 0.0, "{figures}");
}

#[test]
fn codex_is_known_by_its_telemetry() {
    let hub = Hub::start();
    let home = Home::new();
    let models = Models::playing(&json!({"main": [
        {"text": "Looking.", "calls": [{"name": "exec_command", "input": {"cmd": "echo hello"}}]},
        {"text": "All done."},
    ]}));
    let exporter = |signal: &str| {
        format!(
            "{{ otlp-http = {{ endpoint = \"{}/v1/{signal}\", protocol = \"binary\" }} }}",
            hub.url()
        )
    };
    home.write(
        ".codex/config.toml",
        &format!(
            "[otel]\nlog_user_prompt = true\nexporter = {}\ntrace_exporter = {}\nmetrics_exporter = {}\n",
            exporter("logs"),
            exporter("traces"),
            exporter("metrics"),
        ),
    );
    let output = home.codex_executes(&hub.folder, &models, "say hello");
    let rows: Vec<Value> = hub.history().into_iter().filter(|row| row["agent"] == CODEX).collect();
    let said = of_kind(&rows, "chat_message");
    assert_eq!(
        said.first().map(|data| &data["content"]),
        Some(&json!("say hello")),
        "{rows:?} {output:?}"
    );
    let calls = of_kind(&rows, "tool_call_start");
    assert_eq!(
        (calls.len(), &calls[0]["arguments"]["cmd"]),
        (1, &json!("echo hello")),
        "{rows:?}"
    );
    let usage: Vec<_> = of_kind(&rows, "usage")
        .into_iter()
        .filter(|data| data["source"] == "log")
        .collect();
    assert_eq!(usage.len(), 2, "{rows:?}");
    let tokens: u64 = usage.iter().map(|data| data["input_tokens"].as_u64().unwrap()).sum();
    let figures = overview(&hub);
    assert_eq!(figures["claude_api"]["total_input_tokens"], tokens, "{figures}");
    assert_eq!(figures["claude_api"]["total_requests"], 2, "{figures}");
    assert_eq!(figures["tools"]["by_type"], json!({"exec_command": 1}), "{figures}");
    // Hundreds of spans say nothing of an agent's work.
    assert!(rows.len() < 30, "{}", rows.len());
}
