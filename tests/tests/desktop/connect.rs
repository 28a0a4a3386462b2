//! Connecting an agent of this machine in the window: over IPC, with the settings file of a fresh home as the one that tells.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use countersign_tests::until;

use crate::harness::{Desk, Driven};

const SETTINGS: &str = "{\n\t\"model\": \"opus\",\n\t\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"true\"}]}]}\n}\n";

struct Scene {
    desk: Desk,
    app: Driven,
}

impl Scene {
    fn new() -> Self {
        Self::with(SETTINGS)
    }

    /// A home in which Claude Code is installed and has these settings, and the Connections page.
    fn with(settings: &str) -> Self {
        let desk = Desk::new();
        let home = desk.file("home");
        for folder in [".local/bin", ".claude"] {
            fs::create_dir_all(home.join(folder)).expect("a folder");
        }
        let claude = home.join(".local/bin/claude");
        fs::write(&claude, "#!/bin/sh\necho '2.1.197 (Claude Code)'\n").expect("a program");
        fs::set_permissions(&claude, fs::Permissions::from_mode(0o755)).expect("a program");
        fs::write(home.join(".claude/settings.json"), settings).expect("settings");
        let app = Driven::start(&desk, "");
        app.click("nav[aria-label=Views] button:last-child");
        Self { desk, app }
    }

    fn file(&self) -> PathBuf {
        self.desk.file("home/.claude/settings.json")
    }

    fn settings(&self) -> String {
        read(&self.file())
    }

    /// Presses the button of Claude Code that begins with this word.
    fn press(&self, word: &str) {
        let script = format!(
            "const found = [...document.querySelectorAll('.acts button')].find((button) => button.textContent.startsWith('{word}') && \
             button.textContent.includes('Claude Code') && !button.disabled); found?.click(); return found !== undefined"
        );
        self.app.until(word, &script);
    }

    /// What the open dialog says would change, once that is all it waits for.
    fn shown(&self) -> String {
        let shown = self.app.until(
            "the dialog shows what changes",
            "const ready = document.querySelector('dialog[open] footer button:last-child:not(:disabled)'); \
             return ready && [...document.querySelectorAll('dialog[open] .patch > div')].map((line) => line.textContent).join('\\n')",
        );
        shown.as_str().expect("a text").to_owned()
    }

    fn confirm(&self) {
        self.app.click("dialog[open] footer button:last-child:not(:disabled)");
        self.app.until(
            "the dialog is gone",
            "return document.querySelector('dialog[open]') === null",
        );
    }

