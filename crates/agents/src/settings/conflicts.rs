//! What in settings keeps our hooks from being run or asked: other tools' hooks, switches, modes that ask nobody.

use countersign_model::Finding;
use jsonc_parser::ast::Value;

use super::{Entry, Kind, Unreadable, entries, parse, registered, split, toml};
use crate::hook::Agent;

/// What else is known while a file is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The program that our entries should run.
    pub program: Option<&'a str>,
    /// Settings that whoever administers the machine made: Claude Code's `managed-settings.json`.
    pub managed: Option<&'a str>,
    /// Codex's `config.toml` beside its `hooks.json`.
    pub config: Option<&'a str>,
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
        Kind::ClaudeSettings => claude(file, beside, &mut found),
        Kind::CodexHooks => {
            strict(agent, file, &mut found);
            codex(beside.config.unwrap_or_default(), !entries.is_empty(), &mut found)?;
        }
        Kind::CodexConfig(_) => codex(file, false, &mut found)?,
    }
    Ok(found)
}

fn hooks(agent: Agent, entries: &[Entry], beside: Beside<'_>, found: &mut Vec<Finding>) {
    for entry in entries
        .iter()
        .filter(|entry| !entry.ours && entry.event == "PermissionRequest")
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
    for entry in &ours {
        let known = registered(agent).any(|event| event == entry.event);
        if !known {
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

fn claude(file: &str, beside: Beside<'_>, found: &mut Vec<Finding>) {
    strict(Agent::ClaudeCode, file, found);
    if is_true(file, "disableAllHooks") {
        found.push(Finding::fail(
            "hooks-off",
            "\"disableAllHooks\": true switches all hooks off",
            "Take that line out of the settings.",
        ));
    }
    let mode = within(file, &["permissions", "defaultMode"], |mode| {
        Some(mode.as_string_lit()?.value.to_string())
    });
    match mode.as_deref() {
        Some("bypassPermissions") => found.push(Finding::warn(
            "asks-nobody",
            "\"defaultMode\": \"bypassPermissions\" makes Claude Code ask nobody, so there is nothing to answer in Countersign",
            "Take it out if you want to be asked. Sessions are shown all the same.",
        )),
        Some("dontAsk") => found.push(Finding::warn(
            "asks-nobody",
            "\"defaultMode\": \"dontAsk\" makes Claude Code refuse by itself what it would ask about",
            "Take it out if you want to be asked. Sessions are shown all the same.",
        )),
        _ => {}
    }
    for (name, what) in [
        (
            "allowManagedHooksOnly",
            "the settings of this machine's administrator allow no hooks but their own",
        ),
        (
            "disableAllHooks",
            "the settings of this machine's administrator switch all hooks off",
        ),
    ] {
        if beside.managed.is_some_and(|managed| is_true(managed, name)) {
            let advice = "Only whoever manages this machine can change that; ask them to add Countersign's hooks.";
            found.push(Finding::fail("managed", format!("{what} (\"{name}\": true)"), advice));
        }
    }
}

/// Both agents read strict JSON and pass over a file that is not, hooks and all.
fn strict(agent: Agent, file: &str, found: &mut Vec<Finding>) {
    let (bom, body) = split(file);
    // Codex takes no byte order mark either.
    let body = if agent == Agent::Codex && !bom.is_empty() {
        file
    } else {
        body
    };
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
    } else if agent == Agent::Codex {
        let root: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
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

/// A value deep in a file, where the file can be understood at all.
fn within<T>(text: &str, path: &[&str], read: impl Fn(&Value<'_>) -> Option<T>) -> Option<T> {
    let root = parse(split(text).1).ok()??;
    let mut value = &root;
    for name in path {
        value = &value.as_object()?.get(name)?.value;
    }
    read(value)
}

fn is_true(text: &str, name: &str) -> bool {
    within(text, &[name], |value| Some(value.as_boolean_lit()?.value)) == Some(true)
}

fn shown(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect();
    line.trim().to_owned()
}
