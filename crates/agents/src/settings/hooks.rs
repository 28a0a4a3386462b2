//! The `hooks` of a settings file in JSON: putting ours in, taking them out, seeing what is there. Claude Code and Codex share the
//! shape: event -> groups `{matcher?, hooks}` -> handlers.

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use serde_json::json;

use super::command::{is_our_address, is_written, our_program};
use super::text::{Container, Layout, Text, parse, span};
use super::{Trouble, Unreadable, Wish, address};
use crate::claude::{self, Event};
use crate::codex;
use crate::hook::Agent;
use crate::versions::has;

/// Seconds that a hook may take that a person may have to answer: a day.
const WAITING: u32 = 86_400;
/// Seconds that a hook may take that only tells.
const TELLING: u32 = 10;
/// Entries of ours in one file; more is no settings file.
const MAX_OURS: usize = 1_000;

/// An entry of ours, or of another tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The event that it is registered for.
    pub event: String,
    /// Its matcher, where it has one that leaves something out.
    pub matcher: Option<String>,
    /// The command line or the address.
    pub runs: String,
    /// The program of ours that it runs; `None` for an address and for others' entries.
    pub program: Option<String>,
    /// Whether it is Countersign's.
    pub ours: bool,
    /// Whether it is somebody's own command, with ours in it.
    pub within: bool,
    /// Headers that go with an address, as they are written: a value may name variables.
    pub headers: Vec<(String, String)>,
    /// The variables that those may name; others are empty (`allowedEnvVars`).
    pub variables: Vec<String>,
}

struct Found<'a> {
    event: &'a str,
    event_place: usize,
    group: usize,
    handler: usize,
    value: &'a Value<'a>,
    entry: Entry,
}

/// The events to register for.
pub(super) fn events(agent: Agent) -> &'static [Event] {
    match agent {
        Agent::ClaudeCode => claude::EVENTS,
        Agent::Codex => codex::EVENTS,
    }
}

/// Those of them that this version knows.
pub(super) fn registered(agent: Agent, version: Option<&str>) -> impl Iterator<Item = &'static Event> {
    events(agent)
        .iter()
        .filter(move |event| has(agent, version, event.since))
}

/// Seconds after which the agent gives a hook up.
pub(super) fn seconds(event: &Event) -> u32 {
    let wanted = if event.waits { WAITING } else { TELLING };
    event.at_most.map_or(wanted, |most| most.min(wanted))
}

fn handler(event: &Event, wish: &Wish) -> serde_json::Value {
    match &wish.http {
        Some(http) if event.http => {
            let mut value = json!({ "type": "http", "url": http.url, "timeout": seconds(event) });
            if let Some(variable) = &http.token_variable {
                value["headers"] = json!({ (address::TOKEN): format!("${variable}") });
                value["allowedEnvVars"] = json!([variable]);
            }
            value
        }
        _ => json!({ "type": "command", "command": wish.command, "timeout": seconds(event) }),
    }
}

/// JSON on one line, with spaces as people write it.
fn spaced(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}: {}", serde_json::Value::from(name.as_str()), spaced(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        serde_json::Value::Array(items) => {
            let items: Vec<String> = items.iter().map(spaced).collect();
            format!("[{}]", items.join(", "))
        }
        plain => plain.to_string(),
    }
}

fn group(handler: &serde_json::Value) -> String {
    spaced(&json!({ "hooks": [handler] }))
}

/// A name and a value as a property.
pub(super) fn property(name: &str, value: &str) -> String {
    format!("{}: {value}", serde_json::Value::from(name))
}

/// The one property of a name.
pub(super) fn one<'a>(
    text: &str,
    object: &'a Object<'a>,
    name: &str,
) -> Result<Option<(usize, &'a ObjectProp<'a>)>, Unreadable> {
    let mut found = object
        .properties
        .iter()
        .enumerate()
        .filter(|(_, property)| property.name.as_str() == name);
    let first = found.next();
    match found.next() {
        Some((_, again)) => Err(Unreadable::at(
            text,
            again.range.start,
            format!("\"{name}\" is there twice"),
        )),
        None => Ok(first),
    }
}

pub(super) fn object<'a>(text: &str, value: &'a Value<'a>, what: &str) -> Result<&'a Object<'a>, Unreadable> {
    value
        .as_object()
        .ok_or_else(|| Unreadable::at(text, value.range().start, format!("{what} is not an object")))
}

