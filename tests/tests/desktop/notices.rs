//! Notifications, as a real daemon on the session bus got them.

use countersign_tests::{Folder, until};
use serde_json::json;

use crate::harness::{Agent, App, Desk, arguments};

const DIALOG: &str = "Countersign: approval";

/// A desk with a notification daemon, and an app without its window on the screen.
fn hidden() -> (Desk, App, Agent) {
    let mut desk = Desk::new();
    desk.start_notifications();
    let folder = Folder::new();
    let mut arguments = arguments(&folder, "");
    arguments.push("--hidden".into());
    let app = App::spawn(&desk, &folder, &arguments);
    let agent = Agent::connect(app.port, "sam");
    (desk, app, agent)
}

fn failure(error: &str) -> serde_json::Value {
    json!({"tool_name": "bash", "success": false, "duration": 1.0, "error": error})
}

#[test]
fn requests_failures_interventions_and_stops_are_told_by_name() {
    let (desk, app, mut agent) = hidden();
    assert_eq!(desk.windows("^Countersign$"), [""; 0], "--hidden");
    agent.publish("tool_call_end", &failure("exit 2"));
    let told = desk.until_told("sam: bash failed");
    assert!(told.body.contains("s-sam") && told.body.contains("exit 2"), "{told:?}");

    agent.publish(
        "system2_intervention",
        &json!({"intervention_type": "loop", "action": "break_execution", "details": {"message": "the same call five times"}}),
    );
    let told = desk.until_told("sam: system 2 stepped in");
    assert!(
        told.body.contains("s-sam") && told.body.contains("break_execution"),
        "{told:?}"
    );

    agent.publish(
        "system3_intervention",
        &json!({"action": "block_execution", "details": {"reason": "a protected file"}}),
    );
    let told = desk.until_told("sam: system 3 stepped in");
    assert!(
        told.body.contains("s-sam") && told.body.contains("a protected file"),
        "{told:?}"
    );

    agent.ask("r1", "cargo publish");
    let told = desk.until_told("sam asks to run bash");
    assert!(
        told.body.contains("s-sam") && told.body.contains("cargo publish"),
        "{told:?}"
    );

    let sight = desk.see_focused(DIALOG, "the dialog without a window", |sight| sight.offers("Stop"));
    desk.click(&desk.window(DIALOG), sight.button("Stop").middle);
    assert_eq!(agent.answer(), ("r1".into(), "stop".into()));
    let told = desk.until_told("sam was stopped");
    assert!(told.body.contains("s-sam"), "{told:?}");
    drop(app);
}

#[test]
fn runs_constraints_and_an_agents_own_words_are_told() {
    let (desk, _app, mut agent) = hidden();
    for (kind, data, summary, words) in [
        (
            "execution_failed",
            json!({"error": "no price for EU-W"}),
            "sam: the run failed",
            "no price for EU-W",
        ),
        (
            "constraint_violation",
            json!({"constraint": "discount <= 0.2"}),
            "sam: a constraint was violated",
            "discount &lt;= 0.2",
        ),
        (
            "execution_completed",
            json!({"output": "42 rows"}),
            "sam: the run is completed",
            "42 rows",
        ),
        (
            "execution_paused",
            json!({"reason": "HITL: read clause 7"}),
            "sam waits for you",
            "clause 7",
        ),
        (
            "notification",
            json!({"level": "warning", "message": "not saved"}),
            "sam: warning",
            "not saved",
        ),
    ] {
        agent.publish(kind, &data);
        let told = desk.until_told(summary);
        assert!(told.body.contains("s-sam") && told.body.contains(words), "{told:?}");
    }
}

#[test]
fn what_went_well_is_not_told() {
    let (desk, _app, mut agent) = hidden();
    agent.publish("tool_call_start", &json!({"tool_name": "bash", "arguments": {}}));
    agent.publish(
        "tool_call_end",
        &json!({"tool_name": "bash", "success": true, "duration": 1.0}),
    );
    agent.publish("agent_status", &json!({"status": "processing", "details": {}}));
    agent.publish("tool_call_end", &failure("the last"));
    desk.until_told("sam: bash failed");
    assert_eq!(desk.told().len(), 1, "{:?}", desk.told());
}

#[test]
fn an_agents_words_are_no_markup_and_hide_nothing() {
    let (desk, app, _) = hidden();
    let mut agent = Agent::connect(app.port, "<b>a</b>&\u{202e}");
    agent.publish(
        "tool_call_end",
        &failure("<a href=\"https://example.org\">click</a> & \u{202e}txt.exe"),
    );
    let told = desk.until_told("<b>a</b>&⟨U+202E⟩: bash failed");
    for words in [
        "&lt;a href=\"https://example.org\"&gt;click&lt;/a&gt; &amp; ⟨U+202E⟩txt.exe",
        "s-&lt;b&gt;",
    ] {
        assert!(told.body.contains(words), "{words} in {told:?}");
    }
}

#[test]
fn nobody_is_told_what_they_are_looking_at() {
    let mut desk = Desk::new();
    desk.start_notifications();
    let app = App::start(&desk);
    let mut agent = Agent::connect(app.port, "sam");
    let window = desk.window("^Countersign$");
    desk.until_active("Countersign");
    agent.publish("tool_call_end", &failure("in front"));
    app.until_log("not told");
    desk.close(&window);
    desk.until_gone("^Countersign$");
    agent.publish("tool_call_end", &failure("behind"));
    desk.until_told("sam: bash failed");
    let told = desk.told();
    assert!(told.len() == 1 && told[0].body.contains("behind"), "{told:?}");
}

#[test]
fn a_click_leads_to_the_window() {
    let (desk, _app, mut agent) = hidden();
    agent.publish("tool_call_end", &failure("exit 2"));
    until("it is shown", || (desk.notifications_shown() == 1).then_some(()));
    desk.click_notification();
    desk.until_focused(&desk.window("^Countersign$"));
}

#[test]
fn an_answered_request_is_taken_back() {
    let (desk, _app, mut agent) = hidden();
    agent.ask("r1", "cargo publish");
    until("it is shown", || (desk.notifications_shown() == 1).then_some(()));
    let sight = desk.see_focused(DIALOG, "an open dialog", |sight| sight.offers("Approve"));
    desk.click(&desk.window(DIALOG), sight.button("Approve").middle);
    assert_eq!(agent.answer(), ("r1".into(), "approve".into()));
    until("it is taken back", || (desk.notifications_shown() == 0).then_some(()));
}

#[test]
fn a_burst_is_summed_up() {
    let (desk, _app, agent) = hidden();
    let failures = (0..12).map(|number| failure(&format!("failure {number}.")));
    agent.publish_together("tool_call_end", failures);
    let told = desk.until_told("7 more events");
    assert!(told.body.contains("window"), "{told:?}");
    assert_eq!(desk.told().len(), 6, "{:?}", desk.told());
}

#[test]
fn a_daemon_that_hangs_holds_nobody_up() {
    let (desk, mut app, mut agent) = hidden();
    desk.freeze_notifications();
    for number in 0..20 {
        agent.publish("tool_call_end", &failure(&format!("failure {number}.")));
    }
    agent.ask("r1", "cargo publish");
    let sight = desk.see_focused(DIALOG, "an open dialog", |sight| sight.offers("Approve"));
    desk.click(&desk.window(DIALOG), sight.button("Approve").middle);
    assert_eq!(agent.answer(), ("r1".into(), "approve".into()));
    agent.publish("tool_call_end", &failure("the last"));
    assert_eq!(app.terminate().code(), Some(0));
}
