//! What goes into Codex's `config.toml`: `[otel]`, and hooks for those who have theirs there. Each is a block of lines behind a comment
//! of ours, put at the end and taken out line by line; the rest of the file is not touched.

use toml_edit::{Document, Item, Table};

use super::command::{is_written, our_program};
use super::hooks::{Entry, events, seconds};
use super::text::newline;
use super::{Trouble, Unreadable};
use crate::hook::Agent;

const OTEL: &str = "# Usage and cost, told to Countersign; `countersign disconnect codex` takes this out.";
const HOOKS: &str = "# Countersign's hooks; `countersign disconnect codex` takes them out.";

/// The signals, with the names of their exporters in Codex's settings.
const SIGNALS: [(&str, &str); 3] = [
    ("exporter", "logs"),
    ("metrics_exporter", "metrics"),
    ("trace_exporter", "traces"),
];

fn parse(text: &str) -> Result<Document<&str>, Unreadable> {
    Document::parse(text).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        Unreadable::at(text, place, error.message().to_owned())
    })
}

/// What the file says that matters to us.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    /// Hooks in the file itself.
    pub(super) entries: Vec<Entry>,
    /// Whether hooks of any kind are in the file itself.
    pub(super) inline: bool,
    /// Whether they are in a form that a line at the end cannot add to.
    pub(super) closed: bool,
    /// Hooks are switched off.
    pub(super) off: bool,
    /// `approval_policy`, where it is a word.
    pub(super) approval_policy: Option<String>,
    /// Where usage goes, and whether that is ours.
    pub(super) otel: Option<(String, bool)>,
}

/// Reads a configuration.
///
/// # Errors
/// Where it is no TOML.
pub(super) fn read(text: &str) -> Result<Config, Unreadable> {
    let document = parse(text)?;
    let root = document.as_table();
    let mut config = Config {
        approval_policy: root.get("approval_policy").and_then(Item::as_str).map(str::to_owned),
        ..Config::default()
    };
    if let Some(features) = root.get("features").and_then(Item::as_table_like) {
        let off = |name: &str| features.get(name).and_then(Item::as_bool) == Some(false);
        config.off = off("hooks") || off("codex_hooks");
    }
    if let Some(hooks) = root.get("hooks") {
        config.closed = !hooks.is_table();
        for (event, groups) in hooks.as_table_like().into_iter().flat_map(|hooks| hooks.iter()) {
            if event != "state" {
                config.inline = true;
                config.closed |= !groups.is_array_of_tables();
                entries(event, groups, &mut config.entries);
            }
        }
    }
    if let Some(otel) = root.get("otel") {
        let endpoints: Vec<String> = SIGNALS
            .iter()
            .filter_map(|(name, _)| {
                otel.get(name)?
                    .get("otlp-http")?
                    .get("endpoint")?
                    .as_str()
                    .map(str::to_owned)
            })
            .collect();
        let ours =
            text.contains(OTEL) && !endpoints.is_empty() && endpoints.iter().all(|url| super::env::is_local(url));
        config.otel = Some((endpoints.into_iter().next().unwrap_or_default(), ours));
    }
    Ok(config)
}

fn entries(event: &str, groups: &Item, found: &mut Vec<Entry>) {
    let groups: Vec<&dyn toml_edit::TableLike> = match groups {
        Item::ArrayOfTables(tables) => tables.iter().map(|table| table as _).collect(),
        Item::Value(toml_edit::Value::Array(array)) => array
            .iter()
            .filter_map(|value| value.as_inline_table().map(|table| table as _))
            .collect(),
        _ => return,
    };
    for group in groups {
        let matcher = group.get("matcher").and_then(Item::as_str);
        let matcher = matcher
            .filter(|matcher| !matches!(*matcher, "" | "*" | ".*"))
            .map(str::to_owned);
        let Some(handlers) = group.get("hooks") else { continue };
        let commands: Vec<&str> = match handlers {
            Item::ArrayOfTables(tables) => tables.iter().filter_map(command).collect(),
            Item::Value(toml_edit::Value::Array(array)) => array
                .iter()
                .filter_map(|value| value.as_inline_table()?.get("command")?.as_str())
                .collect(),
            _ => continue,
        };
        for line in commands {
            let runs_ours = our_program(line, Agent::Codex);
            let program = runs_ours.clone().filter(|_| is_written(line, Agent::Codex));
            found.push(Entry {
                event: event.to_owned(),
                matcher: matcher.clone(),
                runs: line.to_owned(),
                ours: program.is_some(),
                within: runs_ours.is_some() && program.is_none(),
                program,
                ..Entry::default()
            });
        }
    }
}