fn text_of(value: &Value<'_>, name: &str) -> Option<String> {
    Some(value.as_object()?.get_string(name)?.value.to_string())
}

/// The entries of a file, those of others included. Shapes that are not hooks are errors, as the agent would see none at all.
fn entries<'a>(text: &str, hooks: &'a Object<'a>, agent: Agent) -> Result<Vec<Found<'a>>, Unreadable> {
    let mut found = Vec::new();
    for (event_place, event) in hooks.properties.iter().enumerate() {
        let name = event.name.as_str();
        one(text, hooks, name)?;
        let Value::Array(groups) = &event.value else {
            let known = events(agent).iter().any(|event| event.name == name);
            if known {
                let place = event.value.range().start;
                return Err(Unreadable::at(text, place, format!("\"{name}\" is not an array")));
            }
            continue;
        };
        for (group, value) in groups.elements.iter().enumerate() {
            let Some(fields) = value.as_object() else { continue };
            let Some(handlers) = fields.get_array("hooks") else {
                continue;
            };
            let matcher = fields
                .get_string("matcher")
                .map(|matcher| matcher.value.to_string())
                .filter(|matcher| !matches!(matcher.as_str(), "" | "*" | ".*"));
            for (handler, value) in handlers.elements.iter().enumerate() {
                let entry = entry(name, matcher.clone(), value, agent);
                found.push(Found {
                    event: name,
                    event_place,
                    group,
                    handler,
                    value,
                    entry,
                });
            }
        }
    }
    Ok(found)
}

fn entry(event: &str, matcher: Option<String>, value: &Value<'_>, agent: Agent) -> Entry {
    let url = text_of(value, "url");
    let mut line = text_of(value, "command").unwrap_or_default();
    let mut written = is_written(&line, agent);
    if let Some(words) = value.as_object().and_then(|fields| fields.get_array("args")) {
        // The form without a shell.
        line = format!("'{}'", line.replace('\'', r"'\''"));
        for word in words.elements.iter().filter_map(Value::as_string_lit) {
            line = format!("{line} '{}'", word.value.replace('\'', r"'\''"));
        }
        written = true;
    }
    let runs_ours = our_program(&line, agent);
    let program = runs_ours.clone().filter(|_| written);
    let ours = program.is_some() || url.as_deref().is_some_and(|url| is_our_address(url, agent));
    let kind = || text_of(value, "type").unwrap_or_default();
    Entry {
        event: event.to_owned(),
        matcher,
        runs: url
            .or_else(|| Some(line).filter(|line| !line.is_empty()))
            .unwrap_or_else(kind),
        within: runs_ours.is_some() && program.is_none(),
        program,
        ours,
        headers: headers(value),
        variables: variables(value),
    }
}

fn headers(value: &Value<'_>) -> Vec<(String, String)> {
    let headers = value.as_object().and_then(|fields| fields.get_object("headers"));
    let read = |header: &ObjectProp<'_>| {
        let value = header.value.as_string_lit()?.value.to_string();
        Some((header.name.as_str().to_owned(), value))
    };
    headers.map_or_else(Vec::new, |headers| headers.properties.iter().filter_map(read).collect())
}

fn variables(value: &Value<'_>) -> Vec<String> {
    let names = value.as_object().and_then(|fields| fields.get_array("allowedEnvVars"));
    let names = names.into_iter().flat_map(|names| &names.elements);
    names
        .filter_map(|name| Some(name.as_string_lit()?.value.to_string()))
        .collect()
}

/// What hooks a file has.
///
/// # Errors
/// When it cannot be read as settings.
pub(super) fn read(text: &str, agent: Agent) -> Result<Vec<Entry>, Unreadable> {
    let Some(root) = parse(text)? else {
        return Ok(Vec::new());
    };
    let root = object(text, &root, "the file")?;
    let Some((_, hooks)) = one(text, root, "hooks")? else {
        return Ok(Vec::new());
    };
    let hooks = object(text, &hooks.value, "\"hooks\"")?;
    Ok(entries(text, hooks, agent)?
        .into_iter()
        .map(|found| found.entry)
        .collect())
}

/// Registers for every event, once, and for no other.
pub(super) fn put_in(text: &mut Text, agent: Agent, wish: &Wish) -> Result<(), Trouble> {
    // What is registered twice, or for an event that is no longer wanted.
    let version = wish.version.as_deref();
    take_out_where(text, agent, |found, before| {
        let wanted = registered(agent, version).any(|event| event.name == found.event);
        !wanted || before.iter().any(|other| other.event == found.event)
    })?;
    for event in registered(agent, version) {
        ensure(text, agent, event, &handler(event, wish))?;
    }
    Ok(())
}

