//! The policy for calls that are about to run, which holds for `claude -p` too: there Claude Code asks nobody by itself.

use countersign_tests::agents::{CLAUDE, CODEX, result_of};
use countersign_tests::command::Running;
use countersign_tests::{Hub, Models, until};
use serde_json::{Value, json};

use crate::scene::{Scene, runs, says};

const GATE: &str = r#"
[[hooks.gate]]
tool = "Bash"
pattern = "touch asked*"
decision = "ask"

[[hooks.gate]]
tool = "Bash"
pattern = "touch allowed*"
decision = "allow"

[[hooks.gate]]
tool = "Bash"
pattern = "touch denied*"
decision = "deny"
message = "the policy forbids it"

[[hooks.gate]]
tool = "Bash"
pattern = "touch stopped*"
decision = "stop"
"#;

#[test]
fn a_printed_run_asks_a_person_where_the_policy_says_so() {
    for (decision, runs_it) in [("approve", true), ("deny", false)] {
        let scene = Scene::with(Hub::with_toml(GATE), CLAUDE);
        let models = Models::playing(&json!([runs("touch asked.txt"), says("Done")]));
        let mut command = scene.home.claude(&scene.hub.folder, &models);
        command.args(["-p", "make a file"]);
        let claude = Running::start(command, "");
        let asked = scene.asks_one();
        assert_eq!(asked["arguments"]["command"], "touch asked.txt");
        scene.answer(&asked, &json!({"decision": decision, "message": "my word"}));
        claude.finish().expect(0);
        assert_eq!(scene.home.made("asked.txt").is_some(), runs_it, "{decision}");
        let told: Value = serde_json::from_str(&models.told(1)).unwrap();
        let result = result_of(&told, "toolu_main_0_0").unwrap();
        assert_eq!(result.contains("my word"), !runs_it, "{result}");
    }
}

#[test]
fn the_policy_allows_denies_and_stops_without_asking_anybody() {
    let scene = Scene::with(Hub::with_toml(GATE), CLAUDE);
    let script = json!([
        runs("touch allowed.txt"),
        runs("touch denied.txt"),
        runs("touch stopped.txt"),
        says("I went on")
    ]);
    let models = Models::playing(&script);
    let output = scene.home.claude_prints(&scene.hub.folder, &models, &["make files"]);
    assert!(!output.out.contains("I went on"), "{output:?}");
    let asked = models.asked();
    assert_eq!(asked.len(), 3, "the model was asked again after the stop");
    assert!(
        result_of(&asked[2], "toolu_main_1_0")
            .unwrap()
            .contains("the policy forbids it"),
        "{}",
        asked[2]
    );
    let made = ["allowed.txt", "denied.txt", "stopped.txt"].map(|name| scene.home.made(name).is_some());
    assert_eq!(made, [true, false, false]);
}

#[test]
fn codex_asks_a_person_where_the_policy_says_so() {
    for (decision, runs_it) in [("approve", true), ("deny", false)] {
        let scene = Scene::with(Hub::with_toml(GATE), CODEX);
        // A session that is executed may do all that its sandbox allows; without one, it writes.
        let call = json!({"name": "exec_command", "input": {"cmd": "touch asked.txt"}});
        let models = Models::playing(&json!([{"text": "I run it", "calls": [call]}, says("Done")]));
        let arguments = [
            "exec",
            "--json",
            "--skip-git-repo-check",
            "-s",
            "danger-full-access",
            "make a file",
        ];
        let codex = Running::start(scene.home.codex(&scene.hub.folder, &models, &arguments), "");
        let asked = scene.asks_one();
        scene.answer(&asked, &json!({"decision": decision, "message": "my word"}));
        codex.finish().expect(0);
        assert_eq!(scene.home.made("asked.txt").is_some(), runs_it, "{decision}");
        assert_eq!(models.told(1).contains("my word"), !runs_it);
    }
}

