//! Claude Code, one question at a time: what each answer does, and what its model hears of it.

use countersign_tests::agents::result_of;
use countersign_tests::command::Running;
use countersign_tests::{Home, Hub, Models, until};
use serde_json::json;

use crate::scene::{Scene, answered, asks, runs, says};

#[test]
fn a_printed_session_is_told_in_order_with_ids_that_match() {
    let scene = Scene::claude();
    let models = Models::playing(&json!([runs("echo hello"), says("It says hello")]));
    let output = scene
        .home
        .claude_prints(&scene.hub.folder, &models, &["say hello"])
        .expect(0);
    assert_eq!(output.out.trim(), "It says hello");
    let told = scene.whole_session("claude-code");
    assert_eq!(told["chat_message"]["data"]["content"], "say hello");
    assert_eq!(told["tool_call_start"]["data"]["call_id"], "toolu_main_0_0");
    assert_eq!(told["tool_call_start"]["data"]["arguments"]["command"], "echo hello");
    let end = &told["tool_call_end"]["data"];
    assert_eq!(
        (&end["call_id"], &end["success"]),
        (&json!("toolu_main_0_0"), &json!(true))
    );
    assert_eq!(end["result"]["stdout"], "hello");
    assert!(end["duration"].is_number(), "{end}");
    assert_eq!(told["turn_completed"]["data"]["content"], "It says hello");
}

#[test]
fn approve_lets_the_command_run_and_the_whole_is_told_in_order() {
    let scene = Scene::claude();
    let models = Models::playing(&json!([runs("touch made.txt"), says("Done with it")]));
    let mut claude = scene.home.claude_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    assert_eq!(
        (&asked["tool_name"], &asked["arguments"]["command"]),
        (&json!("Bash"), &json!("touch made.txt"))
    );
    assert_eq!((&asked["edits"], &asked["stops"]), (&json!(true), &json!(true)));
    assert_eq!(asked["cwd"], scene.home.project().display().to_string());
    assert!(scene.home.made("made.txt").is_none(), "it did not wait");
    scene.answer(&asked, &json!({"decision": "approve"}));
    scene.events("turn_completed");
    assert!(scene.home.made("made.txt").is_some(), "it did not run");
    let told = models.asked()[1].clone();
    assert!(result_of(&told, "toolu_main_0_0").is_some(), "{told}");
    until("it is delivered", || {
        (scene.approval(&asked)["delivery"] == "delivered").then_some(())
    });
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
    let request = scene.events("approval_request").remove(0);
    assert_eq!(request["session"], scene.events("session_started")[0]["session"]);
    assert_eq!(request["data"]["call_id"], "toolu_main_0_0", "{request}");
    claude.ends();
}

#[test]
fn deny_lets_nothing_run_and_the_model_hears_why() {
    let scene = Scene::claude();
    let models = Models::playing(&json!([runs("touch made.txt"), says("So I leave it")]));
    let _claude = scene.home.claude_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    scene.answer(&asked, &json!({"decision": "deny", "message": "not on a \"Friday\" é"}));
    let told = result_of(&serde_json::from_str(&models.told(1)).unwrap(), "toolu_main_0_0").unwrap();
    assert_eq!(told, json!("not on a \"Friday\" é").to_string());
    scene.events("turn_completed");
    assert!(scene.home.made("made.txt").is_none());
    assert!(
        !scene.story().contains(&"tool_call_end".to_owned())
            || scene.events("tool_call_end")[0]["data"]["success"] == false
    );
}

#[test]
fn stop_ends_the_run_and_the_model_is_not_asked_again() {
    let scene = Scene::claude();
    let models = Models::playing(&json!([runs("touch made.txt"), says("I go on")]));
    let mut claude = scene.home.claude_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    scene.answer(&asked, &json!({"decision": "stop", "message": "enough"}));
    claude.shows("Interrupted");
    // What its person says next does not reach its model either, until the stop is lifted.
    claude.types("go on");
    claude.shows("go on");
    claude.types("\r");
    claude.shows("stopped in Countersign");
    assert_eq!(models.asked().len(), 1, "the model was asked again");
    assert!(scene.home.made("made.txt").is_none());
    let session = asked["session"].as_str().unwrap();
    let lift = format!("/api/sessions/{session}/resume");
    scene.hub.post_as_approver(&lift, &json!({})).expect(200);
    claude.types("now go on");
    claude.shows("now go on");
    claude.types("\r");
    assert!(models.told(1).contains("now go on"));
}

#[test]
fn a_stop_from_the_window_ends_a_printed_run_before_its_next_call() {
    let scene = Scene::claude();
    let script = json!([
        {"text": "First", "calls": [{"name": "Bash", "input": {"command": "echo first"}}]},
        {"text": "Second", "calls": [{"name": "Bash", "input": {"command": "echo second"}}], "hold": "second"},
        says("I went on"),
    ]);
    let models = Models::playing(&script);
    let mut command = scene.home.claude(&scene.hub.folder, &models);
    command.args(["-p", "go"]);
    let claude = countersign_tests::command::Running::start(command, "");
    until("the second turn is asked for", || {
        (models.asked().len() == 2).then_some(())
    });
    let session = scene.events("tool_call_start")[0]["session"]
        .as_str()
        .unwrap()
        .to_owned();
    let stop = format!("/api/sessions/{session}/stop");
    scene.hub.post_as_approver(&stop, &json!({})).expect(200);
    models.release("second");
    let output = claude.finish();
    assert!(!output.out.contains("I went on"), "{output:?}");
    assert_eq!(models.asked().len(), 2, "the model was asked again");
    let ran: Vec<_> = scene
        .events("tool_call_end")
        .iter()
        .map(|end| end["data"]["call_id"].clone())
        .collect();
    assert!(
        !ran.contains(&json!("toolu_main_1_0"))
            || scene.events("tool_call_end").last().unwrap()["data"]["success"] == false
    );
}

