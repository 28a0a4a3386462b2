//! Each message of the seed, in both directions, as snapshots to read.

use std::sync::Arc;

use countersign_model::{Approval, Decision, Delivery, Json, Millis, Origin, Scope, Status, Surface, Verdict, to_json};
use serde_json::json;

use super::read;
use crate::codex::{self, Direction, Question};

/// 2025-01-09T12:34:56.789Z, the time in the seed's examples.
const NOW: Millis = Millis(1_736_426_096_789);

macro_rules! seed {
    ($name:literal) => {
        include_str!(concat!("../../../fuzz/seeds/codex/", $name, ".json"))
    };
}

fn raw(text: &str) -> Json {
    serde_json::value::RawValue::from_string(text.trim().to_owned()).expect("JSON")
}

#[test]
fn user_input() {
    said!(debug "user_input-in", read(seed!("user_input")).expect("well-formed"));
}

#[test]
fn user_input_as_the_seeds_log_has_it() {
    said!(debug "user_input_bare-in", read(seed!("user_input_bare")).expect("well-formed"));
}

#[test]
fn approval_responses() {
    said!(debug "approval_response-in", read(seed!("approval_response")).expect("well-formed"));
    for review in ["YES", "NO", "NO_CONTINUE", "ALWAYS", "EXPLAIN"] {
        let text = json!({"id": "r", "type": "approval_response", "payload": {"review": review}}).to_string();
        said!(debug format!("review_{review}-in"), read(&text).expect("well-formed"));
    }
}

#[test]
fn response_items_go_out_to_the_letter() {
    for (name, item) in [
        (
            "message",
            r#"{"type":"message","role":"assistant","content":[{"type":"input_text","text":"Hello! I'd be happy to help you."}]}"#,
        ),
        (
            "function_call",
            r#"{"type":"function_call","id":"fc_1","call_id":"call_1","name":"shell","arguments":"{\"command\":[\"git\",\"status\"]}", "status":"completed"}"#,
        ),
        (
            "function_call_output",
            r#"{"type":"function_call_output","call_id":"call_1","output":"{\"output\":\"clean\",\"metadata\":{\"exit_code\":0,\"duration_seconds\":0.1}}"}"#,
        ),
        (
            "reasoning",
            r#"{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Look first."}],"duration_ms":1200}"#,
        ),
        (
            "unknown",
            r#"{"type":"web_search_call","extra":{"kept":[1.0,1e2,"é"]}}"#,
        ),
    ] {
        let out = codex::response_item("m-1", &raw(item));
        assert!(out.contains(item), "{out}");
        said!(format!("response_item_{name}-out"), out);
    }
}

#[test]
fn a_large_item_is_cut_to_what_clients_take_and_says_so() {
    let item = to_json(&json!({"type": "function_call_output", "call_id": "c", "output": "x".repeat(2_000_000)}));
    let out = codex::response_item("m-1", &item);
    assert!(out.len() < crate::limits::MAX_OUT);
    let out: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(out["payload"]["truncated"], true);
    assert_eq!(out["payload"]["call_id"], "c");
}

#[test]
fn the_other_messages() {
    said!("loading_state-out", codex::loading_state("m-1", true));
    said!("agent_finished-out", codex::agent_finished("m-1", "response-id"));
    let command = Question {
        command: vec!["git".into(), "status".into()],
        apply_patch: None,
    };
    said!("approval_request-out", codex::approval_request("m-1", &command));
    let patch = Question {
        command: vec!["apply_patch".into(), "*** Begin Patch".into()],
        apply_patch: Some(raw(r#"{"patch": "*** Begin Patch"}"#)),
    };
    said!(
        "approval_request_with_patch-out",
        codex::approval_request("m-1", &patch)
    );
    let details = to_json(&json!({"exitCode": 1}));
    said!(
        "error-out",
        codex::error("m-1", "Command execution failed", Some(&details))
    );
    said!(
        "error_without_details-out",
        codex::error("m-1", "Error description", None)
    );
    said!(
        "system_message-out",
        codex::system_message("m-1", "This session was stopped")
    );
}

#[test]
fn questions_are_put_to_the_hub_as_sam_puts_them() {
    let patch = Question {
        command: vec!["apply_patch".into()],
        apply_patch: Some(raw(r#"{"patch":"x"}"#)),
    };
    let (agent, session): (Arc<str>, Arc<str>) = ("codex".into(), "0123456789abcdef0123456789abcdef".into());
    said!(debug "ask", codex::ask("m-1", &agent, &session, &patch, Some("/repo".into()), Some("call_1")));
}

#[test]
fn what_others_decided() {
    for (verdict, status, scope) in [
        (Verdict::Approve, Status::Approved, Scope::Once),
        (Verdict::Approve, Status::Approved, Scope::Always),
        (Verdict::Deny, Status::Denied, Scope::Once),
        (Verdict::Deny, Status::Expired, Scope::Once),
        (Verdict::Stop, Status::Stopped, Scope::Once),
    ] {
        let approval = Approval {
            id: "apr-1".into(),
            request_id: "m-1".into(),
            agent: "codex".into(),
            session: "s".into(),
            stream: None,
            origin: Origin::Codex,
            tool_name: "shell".into(),
            arguments: raw("{}"),
            tool_info: None,
            cwd: None,
            digest: "d".into(),
            edits: true,
            stops: true,
            grants: Vec::new(),
            seq: 1,
            asked_at: NOW,
            expires_at: None,
            status,
            decision: Some(Decision {
                decision: verdict,
                scope,
                message: (verdict == Verdict::Deny).then(|| "not now".into()),
                arguments: None,
                grants: Vec::new(),
                by: Surface::Dialog,
                rule: None,
                at: NOW,
            }),
            delivery: Delivery::Waiting,
        };
        let name = format!("approval_resolved_{}_{scope:?}-out", status.as_str());
        said!(name, codex::approval_resolved("m-2", &approval));
    }
}

#[test]
fn lines_of_the_log() {
    let line = |direction, message: &str| codex::line(NOW, direction, message);
    said!("log_started", line(Direction::Incoming, codex::SESSION_STARTED));
    said!("log_ended", line(Direction::Incoming, codex::SESSION_ENDED));
    said!("log_incoming", line(Direction::Incoming, seed!("user_input_bare")));
    said!(
        "log_outgoing",
        line(Direction::Outgoing, &codex::loading_state("loading-def", true))
    );
    said!("log_not_json", line(Direction::Incoming, "not\njson"));
    for message in [seed!("user_input"), "not\njson", "\"a\\nb\"", "{\"a\":\r\n1}"] {
        let line = line(Direction::Incoming, message);
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.ends_with("}\n"));
        serde_json::from_str::<serde_json::Value>(&line).expect("JSON");
    }
}
