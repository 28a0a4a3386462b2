//! Codex, one question at a time: what each answer does, and what its model hears of it.

use countersign_tests::agents::result_of;
use countersign_tests::{Models, Terminal, until};
use serde_json::{Value, json};

use crate::scene::{Scene, executes, says};

#[test]
fn an_executed_session_is_told_in_order_with_ids_that_match() {
    let scene = Scene::codex();
    let call = json!({"name": "exec_command", "input": {"cmd": "echo hello"}});
    let models = Models::playing(&json!([{"text": "I run it", "calls": [call]}, says("It says hello")]));
    scene
        .home
        .codex_executes(&scene.hub.folder, &models, "say hello")
        .expect(0);
    let told = scene.whole_session("codex");
    assert_eq!(told["tool_call_start"]["data"]["arguments"]["command"], "echo hello");
    assert_eq!(
        told["tool_call_start"]["data"]["call_id"],
        told["tool_call_end"]["data"]["call_id"]
    );
    assert_eq!(told["turn_completed"]["data"]["content"], "It says hello");
}

#[test]
fn approve_lets_the_command_run() {
    let scene = Scene::codex();
    let models = Models::playing(&json!([executes("touch made.txt"), says("Done")]));
    let _codex = scene.home.codex_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    assert_eq!(asked["arguments"]["command"], "touch made.txt");
    assert_eq!((&asked["edits"], &asked["stops"]), (&json!(false), &json!(false)));
    assert!(scene.home.made("made.txt").is_none(), "it did not wait");
    scene.answer(&asked, &json!({"decision": "approve"}));
    scene.events("turn_completed");
    assert!(scene.home.made("made.txt").is_some());
    let request = scene.events("approval_request").remove(0);
    assert_eq!(request["data"]["call_id"], "call_main_0_0", "{request}");
}

#[test]
fn deny_lets_nothing_run_and_the_model_hears_why() {
    let scene = Scene::codex();
    let models = Models::playing(&json!([executes("touch made.txt"), says("So I leave it")]));
    let _codex = scene.home.codex_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    scene.answer(&asked, &json!({"decision": "deny", "message": "not on a Friday"}));
    let told: Value = serde_json::from_str(&models.told(1)).unwrap();
    assert!(
        result_of(&told, "call_main_0_0").unwrap().contains("not on a Friday"),
        "{told}"
    );
    scene.events("turn_completed");
    assert!(scene.home.made("made.txt").is_none());
}

#[test]
fn a_stopped_session_is_denied_whatever_it_runs() {
    let scene = Scene::codex();
    let models = Models::playing(&json!([
        executes("touch made.txt"),
        executes("touch again.txt"),
        says("So I leave it")
    ]));
    let _codex = scene.home.codex_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    let session = asked["session"].as_str().unwrap();
    let stop = format!("/api/sessions/{session}/stop");
    scene
        .hub
        .post_as_approver(&stop, &json!({"message": "enough"}))
        .expect(200);
    let told: Value = serde_json::from_str(&models.told(1)).unwrap();
    assert!(result_of(&told, "call_main_0_0").unwrap().contains("enough"), "{told}");
    assert!(scene.home.made("made.txt").is_none() && scene.home.made("again.txt").is_none());
}

#[test]
fn connected_codex_is_well_once_its_person_has_trusted_the_hooks() {
    let scene = Scene::codex();
    let models = Models::playing(&json!([executes("touch made.txt"), says("Done")]));
    let mut codex = Terminal::run(
        &scene
            .home
            .codex_that_guards(&scene.hub.folder, &models, &["make a file"]),
    );
    codex.shows("hooks are new or changed");
    let doctor = || {
        scene
            .home
            .countersign(&scene.hub.folder, &["doctor", "codex", "--json"])
    };
    let before = doctor();
    assert_eq!(before.code, Some(1), "{before:?}");
    assert!(before.out.contains("trust"), "{before:?}");
    codex.presses("2", "› 2");
    codex.presses("\r", "make a file");
    let asked = scene.asks_one();
    scene.answer(&asked, &json!({"decision": "approve"}));
    until("it runs", || scene.home.made("made.txt"));
    doctor().expect(0);
}
