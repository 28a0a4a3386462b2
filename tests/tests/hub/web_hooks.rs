//! What agents ask through hooks, answered in the web monitor in Chromium: the answer is what their hook prints.

use std::process::Command;

use countersign_tests::browser::Page;
use countersign_tests::command::Running;
use countersign_tests::{Hub, cli};
use serde_json::{Value, json};

const YES: &str = "dialog.modal button.approve[aria-disabled=\"false\"]";

struct Scene {
    hub: Hub,
    page: Page,
}

impl Scene {
    fn new() -> Self {
        let hub = Hub::start();
        let said = cli(&hub, &["dashboard"]).expect(0).out;
        let mut page = Page::open();
        page.goto(said.lines().last().expect("an address"));
        page.see("[role=listbox], .first-run, main");
        Self { hub, page }
    }

    /// Claude Code asks, and waits.
    fn ask(&self, tool: &str, input: &Value, suggestions: &Value) -> Running {
        let hook = json!({
            "session_id": "s1", "cwd": "/srv/shop", "permission_mode": "default", "hook_event_name": "PermissionRequest",
            "tool_name": tool, "tool_input": input, "permission_suggestions": suggestions
        });
        let mut command = Command::new("curl");
        command.args(["-q", "-sS", "--noproxy", "*", "--data-binary", "@-"]);
        command.arg(format!("{}/hooks/claude-code", self.hub.url()));
        Running::start(command, &hook.to_string())
    }
}

fn decision(hook: Running) -> Value {
    let said = hook.finish().expect(0).out;
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    said["hookSpecificOutput"]["decision"].clone()
}

#[test]
fn an_agents_questions_get_the_answers_that_were_picked() {
    let mut scene = Scene::new();
    let questions = json!({"questions": [
        {"question": "Which colour?", "header": "Colour", "multiSelect": false,
         "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]},
        {"question": "Which sizes?", "header": "Sizes", "multiSelect": true,
         "options": [{"label": "Small", "description": "s"}, {"label": "Medium", "description": "m"}, {"label": "Large", "description": "l"}]}
    ]});
    let hook = scene.ask("AskUserQuestion", &questions, &json!([]));
    scene.page.see("dialog.modal :text(\"Which colour?\")");
    for label in ["Blue", "Large", "Small"] {
        scene
            .page
            .click(&format!("dialog.modal label:has(:text-is(\"{label}\")) input"));
    }
    scene.page.click(YES);
    let decision = decision(hook);
    assert_eq!(decision["behavior"], "allow", "{decision}");
    let given = &decision["updatedInput"];
    // As Claude Code's own terminal answers: crates/agents/fixtures/claude/PostToolUse.AskUserQuestion.json.
    assert_eq!(
        given["answers"],
        json!({"Which colour?": "Blue", "Which sizes?": "Small, Large"})
    );
    assert_eq!(given["questions"], questions["questions"]);
    assert_eq!(scene.page.complaints(), json!([]));
}

#[test]
fn permissions_that_were_ticked_go_back_as_they_came() {
    let mut scene = Scene::new();
    let offers = json!([
        {"type": "addRules", "rules": [{"toolName": "Bash", "ruleContent": "npm test:*"}], "behavior": "allow", "destination": "localSettings"},
        {"type": "setMode", "mode": "acceptEdits", "destination": "session", "of_a_later_version": [1]}
    ]);
    let hook = scene.ask("Bash", &json!({"command": "npm test"}), &offers);
    scene.page.click("dialog.modal fieldset label >> nth=1 >> input");
    scene.page.click(YES);
    let decision = decision(hook);
    assert_eq!(decision["updatedPermissions"], json!([offers[1]]), "{decision}");
    assert_eq!(decision["updatedInput"], Value::Null, "{decision}");
}

#[test]
fn edited_arguments_run_after_they_were_shown() {
    let mut scene = Scene::new();
    let asked = json!({"command": "git push --force", "description": "Push", "timeout": 5});
    let hook = scene.ask("Bash", &asked, &json!([]));
    scene.page.click("dialog.modal button:has-text(\"Edit, then approve\")");
    let write = "(text) => { const area = document.querySelector('dialog.edit textarea'); area.value = text; \
                 area.dispatchEvent(new Event('input', { bubbles: true })); }";
    scene.page.see("dialog.edit textarea >> nth=0");
    scene.page.run(write, &json!("git push"));
    scene.page.click("dialog.edit button:has-text(\"Review…\"):enabled");
    scene.page.see("dialog.edit .diff :text(\"--force\")");
    scene.page.click("dialog.edit button.approve[aria-disabled=\"false\"]");
    let decision = decision(hook);
    assert_eq!(
        decision["updatedInput"],
        json!({"command": "git push", "description": "Push", "timeout": 5}),
        "{decision}"
    );
    assert_eq!(scene.page.complaints(), json!([]));
}

#[test]
fn a_plan_goes_back_with_what_is_to_change() {
    let mut scene = Scene::new();
    let plan =
        json!({"plan": "# Do it\n\n<img src=x onerror='window.broken=1'>\n\n[here](javascript:window.broken=1)"});
    let hook = scene.ask("ExitPlanMode", &plan, &json!([]));
    scene.page.see("dialog.modal [role=heading]:has-text(\"Do it\")");
    assert_eq!(scene.page.count("dialog.modal img, dialog.modal a"), 0);
    let write = "(text) => { const note = document.querySelector('dialog.modal .answers input'); note.value = text; \
                 note.dispatchEvent(new Event('input', { bubbles: true })); }";
    scene.page.run(write, &json!("the test first"));
    scene.page.click("dialog.modal button.deny[aria-disabled=\"false\"]");
    let decision = decision(hook);
    assert_eq!(decision["behavior"], "deny", "{decision}");
    assert!(
        decision["message"]
            .as_str()
            .is_some_and(|words| words.contains("the test first")),
        "{decision}"
    );
    assert_eq!(decision["interrupt"], Value::Null, "{decision}");
    assert_eq!(scene.page.run("() => window.broken ?? null", &Value::Null), Value::Null);
}
