//! A person answers where the agent asks, before anybody does in Countersign: the question is taken back, and the log says so.

use countersign_tests::Models;
use serde_json::json;

use crate::scene::{Scene, executes, runs, says};

#[test]
fn a_no_in_claudes_terminal_takes_the_question_back() {
    let scene = Scene::claude();
    let models = Models::playing(&json!([runs("touch made.txt"), says("Done")]));
    let mut claude = scene.home.claude_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    claude.shows("Do you want to proceed");
    claude.types("\u{1b}");
    let settled = scene.settled(&asked);
    assert_eq!(settled["status"], "cancelled", "{settled}");
    let message = settled["decision"]["message"].as_str().unwrap();
    assert!(message.contains("answered in the terminal"), "{settled}");
    let resolved = scene.events("approval_resolved").remove(0);
    assert!(
        resolved["data"].to_string().contains("answered in the terminal"),
        "{resolved}"
    );
    assert!(scene.home.made("made.txt").is_none());
}

#[test]
fn a_yes_in_claudes_terminal_takes_the_question_back_when_the_call_has_run() {
    let scene = Scene::claude();
    let models = Models::playing(&json!([runs("touch made.txt"), says("Done")]));
    let mut claude = scene.home.claude_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    claude.shows("Do you want to proceed");
    claude.types("1");
    let settled = scene.settled(&asked);
    assert_eq!(settled["status"], "cancelled", "{settled}");
    assert!(
        settled["decision"]["message"].as_str().unwrap().contains("terminal"),
        "{settled}"
    );
    scene.events("turn_completed");
    assert!(scene.home.made("made.txt").is_some());
}

#[test]
fn an_answer_in_countersign_closes_claudes_own_dialog() {
    let scene = Scene::claude();
    let models = Models::playing(&json!([runs("touch made.txt"), says("Done")]));
    let mut claude = scene.home.claude_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    claude.shows("Do you want to proceed");
    scene.answer(&asked, &json!({"decision": "approve"}));
    claude.shows("Allowed by PermissionRequest hook");
}

#[test]
fn a_claude_that_is_killed_takes_its_question_with_it() {
    let scene = Scene::claude();
    let models = Models::playing(&json!([runs("touch made.txt"), says("Done")]));
    let claude = scene.home.claude_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    drop(claude);
    let settled = scene.settled(&asked);
    assert_eq!(settled["status"], "cancelled", "{settled}");
}

#[test]
fn escape_in_codexs_terminal_takes_the_question_back() {
    let scene = Scene::codex();
    let models = Models::playing(&json!([executes("touch made.txt"), says("Done")]));
    let mut codex = scene.home.codex_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    codex.shows("Running hook");
    codex.types("\u{1b}");
    let settled = scene.settled(&asked);
    assert_eq!(settled["status"], "cancelled", "{settled}");
    assert!(
        settled["decision"]["message"].as_str().unwrap().contains("terminal"),
        "{settled}"
    );
    scene.events("interrupt");
    assert!(scene.home.made("made.txt").is_none());
}

#[test]
fn claudes_own_question_answered_in_its_terminal_is_taken_back() {
    let scene = Scene::claude();
    let options = json!([{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]);
    let question = json!({"question": "Which colour?", "header": "Colour", "multiSelect": false, "options": options});
    let call = json!({"name": "AskUserQuestion", "input": {"questions": [question]}});
    let models = Models::playing(&json!([{"text": "I ask", "calls": [call]}, says("Thanks")]));
    let mut claude = scene.home.claude_asked(&scene.hub.folder, &models, "ask me");
    let asked = scene.asks_one();
    claude.shows("Which colour");
    claude.types("2");
    let settled = scene.settled(&asked);
    assert_eq!(settled["status"], "cancelled", "{settled}");
    assert!(
        settled["decision"]["message"].as_str().unwrap().contains("terminal"),
        "{settled}"
    );
    assert!(models.told(1).contains("Blue"));
}
