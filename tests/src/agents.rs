//! The real agents, `claude` and `codex`, in a home folder of their own: no credentials, no network, a scripted model server.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Output, Running};
use crate::foreign::{clients, without_proxies};
use crate::hub::{Folder, program};
use crate::models::Models;
use crate::terminal::Terminal;

/// A key of the right look; the model server takes any.
const KEY: &str = "sk-ant-dummy";

/// The agents' own names in the hub.
pub const CLAUDE: &str = "claude-code";
/// As [`CLAUDE`].
pub const CODEX: &str = "codex";

/// A person's home folder with a project in it, and the agents' programs on its PATH.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Home {
    /// Nobody has used an agent here, but for having seen what each shows on its first day.
    ///
    /// # Panics
    /// When the agents have not been installed.
    pub fn new() -> Self {
        let home = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        for folder in ["project", "tmp", "bin", ".claude", ".codex"] {
            std::fs::create_dir(home.path(folder)).expect("a folder");
        }
        std::os::unix::fs::symlink(native_claude(), home.path("bin/claude")).expect("a link");
        std::os::unix::fs::symlink(installed().join(".bin/codex"), home.path("bin/codex")).expect("a link");
        std::os::unix::fs::symlink(program(), home.path("bin/countersign")).expect("a link");
        let seen = json!({
            "hasCompletedOnboarding": true,
            "theme": "dark",
            "customApiKeyResponses": {"approved": [KEY], "rejected": []},
            "projects": {home.project().display().to_string(): {"hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true}},
        });
        home.write(".claude.json", &seen.to_string());
        home
    }

    /// A place in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The project that agents work in.
    pub fn project(&self) -> PathBuf {
        // Programs say where they are with links resolved, as on systems where /tmp is one.
        let project = self.path("project");
        project.canonicalize().unwrap_or(project)
    }

    /// A file of the project, if it is there.
    pub fn made(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.project().join(name)).ok()
    }

    /// Writes a file.
    ///
    /// # Panics
    /// When it cannot.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
        std::fs::write(&path, text).expect("written");
        path
    }

    /// A program as this person would run it in the project, with the hub of that folder.
    pub fn program(&self, name: impl AsRef<std::ffi::OsStr>, hub: &Folder) -> Command {
        let mut command = Command::new(name);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let foreign = [
                "CLAUDE",
                "ANTHROPIC",
                "OPENAI",
                "CODEX",
                "COUNTERSIGN_",
                "XDG_",
                "OTEL_",
            ];
            if foreign.iter().any(|start| text.starts_with(start)) {
                command.env_remove(&name);
            }
        }
        without_proxies(&mut command);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.path("bin")).chain(std::env::split_paths(&path));
        command
            .current_dir(self.project())
            .env("PATH", std::env::join_paths(folders).expect("a path"))
            .env("HOME", self.folder.path())
            // Codex makes no helpers of its own in a home below the folder for temporary files.
            .env("TMPDIR", self.path("tmp"))
            .env("COUNTERSIGN_DATA_DIR", hub.data());
        command
    }

    /// Runs `countersign` as this person, to its end.
    pub fn countersign(&self, hub: &Folder, arguments: &[&str]) -> Output {
        let mut command = self.program(program(), hub);
        command.args(arguments);
        crate::run(command)
    }

    /// `claude`, which asks this model server.
    pub fn claude(&self, hub: &Folder, models: &Models) -> Command {
        let mut command = self.program(self.path("bin/claude"), hub);
        command
            .env("ANTHROPIC_BASE_URL", models.url())
            .env("ANTHROPIC_API_KEY", KEY)
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_AUTOUPDATER", "1");
        command
    }

    /// Runs `claude -p` to its end.
    pub fn claude_prints(&self, hub: &Folder, models: &Models, arguments: &[&str]) -> Output {
        let mut command = self.claude(hub, models);
        command.arg("-p").args(arguments);
        crate::run(command)
    }

    /// `claude` in a terminal, with this first prompt.
    pub fn claude_asked(&self, hub: &Folder, models: &Models, prompt: &str) -> Terminal {
        self.claude_with(hub, models, &[prompt])
    }

    /// `claude` in a terminal.
    pub fn claude_with(&self, hub: &Folder, models: &Models, arguments: &[&str]) -> Terminal {
        let mut command = self.claude(hub, models);
        command.args(arguments);
        Terminal::run(&command)
    }

    /// As [`Home::codex_that_guards`], but its hooks run without a person having looked at them.
    pub fn codex(&self, hub: &Folder, models: &Models, arguments: &[&str]) -> Command {
        let mut command = self.codex_that_guards(hub, models, arguments);
        command.arg("--dangerously-bypass-hook-trust");
        command
    }

    /// `codex`, which asks this model server, and skips hooks that nobody has trusted.
    pub fn codex_that_guards(&self, hub: &Folder, models: &Models, arguments: &[&str]) -> Command {
        let config = format!(
            r#"model = "gpt-5.4"
model_provider = "scripted"
approval_policy = "on-request"
sandbox_mode = "read-only"
check_for_update_on_startup = false

[analytics]
enabled = false

# The program in the background that outlives a terminal, and its updates, are of no use to a test that must leave nothing behind.
[features]
daemon_auto_start = false
in_app_updates = false

[model_providers.scripted]
name = "Scripted"
base_url = "{}/v1"
env_key = "SCRIPTED_KEY"
wire_api = "responses"

[projects."{}"]
trust_level = "trusted"
"#,
            models.url(),
            self.project().display()
        );
        let path = self.path(".codex/config.toml");
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        if !before.contains("model_provider") {
            // What connecting wrote stays below, in tables of its own.
            self.write(".codex/config.toml", &format!("{config}{before}"));
        }
        let mut command = self.program(self.path("bin/codex"), hub);
        command.env("SCRIPTED_KEY", KEY).args(arguments);
        command
    }

    /// Runs `codex exec` to its end.
    pub fn codex_executes(&self, hub: &Folder, models: &Models, prompt: &str) -> Output {
        Running::start(
            self.codex(hub, models, &["exec", "--json", "--skip-git-repo-check", prompt]),
            "",
        )
        .finish()
    }

    /// `codex` in a terminal, with this first prompt.
    pub fn codex_asked(&self, hub: &Folder, models: &Models, prompt: &str) -> Terminal {
        Terminal::run(&self.codex(hub, models, &[prompt]))
    }
}

