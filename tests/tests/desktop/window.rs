//! The window: what it shows of an agent, and that its answers reach the agent.

use std::net::TcpListener;

use countersign_tests::Folder;
use serde_json::json;

use crate::harness::{Agent, Desk, Driven, approval};

const DIALOG: &str = "^Countersign: approval$";

/// A desk, the app in WebDriver's hands, and an agent.
struct Scene {
    desk: Desk,
    app: Driven,
    agent: Agent,
}

impl Scene {
    fn new() -> Self {
        let desk = Desk::new();
        let app = Driven::start(&desk, "");
        let agent = Agent::connect(app.port, "sam");
        Self { desk, app, agent }
    }

    /// Puts the dialog away unanswered, as a person does who wants to answer in the window.
    fn go_to_window(&self) {
        let title = "Countersign: approval";
        self.desk
            .see_focused(title, "a dialog that takes keys", |sight| sight.is_open());
        self.desk.press(&["Escape"]);
        self.desk.until_gone(DIALOG);
        // Getting the keyboard back makes the page's answers inert, so it is waited for before one is looked for.
        self.app
            .until("the page has the keyboard", "return document.hasFocus()");
    }

    /// Asks, and answers in the window.
    fn answer(&mut self, request: &str, button: &str) -> (String, String) {
        self.agent.ask(request, "cargo test");
        self.go_to_window();
        self.app.click(&format!("button.{button}[aria-disabled=false]"));
        self.agent.answer()
    }
}

#[test]
fn a_call_is_one_row_with_its_outcome() {
    let mut scene = Scene::new();
    let call = json!({"tool_name": "execute_code", "arguments": {"code": "print('hello')"}});
    scene.agent.publish("tool_call_start", &call);
    let running = scene.app.until_rows(1, &["execute_code", "running"]);
    assert!(running[0].contains("print('hello')"), "{running:?}");
    scene.agent.publish(
        "tool_call_result",
        &json!({"tool_name": "execute_code", "result": "hello\n", "truncated": false}),
    );
    scene.agent.publish(
        "tool_call_end",
        &json!({"tool_name": "execute_code", "success": true, "duration": 0.523, "error": null}),
    );
    scene.app.until_rows(1, &["execute_code", "ok"]);
    scene.agent.publish("tool_call_start", &call);
    scene.agent.publish(
        "tool_call_end",
        &json!({"tool_name": "execute_code", "success": false, "duration": 2.0, "error": "boom"}),
    );
    scene.app.until_rows(1, &["execute_code", "failed"]);
    scene.app.until_rows(2, &["execute_code"]);
}

#[test]
fn the_answers_given_in_the_window_reach_the_agent() {
    let mut scene = Scene::new();
    assert_eq!(scene.answer("r1", "approve"), ("r1".into(), "approve".into()));
    assert_eq!(scene.answer("r2", "deny"), ("r2".into(), "deny".into()));
    assert_eq!(scene.answer("r3", "stop"), ("r3".into(), "stop".into()));
    scene.agent.skip_to("stop");
    for (request, status) in [("r1", "approved"), ("r2", "denied"), ("r3", "stopped")] {
        let found = approval(&scene.app.url(), request);
        assert_eq!(found["status"], status, "{found}");
        assert_eq!(found["decision"]["by"], "window", "{found}");
    }
}

#[test]
fn answered_in_the_window_the_dialog_is_withdrawn() {
    let mut scene = Scene::new();
    scene.agent.ask("r1", "cargo test");
    scene.desk.window(DIALOG);
    // The dialog is modal for a person's clicks; the page's own button can still be pressed by a script.
    scene.app.until(
        "the page's answer is in time",
        "const deny = document.querySelector('button.deny[aria-disabled=false]'); deny?.click(); return deny !== null",
    );
    assert_eq!(scene.agent.answer(), ("r1".into(), "deny".into()));
    scene.desk.until_gone(DIALOG);
}

#[test]
fn a_session_is_stopped_and_the_stop_lifted() {
    let mut scene = Scene::new();
    scene
        .agent
        .publish("agent_status", &json!({"status": "processing", "details": {}}));
    let session = scene.agent.session().to_owned();
    scene.app.click(&format!("button[aria-label='Stop sam / {session}']"));
    scene.app.click("dialog[open] button.danger");
    let stop = scene.agent.skip_to("stop");
    assert_eq!(stop["data"]["session"], session, "{stop}");
    scene.agent.ask("r1", "cargo test");
    assert_eq!(scene.agent.answer(), ("r1".into(), "stop".into()));

    scene
        .app
        .click(&format!("button[aria-label='Lift the stop of sam / {session}']"));
    scene.app.click("dialog[open] footer button:last-child");
    scene.app.until(
        "it can be stopped again",
        &format!("return document.querySelector(\"button[aria-label='Stop sam / {session}']\") !== null"),
    );
    assert_eq!(scene.answer("r2", "approve"), ("r2".into(), "approve".into()));
}

