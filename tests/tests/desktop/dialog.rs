//! The native dialog, answered with real keys and clicks. Every test asserts what the agent on the socket got.

use std::time::{Duration, Instant};

use countersign_tests::until;
use serde_json::json;

use crate::harness::{Agent, App, Desk, Sight};

const TITLE: &str = "Countersign: approval";
const WINDOW: &str = "^Countersign: approval$";
/// How long answers stay inert (DESIGN.md section 3).
const INERT: Duration = Duration::from_millis(800);

struct Scene {
    desk: Desk,
    app: App,
    agent: Agent,
}

impl Scene {
    fn new() -> Self {
        let desk = Desk::new();
        let app = App::start(&desk);
        let agent = Agent::connect(app.port, "sam");
        Self { desk, app, agent }
    }

    /// Waits for the dialog with these words whose buttons can be pressed.
    fn open(&self, words: &str) -> Sight {
        self.desk
            .see(TITLE, &format!("an open dialog with {words:?}"), |sight| {
                sight.is_open() && sight.words().contains(words)
            })
    }

    /// Waits until the dialog with these words has the keyboard and its buttons can be pressed.
    fn open_for_keys(&self, words: &str) -> Sight {
        self.desk
            .see_focused(TITLE, &format!("an open dialog with {words:?}"), |sight| {
                sight.is_open() && sight.words().contains(words)
            })
    }

    /// Presses a button of the dialog with these words, once it can be pressed.
    fn click(&self, words: &str, button: &str) {
        let sight = self.open_for_keys(words);
        self.desk.click(&self.desk.window(WINDOW), sight.button(button).middle);
    }

    fn is_pending(&self, request: &str) -> bool {
        self.app.approval(request)["status"] == "pending"
    }
}

#[test]
fn approve_by_click() {
    let mut scene = Scene::new();
    scene
        .agent
        .ask_for(&json!({"request_id": "r1", "tool_name": "bash", "cwd": "/srv/shop",
        "arguments": {"command": "cargo test", "timeout": 20}}));
    let sight = scene.open("cargo test");
    assert_eq!(sight.button_words(), ["Stop", "Deny", "Approve"]);
    for words in ["sam", "s-sam", "bash", "/srv/shop", "cargo test", "\"timeout\": 20"] {
        assert!(sight.words().contains(words), "{words} in {}", sight.words());
    }
    scene.click("cargo test", "Approve");
    assert_eq!(scene.agent.answer(), ("r1".into(), "approve".into()));
    scene.desk.until_gone(WINDOW);
    let approval = scene.app.until_status("r1", "approved");
    assert_eq!(approval["decision"]["by"], "dialog", "{approval}");
}

#[test]
fn deny_by_click() {
    let mut scene = Scene::new();
    scene.agent.ask("r1", "cargo test");
    scene.click("cargo test", "Deny");
    assert_eq!(scene.agent.answer(), ("r1".into(), "deny".into()));
    scene.desk.until_gone(WINDOW);
}

#[test]
fn stop_by_click_ends_the_run() {
    let mut scene = Scene::new();
    scene.agent.ask("r1", "cargo test");
    scene.click("cargo test", "Stop");
    assert_eq!(scene.agent.answer(), ("r1".into(), "stop".into()));
    scene.agent.skip_to("stop");
    scene.agent.ask("r2", "cargo run");
    assert_eq!(scene.agent.answer(), ("r2".into(), "stop".into()));
    scene.desk.until_gone(WINDOW);
}

#[test]
fn a_button_reached_by_keyboard_answers_once_the_time_has_passed_again() {
    let mut scene = Scene::new();
    scene.agent.ask("r1", "cargo test");
    scene.open_for_keys("cargo test");
    scene.desk.press(&["Tab"]);
    scene.desk.see(TITLE, "Tab goes to a button", |sight| {
        sight.buttons().iter().any(|button| button.focused)
    });
    let sight = scene.open("cargo test");
    let focused: Vec<_> = sight.buttons().into_iter().filter(|button| button.focused).collect();
    let expected = match focused[..] {
        [button] if button.words == "Approve" => "approve",
        [button] if button.words == "Deny" => "deny",
        [button] if button.words == "Stop" => "stop",
        _ => panic!("{sight:?}"),
    };
    scene.desk.press(&["Return"]);
    assert_eq!(scene.agent.answer(), ("r1".into(), expected.into()));
}

