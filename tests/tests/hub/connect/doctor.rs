//! What the doctor finds, and what it puts right.

use super::*;

fn findings(output: &Output) -> Vec<(String, String)> {
    let told: Value = serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error}: {}", output.out));
    let findings = told["connections"][0]["findings"].as_array().unwrap().clone();
    findings
        .into_iter()
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap().to_owned();
            (text("check"), text("state"))
        })
        .collect()
}

fn state_of(output: &Output, check: &str) -> String {
    let found = findings(output).into_iter().find(|(known, _)| known == check);
    found.unwrap_or_else(|| panic!("no {check}: {}", output.out)).1
}

#[test]
fn the_doctor_sees_a_probe_arrive_and_says_what_is_wrong() {
    let hub = Hub::start();
    let home = Home::new();
    let doctor = |more: &[&str]| home.at(&hub, &[&["doctor", "claude-code", "--json"], more].concat());
    let unconnected = doctor(&[]).expect(1);
    assert_eq!(state_of(&unconnected, "settings"), "fail");
    home.at(&hub, &["connect", "claude-code"]).expect(0);
    let well = doctor(&[]).expect(0);
    for check in ["agent", "version", "settings", "hub", "probe", "start"] {
        assert_eq!(state_of(&well, check), "ok", "{}", well.out);
    }
    // A probe makes no session.
    assert_eq!(hub.get("/api/agents").expect(200).json()["sessions"], json!([]));

    let path = home.settings();
    let broken = read(&path).replacen("\"PreToolUse\"", "\"PreToolUseX\"", 1);
    fs::write(&path, broken).unwrap();
    let found = doctor(&[]).expect(1);
    assert_eq!(state_of(&found, "settings"), "fail");
    let fixed = doctor(&["--fix"]).expect(0);
    assert_eq!(
        (
            state_of(&fixed, "fixed").as_str(),
            state_of(&fixed, "settings").as_str()
        ),
        ("ok", "ok")
    );
    doctor(&[]).expect(0);

    home.program("claude", "echo '2.0.1 (Claude Code)'");
    let old = doctor(&[]).expect(1);
    assert_eq!(state_of(&old, "version"), "fail");
}

#[test]
fn the_doctor_posts_as_http_hooks_do_and_puts_their_address_right() {
    let hub = Hub::start();
    let home = Home::new();
    let doctor = |more: &[&str]| home.at(&hub, &[&["doctor", "claude-code", "--json"], more].concat());
    home.at(&hub, &["connect", "claude-code", "--http"]).expect(0);
    let well = doctor(&[]).expect(0);
    for check in ["settings", "probe", "http", "start"] {
        assert_eq!(state_of(&well, check), "ok", "{}", well.out);
    }
    // Another choice leaves this one as it is.
    home.at(&hub, &["connect", "claude-code", "--when-absent", "deny"])
        .expect(0);
    let settings = read(&home.settings());
    assert!(
        settings.contains("\"url\"") && settings.contains("--when-absent deny"),
        "{settings}"
    );

    // Nobody there, then somebody else.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", other.local_addr().unwrap());
    drop(other);
    fs::write(home.settings(), settings.replace(&hub.url(), &address)).unwrap();
    let lost = doctor(&[]).expect(1);
    assert!(
        state_of(&lost, "http") == "fail" && lost.out.contains("nobody answers"),
        "{}",
        lost.out
    );
    let fixed = doctor(&["--fix"]).expect(0);
    assert_eq!(state_of(&fixed, "http"), "ok", "{}", fixed.out);
    assert_eq!(read(&home.settings()), settings);
    home.at(&hub, &["connect", "claude-code", "--no-http"]).expect(0);
    assert!(!read(&home.settings()).contains("\"url\""));
}

#[test]
fn the_doctor_says_which_token_http_hooks_lack() {
    let hub = Hub::with_toml("auth = \"required\"\n");
    let home = Home::new();
    let connected = home.at(&hub, &["connect", "claude-code", "--http"]).expect(0);
    assert!(connected.err.contains("export COUNTERSIGN_TOKEN="), "{}", connected.err);
    let doctor = |token: Option<&str>| {
        let mut command = command::at(&hub.folder.data(), &["doctor", "claude-code", "--json"]);
        home.dress(&mut command);
        if let Some(token) = token {
            command.env("COUNTERSIGN_TOKEN", token);
        }
        run(command)
    };
    let none = doctor(None).expect(1);
    assert!(
        none.out.contains("COUNTERSIGN_TOKEN, which is not set here"),
        "{}",
        none.out
    );
    let made = home
        .at(&hub, &["token", "create", "--role", "agent,monitor"])
        .expect(0)
        .out;
    let token = made.lines().last().unwrap();
    let well = doctor(Some(token)).expect(0);
    assert_eq!(state_of(&well, "http"), "ok", "{}", well.out);
}

