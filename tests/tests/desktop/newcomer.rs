//! A newcomer: a home folder in which nobody has heard of Countersign, the app, the real `claude`, and the first question.

use std::time::Instant;

use countersign_tests::{Folder, Home, Models, until};
use serde_json::json;

use crate::harness::{App, Desk};

const TITLE: &str = "Countersign: approval";

#[test]
fn the_first_question_of_claude_is_answered_in_the_dialog_after_one_command() {
    let (desk, folder, home) = (Desk::new(), Folder::new(), Home::new());
    let call = json!({"name": "Bash", "input": {"command": "touch made.txt", "description": "Make a file"}});
    let models = Models::playing(&json!([{"text": "I make it", "calls": [call]}, {"text": "Done"}]));
    let begun = Instant::now();
    let app = App::start_in(&desk, &folder, "");
    let opened = begun.elapsed();
    home.countersign(&folder, &["connect", "claude-code"]).expect(0);
    let connected = begun.elapsed();
    let _claude = home.claude_asked(&folder, &models, "make a file");
    let sight = desk.see_focused(TITLE, "the dialog asks about the command", |sight| {
        sight.is_open() && sight.words().contains("touch made.txt")
    });
    let asked = begun.elapsed();
    assert_eq!(sight.button_words(), ["Stop", "Edit…", "Deny", "Approve"]);
    for words in ["claude-code", "Bash", &home.project().display().to_string()] {
        assert!(sight.words().contains(words), "{words} in {}", sight.words());
    }
    desk.click(&desk.window("^Countersign: approval$"), sight.button("Approve").middle);
    until("the command runs", || home.made("made.txt"));
    let ran = begun.elapsed();
    eprintln!("the window after {opened:?}, connected after {connected:?}, asked after {asked:?}, ran after {ran:?}");
    let approved = app.approvals("approved");
    assert_eq!(approved.len(), 1, "{approved:?}");
    assert_eq!(approved[0]["decision"]["by"], "dialog");
}
