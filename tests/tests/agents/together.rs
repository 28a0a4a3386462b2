//! Several questions at once: each has an answer of its own.

use countersign_tests::Models;
use countersign_tests::agents::result_of;
use serde_json::{Value, json};

use crate::scene::{Scene, executes, runs, says};

#[test]
fn three_requests_of_claude_at_once_never_share_a_fate() {
    let scene = Scene::claude();
    let read = |name: &str| {
        let path = scene
            .home
            .write(&format!("elsewhere/{name}"), &format!("contents of {name}"));
        json!({"name": "Read", "input": {"file_path": path}})
    };
    let calls = [read("a"), read("b"), read("c")];
    let other = scene.home.write("elsewhere/d", "contents of d");
    let models = Models::playing(&json!([{"text": "I read them", "calls": calls}, says("Read")]));
    let _claude = scene.home.claude_asked(&scene.hub.folder, &models, "read them");
    let asked = scene.asks(3);
    // The last is answered first, so that no order helps.
    scene.answer(
        &asked[2],
        &json!({"decision": "approve", "arguments": {"file_path": other}}),
    );
    scene.answer(&asked[1], &json!({"decision": "deny", "message": "b stays closed"}));
    scene.answer(&asked[0], &json!({"decision": "approve"}));
    let told: Value = serde_json::from_str(&models.told(1)).unwrap();
    let result = |n: usize| result_of(&told, &format!("toolu_main_0_{n}")).unwrap();
    assert!(result(0).contains("contents of a"), "{told}");
    assert_eq!(result(1), json!("b stays closed").to_string());
    assert!(result(2).contains("contents of d"), "{told}");
    let calls: Vec<_> = asked.iter().map(|asked| asked["id"].clone()).collect();
    for (event, id) in scene.events("approval_request").iter().zip(0..) {
        assert!(event["data"]["call_id"].is_string(), "{id} of {calls:?}: {event}");
    }
}

/// A model that lets two subagents work at once, each on one command.
fn two_subagents() -> Models {
    let start = |name: &str| json!({"name": "Agent", "input": {"description": name, "prompt": format!("{name} work"), "subagent_type": "general-purpose"}});
    let script = json!({
        "main": [{"text": "I share the work", "calls": [start("ALPHA"), start("BETA")]}, says("All done")],
        "ALPHA work": [runs("touch alpha.txt"), says("alpha ended")],
        "BETA work": [runs("touch beta.txt"), says("beta ended")],
    });
    Models::playing(&script)
}

#[test]
fn subagents_ask_in_sessions_of_their_own_below_their_parents() {
    let scene = Scene::claude();
    let models = two_subagents();
    let _claude = scene.home.claude_asked(&scene.hub.folder, &models, "share it");
    let asked = scene.asks(2);
    scene.answer(&asked[1], &json!({"decision": "deny", "message": "no beta"}));
    scene.answer(&asked[0], &json!({"decision": "approve"}));
    scene.events("turn_completed");
    assert!(scene.home.made("alpha.txt").is_some() && scene.home.made("beta.txt").is_none());
    assert!(models.asked_by("BETA work")[1].to_string().contains("no beta"));
    let parent = scene.events("session_started")[0]["session"]
        .as_str()
        .unwrap()
        .to_owned();
    let started = scene.events("subagent_started");
    assert_eq!(started.len(), 2);
    for event in started
        .iter()
        .chain(&scene.events("approval_request"))
        .chain(&scene.events("subagent_stopped"))
    {
        let session = event["session"].as_str().unwrap();
        assert!(session.starts_with(&format!("{parent}/")), "{event}");
        assert_eq!(event["data"]["parent_session"], parent, "{event}");
        assert_eq!(event["data"]["agent_type"], "general-purpose", "{event}");
    }
    assert_ne!(asked[0]["session"], asked[1]["session"]);
}

#[test]
fn a_stop_of_the_parent_ends_its_subagents_too() {
    let scene = Scene::claude();
    let models = two_subagents();
    let _claude = scene.home.claude_asked(&scene.hub.folder, &models, "share it");
    let asked = scene.asks(2);
    let parent = scene.events("session_started")[0]["session"]
        .as_str()
        .unwrap()
        .to_owned();
    let stop = format!("/api/sessions/{parent}/stop");
    scene.hub.post_as_approver(&stop, &json!({})).expect(200);
    for approval in &asked {
        assert_eq!(scene.settled(approval)["status"], "stopped");
    }
    assert!(scene.home.made("alpha.txt").is_none() && scene.home.made("beta.txt").is_none());
}

#[test]
fn a_stop_of_a_subagent_ends_that_one_and_all_others_go_on() {
    let scene = Scene::claude();
    let start = |name: &str| json!({"name": "Agent", "input": {"description": name, "prompt": format!("{name} work"), "subagent_type": "general-purpose"}});
    let script = json!({
        "main": [{"text": "I share the work", "calls": [start("ALPHA"), start("BETA")]}, says("All done")],
        "ALPHA work": [runs("touch alpha.txt"), says("alpha went on")],
        "BETA work": [runs("touch beta.txt"), says("beta ended")],
    });
    let models = Models::playing(&script);
    let _claude = scene.home.claude_asked(&scene.hub.folder, &models, "share it");
    let asked = scene.asks(2);
    scene.answer(&asked[0], &json!({"decision": "stop"}));
    scene.answer(&asked[1], &json!({"decision": "approve"}));
    scene.events("turn_completed");
    assert!(scene.home.made("alpha.txt").is_none() && scene.home.made("beta.txt").is_some());
    assert_eq!(models.asked_by("ALPHA work").len(), 1, "its model was asked again");
    assert_eq!(models.asked_by("BETA work").len(), 2);
    let told = models.told(1);
    assert!(told.contains("interrupted") && told.contains("beta ended"), "{told}");
}

#[test]
fn requests_of_codex_at_once_never_share_a_fate() {
    let scene = Scene::codex();
    let start = |name: &str| json!({"name": "spawn_agent", "namespace": "multi_agent_v1", "input": {"message": format!("{name} work")}});
    let script = json!({
        "main": [{"calls": [start("ALPHA"), start("BETA")]}, executes("touch main.txt"), says("All done")],
        "ALPHA work": [executes("touch alpha.txt"), says("alpha ended")],
        "BETA work": [executes("touch beta.txt"), says("beta ended")],
    });
    let models = Models::playing(&script);
    let _codex = scene.home.codex_asked(&scene.hub.folder, &models, "share it");
    let asked = scene.asks(3);
    scene.answer(&asked[2], &json!({"decision": "approve"}));
    scene.answer(&asked[1], &json!({"decision": "deny", "message": "no beta"}));
    scene.answer(&asked[0], &json!({"decision": "approve"}));
    countersign_tests::until("both run", || {
        (scene.home.made("alpha.txt").is_some() && scene.home.made("main.txt").is_some()).then_some(())
    });
    countersign_tests::until("beta's model hears why", || {
        let asked = models.asked_by("BETA work");
        (asked.len() > 1 && asked[1].to_string().contains("no beta")).then_some(())
    });
    assert!(scene.home.made("beta.txt").is_none());
}
