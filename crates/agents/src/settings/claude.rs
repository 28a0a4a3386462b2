//! Claude Code's settings at all their levels, as far as they keep our hooks from being run or asked: its files outrank each other
//! (code.claude.com/docs/en/settings, "Settings precedence"; Claude Code 2.1.197).

use countersign_model::Finding;
use jsonc_parser::ast::Value;

use super::conflicts::{Beside, shown};
use super::{Entry, parse, split};

/// Whose settings a file has; a later one outranks those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The person's own, for all projects.
    #[default]
    User,
    /// A project's, shared through its repository.
    Project,
    /// The person's own for a project.
    Local,
    /// Those of whoever administers the machine; of several, a later one outranks those before it.
    Managed,
}

/// A settings file beside the one that is looked at.
#[derive(Clone, Debug)]
pub struct Level {
    /// Whose.
    pub rank: Rank,
    /// Where it is.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// What to do about what only an administrator can change.
pub(super) const ASK_THEM: &str =
    "Only whoever manages this machine can change that; ask them to add Countersign's hooks to those settings.";

pub(super) fn look(file: &str, beside: Beside<'_>, entries: &[Entry], found: &mut Vec<Finding>) {
    let own = Level {
        rank: beside.rank,
        path: beside.path.to_owned(),
        text: file.to_owned(),
    };
    let mut levels: Vec<&Level> = beside.levels.iter().chain([&own]).collect();
    levels.sort_by_key(|level| level.rank);
    let levels = Levels(levels);
    switches(&levels, found);
    modes(&levels, found);
    addresses(&levels, entries, found);
}

/// Lowest first.
struct Levels<'a>(Vec<&'a Level>);

impl<'a> Levels<'a> {
    /// What the highest level says that says anything.
    fn says<T>(&self, path: &[&str], read: impl Fn(&Value<'_>) -> Option<T>) -> Option<(&'a Level, T)> {
        let mut levels = self.0.iter().rev();
        levels.find_map(|level| Some((*level, within(&level.text, path, &read)?)))
    }

    /// What the lists of all levels say together; nothing when there is none.
    fn list(&self, name: &str) -> Option<Vec<String>> {
        let read = |value: &Value<'_>| {
            let texts = value.as_array()?.elements.iter();
            Some(texts.filter_map(|text| Some(text.as_string_lit()?.value.to_string())))
                .map(|texts| texts.collect::<Vec<_>>())
        };
        let lists: Vec<_> = self
            .0
            .iter()
            .filter_map(|level| within(&level.text, &[name], read))
            .collect();
        (!lists.is_empty()).then(|| lists.concat())
    }

    fn managed(&self) -> Self {
        let managed = self.0.iter().copied().filter(|level| level.rank == Rank::Managed);
        Self(managed.collect())
    }
}

fn switches(levels: &Levels<'_>, found: &mut Vec<Finding>) {
    let flag = |value: &Value<'_>| Some(value.as_boolean_lit()?.value);
    if let Some((level, true)) = levels.says(&["disableAllHooks"], flag) {
        let path = shown(&level.path);
        found.push(if level.rank == Rank::Managed {
            Finding::fail(
                "managed",
                format!("{path}, which this machine's administrator made, switches all hooks off (\"disableAllHooks\": true)"),
                ASK_THEM,
            )
        } else {
            Finding::fail(
                "hooks-off",
                format!("\"disableAllHooks\": true in {path} switches all hooks off"),
                "Take that line out.",
            )
        });
    }
    let managed = levels.managed();
    let only = managed.says(&["allowManagedHooksOnly"], flag);
    let strict = managed.says(&["strictPluginOnlyCustomization"], |value| {
        Some(match value {
            Value::Array(kinds) => kinds
                .elements
                .iter()
                .any(|kind| kind.as_string_lit().is_some_and(|kind| kind.value == "hooks")),
            other => other.as_boolean_lit()?.value,
        })
    });
    for (name, says) in [
        ("allowManagedHooksOnly", only),
        ("strictPluginOnlyCustomization", strict),
    ] {
        if let Some((level, true)) = says {
            let path = shown(&level.path);
            let what =
                format!("{path}, which this machine's administrator made, allows no hooks but their own (\"{name}\")");
            found.push(Finding::fail("managed", what, ASK_THEM));
        }
    }
}

fn modes(levels: &Levels<'_>, found: &mut Vec<Finding>) {
    let mode = |value: &Value<'_>| Some(value.as_string_lit()?.value.to_string());
    let Some((level, mode)) = levels.says(&["permissions", "defaultMode"], mode) else {
        return;
    };
    let does = match mode.as_str() {
        "bypassPermissions" => "ask nobody, so there is nothing to answer in Countersign",
        "dontAsk" => "refuse by itself what it would ask about",
        _ => return,
    };
    found.push(Finding::warn(
        "asks-nobody",
        format!(
            "\"defaultMode\": \"{mode}\" in {} makes Claude Code {does}",
            shown(&level.path)
        ),
        "Take it out if you want to be asked. Sessions are shown all the same.",
    ));
}