#[test]
fn escape_answers_nothing_and_the_dialog_does_not_come_back() {
    let mut scene = Scene::new();
    scene.agent.ask("r1", "cargo test");
    scene.open_for_keys("cargo test");
    scene.desk.press(&["Escape"]);
    scene.desk.until_gone(WINDOW);
    assert!(scene.is_pending("r1"));
    // A later request is asked about, the closed one does not stand in line behind it, and it does not come back after it.
    scene.agent.ask("r2", "cargo run");
    let sight = scene.open("cargo run");
    assert!(!sight.words().contains("more wait"), "{}", sight.words());
    scene.click("cargo run", "Deny");
    assert_eq!(scene.agent.answer(), ("r2".into(), "deny".into()));
    scene.desk.until_gone(WINDOW);
    std::thread::sleep(INERT);
    assert_eq!(scene.desk.windows(WINDOW), [""; 0]);
    assert!(scene.is_pending("r1"));
    scene.agent.expect_no_answer();
}

#[test]
fn closing_it_answers_nothing() {
    let mut scene = Scene::new();
    scene.agent.ask("r1", "cargo test");
    scene.open("cargo test");
    scene.desk.close(&scene.desk.window(WINDOW));
    scene.desk.until_gone(WINDOW);
    assert!(scene.is_pending("r1"));
    scene.agent.expect_no_answer();
}

#[test]
fn return_answers_nothing_since_nothing_has_the_focus() {
    let mut scene = Scene::new();
    scene.agent.ask("r1", "cargo test");
    let sight = scene.open_for_keys("cargo test");
    assert!(sight.buttons().iter().all(|button| !button.focused), "{sight:?}");
    for key in ["Return", "space", "KP_Enter", "a", "y"] {
        scene.open("cargo test");
        scene.desk.press(&[key]);
    }
    scene.open("cargo test");
    assert!(scene.is_pending("r1"));
    scene.agent.expect_no_answer();
}

#[test]
fn a_click_and_a_key_in_the_inert_time_answer_nothing() {
    let mut scene = Scene::new();
    // Asserted is what was in time for certain. On a busy machine a dialog may open too late for that: then the next one is tried.
    for round in 0..20 {
        let request = format!("r{round}");
        let asked = Instant::now();
        scene.agent.ask(&request, "cargo test");
        let window = scene.desk.window(WINDOW);
        let (width, height) = scene.desk.size(&window);
        let approve = (width - 84, height - 40);
        scene.desk.click(&window, approve);
        let in_time = asked.elapsed() < INERT * 3 / 4;
        if in_time {
            // The first key starts the time anew for the others.
            scene.desk.press(&["Tab", "Return", "space", "Escape"]);
            scene.agent.expect_no_answer();
            assert!(scene.is_pending(&request));
            assert_eq!(scene.desk.windows(WINDOW), [window], "Escape is inert too");
            // The very place that was clicked answers, once the time has passed.
            let (x, y) = scene.open("cargo test").button("Approve").middle;
            assert!(
                (x - approve.0).abs() < 30 && (y - approve.1).abs() < 12,
                "{:?} was clicked, not {:?}",
                approve,
                (x, y)
            );
        }
        if scene.is_pending(&request) {
            scene.click("cargo test", "Approve");
        }
        assert_eq!(scene.agent.answer(), (request, "approve".into()));
        scene.desk.until_gone(WINDOW);
        if in_time {
            return;
        }
    }
    panic!("no dialog opened in time to be clicked in its inert time");
}

