//! Values for which an agent passes over a whole settings file, our hooks and all: those of a wrong type, and hooks without what their
//! kind needs. What is not listed is not checked; unknown names do no harm. Tried with Claude Code 2.1.197 and Codex 0.169.0, value by
//! value; the names are those of code.claude.com/docs/en/settings and developers.openai.com/codex/hooks.

use serde_json::Value;

use super::hooks::events;
use crate::hook::Agent;

#[derive(Clone, Copy, Debug)]
enum Type {
    Text,
    Flag,
    Number,
    /// A whole number from 1.
    Count,
    List,
    Texts,
    Object,
    /// An object of texts.
    Named,
    OneOf(&'static [&'static str]),
}

use Type::{Count, Flag, List, Named, Number, Object, OneOf, Text, Texts};

const SETTINGS: &[(&str, Type)] = &[
    ("allowedHttpHookUrls", List),
    ("alwaysThinkingEnabled", Flag),
    ("apiKeyHelper", Text),
    ("attribution", Object),
    ("autoCompactEnabled", Flag),
    ("autoMemoryDirectory", Text),
    ("autoMemoryEnabled", Flag),
    ("availableModels", List),
    ("awsAuthRefresh", Text),
    ("awsCredentialExport", Text),
    ("claudeMdExcludes", List),
    ("cleanupPeriodDays", Count),
    ("companyAnnouncements", List),
    ("disableAllHooks", Flag),
    ("disabledMcpjsonServers", List),
    ("enableAllProjectMcpServers", Flag),
    ("enabledMcpjsonServers", List),
    ("enabledPlugins", Object),
    ("env", Object),
    ("extraKnownMarketplaces", Object),
    ("fastMode", Flag),
    ("fileSuggestion", Object),
    ("httpHookAllowedEnvVars", List),
    ("includeCoAuthoredBy", Flag),
    ("includeGitInstructions", Flag),
    ("language", Text),
    ("minimumVersion", Text),
    ("model", Text),
    ("modelOverrides", Object),
    ("otelHeadersHelper", Text),
    ("outputStyle", Text),
    ("permissions", Object),
    ("plansDirectory", Text),
    ("prefersReducedMotion", Flag),
    ("respectGitignore", Flag),
    ("sandbox", Object),
    ("showTurnDuration", Flag),
    ("skipDangerousModePermissionPrompt", Flag),
    ("skipWebFetchPreflight", Flag),
    ("spinnerTipsEnabled", Flag),
    ("statusLine", Object),
    ("syntaxHighlightingDisabled", Flag),
    ("terminalProgressBarEnabled", Flag),
    ("todoFeatureEnabled", Flag),
    ("verbose", Flag),
    ("worktree", Object),
];

const PERMISSIONS: &[(&str, Type)] = &[
    ("allow", List),
    ("deny", List),
    ("ask", List),
    ("additionalDirectories", Texts),
    (
        "defaultMode",
        OneOf(&["default", "acceptEdits", "plan", "auto", "dontAsk", "bypassPermissions"]),
    ),
    ("disableBypassPermissionsMode", OneOf(&["disable"])),
];

/// Fields of a handler; which are needed depends on its kind.
const HANDLER: &[(&str, Type)] = &[
    ("command", Text),
    ("args", Texts),
    ("prompt", Text),
    ("url", Text),
    ("headers", Named),
    ("allowedEnvVars", Texts),
    ("server", Text),
    ("tool", Text),
    ("timeout", Number),
    ("async", Flag),
    ("once", Flag),
    ("if", Text),
    ("statusMessage", Text),
    ("shell", OneOf(&["bash", "powershell"])),
];

/// What each kind of handler cannot be without.
const KINDS: &[(&str, &[&str])] = &[
    ("command", &["command"]),
    ("prompt", &["prompt"]),
    ("agent", &["prompt"]),
    ("http", &["url"]),
    ("mcp_tool", &["server", "tool"]),
];

/// The first value for which the agent ignores the file: where it is, and what is wrong with it.
pub(super) fn refused(agent: Agent, root: &Value) -> Option<String> {
    let settings =
        || fields("", root, SETTINGS).or_else(|| fields("permissions.", root.get("permissions")?, PERMISSIONS));
    match agent {
        Agent::ClaudeCode => settings().or_else(|| hooks(agent, root)),
        Agent::Codex => hooks(agent, root),
    }
}

fn fields(before: &str, object: &Value, known: &[(&str, Type)]) -> Option<String> {
    known.iter().find_map(|(name, wanted)| {
        let wrong = wrong(object.get(name)?, *wanted)?;
        Some(format!("{before}{name} {wrong}"))
    })
}

fn wrong(value: &Value, wanted: Type) -> Option<String> {
    let texts = |mut values: Box<dyn Iterator<Item = &Value> + '_>| values.all(Value::is_string);
    let (fits, what) = match wanted {
        Text => (value.is_string(), "text"),
        Flag => (value.is_boolean(), "true or false"),
        Number => (value.as_f64().is_some_and(|number| number > 0.0), "a number above 0"),
        Count => (value.as_u64().is_some_and(|count| count > 0), "a whole number above 0"),
        List => (value.is_array(), "a list"),
        Object => (value.is_object(), "an object"),
        Texts => {
            let list = value.as_array();
            (list.is_some_and(|list| texts(Box::new(list.iter()))), "a list of texts")
        }
        Named => {
            let object = value.as_object();
            (
                object.is_some_and(|object| texts(Box::new(object.values()))),
                "an object of texts",
            )
        }
        OneOf(words) => {
            let fits = value.as_str().is_some_and(|word| words.contains(&word));
            return (!fits).then(|| format!("is not one of {}", words.join(", ")));
        }
    };
    (!fits).then(|| format!("is not {what}"))
}

