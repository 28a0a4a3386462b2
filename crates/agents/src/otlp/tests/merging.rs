//! What hooks and telemetry both tell is told once: calls by their ids, conversations by the hooks, tokens by the best signal.

use std::sync::Arc;

use countersign_model::{Epoch, Event, Extra, Millis, Origin, to_json};

use super::*;
use crate::otlp::{Claims, Teller};

const SESSION: &str = "d0a091d0-5088-48e9-be29-31a11bb47fb1";

fn hook(session: &str, kind: &str, data: &Value) -> Event {
    Event {
        seq: 1,
        epoch: Epoch::new("e"),
        time: Millis(1_795_256_708_700),
        origin: Origin::Hook,
        agent: "claude-code".into(),
        session: Some(session.into()),
        stream: None,
        kind: kind.into(),
        timestamp: None,
        data: to_json(data),
        extra: Extra::default(),
        via: Vec::new(),
    }
}

fn of_kind(told: &[Told], kind: &str) -> Vec<Value> {
    let lines = lines(told).into_iter();
    lines
        .filter(|line| line[0] == kind)
        .map(|line| line[3].clone())
        .collect()
}

#[test]
fn a_call_that_hooks_tell_of_gets_what_telemetry_adds() {
    let mut telemetry = Telemetry::default();
    telemetry.observe(&hook(SESSION, "session_started", &json!({})));
    let told = telemetry.tell(&recorded("claude.logs"), None);
    assert_eq!(of_kind(&told, "tool_call_start"), [] as [Value; 0]);
    assert_eq!(of_kind(&told, "chat_message"), [] as [Value; 0]);
    let about = of_kind(&told, "tool_telemetry");
    let ids: Vec<_> = about.iter().map(|data| &data["call_id"]).collect();
    assert_eq!(
        ids,
        ["toolu_main_0_0", "toolu_main_0_0", "toolu_main_1_0", "toolu_main_1_0"]
    );
    assert_eq!(
        (&about[0]["decision"], &about[0]["decision_source"]),
        (&json!("accept"), &json!("config"))
    );
    assert_eq!(
        (&about[1]["duration"], &about[1]["success"]),
        (&json!(0.106), &json!(true))
    );
    assert_eq!(of_kind(&told, "usage").len(), 4);
}

#[test]
fn a_call_is_told_by_whoever_was_first_however_often_the_other_tells() {
    let claims = Arc::new(Claims::default());
    let mut telemetry = Telemetry::new(claims.clone());
    assert_eq!(
        claims.claim("claude-code", "toolu_main_1_0", Teller::Hooks),
        Teller::Hooks
    );
    let first = telemetry.tell(&recorded("claude.logs"), None);
    let ids = |told: &[Told]| -> Vec<Value> {
        let starts = of_kind(told, "tool_call_start");
        starts.iter().map(|start| start["call_id"].clone()).collect()
    };
    assert_eq!(ids(&first), ["toolu_main_0_0"]);
    assert_eq!(
        claims.claim("claude-code", "toolu_main_0_0", Teller::Hooks),
        Teller::Telemetry
    );
    // The session has hooks by now, and the batch comes again.
    telemetry.observe(&hook(SESSION, "session_started", &json!({})));
    let again = telemetry.tell(&recorded("claude.logs"), None);
    assert_eq!(ids(&again), ["toolu_main_0_0"]);
    let marks = |told: &[Told]| -> Vec<[u8; 16]> {
        let ends = told.iter().filter(|told| &*told.event.kind == "tool_call_end");
        ends.map(|told| told.mark).collect()
    };
    assert_eq!(marks(&first), marks(&again), "they add nothing");
}