/// The text of a tool's result in what an agent told its model, by the call's id; Anthropic's shape and OpenAI's.
pub fn result_of(conversation: &Value, call: &str) -> Option<String> {
    match conversation {
        Value::Object(fields) => {
            let is_result = fields.get("tool_use_id").is_some_and(|id| id == call)
                || (fields.get("call_id").is_some_and(|id| id == call) && fields.contains_key("output"));
            if is_result {
                return fields
                    .get("content")
                    .or_else(|| fields.get("output"))
                    .map(Value::to_string);
            }
            fields.values().find_map(|value| result_of(value, call))
        }
        Value::Array(values) => values.iter().find_map(|value| result_of(value, call)),
        _ => None,
    }
}

fn installed() -> PathBuf {
    let modules = clients().join("agents/node_modules");
    assert!(
        modules.exists(),
        "the agents are not installed: `cargo xtask setup`, or `npm --prefix tests/clients/agents ci`"
    );
    modules
}

/// The program itself: what npm links to is only put there by a script that some settings of npm forbid.
fn native_claude() -> PathBuf {
    let packages = std::fs::read_dir(installed().join("@anthropic-ai")).expect("Claude Code's packages");
    packages
        .filter_map(Result::ok)
        .map(|package| package.path().join("claude"))
        .find(|path| Path::is_file(path))
        .expect("Claude Code's package for this system")
}