#[test]
fn typing_keeps_it_inert() {
    let mut scene = Scene::new();
    scene.agent.ask("r1", "cargo test");
    let window = scene.desk.window(WINDOW);
    scene.desk.until_focused(&window);
    let middle = scene.open("cargo test").button("Approve").middle;
    // For several times the inert time: some keys, and at once a click on Approve.
    let begun = Instant::now();
    while begun.elapsed() < INERT * 4 {
        scene
            .desk
            .press_and_click(&["h", "i", "space", "Return"], &window, middle);
    }
    assert!(scene.is_pending("r1"));
    scene.agent.expect_no_answer();
    scene.click("cargo test", "Deny");
    assert_eq!(scene.agent.answer(), ("r1".into(), "deny".into()));
}

#[test]
fn a_request_that_expires_is_withdrawn() {
    let mut scene = Scene::new();
    scene.agent.ask_for(
        &json!({"request_id": "r1", "tool_name": "bash", "arguments": {"command": "cargo test"}, "timeout": 10}),
    );
    scene.desk.window(WINDOW);
    assert_eq!(scene.agent.answer(), ("r1".into(), "deny".into()));
    scene.desk.until_gone(WINDOW);
    scene.app.until_status("r1", "expired");
}

#[test]
fn three_at_once_are_asked_one_by_one_and_each_agent_gets_its_own() {
    let Scene {
        desk,
        app,
        agent: mut first,
    } = Scene::new();
    let mut second = Agent::connect(app.port, "second");
    let mut third = Agent::connect(app.port, "third");
    for (agent, command) in [
        (&mut first, "echo one"),
        (&mut second, "echo two"),
        (&mut third, "echo three"),
    ] {
        // One name for all three: requests are told apart by their agent.
        agent.ask("r1", command);
        until("it waits", || {
            app.approvals("pending")
                .iter()
                .any(|found| found["arguments"]["command"] == command)
                .then_some(())
        });
    }
    let scene = Scene {
        desk,
        app,
        agent: first,
    };
    for (command, behind, button) in [
        ("echo one", "2 more wait", "Approve"),
        ("echo two", "1 more waits", "Deny"),
        ("echo three", "", "Stop"),
    ] {
        let sight = scene.desk.see(TITLE, command, |sight| {
            sight.is_open() && sight.words().contains(command) && sight.words().contains(behind)
        });
        assert_eq!(
            sight.words().contains("more wait"),
            !behind.is_empty(),
            "{}",
            sight.words()
        );
        assert_eq!(scene.desk.windows(WINDOW).len(), 1);
        scene.click(command, button);
        until("it went away", || {
            let sight = scene.desk.look(TITLE);
            sight.is_none_or(|sight| !sight.words().contains(command)).then_some(())
        });
    }
    let Scene { agent: mut first, .. } = scene;
    for (agent, expected) in [(&mut first, "approve"), (&mut second, "deny"), (&mut third, "stop")] {
        assert_eq!(agent.answer(), ("r1".into(), expected.into()));
        if expected == "stop" {
            agent.skip_to("stop");
        }
        agent.expect_no_answer();
    }
}

#[test]
fn a_request_too_long_to_show_is_not_approved_in_the_dialog_but_shown_in_the_window() {
    let mut scene = Scene::new();
    let main = scene.desk.window("^Countersign$");
    let long: Vec<_> = (0..80).map(|line| format!("echo line {line}")).collect();
    scene.agent.ask("r1", &long.join("\n"));
    let sight = scene.open("echo line 0");
    assert_eq!(sight.button_words(), ["Stop", "Deny", "Show"]);
    scene.click("echo line 0", "Show");
    scene.desk.until_gone(WINDOW);
    scene.desk.until_focused(&main);
    assert!(scene.is_pending("r1"));
    scene.agent.expect_no_answer();
    // Closed or not, the window is brought up.
    scene.desk.close(&main);
    scene.desk.until_gone("^Countersign$");
    scene.agent.ask("r2", &"y".repeat(5_000));
    scene.click("yyyy", "Show");
    scene.desk.until_focused(&scene.desk.window("^Countersign$"));
    assert!(scene.is_pending("r2"));
    scene.agent.ask("r3", &"z".repeat(5_000));
    scene.click("zzzz", "Deny");
    assert_eq!(scene.agent.answer(), ("r3".into(), "deny".into()));
}