/// What the settings allow HTTP hooks.
fn addresses(levels: &Levels<'_>, entries: &[Entry], found: &mut Vec<Finding>) {
    let posted = entries.iter().find(|entry| entry.ours && entry.program.is_none());
    let Some(entry) = posted else { return };
    let urls = levels.list("allowedHttpHookUrls");
    if urls.is_some_and(|urls| !urls.iter().any(|pattern| matches(pattern, &entry.runs))) {
        found.push(Finding::fail(
            "http-hooks",
            format!(
                "\"allowedHttpHookUrls\" does not allow {}, so Claude Code sends nothing there",
                shown(&entry.runs)
            ),
            "Add the address to that list, or connect without HTTP hooks: `countersign connect claude-code --no-http`.",
        ));
    }
    let variables = levels.list("httpHookAllowedEnvVars");
    let named = entry.named();
    let refused = named
        .iter()
        .find(|name| variables.as_ref().is_some_and(|variables| !variables.contains(name)));
    if let Some(name) = refused {
        found.push(Finding::fail(
            "http-hooks",
            format!("\"httpHookAllowedEnvVars\" does not allow {name}, so Claude Code sends no token"),
            "Add the variable to that list.",
        ));
    }
}

/// Whether an address is like a pattern, in which `*` stands for anything.
fn matches(pattern: &str, url: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = url.strip_prefix(first) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(place) = rest.find(piece) else { return false };
        rest = &rest[place + piece.len()..];
    }
    true
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Kind, look};

    fn check(file: &str, levels: &[(Rank, &str)], expect: &[&str]) {
        let levels: Vec<Level> = levels
            .iter()
            .map(|(rank, text)| Level {
                rank: *rank,
                path: format!("/{rank:?}"),
                text: (*text).to_owned(),
            })
            .collect();
        let beside = Beside {
            path: "/own",
            levels: &levels,
            ..Beside::default()
        };
        let found = look(Kind::ClaudeSettings, Some(file), beside).expect("readable");
        let found: Vec<String> = found
            .iter()
            .map(|finding| format!("{}: {}", finding.check, finding.what))
            .collect();
        assert_eq!(found.len(), expect.len(), "{found:?}");
        for (found, expect) in found.iter().zip(expect) {
            assert!(found.contains(expect), "{found} has no {expect}");
        }
    }

    #[test]
    fn the_level_that_switches_hooks_off_is_named() {
        let off = r#"{"disableAllHooks": true}"#;
        let on = r#"{"disableAllHooks": false}"#;
        check(off, &[], &["hooks-off: \"disableAllHooks\": true in /own"]);
        check(
            "{}",
            &[(Rank::Project, off)],
            &["hooks-off: \"disableAllHooks\": true in /Project"],
        );
        check(off, &[(Rank::Local, on)], &[]);
        check(off, &[(Rank::Managed, off)], &["managed: /Managed"]);
        check(off, &[(Rank::Managed, on)], &[]);
        check(off, &[(Rank::Managed, "{ broken")], &["hooks-off"]);
    }

    #[test]
    fn what_only_an_administrator_may_say_counts_from_there_alone() {
        let only = r#"{"allowManagedHooksOnly": true}"#;
        check(only, &[(Rank::Project, only)], &[]);
        check("{}", &[(Rank::Managed, only)], &["allows no hooks but their own"]);
        check(
            "{}",
            &[
                (Rank::Managed, only),
                (Rank::Managed, r#"{"allowManagedHooksOnly": false}"#),
            ],
            &[],
        );
        check(
            "{}",
            &[(Rank::Managed, r#"{"strictPluginOnlyCustomization": ["skills"]}"#)],
            &[],
        );
        for strict in ["true", r#"["hooks"]"#] {
            let text = format!(r#"{{"strictPluginOnlyCustomization": {strict}}}"#);
            check("{}", &[(Rank::Managed, &text)], &["strictPluginOnlyCustomization"]);
        }
    }

    #[test]
    fn what_http_hooks_may_reach_and_say_is_looked_at() {
        let file = r#"{"hooks": {"Stop": [{"hooks": [{"type": "http", "url": "http://127.0.0.1:8765/hooks/claude-code",
            "headers": {"X-Countersign-Token": "$COUNTERSIGN_TOKEN"}, "allowedEnvVars": ["COUNTERSIGN_TOKEN"]}]}]}}"#;
        check(file, &[], &[]);
        check(
            file,
            &[(Rank::Managed, r#"{"allowedHttpHookUrls": []}"#)],
            &["allowedHttpHookUrls"],
        );
        let lists = r#"{"allowedHttpHookUrls": ["https://x/*"], "httpHookAllowedEnvVars": ["OTHER"]}"#;
        check(
            file,
            &[(Rank::Project, lists)],
            &["allowedHttpHookUrls", "httpHookAllowedEnvVars"],
        );
        let more = r#"{"allowedHttpHookUrls": ["http://127.0.0.1:*/hooks/*"], "httpHookAllowedEnvVars": ["COUNTERSIGN_TOKEN"]}"#;
        check(file, &[(Rank::Project, lists), (Rank::User, more)], &[]);
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, url, expect) in [
            ("*", "http://x", true),
            ("http://x", "http://x", true),
            ("http://x", "http://xy", false),
            ("http://*/a", "http://x/b/a", true),
            ("http://*/a*c", "http://x/a/b", false),
            ("", "http://x", false),
        ] {
            assert_eq!(matches(pattern, url), expect, "{pattern} {url}");
        }
    }
}
