//! What in settings keeps our hooks from being run or asked: other tools' hooks, switches, modes that ask nobody. What is Claude Code's
//! alone is in `claude`.

use countersign_model::Finding;

use super::claude::{self, Level, Rank};
use super::hooks::events;
use super::{Entry, Kind, Unreadable, entries, registered, shape, split, toml};
use crate::hook::Agent;

/// What else is known while a file is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The program that our entries should run.
    pub program: Option<&'a str>,
    /// The agent's version.
    pub version: Option<&'a str>,
    /// Where the file is.
    pub path: &'a str,
    /// Whose the file is.
    pub rank: Rank,
    /// Claude Code's other settings files.
    pub levels: &'a [Level],
    /// Codex's `config.toml` beside its `hooks.json`.
    pub config: Option<&'a str>,
    /// What whoever administers the machine demands of Codex: `requirements.toml`.
    pub requirements: Option<&'a str>,
}

/// What stands in the way of a connection through this file.
///
/// # Errors
/// When it cannot be read as settings.
pub fn look(kind: Kind, file: Option<&str>, beside: Beside<'_>) -> Result<Vec<Finding>, Unreadable> {
    let agent = kind.agent();
    let file = file.unwrap_or_default();
    let mut found = Vec::new();
    let entries = entries(kind, file)?;
    hooks(agent, &entries, beside, &mut found);
    match kind {
        Kind::ClaudeSettings => {
            strict(agent, file, &mut found);
            claude::look(file, beside, &entries, &mut found);
        }
        Kind::CodexHooks => {
            strict(agent, file, &mut found);
            codex(beside.config.unwrap_or_default(), !entries.is_empty(), &mut found)?;
        }
        Kind::CodexConfig(_) => codex(file, false, &mut found)?,
    }
    if agent == Agent::Codex {
        demanded(beside.requirements.unwrap_or_default(), &mut found);
    }
    Ok(found)
}

fn hooks(agent: Agent, entries: &[Entry], beside: Beside<'_>, found: &mut Vec<Finding>) {
    for entry in entries
        .iter()
        .filter(|entry| !entry.ours && !entry.within && entry.event == "PermissionRequest")
    {
        found.push(Finding::warn(
            "other-hook",
            format!(
                "another tool answers permission requests, too: `{}`",
                shown(&entry.runs)
            ),
            format!(
                "The first answer counts. Take that hook out of {}'s settings if Countersign is to ask alone.",
                agent.title()
            ),
        ));
    }
    let ours: Vec<&Entry> = entries.iter().filter(|entry| entry.ours).collect();
    if let Some(entry) = entries.iter().find(|entry| entry.within && !ours.is_empty()) {
        found.push(Finding::warn(
            "twice",
            format!(
                "a command of your own runs Countersign for {}, too, so that it is told twice: `{}`",
                entry.event,
                shown(&entry.runs)
            ),
            "Take Countersign out of that command; what you wrote is left as it is.",
        ));
    }
    for entry in &ours {
        let known = |version| registered(agent, Some(version)).any(|event| event == entry.event);
        let ever = events(agent).iter().any(|event| event.name == entry.event);
        if ever && beside.version.is_some_and(|version| !known(version)) {
            found.push(Finding::fail(
                "version-events",
                format!(
                    "{} {} may not know {}, and then ignores the whole file",
                    agent.title(),
                    beside.version.unwrap_or_default(),
                    entry.event
                ),
                format!("Connect again: `countersign connect {}`.", agent.name()),
            ));
        } else if !ever {
            found.push(Finding::warn(
                "events",
                format!(
                    "{} is registered, which changes what {} does or does nothing",
                    entry.event,
                    agent.title()
                ),
                format!("Connect again: `countersign connect {}`.", agent.name()),
            ));
        }
        if let Some(matcher) = &entry.matcher {
            found.push(Finding::warn(
                "events",
                format!(
                    "of {}, only what matches `{}` is told to Countersign",
                    entry.event,
                    shown(matcher)
                ),
                "Take the matcher away if it should be told everything.",
            ));
        }
    }
    if let Some(wanted) = beside.program {
        let mut others: Vec<&str> = ours
            .iter()
            .filter_map(|entry| entry.program.as_deref())
            .filter(|program| *program != wanted)
            .collect();
        others.dedup();
        for program in others {
            found.push(Finding::warn(
                "other-path",
                format!("the settings run another Countersign: {}", shown(program)),
                format!("Connect again to run {wanted}: `countersign connect {}`.", agent.name()),
            ));
        }
    }
}