fn hooks(agent: Agent, root: &Value) -> Option<String> {
    let hooks = root.get("hooks")?.as_object()?;
    events(agent).iter().find_map(|event| {
        let groups = hooks.get(event.name)?.as_array()?.iter().enumerate();
        groups
            .filter_map(|(place, value)| {
                group(agent, value).map(|wrong| format!("hooks.{}[{place}]{wrong}", event.name))
            })
            .next()
    })
}

/// What is wrong with a group, after its name.
fn group(agent: Agent, group: &Value) -> Option<String> {
    if !group.is_object() {
        return Some(" is not an object".to_owned());
    }
    if group.get("matcher").is_some_and(|matcher| !matcher.is_string()) {
        return Some(".matcher is not text".to_owned());
    }
    let Some(handlers) = group.get("hooks") else {
        return (agent == Agent::ClaudeCode).then(|| " has no \"hooks\"".to_owned());
    };
    let Some(handlers) = handlers.as_array() else {
        return Some(".hooks is not a list".to_owned());
    };
    handlers
        .iter()
        .enumerate()
        .find_map(|(place, value)| Some(format!(".hooks[{place}]{}", handler(agent, value)?)))
}

fn handler(agent: Agent, handler: &Value) -> Option<String> {
    if !handler.is_object() {
        return Some(" is not an object".to_owned());
    }
    let kind = handler.get("type").and_then(Value::as_str).unwrap_or_default();
    let Some((_, needs)) = KINDS.iter().find(|(known, _)| *known == kind) else {
        return Some(".type is none of command, prompt, agent, http, mcp_tool".to_owned());
    };
    if agent == Agent::Codex {
        return None;
    }
    if let Some(missing) = needs.iter().find(|name| handler.get(**name).is_none()) {
        return Some(format!(" has no \"{missing}\""));
    }
    let url = handler.get("url").and_then(Value::as_str);
    if url.is_some_and(|url| !url.contains("://")) {
        return Some(".url is no address".to_owned());
    }
    fields(".", handler, HANDLER)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(root: &Value, expect: Option<&str>) {
        assert_eq!(refused(Agent::ClaudeCode, root).as_deref(), expect, "{root}");
    }

    #[test]
    fn a_value_of_a_wrong_type_is_named_with_its_place() {
        check(&json!({"model": 5}), Some("model is not text"));
        check(
            &json!({"cleanupPeriodDays": 0}),
            Some("cleanupPeriodDays is not a whole number above 0"),
        );
        check(&json!({"permissions": "x"}), Some("permissions is not an object"));
        check(
            &json!({"permissions": {"allow": "x"}}),
            Some("permissions.allow is not a list"),
        );
        let mode = "permissions.defaultMode is not one of default, acceptEdits, plan, auto, dontAsk, bypassPermissions";
        check(&json!({"permissions": {"defaultMode": "zzz"}}), Some(mode));
        check(
            &json!({"hooks": {"PreToolUse": ["x"]}}),
            Some("hooks.PreToolUse[0] is not an object"),
        );
        check(
            &json!({"hooks": {"Stop": [{"matcher": "x"}]}}),
            Some("hooks.Stop[0] has no \"hooks\""),
        );
        check(
            &json!({"hooks": {"Stop": [{"matcher": 1, "hooks": []}]}}),
            Some("hooks.Stop[0].matcher is not text"),
        );
        let handler = |handler: Value| json!({"hooks": {"Stop": [{"hooks": [handler]}]}});
        let kinds = "hooks.Stop[0].hooks[0].type is none of command, prompt, agent, http, mcp_tool";
        check(&handler(json!({"type": "zzz"})), Some(kinds));
        check(
            &handler(json!({"type": "command"})),
            Some("hooks.Stop[0].hooks[0] has no \"command\""),
        );
        let timeout = "hooks.Stop[0].hooks[0].timeout is not a number above 0";
        check(
            &handler(json!({"type": "command", "command": "x", "timeout": "5"})),
            Some(timeout),
        );
        check(
            &handler(json!({"type": "http", "url": "x"})),
            Some("hooks.Stop[0].hooks[0].url is no address"),
        );
    }

    #[test]
    fn what_claude_takes_is_not_complained_of() {
        let handlers = json!([
            {"type": "command", "command": "", "timeout": 0.5, "async": true, "other": 1},
            {"type": "http", "url": "http://x", "headers": {"a": "b"}, "allowedEnvVars": []},
            {"type": "mcp_tool", "server": "a", "tool": "b"},
        ]);
        check(
            &json!({"hooks": {"Stop": [{"matcher": "x", "hooks": handlers}], "Zzz": ["x"]}, "zzz": 1}),
            None,
        );
        check(
            &json!({"env": {"A": 5}, "permissions": {"allow": [5], "defaultMode": "auto"}}),
            None,
        );
        check(&json!([]), None);
    }
}
