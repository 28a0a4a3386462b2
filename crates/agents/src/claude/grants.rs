//! `permission_suggestions` in plain words: what Claude Code would keep, for whom and for how long. The entry itself goes back to it
//! as it came, in `updatedPermissions`.

use countersign_model::{Grant, Json};
use serde_json::Value;

use crate::hook::Hook;

/// Suggestions that are offered at most.
const MAX_GRANTS: usize = 32;

/// What the request offers to keep.
pub(crate) fn of(hook: &Hook) -> Vec<Grant> {
    let Some(suggestions) = hook.field("permission_suggestions") else {
        return Vec::new();
    };
    let entries: Vec<Json> = serde_json::from_str(suggestions.get()).unwrap_or_default();
    entries
        .into_iter()
        .filter(|entry| entry.get().starts_with('{'))
        .take(MAX_GRANTS)
        .map(|entry| Grant {
            label: label(&serde_json::from_str(entry.get()).unwrap_or_default()),
            entry,
        })
        .collect()
}

/// One entry in words.
fn label(entry: &Value) -> String {
    said(entry).unwrap_or_else(|| {
        let kind = entry["type"].as_str().unwrap_or("unnamed");
        format!("Change Claude Code's permissions in a way that Countersign does not know ({kind}): {entry}")
    })
}

fn said(entry: &Value) -> Option<String> {
    let place = place(entry["destination"].as_str()?)?;
    Some(match entry["type"].as_str()? {
        "addRules" => format!("{} {}, {place}", verb(entry)?, rules(entry)?),
        "replaceRules" => match rules(entry) {
            Some(rules) => format!(
                "Replace all rules of the kind \"{}\" by this one: {} {rules}, {place}",
                entry["behavior"].as_str()?,
                verb(entry)?
            ),
            None => format!(
                "Drop all rules of the kind \"{}\", {place}",
                entry["behavior"].as_str()?
            ),
        },
        "removeRules" => match entry["behavior"].as_str()? {
            "allow" => format!("No longer allow {}, {place}", rules(entry)?),
            "deny" => format!("No longer deny {}, {place}", rules(entry)?),
            "ask" => format!("No longer always ask about {}, {place}", rules(entry)?),
            _ => return None,
        },
        "setMode" => format!("{}, {place}", mode(entry["mode"].as_str()?)?),
        "addDirectories" => format!("Let it work in {} too, {place}", directories(entry)?),
        "removeDirectories" => format!("No longer let it work in {}, {place}", directories(entry)?),
        _ => return None,
    })
}

fn verb(entry: &Value) -> Option<&'static str> {
    Some(match entry["behavior"].as_str()? {
        "allow" => "Always allow",
        "deny" => "Always deny",
        "ask" => "Always ask about",
        _ => return None,
    })
}

/// The rules as Claude Code's settings write them: `Bash(npm test:*)`, or the tool's name for any use of it.
fn rules(entry: &Value) -> Option<String> {
    let rules: Option<Vec<_>> = entry["rules"]
        .as_array()?
        .iter()
        .map(|rule| {
            let tool = rule["toolName"].as_str()?;
            Some(match rule["ruleContent"].as_str() {
                Some(content) => format!("{tool}({content})"),
                None => format!("any use of {tool}"),
            })
        })
        .collect();
    listed(rules?)
}

fn directories(entry: &Value) -> Option<String> {
    let paths = entry["directories"].as_array()?.iter();
    let paths: Option<Vec<_>> = paths.map(|path| path.as_str().map(str::to_owned)).collect();
    listed(paths?)
}

fn listed(mut words: Vec<String>) -> Option<String> {
    let last = words.pop()?;
    Some(if words.is_empty() {
        last
    } else {
        format!("{} and {last}", words.join(", "))
    })
}

fn mode(mode: &str) -> Option<&'static str> {
    Some(match mode {
        "default" => "Go back to asking as usual",
        "acceptEdits" => "Accept all edits of files without asking",
        "bypassPermissions" => "Ask about nothing any more: everything runs",
        "plan" => "Plan only, and run nothing",
        "dontAsk" => "Ask about nothing any more: what is not allowed already is denied",
        "auto" => "Let a model decide what may run, without asking",
        _ => return None,
    })
}

fn place(destination: &str) -> Option<&'static str> {
    Some(match destination {
        "session" => "for the rest of this session",
        "localSettings" => "in this project, for you",
        "projectSettings" => "in this project, for everybody who works on it",
        "userSettings" => "in all your projects",
        "cliArg" => "as if given on the command line",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_suggestion_has_plain_words() {
        let bash = json!([{"toolName": "Bash", "ruleContent": "npm test:*"}]);
        for (entry, words) in [
            (
                json!({"type": "addRules", "rules": bash, "behavior": "allow", "destination": "localSettings"}),
                "Always allow Bash(npm test:*), in this project, for you",
            ),
            (
                json!({"type": "addRules", "rules": [{"toolName": "Read"}, {"toolName": "Grep"}], "behavior": "allow", "destination": "session"}),
                "Always allow any use of Read and any use of Grep, for the rest of this session",
            ),
            (
                json!({"type": "addRules", "rules": bash, "behavior": "deny", "destination": "userSettings"}),
                "Always deny Bash(npm test:*), in all your projects",
            ),
            (
                json!({"type": "replaceRules", "rules": bash, "behavior": "ask", "destination": "projectSettings"}),
                "Replace all rules of the kind \"ask\" by this one: Always ask about Bash(npm test:*), in this project, for everybody who works on it",
            ),
            (
                json!({"type": "removeRules", "rules": bash, "behavior": "allow", "destination": "cliArg"}),
                "No longer allow Bash(npm test:*), as if given on the command line",
            ),
            (
                json!({"type": "setMode", "mode": "acceptEdits", "destination": "session"}),
                "Accept all edits of files without asking, for the rest of this session",
            ),
            (
                json!({"type": "addDirectories", "directories": ["/a", "/b c"], "destination": "session"}),
                "Let it work in /a and /b c too, for the rest of this session",
            ),
            (
                json!({"type": "removeDirectories", "directories": ["/a"], "destination": "userSettings"}),
                "No longer let it work in /a, in all your projects",
            ),
        ] {
            assert_eq!(label(&entry), words);
        }
    }

    #[test]
    fn what_is_not_known_is_said_whole() {
        for entry in [
            json!({"type": "grantMoon", "destination": "session"}),
            json!({"type": "setMode", "mode": "godMode", "destination": "session"}),
            json!({"type": "addRules", "rules": [{"tool": "Bash"}], "behavior": "allow", "destination": "session"}),
            json!({"type": "addRules", "rules": [], "behavior": "allow", "destination": "session"}),
            json!({"type": "addDirectories", "directories": ["/a", 5], "destination": "session"}),
            json!({"type": "addDirectories", "directories": ["/a"], "destination": "theMoon"}),
            json!({}),
        ] {
            let label = label(&entry);
            assert!(
                label.contains("does not know") && label.contains(&entry.to_string()),
                "{label}"
            );
        }
    }
}
