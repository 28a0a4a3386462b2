//! What the hooks of Claude Code and Codex ask, in the native dialog: permissions that the agent keeps, a word to it, no stop where
//! none can be carried out, plans and questions.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{App, Desk, Driven, Hook, Sight};

const TITLE: &str = "Countersign: approval";
const WINDOW: &str = "^Countersign: approval$";

struct Scene {
    desk: Desk,
    app: App,
}

impl Scene {
    fn new() -> Self {
        let desk = Desk::new();
        let app = App::start(&desk);
        Self { desk, app }
    }

    fn claude(&self, tool: &str, input: &Value, suggestions: &Value) -> Hook {
        let hook = json!({
            "session_id": "s1", "cwd": "/srv/shop", "permission_mode": "default", "hook_event_name": "PermissionRequest",
            "tool_name": tool, "tool_input": input, "permission_suggestions": suggestions
        });
        Hook::ask(&self.app.url(), "claude-code", &hook)
    }

    /// Waits until the dialog with these words has the keyboard and its buttons can be pressed.
    fn open(&self, words: &str) -> Sight {
        let what = format!("an open dialog with {words:?}");
        self.desk
            .see_focused(TITLE, &what, |sight| sight.is_open() && sight.words().contains(words))
    }

    fn click(&self, words: &str, button: &str) {
        let sight = self.open(words);
        self.click_at(sight.button(button).middle);
    }

    fn click_at(&self, place: (i32, i32)) {
        self.desk.click(&self.desk.window(WINDOW), place);
    }

    fn picture(&self, name: &str) {
        if let Some(folder) = std::env::var_os("COUNTERSIGN_TEST_PICTURES") {
            self.desk.picture(&Path::new(&folder).join(name));
        }
    }
}

fn decision(said: &Value) -> &Value {
    &said["hookSpecificOutput"]["decision"]
}

fn suggestions() -> Value {
    json!([
        {"type": "addRules", "rules": [{"toolName": "Bash", "ruleContent": "npm \u{202e}test:*"}], "behavior": "allow", "destination": "localSettings"},
        {"type": "setMode", "mode": "acceptEdits", "destination": "session"}
    ])
}

#[test]
fn an_approval_takes_the_permissions_along_that_were_ticked() {
    let scene = Scene::new();
    let hook = scene.claude(
        "Bash",
        &json!({"command": "npm test", "description": "Run it"}),
        &suggestions(),
    );
    let sight = scene.open("npm test");
    assert_eq!(sight.button_words(), ["Stop", "Edit…", "Deny", "Approve"]);
    let words: Vec<_> = sight.ticks().iter().map(|tick| tick.words.clone()).collect();
    assert_eq!(words.len(), 2, "{sight:?}");
    assert!(words[0].contains("npm ⟨U+202E⟩test"), "{words:?}");
    assert!(sight.ticks().iter().all(|tick| !tick.checked), "nothing is preset");
    scene.picture("grants.png");
    scene.click_at(sight.ticks()[1].middle);
    scene.desk.see(TITLE, "the second is ticked", |sight| {
        sight.ticks().get(1).is_some_and(|tick| tick.checked)
    });
    scene.click("npm test", "Approve");
    let said = hook.said();
    assert_eq!(decision(&said)["behavior"], "allow", "{said}");
    assert_eq!(
        decision(&said)["updatedPermissions"],
        json!([suggestions()[1]]),
        "{said}"
    );
    scene.desk.until_gone(WINDOW);
}

#[test]
fn a_denial_takes_the_note_along_and_no_permission_and_typing_it_answers_nothing() {
    let scene = Scene::new();
    let hook = scene.claude("Bash", &json!({"command": "npm test"}), &suggestions());
    let sight = scene.open("npm test");
    scene.click_at(sight.ticks()[0].middle);
    scene.click_at(sight.note().middle);
    scene.desk.press(&["n", "o", "space", "Return", "d", "o", "g", "s"]);
    scene
        .desk
        .see(TITLE, "the note is written", |sight| sight.note().words == "no dogs");
    scene.click("npm test", "Deny");
    let said = hook.said();
    assert_eq!(decision(&said)["behavior"], "deny", "{said}");
    assert!(
        decision(&said)["message"]
            .as_str()
            .is_some_and(|words| words.contains("no dogs")),
        "{said}"
    );
    assert_eq!(decision(&said)["updatedPermissions"], Value::Null, "{said}");
}

