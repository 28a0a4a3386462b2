//! Claude Code's telemetry, switched on by environment variables in its settings (code.claude.com/docs/en/monitoring-usage).
//! A variable of our own names those that we added, so that what was there before stays when ours go.

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

use super::hooks::{object, one, property};
use super::text::{Container, Layout, Text, parse, span};
use super::{Trouble, Unreadable};

/// Names the variables that `connect` added, separated by commas.
pub(super) const ADDED: &str = "COUNTERSIGN_ADDED";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The variables and their values for a hub at this address.
fn variables(endpoint: &str) -> [(&'static str, String); 5] {
    [
        ("CLAUDE_CODE_ENABLE_TELEMETRY", "1".to_owned()),
        ("OTEL_LOGS_EXPORTER", "otlp".to_owned()),
        ("OTEL_METRICS_EXPORTER", "otlp".to_owned()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".to_owned()),
        (ENDPOINT, endpoint.trim_end_matches('/').to_owned()),
    ]
}

/// Whether an address is this machine's.
pub(super) fn is_local(url: &str) -> bool {
    ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"]
        .iter()
        .any(|start| url.starts_with(start))
}

fn environment<'a>(text: &str, root: &'a Object<'a>) -> Result<Option<(usize, &'a Object<'a>)>, Unreadable> {
    match one(text, root, "env")? {
        None => Ok(None),
        Some((place, property)) => Ok(Some((place, object(text, &property.value, "\"env\"")?))),
    }
}

fn value_of(env: &Object<'_>, name: &str) -> Option<String> {
    match &env.get(name)?.value {
        Value::StringLit(text) => Some(text.value.to_string()),
        Value::NumberLit(number) => Some(number.value.to_owned()),
        Value::BooleanLit(flag) => Some(flag.value.to_string()),
        _ => Some(String::new()),
    }
}

fn added(env: &Object<'_>) -> Vec<String> {
    let names = value_of(env, ADDED).unwrap_or_default();
    names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A variable's value, where the file can be understood and sets it.
pub(super) fn variable(text: &str, name: &str) -> Option<String> {
    let root = parse(text).ok()??;
    value_of(root.as_object()?.get_object("env")?, name)
}

/// Where telemetry goes, if settings say so: the address, and whether it was us who said it.
///
/// # Errors
/// When the file cannot be read as settings.
pub(super) fn read(text: &str) -> Result<Option<(String, bool)>, Unreadable> {
    let Some(root) = parse(text)? else { return Ok(None) };
    let root = object(text, &root, "the file")?;
    let Some((_, env)) = environment(text, root)? else {
        return Ok(None);
    };
    let on = value_of(env, "CLAUDE_CODE_ENABLE_TELEMETRY")
        .is_some_and(|value| !matches!(value.as_str(), "0" | "false" | ""));
    let ours = value_of(env, ADDED).is_some();
    Ok(on.then(|| (value_of(env, ENDPOINT).unwrap_or_default(), ours)))
}

/// Switches telemetry on.
///
/// # Errors
/// When telemetry of another kind is set up: the variables that say so.
pub(super) fn put_in(text: &mut Text, endpoint: &str) -> Result<(), Trouble> {
    let wanted = variables(endpoint);
    let mut ours = Vec::new();
    let mut others = Vec::new();
    {
        let source = text.as_str().to_owned();
        if let Some(value) = parse(&source)? {
            let root = object(&source, &value, "the file")?;
            if let Some((_, env)) = environment(&source, root)? {
                ours = added(env);
                for property in &env.properties {
                    let name = property.name.as_str();
                    one(&source, env, name)?;
                    let mine = ours.iter().any(|known| known == name);
                    let same = wanted
                        .iter()
                        .any(|(known, value)| *known == name && value_of(env, name).as_ref() == Some(value));
                    let concerns = name.starts_with("OTEL_") || name == "CLAUDE_CODE_ENABLE_TELEMETRY";
                    if concerns && !mine && !same {
                        others.push(name.to_owned());
                    }
                }
            }
        }
    }
    if !others.is_empty() {
        return Err(Trouble::OtherTelemetry(others));
    }
    for (name, value) in &wanted {
        if set(text, name, value, &ours)? {
            ours.push((*name).to_owned());
        }
    }
    let names = ours.join(",");
    set(text, ADDED, &names, &[ADDED.to_owned()])?;
    Ok(())
}

/// Sets one variable; says whether it was not there. One that is not ours stays as it is.
fn set(text: &mut Text, name: &str, value: &str, ours: &[String]) -> Result<bool, Trouble> {
    let source = text.as_str().to_owned();
    let quoted = serde_json::Value::from(value).to_string();
    let child = property(name, &quoted);
    let within = |layout: &Layout| property("env", &layout.around('{', '}', &child));
    let Some(parsed) = parse(&source)? else {
        let layout = Layout::of_a_new_file(text.newline());
        let root = layout.around('{', '}', &within(&layout.inner()));
        text.replace(source.len()..source.len(), &root);
        return Ok(true);
    };
    let root = object(&source, &parsed, "the file")?;
    let Some((_, env)) = environment(&source, root)? else {
        text.append(&Container::object(root, 0), within);
        return Ok(true);
    };
    match env.get(name) {
        None => {
            text.append(&Container::object(env, 1), |_| child.clone());
            Ok(true)
        }
        Some(property) => {
            if ours.iter().any(|known| known == name) && value_of(env, name).as_deref() != Some(value) {
                text.replace(span(&property.value.range()), &quoted);
            }
            Ok(false)
        }
    }
}

/// Takes out the variables that we added, unless somebody gave them another value since.
pub(super) fn take_out(text: &mut Text) -> Result<(), Trouble> {
    let mut names = {
        let source = text.as_str().to_owned();
        let Some(value) = parse(&source)? else { return Ok(()) };
        let root = object(&source, &value, "the file")?;
        let Some((_, env)) = environment(&source, root)? else {
            return Ok(());
        };
        if env.get(ADDED).is_none() {
            return Ok(());
        }
        let plain = variables("");
        let still_ours = |name: &String| {
            let value = value_of(env, name).unwrap_or_default();
            let usual = plain.iter().any(|(known, usual)| known == name && *usual == value);
            usual || (name == ENDPOINT && is_local(&value))
        };
        added(env).into_iter().filter(still_ours).collect::<Vec<_>>()
    };
    names.push(ADDED.to_owned());
    for name in names.iter().rev() {
        let source = text.as_str().to_owned();
        let Some(value) = parse(&source)? else { return Ok(()) };
        let root = object(&source, &value, "the file")?;
        let Some((env_place, env)) = environment(&source, root)? else {
            return Ok(());
        };
        let Some((place, _)) = one(&source, env, name)? else {
            continue;
        };
        let variables = Container::object(env, 1);
        if text.made_with(&variables, place) {
            text.remove_from_root(&Container::object(root, 0), env_place);
        } else {
            text.remove(&variables, place);
        }
    }
    Ok(())
}