#[test]
fn the_figures_count_what_the_agent_did() {
    let mut scene = Scene::new();
    for _ in 0..3 {
        scene.agent.publish(
            "tool_call_start",
            &json!({"tool_name": "execute_code", "arguments": {}}),
        );
    }
    scene.app.click("nav[aria-label=Views] button:nth-child(3)");
    scene.app.until(
        "three calls are counted",
        "return [...document.querySelectorAll('.tools tr')].some((row) => /execute_code\\s*3/.test(row.textContent))",
    );
}

#[test]
fn a_server_is_attached_in_the_window_and_its_agents_are_shown() {
    let scene = Scene::new();
    let other = countersign_tests::Hub::start();
    scene.app.click("nav[aria-label=Views] button:last-child");
    scene.app.click("section header button");
    let fill = |field: &str, value: &str| {
        format!(
            "const field = document.querySelector('form {field}'); if (field === null) return false; field.value = '{value}'; \
             field.dispatchEvent(new Event('input', {{ bubbles: true }})); return true"
        )
    };
    scene
        .app
        .until("the name is given", &fill("label:first-of-type input", "lab"));
    let url = other.url().replace("http://", "ws://");
    scene
        .app
        .until("the address is given", &fill("input.mono", &format!("{url}/")));
    scene.app.click("form button[type=submit]");
    scene.app.until(
        "it is connected",
        "return [...document.querySelectorAll('.scroll section li')].some((line) => /lab[^]*connected/.test(line.textContent))",
    );
    let mut far = Agent::connect(other.port, "far");
    far.publish("tool_call_start", &json!({"tool_name": "grep", "arguments": {}}));
    scene.app.click("nav[aria-label=Views] button:first-child");
    scene.app.until_rows(1, &["lab/far", "grep"]);
}

#[test]
fn a_run_that_waits_for_a_person_says_why_until_it_goes_on() {
    let mut scene = Scene::new();
    let reason = "HITL: read clause 7";
    scene.agent.publish("execution_paused", &json!({ "reason": reason }));
    let waits = format!("return document.querySelector('.rail .needs_you')?.textContent.includes('{reason}')");
    scene.app.until("it needs you, and why", &waits);
    scene.agent.publish("goal_progress", &json!({"progress": 0.4}));
    scene.agent.publish("execution_resumed", &json!({}));
    scene.app.until(
        "it goes on, and how far it is",
        "return document.querySelector('.rail .needs_you') === null && \
         document.querySelector('.rail [role=progressbar]')?.getAttribute('aria-valuenow') === '40'",
    );
}

#[test]
fn a_reload_loses_no_row_and_doubles_none() {
    let mut scene = Scene::new();
    scene
        .agent
        .publish("agent_status", &json!({"status": "first", "details": {}}));
    scene.app.until_rows(1, &["status", "first"]);
    for round in 0..12 {
        scene.app.reload();
        let status = format!("round {round}.");
        scene
            .agent
            .publish("agent_status", &json!({"status": status, "details": {}}));
        scene.app.until_rows(1, &["status", &status]);
    }
    scene.app.until_rows(1, &["status", "first"]);
    scene.app.until_rows(12, &["status", "round"]);
}

#[test]
fn a_hub_that_is_switched_off_says_so_in_the_window() {
    let desk = Desk::new();
    let folder = Folder::new();
    let config = folder.write("config.json", r#"{"websocket": {"enabled": false}}"#);
    let app = Driven::with_config(&desk, &folder, &config);
    let banner = app.until("a banner", "return document.querySelector('.banner.bad')?.textContent");
    assert!(
        banner
            .as_str()
            .is_some_and(|text| text.contains("switched off") && text.contains("enabled")),
        "{banner}"
    );
    app.until(
        "no address in the status line",
        "return document.querySelector('footer').textContent.includes('not listening')",
    );
}

#[test]
fn a_port_in_use_is_named_in_the_window() {
    let desk = Desk::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let _v6 = TcpListener::bind(("::1", port));
    let folder = Folder::new();
    let config = folder.write("countersign.toml", &format!("port = {port}\n"));
    let app = Driven::with_config(&desk, &folder, &config);
    let banner = app.until("a banner", "return document.querySelector('.banner.bad')?.textContent");
    assert!(
        banner
            .as_str()
            .is_some_and(|text| text.contains(&port.to_string()) && text.contains("--port")),
        "{banner}"
    );
}