#[test]
fn other_arguments_are_written_in_the_window_to_which_the_dialog_leads() {
    let desk = Desk::new();
    let app = Driven::start(&desk, "");
    let ask = |command: &str| {
        let hook = json!({
            "session_id": "s1", "cwd": "/srv/shop", "permission_mode": "default", "hook_event_name": "PermissionRequest",
            "tool_name": "Bash", "tool_input": {"command": command, "timeout": 20}
        });
        Hook::ask(&app.url(), "claude-code", &hook)
    };
    let hook = ask("npm test");
    let open = |sight: &Sight| sight.is_open() && sight.words().contains("npm test");
    let sight = desk.see_focused(TITLE, "the dialog", open);
    let _second = ask("npm publish");
    desk.see(TITLE, "one more in line", |sight| {
        sight.words().contains("1 more waits")
    });
    desk.click(&desk.window(WINDOW), sight.button("Edit…").middle);
    // The next in line does not come between: the window shows all that wait.
    desk.until_gone(WINDOW);
    app.until(
        "the arguments are open for editing",
        "const field = document.querySelector('dialog.edit[open] textarea'); if (field?.value !== 'npm test') return false; \
         field.value = 'npm test -- --quick'; field.dispatchEvent(new Event('input', { bubbles: true })); return true",
    );
    app.click("dialog.edit[open] .acts button:last-child:not(:disabled)");
    app.until(
        "what changed is shown",
        "return document.querySelector('dialog.edit[open] .diff')?.textContent.includes('npm test -- --quick')",
    );
    app.click("dialog.edit[open] button.approve[aria-disabled=false]");
    let said = hook.said();
    assert_eq!(decision(&said)["behavior"], "allow", "{said}");
    let expected = json!({"command": "npm test -- --quick", "timeout": 20});
    assert_eq!(decision(&said)["updatedInput"], expected, "{said}");
    assert!(desk.windows(WINDOW).is_empty(), "the dialog did not come back");
}

#[test]
fn codex_offers_no_stop_and_no_permissions() {
    let scene = Scene::new();
    let hook = json!({
        "session_id": "c1", "turn_id": "t1", "cwd": "/srv/shop", "hook_event_name": "PermissionRequest", "model": "gpt-5.4",
        "permission_mode": "default", "tool_name": "Bash", "tool_input": {"command": "rm -rf target", "description": "Clean"}
    });
    let hook = Hook::ask(&scene.app.url(), "codex", &hook);
    let sight = scene.open("rm -rf target");
    assert_eq!(sight.button_words(), ["Deny", "Approve"]);
    assert_eq!(sight.ticks().len(), 0);
    scene.picture("codex.png");
    scene.click("rm -rf target", "Approve");
    assert_eq!(decision(&hook.said())["behavior"], "allow");
}

#[test]
fn a_plan_is_started_or_goes_on() {
    let scene = Scene::new();
    let plan = json!({"plan": "# The plan\n\n1. Do **this** with `rm`\n2. then that\n\n```sh\nls -l\n```\n| a | b |\n|---|---|\n| 1 | 2 |"});
    let hook = scene.claude("ExitPlanMode", &plan, &json!([]));
    let sight = scene.open("2. then that");
    assert_eq!(sight.button_words(), ["Stop", "Keep planning", "Start"]);
    assert!(
        sight.words().contains("1. Do this with rm"),
        "laid out: {}",
        sight.words()
    );
    scene.picture("plan.png");
    scene.click("2. then that", "Keep planning");
    assert_eq!(decision(&hook.said())["behavior"], "deny");
}