#[test]
fn edited_arguments_are_what_runs() {
    let scene = Scene::claude();
    let models = Models::playing(&json!([runs("touch made.txt"), says("Done")]));
    let _claude = scene.home.claude_asked(&scene.hub.folder, &models, "make a file");
    let asked = scene.asks_one();
    let edited = json!({"command": "touch other.txt", "description": "Run it"});
    scene.answer(&asked, &json!({"decision": "approve", "arguments": edited}));
    scene.events("turn_completed");
    assert!(scene.home.made("other.txt").is_some() && scene.home.made("made.txt").is_none());
}

#[test]
fn what_claude_is_to_keep_it_keeps_and_does_not_ask_again() {
    let scene = Scene::claude();
    let models = Models::playing(&json!([runs("npm run one"), runs("npm run two"), says("Done")]));
    scene.home.write(
        "project/package.json",
        r#"{"scripts": {"one": "echo ran-one", "two": "echo ran-two"}}"#,
    );
    let _claude = scene.home.claude_asked(&scene.hub.folder, &models, "run both");
    let asked = scene.asks_one();
    let label = asked["grants"][0]["label"].as_str().unwrap();
    assert!(label.contains("npm run *"), "{asked}");
    scene.answer(&asked, &json!({"decision": "approve", "grants": [0]}));
    scene.events("turn_completed");
    assert!(models.asked()[2].to_string().contains("ran-two"));
    assert_eq!(scene.events("approval_request").len(), 1, "it asked again");
    let kept = scene.home.made(".claude/settings.local.json").unwrap();
    assert!(kept.contains("Bash(npm run *)"), "{kept}");
}

#[test]
fn claudes_own_questions_are_answered() {
    let questions = json!([
        {"question": "Which colour?", "header": "Colour", "multiSelect": false,
            "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]},
        {"question": "Which sizes?", "header": "Sizes", "multiSelect": true,
            "options": [{"label": "S", "description": "small"}, {"label": "M", "description": "medium"}]},
    ]);
    let scene = Scene::claude();
    let call = json!({"name": "AskUserQuestion", "input": {"questions": questions}});
    let models = Models::playing(&json!([{"text": "I ask", "calls": [call]}, says("Thanks")]));
    let _claude = scene.home.claude_asked(&scene.hub.folder, &models, "ask me");
    let asked = scene.asks_one();
    assert_eq!(
        (&asked["tool_name"], &asked["arguments"]["questions"]),
        (&json!("AskUserQuestion"), &questions)
    );
    let answers = json!({"Which colour?": "Blue", "Which sizes?": "S, M"});
    let arguments = json!({"questions": questions, "answers": answers});
    scene.answer(&asked, &json!({"decision": "approve", "arguments": arguments}));
    let told = models.told(1);
    for pair in [r#"\"Which colour?\"=\"Blue\""#, r#"\"Which sizes?\"=\"S, M\""#] {
        assert!(told.contains(pair), "{pair}: {told}");
    }
}

#[test]
fn a_plan_is_shown_and_approved_or_sent_back() {
    for (decision, hears) in [("approve", "User has approved your plan"), ("deny", "think again")] {
        let scene = Scene::claude();
        let call = json!({"name": "ExitPlanMode", "input": {"plan": "# Plan\n\n1. Do **it**"}});
        let models = Models::playing(&json!([{"text": "My plan", "calls": [call]}, says("Well then")]));
        let arguments = ["--permission-mode", "plan", "plan it"];
        let _claude = scene.home.claude_with(&scene.hub.folder, &models, &arguments);
        let asked = scene.asks_one();
        assert_eq!(asked["arguments"]["plan"], "# Plan\n\n1. Do **it**");
        scene.answer(&asked, &json!({"decision": decision, "message": "think again"}));
        let told = models.told(1);
        assert!(told.contains(hears), "{decision}: {told}");
    }
}

#[test]
fn a_printed_session_asks_through_the_permission_tool() {
    for (decision, runs_it) in [
        (json!({"decision": "approve"}), true),
        (json!({"decision": "deny", "message": "not today"}), false),
    ] {
        let (home, hub) = (Home::new(), Hub::start());
        let models = Models::playing(&json!([runs("touch made.txt"), says("That was it")]));
        let servers = json!({"mcpServers": {"countersign": {"command": "countersign", "args": ["mcp"]}}}).to_string();
        let mut command = home.claude(&hub.folder, &models);
        command.args([
            "-p",
            "make a file",
            "--mcp-config",
            &servers,
            "--permission-prompt-tool",
            "mcp__countersign__permission",
        ]);
        let claude = Running::start(command, "");
        let asked = asks(&hub, 1).remove(0);
        assert_eq!(
            (&asked["tool_name"], &asked["arguments"]["command"], &asked["origin"]),
            (&json!("Bash"), &json!("touch made.txt"), &json!("mcp"))
        );
        assert_eq!(asked["agent"], "claude-code");
        answered(&hub, &asked, &decision);
        claude.finish().expect(0);
        assert_eq!(home.made("made.txt").is_some(), runs_it);
        if !runs_it {
            assert!(models.told(1).contains("not today"));
        }
    }
}
