//! The approver's right stays with the person at the desktop: a program that wants to answer has to be allowed to, each time.

use countersign_tests::command::{Running, at};
use serde_json::json;

use crate::harness::{Agent, App, Desk};

const TITLE: &str = "Countersign: confirm";
const WINDOW: &str = "^Countersign: confirm$";

struct Scene {
    desk: Desk,
    app: App,
    agent: Agent,
}

impl Scene {
    /// A request that waits, its dialog put away.
    fn new() -> Self {
        let desk = Desk::new();
        let app = App::start(&desk);
        let mut agent = Agent::connect(app.port, "sam");
        agent.ask("r1", "rm -rf \u{202e}build");
        desk.see_focused("Countersign: approval", "an open dialog", |sight| sight.is_open());
        desk.press(&["Escape"]);
        desk.until_gone("^Countersign: approval$");
        Self { desk, app, agent }
    }

    fn program(&self, arguments: &[&str]) -> Running {
        Running::start(at(&self.app.folder().data(), arguments), "")
    }
}

#[test]
fn a_program_answers_only_what_the_person_allows() {
    let mut scene = Scene::new();
    let program = scene.program(&["answer", "r1", "approve"]);
    let sight = scene
        .desk
        .see_focused(TITLE, "a confirmation", |sight| sight.offers("Allow"));
    for words in ["sam", "s-sam", "bash", "rm -rf ⟨U+202E⟩build"] {
        assert!(sight.words().contains(words), "{words} in {}", sight.words());
    }
    scene.agent.expect_no_answer();
    scene
        .desk
        .click(&scene.desk.window(WINDOW), sight.button("Allow").middle);
    program.finish().expect(0);
    assert_eq!(scene.agent.answer(), ("r1".into(), "approve".into()));
}

#[test]
fn refusing_is_what_return_escape_and_closing_say() {
    let mut scene = Scene::new();
    for key in ["Return", "Escape", "the title bar's button"] {
        let program = scene.program(&["answer", "r1", "approve"]);
        scene
            .desk
            .see_focused(TITLE, "a confirmation", |sight| sight.offers("Allow"));
        match key {
            "Return" | "Escape" => scene.desk.press(&[key]),
            _ => scene.desk.close(&scene.desk.window(WINDOW)),
        }
        let output = program.finish();
        assert_ne!(output.code, Some(0), "{key}: {}", output.out);
        scene.desk.until_gone(WINDOW);
        scene.agent.expect_no_answer();
        assert_eq!(scene.app.approval("r1")["status"], "pending", "{key}");
    }
}

#[test]
fn an_approvers_token_is_made_once_the_person_allows_it_and_answers_from_then_on() {
    let mut scene = Scene::new();
    let make = || scene.program(&["token", "create", "--role", "approver", "--subject", "night-shift"]);
    let refused = make();
    scene
        .desk
        .see_focused(TITLE, "a confirmation", |sight| sight.offers("Allow"));
    scene.desk.press(&["Escape"]);
    let refused = refused.finish();
    assert_ne!(refused.code, Some(0));
    assert_eq!(refused.out, "", "no token without a yes");
    scene.desk.until_gone(WINDOW);

    let allowed = make();
    let sight = scene
        .desk
        .see_focused(TITLE, "a confirmation", |sight| sight.offers("Allow"));
    assert!(sight.words().contains("night-shift"), "{}", sight.words());
    scene
        .desk
        .click(&scene.desk.window(WINDOW), sight.button("Allow").middle);
    let made = allowed.finish().expect(0);
    let token = made.out.lines().last().expect("a token");
    scene
        .program(&["answer", "--token", token, "r1", "approve"])
        .finish()
        .expect(0);
    assert_eq!(scene.agent.answer(), ("r1".into(), "approve".into()));
}

#[test]
fn a_click_in_the_inert_time_allows_nothing() {
    let mut scene = Scene::new();
    let program = scene.program(&["answer", "r1", "approve"]);
    let window = scene.desk.window(WINDOW);
    let sight = scene
        .desk
        .see_focused(TITLE, "a confirmation", |sight| sight.offers("Allow"));
    let allow = sight.button("Allow").middle;
    // A key makes it inert again: the click comes right after it.
    for _ in 0..5 {
        scene.desk.press_and_click(&["x"], &window, allow);
    }
    scene.agent.expect_no_answer();
    scene
        .desk
        .see_focused(TITLE, "a confirmation", |sight| sight.offers("Allow"));
    scene.desk.press(&["Escape"]);
    assert_ne!(program.finish().code, Some(0));
    assert_eq!(scene.app.approval("r1")["status"], "pending");
}

#[test]
fn no_key_of_the_approver_is_on_the_disk_and_no_request_answers_without_it() {
    let mut scene = Scene::new();
    assert!(!scene.app.folder().data().join("approver.token").exists());
    for refused in ["dashboard", "answer"] {
        let program = match refused {
            "dashboard" => scene.program(&["dashboard"]),
            _ => scene.program(&["answer", "r1", "stop"]),
        };
        scene
            .desk
            .see_focused(TITLE, "a confirmation", |sight| sight.offers("Allow"));
        scene.desk.press(&["Escape"]);
        assert_ne!(program.finish().code, Some(0), "{refused}");
        scene.desk.until_gone(WINDOW);
    }
    // What the agent itself could try, over its own socket.
    scene.agent.publish("approval_resolved_by_me", &json!({}));
    scene.agent.expect_no_answer();
    assert_eq!(scene.app.approval("r1")["status"], "pending");
}