/// Both agents read strict JSON and pass over a file that is not, hooks and all.
fn strict(agent: Agent, file: &str, found: &mut Vec<Finding>) {
    let (bom, body) = split(file);
    if agent == Agent::Codex && !bom.is_empty() {
        found.push(Finding::fail(
            "strict-json",
            "the file begins with a byte order mark, for which Codex refuses it whole",
            "Save it as UTF-8 without a byte order mark.",
        ));
    }
    if body.trim().is_empty() {
        return;
    }
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(body) {
        found.push(Finding::fail(
            "strict-json",
            format!(
                "{} takes no comments, trailing commas or the like here, and ignores the whole file: line {}, column {}",
                agent.title(),
                error.line(),
                error.column()
            ),
            "Take them out; Countersign leaves what is yours as it is.",
        ));
        return;
    }
    let root: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(wrong) = shape::refused(agent, &root) {
        found.push(Finding::fail(
            "refused",
            format!(
                "{} ignores the whole file for one value: {}",
                agent.title(),
                shown(&wrong)
            ),
            "Put that value right or take it out; Countersign leaves what is yours as it is.",
        ));
    }
    if agent == Agent::Codex {
        let odd = root.as_object().into_iter().flatten().map(|(name, _)| name);
        if let Some(name) = odd
            .into_iter()
            .find(|name| !matches!(name.as_str(), "hooks" | "description"))
        {
            found.push(Finding::fail(
                "strict-json",
                format!("Codex refuses the whole file for \"{}\" beside \"hooks\"", shown(name)),
                "Take it out.",
            ));
        }
    }
}

fn codex(config: &str, hooks_beside: bool, found: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let config = toml::read(split(config).1)?;
    if config.off {
        found.push(Finding::fail(
            "hooks-off",
            "hooks are switched off in config.toml ([features] hooks = false)",
            "Take that line out of config.toml.",
        ));
    }
    if config.approval_policy.as_deref() == Some("never") {
        found.push(Finding::warn(
            "asks-nobody",
            "approval_policy = \"never\" makes Codex ask nobody, so there is nothing to answer in Countersign",
            "Take it out of config.toml if you want to be asked. Sessions are shown all the same.",
        ));
    }
    if hooks_beside && config.inline {
        found.push(Finding::warn(
            "two-places",
            "hooks are in both hooks.json and config.toml; Codex runs both and warns about it at each start",
            "Keep them in one of the two.",
        ));
    }
    Ok(())
}

/// What an administrator demands (developers.openai.com/codex/enterprise/managed-configuration); a file that Codex could not read is none.
fn demanded(requirements: &str, found: &mut Vec<Finding>) {
    let Ok(read) = requirements.parse::<toml_edit::DocumentMut>() else {
        return;
    };
    let features = read.get("features").and_then(toml_edit::Item::as_table_like);
    let off = features.and_then(|features| features.get("hooks")?.as_bool()) == Some(false);
    let only = read.get("allow_managed_hooks_only").and_then(toml_edit::Item::as_bool) == Some(true);
    for (says, what) in [
        (only, "allow no hooks but their own (allow_managed_hooks_only = true)"),
        (off, "switch all hooks off ([features] hooks = false)"),
    ] {
        if says {
            found.push(Finding::fail(
                "managed",
                format!("the requirements of this machine's administrator {what}"),
                claude::ASK_THEM,
            ));
        }
    }
}

pub(super) fn shown(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect();
    line.trim().to_owned()
}