    fn until_says(&self, words: &str) {
        let script =
            format!("return document.querySelector('section[aria-label^=Agents]')?.textContent.includes('{words}')");
        self.app.until(words, &script);
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a unified diff makes of a text.
fn patched(before: &str, diff: &str) -> String {
    let old: Vec<_> = before.split_inclusive('\n').collect();
    let (mut new, mut at) = (String::new(), 0);
    for line in diff
        .lines()
        .filter(|line| !line.starts_with("--- ") && !line.starts_with("+++ "))
    {
        if let Some(place) = line.strip_prefix("@@ -") {
            let digits: String = place.chars().take_while(char::is_ascii_digit).collect();
            let from = digits.parse::<usize>().expect("a line number").saturating_sub(1);
            new.extend(old[at..from].iter().copied());
            at = from;
        } else if let Some(put) = line.strip_prefix('+') {
            new.push_str(put);
            new.push('\n');
        } else {
            assert_eq!(
                old[at].trim_end_matches('\n'),
                &line[1..],
                "the diff is of another text"
            );
            if line.starts_with(' ') {
                new.push_str(old[at]);
            }
            at += 1;
        }
    }
    new.extend(old[at..].iter().copied());
    new
}

#[test]
fn claude_code_is_connected_as_the_diff_said_and_given_back_to_the_byte() {
    let scene = Scene::new();
    scene.press("Connect");
    let diff = scene.shown();
    assert_eq!(scene.settings(), SETTINGS, "showing changes nothing");
    assert!(diff.contains(" hook claude-code") && !diff.contains("OTEL_"), "{diff}");
    scene.confirm();
    assert_eq!(scene.settings(), patched(SETTINGS, &diff));
    scene.until_says("Its settings as they were");
    // Whoever connects is told at once whether it works: a probe through the hook's own program.
    scene.until_says("probe event arrived");
    assert!(
        !scene
            .app
            .run("return document.querySelector('.rail').textContent")
            .to_string()
            .contains("claude-code"),
        "a probe is no session"
    );

    scene.press("Disconnect");
    let before = scene.settings();
    let diff = scene.shown();
    scene.confirm();
    assert_eq!(patched(&before, &diff), SETTINGS);
    until("the settings are as they were", || {
        (scene.settings() == SETTINGS).then_some(())
    });
    scene.until_says("not connected");
}

#[test]
fn telemetry_and_what_is_said_without_a_hub_are_chosen_and_changed() {
    let scene = Scene::new();
    scene.press("Connect");
    scene.shown();
    scene.app.click("dialog[open] input[type=checkbox]");
    scene.app.click("dialog[open] [role=radio]:nth-child(2)");
    scene.app.until(
        "the diff follows the choice",
        "const words = document.querySelector('dialog[open] .patch')?.textContent ?? ''; \
         return words.includes('OTEL_EXPORTER') && words.includes('--when-absent deny')",
    );
    let diff = scene.shown();
    scene.confirm();
    assert_eq!(scene.settings(), patched(SETTINGS, &diff));
    scene.until_says("Tells tokens and cost, too.");
    scene.until_says("what it asks is denied");

    scene.press("Change");
    scene.app.click("dialog[open] input[type=checkbox]");
    scene.app.until(
        "telemetry would go",
        "return [...document.querySelectorAll('dialog[open] .patch .out')].some((line) => line.textContent.includes('OTEL_'))",
    );
    let (before, diff) = (scene.settings(), scene.shown());
    scene.confirm();
    assert_eq!(scene.settings(), patched(&before, &diff));
    assert!(!scene.settings().contains("OTEL_"), "{}", scene.settings());
    assert!(scene.settings().contains("--when-absent deny"), "{}", scene.settings());

    scene.press("Disconnect");
    scene.shown();
    scene.confirm();
    assert_eq!(scene.settings(), SETTINGS);
}

#[test]
fn settings_that_cannot_be_read_are_left_alone_until_they_are_put_right() {
    let scene = Scene::with("{ \"model\": opus }");
    scene.until_says("its settings cannot be read");
    scene.until_says("line 1, column 12");
    assert_eq!(scene.settings(), "{ \"model\": opus }");
    fs::write(scene.file(), SETTINGS).expect("settings");
    scene.press("Look again");
    scene.press("Connect");
    scene.shown();
}

#[test]
fn one_project_is_connected_by_its_own_settings() {
    let scene = Scene::new();
    let project = scene.desk.file("home/shop");
    fs::create_dir(&project).expect("a folder");
    let script = format!(
        "const field = document.querySelector('[aria-label=Scope] input'); if (field === null) return false; field.value = '{}'; \
         field.dispatchEvent(new Event('input', {{ bubbles: true }})); return true",
        project.display()
    );
    scene.app.until("the folder is given", &script);
    scene.app.click("[aria-label=Scope] button:not(:disabled)");
    let own = project.join(".claude/settings.local.json");
    scene.until_says(".claude/settings.local.json");
    scene.press("Connect");
    let diff = scene.shown();
    assert!(diff.contains("settings.local.json"), "{diff}");
    scene.confirm();
    assert_eq!(read(&own), patched("", &diff));
    assert_eq!(scene.settings(), SETTINGS, "the person's own settings stay");
    scene.press("Disconnect");
    scene.shown();
    scene.confirm();
    until("the project's settings are gone again", || {
        (!own.exists()).then_some(())
    });
}
