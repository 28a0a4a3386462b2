//! What is no hook, or comes from somebody who may not send one: a clear error, and nothing else.

use countersign_tests::{Hub, cli, rest};
use serde_json::{Value, json};

use super::{before, permission};

fn post(hub: &Hub, headers: &[(&str, &str)], body: &str) -> rest::Reply {
    hub.call("POST", "/hooks/claude-code", headers, Some(body))
}

#[test]
fn what_is_no_hook_is_refused_and_changes_nothing() {
    let hub = Hub::start();
    let deep = format!(
        r#"{{"hook_event_name":"Stop","session_id":"s","x":{}1{}}}"#,
        "[".repeat(100),
        "]".repeat(100)
    );
    let long = "x".repeat(300);
    for (body, field) in [
        ("", None),
        ("null", None),
        ("[]", None),
        ("{", None),
        (r#"{"hook_event_name":"Stop"}{}"#, None),
        (&*deep, None),
        (r#"{"hook_event_name":"Stop","session_id":"a","session_id":"b"}"#, None),
        (r#"{"session_id":"s"}"#, Some("hook_event_name")),
        (r#"{"hook_event_name":"","session_id":"s"}"#, Some("hook_event_name")),
        (r#"{"hook_event_name":7,"session_id":"s"}"#, Some("hook_event_name")),
        (r#"{"hook_event_name":"Stop"}"#, Some("session_id")),
        (r#"{"hook_event_name":"Stop","session_id":""}"#, Some("session_id")),
        (
            r#"{"hook_event_name":"Stop","session_id":"a\u0000b"}"#,
            Some("session_id"),
        ),
        (
            &*format!(r#"{{"hook_event_name":"Stop","session_id":"{long}"}}"#),
            Some("session_id"),
        ),
        (
            &*format!(
                r#"{{"hook_event_name":"Stop","session_id":"s","agent_id":"{}"}}"#,
                &long[..255]
            ),
            Some("agent_id"),
        ),
        (
            r#"{"hook_event_name":"PermissionRequest","session_id":"s","tool_input":{}}"#,
            Some("tool_name"),
        ),
        (
            r#"{"hook_event_name":"PreToolUse","session_id":"s","tool_name":["Bash"]}"#,
            Some("tool_name"),
        ),
    ] {
        let problem = post(&hub, &[], body).problem(400);
        assert_eq!(problem["field"].as_str(), field, "{body}: {problem}");
    }
    for (name, value) in [
        ("X-Countersign-Request", "a b"),
        ("X-Countersign-Request", &*"x".repeat(200)),
        ("X-Countersign-Late", "yesterday"),
        ("X-Countersign-Spool", ""),
    ] {
        post(&hub, &[(name, value)], &before("s", "t", "ls").to_string()).problem(400);
    }
    let too_large = format!(
        r#"{{"hook_event_name":"Stop","session_id":"s","x":"{}"}}"#,
        "x".repeat(13 << 20)
    );
    post(&hub, &[], &too_large).problem(413);
    hub.call("GET", "/hooks/claude-code", &[], None).problem(405);
    post(
        &hub,
        &[("Origin", "https://evil.example")],
        &permission("s", "ls").to_string(),
    )
    .problem(403);
    post(
        &hub,
        &[("Sec-Fetch-Site", "cross-site")],
        &permission("s", "ls").to_string(),
    )
    .problem(403);
    assert_eq!(hub.history().len(), 0);
    assert_eq!(hub.get("/api/approvals").json()["approvals"], json!([]));
}

#[test]
fn arguments_that_could_be_read_in_two_ways_are_not_asked_about() {
    let hub = Hub::start();
    let body = r#"{"hook_event_name":"PermissionRequest","session_id":"s","tool_name":"Bash","tool_input":{"command":"ls","command":"rm"}}"#;
    let reply = post(&hub, &[], body).expect(200);
    assert_eq!(reply.text, "", "the agent asks for itself");
    assert_eq!(hub.get("/api/approvals").json()["approvals"], json!([]));
}

#[test]
fn a_large_result_is_kept_and_the_hook_answered() {
    let hub = Hub::start();
    let mut told = super::after("s", "t", "ls");
    told["tool_response"] = json!("x".repeat(10 << 20));
    post(&hub, &[], &told.to_string()).expect(200);
    let rows = hub.history();
    assert_eq!(rows[0]["data"]["truncated"], true);
    assert!(rows[0]["data"]["result"].as_str().unwrap().len() <= 8 << 20);
}

#[test]
fn a_token_may_come_in_a_header_of_its_own_and_never_answers() {
    let hub = Hub::with_toml("auth = 'required'");
    let told = before("s", "t", "ls").to_string();
    post(&hub, &[], &told).problem(401);
    post(&hub, &[("X-Countersign-Token", "nonsense")], &told).problem(401);
    let said = cli(&hub, &["token", "create", "--role", "agent"]).expect(0);
    let token = said.out.lines().last().expect("a token");
    post(&hub, &[("X-Countersign-Token", token)], &told).expect(200);
    post(&hub, &[("Authorization", &format!("Bearer {token}"))], &told).expect(200);
    let asked: Value = hub
        .call(
            "POST",
            "/api/approvals",
            &[("X-Countersign-Token", token)],
            Some(r#"{"tool_name":"t","arguments":{},"request_id":"r"}"#),
        )
        .expect(201)
        .json();
    let path = format!("/api/approvals/{}/decision", asked["id"].as_str().unwrap());
    let approver = hub.token();
    hub.call(
        "POST",
        &path,
        &[("X-Countersign-Token", &approver)],
        Some(r#"{"decision":"approve"}"#),
    )
    .problem(401);
}