#[test]
fn the_doctor_names_what_keeps_claude_from_running_hooks() {
    let hub = Hub::start();
    let home = Home::new();
    let path = home.write(".claude/settings.json", "{\"model\": 5}");
    let connected = home.at(&hub, &["connect", "claude-code"]).expect(0);
    assert!(connected.err.contains("model is not text"), "{}", connected.err);
    let found = home.at(&hub, &["doctor", "claude-code", "--json"]).expect(1);
    assert_eq!(state_of(&found, "refused"), "fail", "{}", found.out);

    // What nobody can read off the file shows when Claude Code is started: here it runs no hook.
    fs::write(&path, read(&path).replacen("{\"model\": 5,", "{", 1)).unwrap();
    home.at(&hub, &["doctor", "claude-code"]).expect(0);
    home.program("claude", "[ \"$1\" = --init-only ] || echo '2.1.197 (Claude Code)'");
    let silent = home.at(&hub, &["doctor", "claude-code", "--json"]).expect(1);
    assert_eq!(
        (state_of(&silent, "probe").as_str(), state_of(&silent, "start").as_str()),
        ("ok", "fail")
    );

    // A project that switches hooks off has a say where it is asked from.
    home.program("claude", CLAUDE);
    let local = home.write("project/.claude/settings.local.json", "{\"disableAllHooks\": true}");
    let mut command = command::at(&hub.folder.data(), &["doctor", "claude-code", "--json"]);
    home.dress(&mut command).current_dir(home.path().join("project"));
    let off = run(command).expect(1);
    assert!(off.out.contains(&local.display().to_string()), "{}", off.out);
    home.at(&hub, &["doctor", "claude-code"]).expect(0);
}

#[test]
fn the_doctor_looks_at_the_hub_that_the_hooks_name() {
    let hub = Hub::start();
    let home = Home::new();
    home.at(&hub, &["connect", "claude-code"]).expect(0);
    let well = home.countersign(&["doctor", "claude-code", "--json"]).expect(0);
    assert_eq!(state_of(&well, "probe"), "ok", "{}", well.out);
    let moved = home
        .countersign(&["connect", "claude-code", "--data-dir", "/elsewhere"])
        .expect(0);
    assert!(moved.err.contains("spoke to the hub at"), "{}", moved.err);
}

#[test]
fn the_doctor_says_when_no_hub_runs_and_how_to_trust_codex_hooks() {
    let home = Home::new();
    home.countersign(&["connect", "codex"]).expect(0);
    let alone = home.countersign(&["doctor", "codex", "--json"]).expect(1);
    assert_eq!(state_of(&alone, "hub"), "fail");

    let hub = Hub::start();
    let home = Home::new();
    home.at(&hub, &["connect", "codex"]).expect(0);
    let hooks: Value = serde_json::from_str(&read(&home.path().join(".codex/hooks.json"))).unwrap();
    let line = hooks["hooks"]["Stop"][0]["hooks"][0]["command"]
        .as_str()
        .unwrap()
        .to_owned();
    let say = |trust: &str| {
        let hook = json!({"eventName": "stop", "command": line, "enabled": true, "trustStatus": trust});
        let answer =
            json!({"id": 2, "result": {"data": [{"cwd": "/", "hooks": [hook], "warnings": [], "errors": []}]}});
        let answer = answer.to_string().replace('\'', r"'\''");
        home.program(
            "codex",
            &format!("[ \"$1\" = --version ] && echo 'codex-cli 0.169.0' && exit\nread a; read b; read c\necho '{{\"id\":1,\"result\":{{}}}}'\necho '{answer}'\ncat >/dev/null"),
        );
    };
    say("untrusted");
    let untrusted = home.at(&hub, &["doctor", "codex"]).expect(1);
    assert!(
        untrusted.out.contains("does not trust 1 of 1") && untrusted.out.contains("/hooks"),
        "{}",
        untrusted.out
    );
    say("trusted");
    home.at(&hub, &["doctor", "codex"]).expect(0);
}
