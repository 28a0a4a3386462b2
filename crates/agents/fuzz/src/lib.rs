//! What must hold of any bytes that come as an agent's hook or telemetry. Plain functions: libFuzzer drives them with a nightly compiler, and
//! `tests/fuzz_smoke.rs` of the crate drives them with seeds and random changes in every test run.

use countersign_agents::codex::exec::Exec;
use countersign_agents::gate::{self, Rule};
use countersign_agents::hook::{About, Agent, Hook};
use countersign_agents::otlp::{self, Encoding, Signal, Telemetry, Told};
use countersign_model::{Fact, Json, kind};
use serde_json::{Map, Value};

/// Hooks of Claude Code.
pub fn fuzz_claude(bytes: &[u8]) {
    hook(Agent::ClaudeCode, bytes);
}

/// Hooks of Codex, and its `notify`.
pub fn fuzz_codex(bytes: &[u8]) {
    hook(Agent::Codex, bytes);
}

/// Lines of `codex exec --json`.
pub fn fuzz_codex_exec(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut exec = Exec::new("before");
    for line in text.lines() {
        match exec.line(line) {
            Ok(drafts) => {
                for draft in drafts {
                    is_kind(&draft.kind);
                    is_name(&draft.session);
                    fields(&draft.data);
                    let _ = Fact::read(&draft.kind, &draft.data);
                }
            }
            Err(error) => assert!(!error.error.is_empty()),
        }
    }
}

/// Bodies of OpenTelemetry's exporters: of any signal, in either encoding.
pub fn fuzz_otlp(bytes: &[u8]) {
    for signal in [Signal::Logs, Signal::Metrics, Signal::Traces] {
        for encoding in [Encoding::Json, Encoding::Protobuf] {
            let Ok(records) = otlp::decode(signal, encoding, bytes) else {
                continue;
            };
            let mut telemetry = Telemetry::default();
            let told = telemetry.tell(&records, None);
            for Told { event, .. } in &told {
                is_kind(&event.kind);
                is_name(&event.agent);
                event.session.as_deref().map(is_name);
                fields(&event.data);
                let _ = Fact::read(&event.kind, &event.data);
            }
            // What is sent again is recognised.
            let again = Telemetry::default().tell(&records, None);
            assert!(told.iter().map(|told| told.mark).eq(again.iter().map(|told| told.mark)));
        }
    }
}

fn is_kind(name: &str) {
    assert!(!name.is_empty() && name.len() <= 128, "{name:?}");
    assert!(!kind::is_reserved(name), "{name:?} is the hub's own");
}

fn is_name(name: &str) {
    assert!(
        !name.is_empty() && name.len() <= 256 && !name.chars().any(char::is_control),
        "{name:?}"
    );
}

/// The fields of data, none of which is there twice.
fn fields(data: &Json) -> Map<String, Value> {
    let text = data.get();
    let Ok(Value::Object(fields)) = serde_json::from_str(text) else {
        // Numbers beyond any float are JSON, and kept; only this reader cannot take them.
        assert!(text.starts_with('{') && text.ends_with('}'), "{text}");
        return Map::new();
    };
    fields
}

fn hook(agent: Agent, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let hook = match agent.decode(&text) {
        Ok(hook) => hook,
        Err(error) => {
            assert!(!error.error.is_empty());
            return;
        }
    };
    is_name(&hook.session);
    is_name(&hook.name);
    assert!(
        hook.parent
            .as_ref()
            .is_none_or(|parent| hook.session.starts_with(&**parent))
    );
    let given = fields(&serde_json::value::RawValue::from_string(text.trim().to_owned()).expect("it was read"));
    for started in [false, true] {
        for late in [None, Some("2026-08-01T10:00:00Z".to_owned())] {
            let about = About {
                late,
                started,
                ..About::default()
            };
            let event = hook.event(&about);
            is_kind(&event.kind);
            assert_eq!(event.session.as_deref(), Some(&*hook.session));
            nothing_is_lost(&given, &fields(&event.data), started);
            let _ = Fact::read(&event.kind, &event.data);
        }
    }
    if hook.tool.is_some() {
        asked(&hook, &given);
    }
    let _ = (hook.batch(), hook.call_digest(), hook.digest_at(Some("/p")));
}

fn asked(hook: &Hook, given: &Map<String, Value>) {
    let ask = hook.ask("id".into(), &About::default());
    is_name(&ask.tool_name);
    nothing_is_lost(given, &fields(&ask.data), false);
    if hook.agent == Agent::Codex {
        assert!(!ask.edits && !ask.stops && ask.grants.is_empty());
    }
    for grant in &ask.grants {
        assert!(!grant.label.is_empty() && grant.entry.get().starts_with('{'));
    }
    let rules: Vec<Rule> =
        serde_json::from_str(r#"[{"pattern":"*a*b*","decision":"ask"},{"tool":"B*","decision":"deny"}]"#)
            .expect("rules");
    let _ = gate::find(&rules, hook.agent, &ask.tool_name, &ask.arguments);
}

/// Every value that the agent gave is there, under its own name or the hub's.
fn nothing_is_lost(given: &Map<String, Value>, kept: &Map<String, Value>, started: bool) {
    if kept.is_empty() {
        return;
    }
    for (name, value) in given {
        let elsewhere = match name.as_str() {
            "duration_ms" => continue,
            "tool_input" if started || value.is_null() => continue,
            _ => kept.get(&format!("hook_{name}")),
        };
        let same = |kept: &&Value| *kept == value;
        let found = kept.get(name).filter(same).is_some()
            || elsewhere.filter(same).is_some()
            || kept.values().any(|kept| kept == value);
        assert!(found, "{name} is lost: {kept:?}");
    }
}
