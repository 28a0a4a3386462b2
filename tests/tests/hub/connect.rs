//! `countersign connect`, `disconnect` and `doctor` with a home of their own, and the same through the hub for the window.

mod doctor;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use countersign_tests::command::{self, Output};
use countersign_tests::hub::countersign;
use countersign_tests::{Folder, Hub, Start, run};
use serde_json::{Value, json};

/// Says its version, and started for a moment runs the hook of a start, as Claude Code does.
const CLAUDE: &str = r#"[ "$1" = --init-only ] || { echo '2.1.197 (Claude Code)'; exit; }
line=$(sed -n 's/.*"command": "\([^"]*hook claude-code[^"]*\)", "timeout".*/\1/p' "$HOME/.claude/settings.json" | head -n 1)
echo "{\"hook_event_name\": \"SessionStart\", \"session_id\": \"$3\", \"cwd\": \"/\"}" | sh -c "$line""#;

/// A person's home, with agents that only say their versions.
struct Home(Folder);

impl Home {
    fn new() -> Self {
        let home = Self(Folder::new());
        fs::create_dir_all(home.path().join("bin")).unwrap();
        home.program("claude", CLAUDE);
        home
    }

    fn path(&self) -> PathBuf {
        self.0.file("home")
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// `settings.json` of Claude Code.
    fn settings(&self) -> PathBuf {
        self.path().join(".claude/settings.json")
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Surroundings with this home and nothing of the caller's.
    fn dress<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("HOME", self.path())
            .env("PATH", format!("{}:/usr/bin:/bin", self.path().join("bin").display()))
            .env_remove("CLAUDE_CONFIG_DIR")
            .env_remove("CODEX_HOME")
            .env_remove("XDG_DATA_HOME")
    }

    fn countersign(&self, arguments: &[&str]) -> Output {
        let mut command = countersign();
        self.dress(command.args(arguments));
        run(command)
    }

    fn at(&self, hub: &Hub, arguments: &[&str]) -> Output {
        let mut command = command::at(&hub.folder.data(), arguments);
        self.dress(&mut command);
        run(command)
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn entries(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn connecting_and_disconnecting_gives_settings_back_to_the_byte() {
    for text in [
        "{}",
        "{\r\n\t\"model\": \"opus\"\r\n}",
        "{\n  \"hooks\": {},\n  \"permissions\": {\"allow\": [\"Bash(ls:*)\"]}\n}\n",
        "\u{feff}{ \"hooks\": { \"PreToolUse\": [ { \"matcher\": \"Bash\", \"hooks\": [ {\"type\":\"command\",\"command\":\"guard\"} ] } ] } }",
    ] {
        let home = Home::new();
        let path = home.write(".claude/settings.json", text);
        home.countersign(&["connect", "claude-code"]).expect(0);
        let connected = read(&path);
        assert!(connected.contains(" hook claude-code"), "{connected}");
        let again = home.countersign(&["connect", "claude-code"]).expect(0);
        assert!(again.out.contains("nothing was changed"), "{}", again.out);
        assert_eq!(read(&path), connected);
        home.countersign(&["disconnect", "claude-code"]).expect(0);
        assert_eq!(read(&path), text);
        let backups: Vec<_> = entries(&home.path().join(".claude")).into_iter().skip(1).collect();
        assert_eq!(backups.len(), 2, "{backups:?}");
        let backup = home.path().join(".claude").join(&backups[0]);
        assert_eq!(
            (
                read(&backup).as_str(),
                fs::metadata(&backup).unwrap().permissions().mode() & 0o777
            ),
            (text, 0o600)
        );
    }
}

#[test]
fn a_file_that_was_not_there_is_gone_again() {
    let home = Home::new();
    for (agent, file) in [("claude-code", ".claude/settings.json"), ("codex", ".codex/hooks.json")] {
        home.countersign(&["connect", agent, "--telemetry"]).expect(0);
        assert!(home.path().join(file).exists(), "{agent}");
        home.countersign(&["disconnect", agent]).expect(0);
        let folder = home.path().join(file).parent().unwrap().to_owned();
        assert_eq!(entries(&folder), Vec::<String>::new(), "{agent}");
    }
}

#[test]
fn a_dry_run_prints_the_difference_and_changes_nothing() {
    let home = Home::new();
    let path = home.write(".claude/settings.json", "{\n  \"model\": \"opus\"\n}\n");
    let shown = home.countersign(&["connect", "claude-code", "--dry-run"]).expect(0);
    assert!(
        shown.out.starts_with("--- ") && shown.out.contains("\n+  \"hooks\": {"),
        "{}",
        shown.out
    );
    assert!(
        shown.out.contains("\n-  \"model\": \"opus\"\n+  \"model\": \"opus\","),
        "{}",
        shown.out
    );
    assert_eq!(read(&path), "{\n  \"model\": \"opus\"\n}\n");
    assert_eq!(entries(&home.path().join(".claude")), ["settings.json"]);
    let nothing = home.countersign(&["disconnect", "claude-code", "--dry-run"]).expect(0);
    assert_eq!(nothing.out, "");
}

#[test]
fn a_file_that_cannot_be_read_is_left_alone_and_its_place_is_named() {
    let home = Home::new();
    let path = home.write(".claude/settings.json", "{\n  \"model\": opus\n}\n");
    let refused = home.countersign(&["connect", "claude-code"]).expect(1);
    assert!(refused.err.contains("left alone. line 2, column 12"), "{}", refused.err);
    assert_eq!(read(&path), "{\n  \"model\": opus\n}\n");
    let path = home.write(".codex/config.toml", "model = \n");
    let refused = home.countersign(&["connect", "codex", "--telemetry"]).expect(1);
    assert!(
        refused.err.contains("config.toml was left alone. line 1"),
        "{}",
        refused.err
    );
    assert_eq!(entries(path.parent().unwrap()), ["config.toml"]);
}

#[test]
fn a_conflict_is_named_and_other_tools_hooks_stay() {
    let home = Home::new();
    let other = r#"{"disableAllHooks": true, "hooks": {"PermissionRequest": [{"hooks": [{"type": "command", "command": "other-tool"}]}]}}"#;
    let path = home.write(".claude/settings.json", other);
    let connected = home.countersign(&["connect", "claude-code"]).expect(0);
    assert!(
        connected.err.contains("other-tool") && connected.err.contains("disableAllHooks"),
        "{}",
        connected.err
    );
    assert!(read(&path).contains("\"command\": \"other-tool\""));
}

#[test]
fn a_project_is_connected_by_its_local_settings_alone() {
    let home = Home::new();
    let project = home.path().join("my project");
    fs::create_dir_all(&project).unwrap();
    let project = project.to_str().unwrap();
    home.countersign(&["connect", "claude-code", "--project", project])
        .expect(0);
    assert_eq!(entries(&Path::new(project).join(".claude")), ["settings.local.json"]);
    assert!(!home.settings().exists());
    home.countersign(&["connect", "claude-code", "--project", "/no/such/folder"])
        .expect(1);
}

#[test]
fn what_is_said_without_a_hub_holds_until_another_choice_is_made() {
    let home = Home::new();
    home.countersign(&["connect", "claude-code", "--when-absent", "deny"])
        .expect(0);
    home.countersign(&["connect", "claude-code", "--telemetry"]).expect(0);
    let settings = read(&home.settings());
    assert!(settings.contains("--when-absent deny") && settings.contains("OTEL_LOGS_EXPORTER"));
    home.countersign(&["connect", "claude-code", "--when-absent", "ask"])
        .expect(0);
    assert!(!read(&home.settings()).contains("--when-absent deny"));
}

#[test]
fn settings_behind_a_link_stay_behind_it() {
    let home = Home::new();
    let real = home.write("dotfiles/claude.json", "{}\n");
    fs::create_dir_all(home.path().join(".claude")).unwrap();
    symlink("../dotfiles/claude.json", home.settings()).unwrap();
    home.countersign(&["connect", "claude-code"]).expect(0);
    assert!(fs::symlink_metadata(home.settings()).unwrap().is_symlink());
    assert!(read(&real).contains("hook claude-code"));
    home.countersign(&["disconnect", "claude-code"]).expect(0);
    assert_eq!(read(&real), "{}\n");
}

/// Runs a hook as an agent does: by the shell, from the settings.
fn run_hook(home: &Home, settings: &Path, event: &str, hook: &Value) -> String {
    let settings: Value = serde_json::from_str(&read(settings)).unwrap();
    let line = settings["hooks"][event][0]["hooks"][0]["command"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut command = Command::new("sh");
    home.dress(command.args(["-c", &line]));
    command::Running::start(command, &hook.to_string())
        .finish()
        .expect(0)
        .out
}

#[test]
fn what_the_settings_run_reaches_the_hub() {
    let hub = Hub::start();
    let home = Home::new();
    home.at(&hub, &["connect", "claude-code"]).expect(0);
    let hook = json!({"hook_event_name": "SessionStart", "session_id": "s1", "cwd": "/", "source": "startup"});
    run_hook(&home, &home.settings(), "SessionStart", &hook);
    let found = hub.get("/api/events?sessions=s1").expect(200).json();
    assert_eq!(found["events"][0]["kind"], "session_started", "{found}");
}

#[test]
fn an_approver_connects_through_the_hub_as_from_the_window() {
    let home = Home::new();
    let start = Start::new();
    let mut command = start.command();
    home.dress(&mut command).stdout(Stdio::piped());
    let hub = start.run_as(command);
    let bearer = format!("Bearer {}", hub.token());
    let as_approver = |method: &str, path: &str, body: &Value| {
        let body = (method != "GET" && method != "DELETE").then(|| body.to_string());
        hub.call(
            method,
            path,
            &[("authorization", &bearer), ("content-type", "application/json")],
            body.as_deref(),
        )
    };
    let nothing = json!({});
    let listed = as_approver("GET", "/api/connections", &nothing).expect(200).json();
    let claude = &listed["connections"][0];
    assert_eq!(
        (&claude["agent"], &claude["state"], &claude["version"]),
        (&json!("claude-code"), &json!("none"), &json!("2.1.197"))
    );

    let path = "/api/connections/claude-code";
    let shown = as_approver("POST", path, &json!({"dry_run": true})).expect(200).json();
    assert_eq!(
        (&shown["done"], home.settings().exists()),
        (&json!(false), false),
        "{shown}"
    );
    assert!(
        shown["files"][0]["diff"].as_str().unwrap().contains("+  \"hooks\": {"),
        "{shown}"
    );
    let done = as_approver("POST", path, &json!({"telemetry": true, "when_absent": "deny"}))
        .expect(200)
        .json();
    assert_eq!(done["done"], true, "{done}");
    let settings = read(&home.settings());
    assert!(
        settings.contains("--when-absent deny") && settings.contains(&hub.url()),
        "{settings}"
    );
    let listed = as_approver("GET", "/api/connections", &nothing).expect(200).json();
    let claude = &listed["connections"][0];
    assert_eq!(
        (&claude["state"], &claude["telemetry"], &claude["when_absent"]),
        (&json!("connected"), &json!(true), &json!("deny"))
    );

    let examined = as_approver("POST", &format!("{path}/examination"), &json!({}))
        .expect(200)
        .json();
    let probe = examined["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["check"] == "probe");
    assert_eq!(probe.unwrap()["state"], "ok", "{examined}");
    // One project alone, named from the root.
    let project = home.path().join("shop");
    fs::create_dir(&project).unwrap();
    let own = project.join(".claude/settings.local.json");
    as_approver("POST", path, &json!({"project": project})).expect(200);
    assert!(read(&own).contains(" hook claude-code"));
    let listed = format!("/api/connections?project={}", project.display());
    let listed = as_approver("GET", &listed, &nothing).expect(200).json();
    let found = &listed["connections"][0];
    assert_eq!(
        (&found["state"], &found["file"]),
        (&json!("connected"), &json!(own)),
        "{listed}"
    );
    as_approver("DELETE", &format!("{path}?project={}", project.display()), &nothing).expect(200);
    assert!(!own.exists());
    as_approver("POST", path, &json!({"project": "shop"})).problem(400);
    as_approver("POST", path, &json!({"project": home.path().join("none")})).problem(409);
    as_approver("POST", path, &json!({"nonsense": 1})).problem(400);
    as_approver("POST", "/api/connections/vim", &json!({})).problem(404);
    // Without the approver's right nothing is shown and nothing done.
    hub.post(path, &json!({"dry_run": true})).expect(401);
    hub.get("/api/connections").expect(401);
    as_approver("DELETE", &format!("{path}?dry_run=true"), &nothing).expect(200);
    assert!(home.settings().exists());
    as_approver("DELETE", path, &nothing).expect(200);
    assert!(!home.settings().exists());
}
