//! The tray's count and its menu, and what the agents get of a click in it.

use countersign_tests::{Folder, until};

use crate::harness::{Agent, App, Desk, arguments};

const DIALOG: &str = "Countersign: approval";
const CONFIRM: &str = "Countersign: confirm";

#[test]
fn it_counts_what_waits() {
    let desk = Desk::new();
    let app = App::start(&desk);
    let tray = desk.tray();
    tray.until_says("Nothing waits for you");
    let calm = tray.icon();
    let mut agent = Agent::connect(app.port, "sam");
    agent.ask("r1", "echo one");
    tray.until_says("1 waiting for you");
    until("another picture", || (tray.icon() != calm).then_some(()));
    agent.ask("r2", "echo two");
    tray.until_says("2 waiting for you");
    for request in ["r1", "r2"] {
        let words = if request == "r1" { "echo one" } else { "echo two" };
        let sight = desk.see_focused(DIALOG, words, |sight| {
            sight.offers("Deny") && sight.words().contains(words)
        });
        desk.click(&desk.window(DIALOG), sight.button("Deny").middle);
        assert_eq!(agent.answer(), (request.into(), "deny".into()));
    }
    tray.until_says("Nothing waits for you");
}

#[test]
fn show_brings_the_window_up() {
    let desk = Desk::new();
    let folder = Folder::new();
    let mut arguments = arguments(&folder, "");
    arguments.push("--hidden".into());
    let _app = App::spawn(&desk, &folder, &arguments);
    let tray = desk.tray();
    assert_eq!(desk.windows("^Countersign$"), [""; 0]);
    tray.click("Show Countersign");
    desk.until_focused(&desk.window("^Countersign$"));
}

#[test]
fn stop_all_names_the_sessions_asks_first_and_stops_each() {
    let desk = Desk::new();
    let app = App::start(&desk);
    let tray = desk.tray();
    let mut first = Agent::connect(app.port, "first");
    let mut second = Agent::connect(app.port, "second");
    first.publish(
        "agent_status",
        &serde_json::json!({"status": "processing", "details": {}}),
    );
    second.ask("r1", "cargo test");
    app.approval("r1");
    until("both sessions are known", || {
        let known = app.get("/api/agents").expect(200).text;
        (known.contains("s-first") && known.contains("s-second")).then_some(())
    });

    tray.click("Stop all sessions…");
    let sight = desk.see_focused(CONFIRM, "a confirmation", |sight| sight.offers("Stop all"));
    for words in ["first / s-first", "second / s-second"] {
        assert!(sight.words().contains(words), "{words} in {}", sight.words());
    }
    desk.press(&["Return"]);
    desk.until_gone(CONFIRM);
    first.expect_no_answer();
    assert_eq!(app.approval("r1")["status"], "pending");

    tray.click("Stop all sessions…");
    let sight = desk.see_focused(CONFIRM, "a confirmation", |sight| sight.offers("Stop all"));
    desk.click(&desk.window(CONFIRM), sight.button("Stop all").middle);
    first.skip_to("stop");
    assert_eq!(second.answer(), ("r1".into(), "stop".into()));
    second.skip_to("stop");
    first.ask("r2", "cargo test");
    assert_eq!(first.answer(), ("r2".into(), "stop".into()));
    desk.until_gone(DIALOG);
}

#[test]
fn quit_closes_the_hub_cleanly() {
    let desk = Desk::new();
    let mut app = App::start(&desk);
    desk.tray().click("Quit");
    assert_eq!(app.wait().code(), Some(0));
    assert!(!app.is_found(), "hub.json is removed");
}