#[test]
fn text_that_would_lie_is_spelled_out() {
    let mut scene = Scene::new();
    scene.agent.ask_for(&json!({"request_id": "r1", "tool_name": "ba\u{202e}hs<b>", "cwd": "/srv/\u{200b}shop\nfolder <i>&amp;",
        "arguments": {"command": "rm \u{202e}gpj.tac\0 <span foreground='white'>-rf</span> a\u{200b}b &lt;\rls\u{1b}[2K\n\tnext",
            "k\u{2066}ey": "v\u{feff}"}}));
    let words = scene.open("rm ").words();
    for shown in [
        "ba⟨U+202E⟩hs<b>",
        "/srv/⟨U+200B⟩shop⟨U+000A⟩folder <i>&amp;",
        "rm ⟨U+202E⟩gpj.tac⟨U+0000⟩ <span foreground='white'>-rf</span> a⟨U+200B⟩b &lt;⟨U+000D⟩ls⟨U+001B⟩[2K\n\tnext",
        "v⟨U+FEFF⟩",
    ] {
        assert!(words.contains(shown), "{shown} in {words}");
    }
    let hidden = |character: &char| character.is_control() && !matches!(character, '\n' | '\t');
    assert!(
        !words
            .chars()
            .any(|character| hidden(&character) || matches!(character, '\u{202e}' | '\u{200b}' | '\u{2066}'))
    );
    if let Some(folder) = std::env::var_os("COUNTERSIGN_TEST_PICTURES") {
        scene.desk.picture(&std::path::Path::new(&folder).join("hostile.png"));
    }
    scene.click("rm ", "Deny");
    assert_eq!(scene.agent.answer(), ("r1".into(), "deny".into()));
}

#[test]
fn what_is_answered_by_itself_opens_no_dialog() {
    let mut scene = Scene::new();
    scene.agent.ask("r1", "cargo test");
    scene.click("cargo test", "Stop");
    assert_eq!(scene.agent.answer(), ("r1".into(), "stop".into()));
    scene.desk.until_gone(WINDOW);
    for round in 2..12 {
        let request = format!("r{round}");
        scene.agent.ask(&request, "cargo run");
        assert_eq!(scene.agent.answer(), (request, "stop".into()));
        assert_eq!(scene.desk.windows(WINDOW), [""; 0]);
    }
    std::thread::sleep(INERT);
    assert_eq!(scene.desk.windows(WINDOW), [""; 0]);
}

#[test]
fn getting_the_focus_back_makes_it_inert_again() {
    let mut scene = Scene::new();
    scene.agent.ask("r1", "cargo test");
    let window = scene.desk.window(WINDOW);
    let middle = scene.open("cargo test").button("Approve").middle;
    scene
        .desk
        .start("xev", &["-name", "elsewhere", "-geometry", "200x100+0+0"]);
    let elsewhere = scene.desk.window("^elsewhere$");
    for round in 0..5 {
        scene.desk.run("xdotool", &["windowactivate", "--sync", &elsewhere]);
        scene.open("cargo test");
        // From the window manager or by the very click on the button: either way it has just got the focus.
        if round % 2 == 0 {
            scene.desk.activate_and_click(&window, middle);
        } else {
            scene.desk.click(&window, middle);
        }
        scene.desk.until_focused(&window);
        assert!(scene.is_pending("r1"), "round {round}");
    }
    scene.agent.expect_no_answer();
    scene.click("cargo test", "Approve");
    assert_eq!(scene.agent.answer(), ("r1".into(), "approve".into()));
}
