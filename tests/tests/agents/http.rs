//! HTTP hooks of the real Claude Code, as `connect --http` writes them: a command where it sends none, the hub's address for the rest.

use countersign_tests::agents::CLAUDE;
use countersign_tests::{Home, Hub, Models};
use serde_json::{Value, json};

use crate::scene::{Scene, runs, says};

fn connected(hub: Hub) -> Scene {
    let home = Home::new();
    home.countersign(&hub.folder, &["connect", CLAUDE, "--http"]).expect(0);
    Scene { home, hub }
}

#[test]
fn a_session_over_http_is_told_in_order_and_its_question_answered() {
    let scene = connected(Hub::start());
    let settings = std::fs::read_to_string(scene.home.path(".claude/settings.json")).unwrap();
    let settings: Value = serde_json::from_str(&settings).unwrap();
    let kind = |event: &str| settings["hooks"][event][0]["hooks"][0]["type"].clone();
    assert_eq!(
        (kind("SessionStart"), kind("PermissionRequest")),
        (json!("command"), json!("http"))
    );

    let models = Models::playing(&json!([runs("touch made.txt"), says("Done with it")]));
    let mut claude = scene.home.claude_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    assert_eq!(asked["arguments"]["command"], "touch made.txt");
    scene.answer(&asked, &json!({"decision": "approve"}));
    scene.events("turn_completed");
    assert!(scene.home.made("made.txt").is_some(), "it did not run");
    claude.hangs_up();
    scene.events("session_ended");
    let story = [
        "session_started",
        "chat_message",
        "tool_call_start",
        "approval_request",
        "approval_resolved",
        "tool_call_end",
        "turn_completed",
        "session_ended",
    ];
    assert_eq!(scene.story(), story);
    claude.ends();
}

#[test]
fn a_denied_call_over_http_does_not_run_and_the_model_hears_why() {
    let scene = connected(Hub::start());
    let models = Models::playing(&json!([runs("touch made.txt"), says("So I leave it")]));
    let _claude = scene.home.claude_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    scene.answer(&asked, &json!({"decision": "deny", "message": "not on a Friday"}));
    assert!(models.told(1).contains("not on a Friday"));
    assert!(scene.home.made("made.txt").is_none());
}

#[test]
fn a_hub_that_wants_a_token_gets_it_from_the_variable() {
    let hub = Hub::with_toml("auth = \"required\"\n");
    let home = Home::new();
    home.countersign(&hub.folder, &["connect", CLAUDE, "--http"]).expect(0);
    let made = home
        .countersign(&hub.folder, &["token", "create", "--role", "agent"])
        .expect(0)
        .out;
    let token = made.lines().last().unwrap();
    let bearer = format!("Bearer {}", hub.token());
    let kinds = || -> Vec<String> {
        let history = hub.call("GET", "/api/events", &[("authorization", &bearer)], None);
        let events = history.expect(200).json()["events"].as_array().unwrap().clone();
        events
            .iter()
            .map(|event| event["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    let models = Models::playing(&json!([says("Without"), says("With it")]));
    let prints = |token: Option<&str>| {
        let mut claude = home.claude(&hub.folder, &models);
        claude.args(["-p", "hello"]);
        if let Some(token) = token {
            claude.env("COUNTERSIGN_TOKEN", token);
        }
        countersign_tests::run(claude).expect(0);
    };
    prints(None);
    assert_eq!(
        kinds(),
        ["session_started"],
        "only the command may speak for the person"
    );
    prints(Some(token));
    assert!(kinds().contains(&"turn_completed".to_owned()), "{:?}", kinds());
}

#[test]
fn the_doctor_starts_claude_and_says_when_it_runs_no_hook() {
    let scene = connected(Hub::start());
    let doctor = || scene.home.countersign(&scene.hub.folder, &["doctor", CLAUDE]);
    let well = doctor().expect(0);
    assert!(well.out.contains("its hooks told the hub"), "{}", well.out);
    // A start for a moment is no session.
    assert_eq!(scene.hub.get("/api/agents").expect(200).json()["sessions"], json!([]));
    // For a value of which nothing here knows that Claude Code takes no such thing.
    let path = scene.home.path(".claude/settings.json");
    let settings = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        settings.replacen('{', "{\"statusLine\": {\"type\": \"command\"},", 1),
    )
    .unwrap();
    let silent = doctor().expect(1);
    assert!(silent.out.contains("its hooks told the hub nothing"), "{}", silent.out);
}