fn command(handler: &Table) -> Option<&str> {
    handler.get("command")?.as_str()
}

/// A string as TOML writes it.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// Adds a block at the end; its end shows whether the file ended in a line break, and whether there was one at all.
fn add(text: &mut String, missing: bool, lines: &[String]) {
    let newline = newline(text);
    if missing && text.is_empty() {
        text.push_str(&lines.join(newline));
        text.push_str(newline);
        return;
    }
    let ended = text.ends_with('\n');
    text.push_str(newline);
    if !ended {
        text.push_str(newline);
    }
    text.push_str(&lines.join(newline));
    if ended {
        text.push_str(newline);
    }
}

/// Takes out each block that starts with this line, as far as its lines are ours.
fn take(text: &mut String, first: &str, ours: impl Fn(&str) -> bool) {
    while let Some(start) = line_start(text, first) {
        let newline = newline(text);
        let mut end = start;
        for (place, line) in text[start..].split_inclusive('\n').enumerate() {
            if place > 0 && !ours(line.trim_end_matches(['\r', '\n'])) {
                break;
            }
            end += line.len();
        }
        let open = end == text.len() && !text.ends_with('\n');
        let mut before = &text[..start];
        for _ in 0..if open { 2 } else { 1 } {
            before = before.strip_suffix(newline).unwrap_or(before);
        }
        *text = format!("{before}{}", &text[end..]);
    }
}

fn line_start(text: &str, line: &str) -> Option<usize> {
    let mut place = 0;
    for whole in text.split_inclusive('\n') {
        if whole.trim_end_matches(['\r', '\n']) == line {
            return Some(place);
        }
        place += whole.len();
    }
    None
}

/// Sends usage and cost to the hub at `endpoint`.
///
/// # Errors
/// When the file cannot be read, or says already where they go.
pub(super) fn put_in_otel(text: &mut String, missing: bool, endpoint: &str) -> Result<(), Trouble> {
    let endpoint = endpoint.trim_end_matches('/');
    let mut lines = vec![OTEL.to_owned(), "[otel]".to_owned()];
    for (name, signal) in SIGNALS {
        let address = quoted(&format!("{endpoint}/v1/{signal}"));
        lines.push(format!(
            "{name} = {{ otlp-http = {{ endpoint = {address}, protocol = \"binary\" }} }}"
        ));
    }
    match read(text)?.otel {
        Some((_, false)) => return Err(Trouble::OtherTelemetry(vec!["[otel]".to_owned()])),
        Some((_, true)) if text.contains(&lines.join(newline(text))) => return Ok(()),
        Some((_, true)) => take_out_otel(text)?,
        None => {}
    }
    add(text, missing, &lines);
    read(text)?;
    Ok(())
}

/// Takes `[otel]` out, if it is ours.
pub(super) fn take_out_otel(text: &mut String) -> Result<(), Trouble> {
    read(text)?;
    take(text, OTEL, |line| {
        line == "[otel]"
            || SIGNALS
                .iter()
                .any(|(name, _)| line.starts_with(&format!("{name} = {{ otlp-http = {{ endpoint = \"http://")))
    });
    read(text)?;
    Ok(())
}

/// Registers for every event in the file itself.
pub(super) fn put_in_hooks(text: &mut String, missing: bool, command: &str) -> Result<(), Trouble> {
    let mut lines = vec![HOOKS.to_owned()];
    for event in events(Agent::Codex) {
        lines.push(format!("[[hooks.{}]]", event.name));
        lines.push(format!(
            "hooks = [{{ type = \"command\", command = {}, timeout = {} }}]",
            quoted(command),
            seconds(event)
        ));
    }
    if text.contains(&lines.join(newline(text))) {
        return Ok(());
    }
    take_out_hooks(text)?;
    add(text, missing, &lines);
    read(text)?;
    Ok(())
}

/// Takes out the hooks that we put into the file itself.
pub(super) fn take_out_hooks(text: &mut String) -> Result<(), Trouble> {
    read(text)?;
    take(text, HOOKS, |line| {
        let header = line.strip_prefix("[[hooks.").and_then(|rest| rest.strip_suffix("]]"));
        let ours = || {
            let value: Option<Document<&str>> = Document::parse(line).ok();
            let command = value.as_ref().and_then(|value| {
                let handlers = value.get("hooks")?.as_array()?;
                (handlers.len() == 1).then(|| handlers.get(0)?.as_inline_table()?.get("command")?.as_str())?
            });
            command.is_some_and(|line| our_program(line, Agent::Codex).is_some())
        };
        header.is_some_and(|event| events(Agent::Codex).iter().any(|known| known.name == event)) || ours()
    });
    read(text)?;
    Ok(())
}
