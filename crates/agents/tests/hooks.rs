//! What the codecs make of everything that the real programs told, and every answer in each agent's form.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use countersign_agents::hook::{About, Agent, Answer, Hook, Phase};
use countersign_model::{Fact, empty_object, to_json};
use serde_json::json;

fn fixtures(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .collect();
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).expect("a fixture"))
    };
    files.iter().map(read).collect()
}

/// Long texts of the programs say nothing about the codecs.
fn short(text: &str) -> String {
    let mut out: String = text.chars().take(900).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

fn told(hook: &Hook) -> String {
    let mut out = String::new();
    let parent = hook.parent.as_deref().unwrap_or("-");
    writeln!(out, "phase {:?}, session {}, parent {parent}", hook.phase, hook.session).expect("text");
    if hook.phase == Phase::Permission {
        let ask = hook.ask("ID".into(), &About::default());
        writeln!(
            out,
            "ask {} in {} (edits {}, stops {}) {}",
            ask.tool_name,
            ask.cwd.unwrap_or_default(),
            ask.edits,
            ask.stops,
            ask.tool_info.unwrap_or_else(empty_object)
        )
        .expect("text");
        for grant in ask.grants {
            writeln!(out, "grant {:?} = {}", grant.label, grant.entry).expect("text");
        }
        writeln!(out, "data {}", short(ask.data.get())).expect("text");
    } else {
        let about = About {
            started: true,
            ..About::default()
        };
        let event = hook.event(&about);
        let fact = Fact::read(&event.kind, &event.data);
        writeln!(out, "event {} {}", event.kind, short(event.data.get())).expect("text");
        writeln!(out, "fact {}", short(&format!("{fact:?}"))).expect("text");
    }
    out
}

fn all(agent: Agent, folder: &str) -> String {
    let mut out = String::new();
    for (name, text) in fixtures(folder) {
        // The programs send one line.
        let line = serde_json::from_str::<serde_json::Value>(&text)
            .expect("JSON")
            .to_string();
        let hook = agent.decode(&line).unwrap_or_else(|error| panic!("{name}: {error}"));
        writeln!(out, "## {name}\n{}", told(&hook)).expect("text");
    }
    out
}

#[test]
fn every_recorded_hook_of_claude_code() {
    insta::assert_snapshot!(all(Agent::ClaudeCode, "claude"));
}

#[test]
fn every_recorded_hook_of_codex() {
    insta::assert_snapshot!(all(Agent::Codex, "codex"));
}

#[test]
fn what_notify_is_given() {
    let hook = Agent::Codex
        .decode(r#"{"type":"agent-turn-complete","thread-id":"t","turn-id":"1","cwd":"/p","input-messages":["a"],"last-assistant-message":"done"}"#)
        .expect("a notification");
    insta::assert_snapshot!(told(&hook));
}

#[test]
fn every_answer_in_each_agents_form() {
    let edited = || Some(to_json(&json!({"command": "ls -l"})));
    let answers = [
        Answer::Permit {
            arguments: None,
            grants: Vec::new(),
        },
        Answer::Permit {
            arguments: edited(),
            grants: vec![to_json(
                &json!({"type": "setMode", "mode": "plan", "destination": "session"}),
            )],
        },
        Answer::Refuse {
            message: "not now".into(),
            stop: false,
        },
        Answer::Refuse {
            message: "enough".into(),
            stop: true,
        },
        Answer::Allow {
            reason: "policy".into(),
            arguments: None,
        },
        Answer::Allow {
            reason: "approved".into(),
            arguments: edited(),
        },
        Answer::Deny {
            reason: "policy".into(),
            stop: false,
        },
        Answer::Deny {
            reason: "enough".into(),
            stop: true,
        },
        Answer::Block {
            reason: "stopped".into(),
        },
        Answer::Halt {
            reason: "stopped".into(),
        },
    ];
    let mut out = String::new();
    for answer in &answers {
        writeln!(out, "{answer:?}").expect("text");
        for agent in Agent::ALL {
            let said = agent.encode(answer).unwrap_or_else(|| "(nothing)".to_owned());
            writeln!(out, "    {}: {said}", agent.name()).expect("text");
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn a_late_hook_and_an_agents_own_field_of_a_name_that_the_hub_uses() {
    let hook = Agent::ClaudeCode
        .decode(
            r#"{"hook_event_name":"PostToolUse","session_id":"s","agent_id":"a","agent_type":"x","tool_name":"Bash","tool_use_id":"1",
                "tool_response":"r","success":"perhaps","late":false,"parent_session":"p","duration_ms":"soon"}"#,
        )
        .expect("a hook");
    let about = About {
        late: Some("2026-08-01T10:00:00Z".into()),
        ..About::default()
    };
    insta::assert_snapshot!(hook.event(&about).data);
}