#[test]
fn an_agents_own_questions_are_answered_in_the_dialog() {
    let scene = Scene::new();
    let question = json!({"questions": [
        {"question": "Which colour?", "header": "Colour", "multiSelect": false,
            "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]},
        {"question": "Which sizes?", "header": "Sizes", "multiSelect": true, "options": [{"label": "S"}, {"label": "M"}, {"label": "L"}]}]});
    let hook = scene.claude("AskUserQuestion", &question, &json!([]));
    let sight = scene.open("Which sizes?");
    assert_eq!(sight.button_words(), ["Stop", "Deny", "Answer"]);
    for words in ["asks you", "Which colour?"] {
        assert!(sight.words().contains(words), "{words} in {}", sight.words());
    }
    scene.picture("questions.png");
    scene.click_at(sight.tick("M").middle);
    scene.click("Which sizes?", "Answer");
    scene.desk.see(TITLE, "one is missing", |sight| {
        sight.words().contains("No answer yet: Which colour?")
    });
    scene.click_at(scene.open("Which sizes?").tick("Blue").middle);
    scene.click_at(scene.open("Which sizes?").tick("L").middle);
    scene.click("Which sizes?", "Answer");
    let said = hook.said();
    assert_eq!(decision(&said)["behavior"], "allow", "{said}");
    let answers = json!({"Which colour?": "Blue", "Which sizes?": "M, L"});
    assert_eq!(decision(&said)["updatedInput"]["answers"], answers, "{said}");
    assert_eq!(
        decision(&said)["updatedInput"]["questions"],
        question["questions"],
        "{said}"
    );
}

#[test]
fn an_edit_is_shown_as_its_lines_and_a_subagent_that_asks_is_named() {
    let scene = Scene::new();
    let hook = json!({
        "session_id": "s1", "cwd": "/srv/shop", "permission_mode": "default", "hook_event_name": "PermissionRequest",
        "agent_id": "a09e", "agent_type": "Explore", "tool_name": "Edit", "permission_suggestions": suggestions(),
        "tool_input": {"file_path": "/srv/shop/a.rs", "old_string": "fn main() {\n    one();\n}", "new_string": "fn main() {\n    two();\n}", "replace_all": false}
    });
    let hook = Hook::ask(&scene.app.url(), "claude-code", &hook);
    let sight = scene.open("two();");
    for words in [
        "its subagent Explore, asks to run",
        "-    one();\n+    two();",
        " fn main() {",
    ] {
        assert!(sight.words().contains(words), "{words} in {}", sight.words());
    }
    scene.picture("edit.png");
    scene.click("two();", "Deny");
    assert_eq!(decision(&hook.said())["behavior"], "deny");
}

#[test]
fn an_agents_own_questions_that_show_more_are_answered_in_the_window() {
    let scene = Scene::new();
    let main = scene.desk.window("^Countersign$");
    let question = json!({"questions": [{"question": "Which colour?", "header": "Colour", "multiSelect": false,
        "options": [{"label": "Red", "description": "warm", "preview": "+-+"}, {"label": "Blue", "description": "cold"}]}]});
    let hook = scene.claude("AskUserQuestion", &question, &json!([]));
    let sight = scene.open("Which colour?");
    assert_eq!(sight.button_words(), ["Stop", "Deny", "Show"]);
    scene.click("Which colour?", "Show");
    scene.desk.until_gone(WINDOW);
    scene.desk.until_focused(&main);
    assert_eq!(scene.app.approvals("pending").len(), 1);
    hook.end();
}

#[test]
fn a_hook_that_ends_takes_its_dialog_with_it() {
    let scene = Scene::new();
    let hook = scene.claude("Bash", &json!({"command": "npm test"}), &suggestions());
    scene.open("npm test");
    hook.end();
    scene.desk.until_gone(WINDOW);
    let ended = scene.app.approvals("cancelled");
    assert_eq!(ended.len(), 1, "{ended:?}");
}
