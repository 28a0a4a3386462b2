//! The hub is killed while a question waits, or is not there at all: a question comes back, or its agent asks by itself, or the answer
//! is no; never yes, but where a person has said so before.

use countersign_tests::agents::{CLAUDE, CODEX};
use countersign_tests::{Folder, Home, Hub, Models, Start, until};
use serde_json::json;

use crate::scene::{Scene, WHOLE, answered, asks, connect, executes, runs, says};

#[test]
fn a_question_outlives_a_hub_that_is_killed() {
    let mut scene = Scene::claude();
    let models = Models::playing(&json!([runs("touch made.txt"), says("Done")]));
    let _claude = scene.home.claude_asked(&scene.hub.folder, &models, "make a file");
    let before = scene.asks_one();
    scene.hub.kill();
    let again = Start::in_folder(&scene.hub.folder).port(scene.hub.port).run();
    let after = asks(&again, 1).remove(0);
    assert_eq!(after["id"], before["id"]);
    // It counts once the hook is back; until then an approval would have nobody to go to.
    answered(&again, &after, &json!({"decision": "approve"}));
    until("it runs", || scene.home.made("made.txt"));
}

#[test]
fn a_question_of_codex_outlives_a_hub_that_is_killed() {
    let mut scene = Scene::codex();
    let models = Models::playing(&json!([executes("touch made.txt"), says("Done")]));
    let _codex = scene.home.codex_asked(&scene.hub.folder, &models, "make a file");
    let before = scene.asks_one();
    scene.hub.kill();
    let again = Start::in_folder(&scene.hub.folder).port(scene.hub.port).run();
    let after = asks(&again, 1).remove(0);
    assert_eq!(after["id"], before["id"]);
    answered(
        &again,
        &after,
        &json!({"decision": "deny", "message": "not after a crash"}),
    );
    let told = models.told(1);
    assert!(told.contains("not after a crash"), "{told}");
    assert!(scene.home.made("made.txt").is_none());
}

#[test]
fn without_a_hub_claude_asks_by_itself_or_does_as_its_person_said() {
    for policy in ["ask", "deny", "allow"] {
        let (home, nobody) = (Home::new(), Folder::new());
        connect(&home, &nobody, CLAUDE);
        let models = Models::playing(&json!([runs("touch made.txt"), says("Well then")]));
        let mut command = home.claude(&nobody, &models);
        command.arg("make a file").env("COUNTERSIGN_WHEN_ABSENT", policy);
        let mut claude = countersign_tests::Terminal::run(&command);
        if policy == "ask" {
            claude.shows("Do you want to proceed");
            claude.types("1");
        }
        let told = models.told(1);
        assert_eq!(home.made("made.txt").is_some(), policy != "deny", "{policy}");
        assert_eq!(told.contains("Countersign"), policy == "deny", "{policy}: {told}");
    }
}

#[test]
fn without_a_hub_codex_asks_by_itself_or_does_as_its_person_said() {
    for policy in ["ask", "deny", "allow"] {
        let (home, nobody) = (Home::new(), Folder::new());
        connect(&home, &nobody, CODEX);
        let models = Models::playing(&json!([executes("touch made.txt"), says("Well then")]));
        let mut command = home.codex(&nobody, &models, &["make a file"]);
        command.env("COUNTERSIGN_WHEN_ABSENT", policy);
        let mut codex = countersign_tests::Terminal::run(&command);
        if policy == "ask" {
            codex.shows("Press enter to confirm or esc to cancel");
            codex.presses("y", "You approved");
        }
        let told = models.told(1);
        assert_eq!(home.made("made.txt").is_some(), policy != "deny", "{policy}");
        assert_eq!(told.contains("Countersign"), policy == "deny", "{policy}: {told}");
    }
}

#[test]
fn what_happened_without_a_hub_is_told_to_the_next_one_in_order() {
    let (home, folder) = (Home::new(), Folder::new());
    connect(&home, &folder, CLAUDE);
    let models = Models::playing(&json!([runs("echo hello"), says("It says hello")]));
    home.claude_prints(&folder, &models, &["say hello"]).expect(0);
    let hub: Hub = Start::in_folder(&folder).run();
    let events = until("all is told", || {
        let mut events = hub.history();
        events.retain(|event| WHOLE.contains(&event["type"].as_str().unwrap()));
        (events.len() >= WHOLE.len()).then_some(events)
    });
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, WHOLE);
    for event in events {
        assert_eq!(event["data"]["late"], true, "{event}");
    }
}