#[test]
fn what_codex_executes_without_hooks_is_read_from_its_lines() {
    let scene = Scene::codex();
    scene.home.write(".codex/hooks.json", "{}");
    let call = json!({"name": "exec_command", "input": {"cmd": "echo hello"}});
    let models = Models::playing(&json!([{"text": "I run it", "calls": [call]}, says("It says hello")]));
    let output = scene
        .home
        .codex_executes(&scene.hub.folder, &models, "say hello")
        .expect(0);
    let mut ingest = scene.home.program(countersign_tests::hub::program(), &scene.hub.folder);
    ingest.args(["ingest", "codex"]);
    Running::start(ingest, &(output.out + "\n")).finish().expect(0);
    let end = until("the turn's end", || {
        let history = scene.hub.history();
        history
            .iter()
            .any(|event| event["type"] == "turn_completed")
            .then_some(history)
    });
    let of = |kind: &str| {
        end.iter()
            .find(|event| event["type"] == kind)
            .unwrap_or_else(|| panic!("no {kind}: {end:?}"))
    };
    assert_eq!(of("session_started")["agent"], "codex");
    assert_eq!(of("session_started")["session"], of("turn_completed")["session"]);
    assert!(of("chat_message")["data"].to_string().contains("I run it"), "{end:?}");
}

#[test]
fn claude_is_answered_over_http_as_by_the_program() {
    let scene = Scene::claude();
    let hook = json!({"type": "http", "url": format!("{}/hooks/claude-code", scene.hub.url()), "timeout": 86_400});
    let events = [
        "UserPromptSubmit",
        "PreToolUse",
        "PermissionRequest",
        "PostToolUse",
        "PostToolBatch",
        "Stop",
        "SessionEnd",
    ];
    let hooks: serde_json::Map<String, Value> = events
        .iter()
        .map(|event| ((*event).to_owned(), json!([{ "hooks": [hook] }])))
        .collect();
    scene
        .home
        .write(".claude/settings.json", &json!({ "hooks": hooks }).to_string());
    let models = Models::playing(&json!([runs("touch made.txt"), runs("touch other.txt"), says("Done")]));
    let mut claude = scene.home.claude_asked(&scene.hub.folder, &models, "make files");
    scene.answer(&scene.asks_one(), &json!({"decision": "approve"}));
    until("it runs", || scene.home.made("made.txt"));
    let asked = until("the second question", || {
        let asked = scene.asks(1).remove(0);
        (asked["arguments"]["command"] == "touch other.txt").then_some(asked)
    });
    claude.shows("touch other.txt");
    claude.shows("Do you want to proceed");
    claude.types("\u{1b}");
    assert_eq!(scene.settled(&asked)["status"], "cancelled");
    assert!(scene.home.made("other.txt").is_none());
}

#[test]
fn a_printed_run_asks_through_the_permission_tool() {
    for (decision, runs_it) in [("approve", true), ("deny", false)] {
        let scene = Scene::claude();
        let models = Models::playing(&json!([runs("touch made.txt"), says("Done")]));
        let servers = json!({"mcpServers": {"countersign": {"command": "countersign", "args": ["mcp"]}}});
        let mut command = scene.home.claude(&scene.hub.folder, &models);
        command.args([
            "-p",
            "make a file",
            "--permission-prompt-tool",
            "mcp__countersign__permission",
        ]);
        command.args(["--mcp-config", &servers.to_string()]);
        let claude = Running::start(command, "");
        let asked = scene.asks_one();
        assert_eq!(asked["arguments"]["command"], "touch made.txt", "{asked}");
        scene.answer(&asked, &json!({"decision": decision, "message": "my word"}));
        claude.finish().expect(0);
        assert_eq!(scene.home.made("made.txt").is_some(), runs_it, "{decision}");
        assert_eq!(models.told(1).contains("my word"), !runs_it);
        assert_eq!(scene.events("approval_request").len(), 1, "one call is one question");
    }
}
