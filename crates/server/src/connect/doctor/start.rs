//! Claude Code itself, started for a moment: whether it runs the hooks that its settings have, nobody else can say. It passes over a
//! whole file for one wrong value, and an administrator's or an organization's rules may forbid hooks from places that nobody sees.
//!
//! `claude --init-only` runs the hooks of a start and of an end, and ends without asking a model (Claude Code 2.1.197).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use countersign_agents::hook::{Agent, PROBE_SESSIONS};
use countersign_hub::random_hex;
use countersign_model::Finding;
use serde_json::Value;

use super::super::child;
use super::Examined;

/// How long Claude Code may take to start and end.
const START: Duration = Duration::from_secs(60);
/// How long what its hooks told may take into the log, once they have ended.
const ARRIVAL: Duration = Duration::from_secs(5);
/// Neither usage nor cost is told of a start that is none.
const QUIET: &str = r#"{"env":{"CLAUDE_CODE_ENABLE_TELEMETRY":"0"}}"#;

impl Examined<'_> {
    /// Starts Claude Code and looks whether its hooks tell the hub.
    pub(super) fn start(&self, claude: &Path) -> Finding {
        let project = self.doctor.scope.project.as_deref();
        if let Some(folder) = project.filter(|folder| !self.trusts(folder)) {
            let what = format!("Claude Code was not told yet to trust {}", folder.display());
            return Finding::warn("start", what, "Start claude there and say so; then look again.");
        }
        let session = format!("{PROBE_SESSIONS}{}", random_hex(6));
        let said = match child::complaints(self.command(claude, &session), START) {
            Ok(said) => String::from_utf8_lossy(&said).into_owned(),
            Err(error) => return not_tried(&format!("it could not be started for a moment: {error}")),
        };
        match self.arrives(&session, ARRIVAL) {
            Ok(true) => Finding::ok(
                "start",
                "Claude Code was started for a moment, and its hooks told the hub",
            ),
            Ok(false) if said.contains("unknown option") => not_tried("this version cannot be started for a moment"),
            Ok(false) => Finding::fail(
                "start",
                "Claude Code was started for a moment, and its hooks told the hub nothing",
                "Start claude in a terminal: it says so when it passes over a settings file for a wrong value. If it says nothing, \
                 the rules of an organization may forbid hooks: type /hooks there and see whether Countersign's are listed.",
            ),
            Err(why) => not_tried(&why),
        }
    }

    fn command(&self, claude: &Path, session: &str) -> Command {
        let (folder, sources) = match &self.doctor.scope.project {
            Some(project) => (project, "user,project,local"),
            // What a project adds is not tried: its hooks are others' programs.
            None => (&self.doctor.around.home, "user"),
        };
        let mut command = Command::new(claude);
        command
            .args(["--init-only", "--session-id", session, "--setting-sources", sources])
            .args(["--settings", QUIET])
            .current_dir(folder)
            .env("HOME", &self.doctor.around.home)
            .env("DISABLE_AUTOUPDATER", "1")
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
        // Of a session that may have asked for this.
        for name in ["CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SESSION_ID"] {
            command.env_remove(name);
        }
        command
    }

    /// Whether the person has told Claude Code to trust a folder, or one above it: before that, a project's hooks are programs of
    /// whoever made the project.
    fn trusts(&self, folder: &Path) -> bool {
        let around = self.doctor.around;
        let file = match &around.claude {
            Some(config) => config.join(".claude.json"),
            None => around.home.join(".claude.json"),
        };
        let Ok(text) = std::fs::read_to_string(file) else {
            return false;
        };
        let known: Value = serde_json::from_str(&text).unwrap_or_default();
        let folder: PathBuf = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        folder.ancestors().any(|folder| {
            let project = known["projects"].get(&*folder.to_string_lossy());
            project.is_some_and(|project| project["hasTrustDialogAccepted"] == true)
        })
    }
}

fn not_tried(why: &str) -> Finding {
    Finding::warn(
        "start",
        format!("whether Claude Code runs the hooks was not tried: {why}"),
        format!(
            "Start a session of {} and see whether it is shown.",
            Agent::ClaudeCode.title()
        ),
    )
}
