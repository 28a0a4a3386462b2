//! How the app starts, goes on without its window, and ends. The desk has no tray host, so none of this needs one.

use countersign_tests::{Folder, Hub, Peer, Ws};

use crate::harness::{Agent, App, Desk, approval, arguments, command, wait};

const WINDOW: &str = "^Countersign$";
const DIALOG: &str = "Countersign: approval";

fn answer(desk: &Desk, command: &str, button: &str) {
    let sight = desk.see_focused(DIALOG, "an open dialog", |sight| {
        sight.offers(button) && sight.words().contains(command)
    });
    desk.click(&desk.window(DIALOG), sight.button(button).middle);
}

#[test]
fn without_its_window_the_hub_serves_and_the_dialog_asks() {
    let desk = Desk::new();
    let mut app = App::start(&desk);
    let mut agent = Agent::connect(app.port, "sam");
    let window = desk.window(WINDOW);
    desk.until_focused(&window);
    desk.close(&window);
    desk.until_gone(WINDOW);
    agent.ask("r1", "cargo test");
    answer(&desk, "cargo test", "Approve");
    assert_eq!(agent.answer(), ("r1".into(), "approve".into()));
    assert!(app.runs());
    assert_eq!(desk.windows(WINDOW), [""; 0]);
}

#[test]
fn a_second_launch_brings_up_the_first_ones_window_and_ends() {
    let desk = Desk::new();
    let folder = Folder::new();
    let mut app = App::start_in(&desk, &folder, "");
    let window = desk.window(WINDOW);
    desk.until_focused(&window);
    desk.close(&window);
    desk.until_gone(WINDOW);
    let mut second = command(&desk, &folder, &arguments(&folder, ""))
        .spawn()
        .expect("it starts");
    assert_eq!(wait(&mut second).code(), Some(0));
    desk.until_focused(&desk.window(WINDOW));
    assert!(app.runs());
    assert_eq!(app.get("/healthz").status, 200);
}

#[test]
fn on_other_data_a_second_app_is_one_of_its_own() {
    let desk = Desk::new();
    let mut first = App::start(&desk);
    let folder = Folder::new();
    let mut second = App::spawn(&desk, &folder, &arguments(&folder, ""));
    assert_ne!(first.port, second.port);
    assert!(first.runs() && second.runs());
}

#[test]
fn sigterm_closes_it_cleanly() {
    let desk = Desk::new();
    let mut app = App::start(&desk);
    let mut monitor = Ws::connect(app.port, "/?types=*");
    monitor.expect("hello");
    let mut agent = Agent::connect(app.port, "sam");
    let seq = agent.publish("note", &serde_json::json!({}));
    assert_eq!(app.terminate().code(), Some(0));
    assert!(!app.is_found(), "hub.json is removed");
    let mut left: Vec<_> = std::fs::read_dir(app.folder().data())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with("history"))
        .collect();
    left.sort();
    assert_eq!(left, ["history.sqlite"], "all of it is in the one file");
    monitor.closed();
    let folder = app.folder();
    let app = App::start_in(&desk, &folder, "");
    let rows = app.get("/api/events?types=note").expect(200).json();
    assert_eq!(rows["events"][0]["seq"], seq, "{rows}");
}

#[test]
fn a_restart_keeps_what_waits_and_asks_again() {
    let desk = Desk::new();
    let folder = Folder::new();
    for (round, end) in ["sigterm", "kill -9"].into_iter().enumerate() {
        let (request, words) = (format!("r{round}"), format!("cargo test {round}"));
        let mut app = App::start_in(&desk, &folder, "");
        let mut agent = Agent::connect(app.port, "sam");
        agent.ask(&request, &words);
        desk.see(DIALOG, "the dialog", |sight| sight.words().contains(&words));
        if end == "sigterm" {
            assert_eq!(app.terminate().code(), Some(0));
        } else {
            app.kill();
        }
        drop(app);
        desk.until_gone(DIALOG);

        let mut app = App::start_in(&desk, &folder, "");
        assert_eq!(approval(&app.url(), &request)["status"], "pending", "after {end}");
        // The agent comes back and asks again: the same request, not another one.
        let mut agent = Agent::connect(app.port, "sam");
        agent.ask(&request, &words);
        answer(&desk, &words, "Deny");
        assert_eq!(agent.answer(), (request, "deny".into()));
        assert_eq!(app.terminate().code(), Some(0));
    }
}

#[test]
fn without_a_display_it_says_so() {
    let desk = Desk::new();
    let folder = Folder::new();
    for display in [None, Some(":4242")] {
        let mut command = command(&desk, &folder, &arguments(&folder, ""));
        match display {
            None => command.env_remove("DISPLAY"),
            Some(display) => command.env("DISPLAY", display),
        };
        command.stderr(std::process::Stdio::piped());
        let output = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{display:?}: {said}");
        assert!(
            said.contains("display") && !said.contains("panicked"),
            "{display:?}: {said}"
        );
    }
}

#[test]
fn a_configuration_that_cannot_be_used_is_named() {
    let desk = Desk::new();
    let folder = Folder::new();
    let arguments = arguments(&folder, "port = \"many\"\n");
    let mut command = command(&desk, &folder, &arguments);
    command.stderr(std::process::Stdio::piped());
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("countersign.toml") && !said.contains("panicked"),
        "{said}"
    );
}

#[test]
fn a_data_folder_in_use_is_said_in_a_window() {
    let desk = Desk::new();
    let hub = Hub::start();
    let arguments = arguments(&hub.folder, "");
    let mut app = command(&desk, &hub.folder, &arguments).spawn().expect("it starts");
    desk.window(WINDOW);
    assert!(matches!(app.try_wait(), Ok(None)));
    // The hub that was there goes on, and is the one that is found.
    assert_eq!(hub.get("/healthz").status, 200);
    assert!(hub.folder.data().join("hub.json").exists());
    app.kill().expect("it runs");
    app.wait().expect("it ran");
}