fn ensure(text: &mut Text, agent: Agent, event: &Event, handler: &serde_json::Value) -> Result<(), Trouble> {
    let source = text.as_str().to_owned();
    let value = parse(&source)?;
    let made = |layout: &Layout| {
        let array = format!("[ {} ]", group(handler));
        (property(event.name, &array), layout.clone())
    };
    let within = |layout: &Layout| {
        let (child, layout) = made(layout);
        property("hooks", &layout.around('{', '}', &child))
    };
    let Some(value) = value else {
        let layout = Layout::of_a_new_file(text.newline());
        let root = layout.around('{', '}', &within(&layout.inner()));
        text.replace(source.len()..source.len(), &root);
        return Ok(());
    };
    let root = object(&source, &value, "the file")?;
    let Some((_, hooks)) = one(&source, root, "hooks")? else {
        text.append(&Container::object(root, 0), within);
        return Ok(());
    };
    let hooks = object(&source, &hooks.value, "\"hooks\"")?;
    let known = entries(&source, hooks, agent)?;
    if let Some(found) = known.iter().find(|found| found.entry.ours && found.event == event.name) {
        let place = span(&found.value.range());
        // With a comment within it is no longer as we wrote it, and is written anew.
        let current: serde_json::Value = serde_json::from_str(&source[place.clone()]).unwrap_or_default();
        let fields = handler.as_object().into_iter().flatten();
        let same_kind = current.get("type") == handler.get("type") && current.get("args").is_none();
        if !same_kind || fields.into_iter().any(|(name, value)| current.get(name) != Some(value)) {
            text.replace(place, &spaced(handler));
        }
        return Ok(());
    }
    match one(&source, hooks, event.name)? {
        None => text.append(&Container::object(hooks, 1), |layout| made(layout).0),
        Some((_, property)) => {
            let Value::Array(groups) = &property.value else {
                let place = property.value.range().start;
                return Err(Unreadable::at(&source, place, format!("\"{}\" is not an array", event.name)).into());
            };
            text.append(&Container::array(groups, 2), |_| group(handler));
        }
    }
    Ok(())
}

/// Takes out all entries of ours.
pub(super) fn take_out(text: &mut Text, agent: Agent) -> Result<(), Trouble> {
    take_out_where(text, agent, |_, _| true)
}

/// Takes out those of ours that are chosen, last first, so that each finds what it was put behind.
fn take_out_where(
    text: &mut Text,
    agent: Agent,
    chosen: impl Fn(&Found<'_>, &[&Found<'_>]) -> bool,
) -> Result<(), Trouble> {
    for _ in 0..MAX_OURS {
        let source = text.as_str().to_owned();
        let Some(value) = parse(&source)? else { return Ok(()) };
        let root = object(&source, &value, "the file")?;
        let Some((hooks_place, hooks)) = one(&source, root, "hooks")? else {
            return Ok(());
        };
        let hooks = object(&source, &hooks.value, "\"hooks\"")?;
        let found = entries(&source, hooks, agent)?;
        let ours: Vec<&Found<'_>> = found.iter().filter(|found| found.entry.ours).collect();
        let last = (0..ours.len())
            .rev()
            .find(|place| chosen(ours[*place], &ours[..*place]));
        let Some(last) = last else { return Ok(()) };
        remove(text, root, (hooks_place, hooks), ours[last]);
    }
    Err(Trouble::TooMany)
}

fn remove(text: &mut Text, root: &Object<'_>, (hooks_place, hooks): (usize, &Object<'_>), found: &Found<'_>) {
    let Some(groups) = hooks.properties[found.event_place].value.as_array() else {
        return;
    };
    let Some(fields) = groups.elements[found.group].as_object() else {
        return;
    };
    let Some(handlers) = fields.get_array("hooks") else {
        return;
    };
    if handlers.elements.len() > 1 {
        return text.remove(&Container::array(handlers, 4), found.handler);
    }
    let groups = Container::array(groups, 2);
    if !text.made_with(&groups, found.group) {
        return text.remove(&groups, found.group);
    }
    let events = Container::object(hooks, 1);
    if !text.made_with(&events, found.event_place) {
        return text.remove(&events, found.event_place);
    }
    text.remove_from_root(&Container::object(root, 0), hooks_place);
}