#[test]
fn a_subagents_call_is_told_in_its_own_session() {
    let mut telemetry = Telemetry::default();
    let child = format!("{SESSION}/a1");
    telemetry.observe(&hook(SESSION, "session_started", &json!({})));
    let call = json!({"tool_name": "Bash", "call_id": "toolu_main_0_0"});
    telemetry.observe(&hook(&child, "tool_call_start", &call));
    let told = telemetry.tell(&recorded("claude.logs"), None);
    let sessions: Vec<_> = told
        .iter()
        .filter(|told| &*told.event.kind == "tool_telemetry")
        .map(|told| told.event.session.as_deref().unwrap_or_default())
        .collect();
    assert_eq!(sessions, [&child, &child, SESSION, SESSION]);
}

#[test]
fn without_an_id_a_record_is_about_the_only_call_it_can_be_about() {
    let result = |tool: &str| {
        let said = [
            ("event.name", json!("tool_result")),
            ("session.id", json!(SESSION)),
            ("tool_name", json!(tool)),
            ("success", json!("true")),
        ];
        let log = json!([{"timeUnixNano": "1795256708900000000", "attributes": attributes(&said)}]);
        read(Signal::Logs, &log_batch("claude-code", &log))
    };
    let mut telemetry = Telemetry::default();
    for (tool, call) in [("Bash", "c1"), ("Read", "c2"), ("Read", "c3")] {
        telemetry.observe(&hook(
            SESSION,
            "tool_call_end",
            &json!({"tool_name": tool, "call_id": call}),
        ));
    }
    let mut id = |tool: &str| of_kind(&telemetry.tell(&result(tool), None), "tool_telemetry")[0]["call_id"].clone();
    assert_eq!(id("Bash"), "c1");
    assert_eq!(id("Read"), Value::Null, "two candidates");
    assert_eq!(id("Grep"), Value::Null, "none");
}

#[test]
fn tokens_are_told_by_the_best_signal_of_a_session() {
    let mut telemetry = Telemetry::default();
    assert_eq!(
        of_kind(&telemetry.tell(&recorded("claude.metrics"), None), "usage").len(),
        2
    );
    assert_eq!(
        of_kind(&telemetry.tell(&recorded("claude.traces"), None), "usage").len(),
        4
    );
    assert_eq!(
        of_kind(&telemetry.tell(&recorded("claude.logs"), None), "usage").len(),
        4
    );
    assert_eq!(
        of_kind(&telemetry.tell(&recorded("claude.traces"), None), "usage").len(),
        0
    );
    assert_eq!(
        of_kind(&telemetry.tell(&recorded("claude.metrics"), None), "usage").len(),
        0
    );
}

#[test]
fn metrics_without_a_session_give_way_to_the_events_of_their_agent() {
    let mut telemetry = Telemetry::default();
    assert_eq!(
        of_kind(&telemetry.tell(&recorded("codex.metrics"), None), "usage").len(),
        1
    );
    telemetry.tell(&recorded("codex.logs"), None);
    assert_eq!(
        of_kind(&telemetry.tell(&recorded("codex.metrics"), None), "usage").len(),
        0
    );
}

#[test]
fn claude_code_and_codex_are_known_under_any_service_name() {
    for (name, service, agent) in [
        ("claude.logs", "\"claude-code\"", "claude-code"),
        ("codex.logs", "\"codex_exec\"", "codex"),
    ] {
        let renamed = fixture(name).replace(service, "\"my-team\"");
        let records = decode(signal(name), Encoding::Json, renamed.as_bytes()).expect("readable");
        let told = Telemetry::default().tell(&records, None);
        assert_eq!(
            of_kind(&told, "usage").len(),
            of_kind(&Telemetry::default().tell(&recorded(name), None), "usage").len()
        );
        assert!(told.iter().all(|told| &*told.event.agent == agent));
    }
}

#[test]
fn events_carry_the_stream_of_their_sender() {
    let stream: Arc<str> = "team".into();
    let told = Telemetry::default().tell(&recorded("claude.logs"), Some(&stream));
    assert!(told.iter().all(|told| told.event.stream.as_ref() == Some(&stream)));
}
