//! `[[hooks.gate]]`: what the configuration says of calls that are about to run.

use countersign_tests::Hub;
use serde_json::{Value, json};

use super::{Held, before, decide, hook, kinds, tell, wait_for};

const GATE: &str = r#"
[[hooks.gate]]
tool = "Bash"
pattern = "ls*"
decision = "allow"
[[hooks.gate]]
tool = "Bash"
pattern = "git push*"
decision = "ask"
[[hooks.gate]]
tool = "Bash"
pattern = "rm *"
decision = "deny"
message = "use trash"
[[hooks.gate]]
agent = "claude-code"
tool = "Write"
pattern = "/etc/*"
decision = "stop"
"#;

fn before_tool(answer: &Value) -> (&str, &str) {
    let output = &answer["hookSpecificOutput"];
    assert_eq!(output["hookEventName"], "PreToolUse", "{answer}");
    let text = |name: &str| output[name].as_str().unwrap_or_default();
    (text("permissionDecision"), text("permissionDecisionReason"))
}

#[test]
fn the_policy_allows_denies_and_stops_and_the_log_names_the_rule() {
    let hub = Hub::with_toml(GATE);
    let at_once = |told: &Value| hook(&hub, "claude-code", told).expect(200).json();
    let allowed = at_once(&before("s", "t1", "ls -l"));
    assert_eq!(before_tool(&allowed).0, "allow");
    let denied = at_once(&before("s", "t2", "rm -rf /"));
    assert_eq!(
        (before_tool(&denied), denied.get("continue")),
        (("deny", "use trash"), None)
    );
    tell(&hub, &before("s", "t3", "cat x"));
    let mut write = before("s", "t4", "");
    write["tool_name"] = json!("Write");
    write["tool_input"] = json!({"file_path": "/etc/passwd", "content": "x"});
    let stopped = at_once(&write);
    assert_eq!((before_tool(&stopped).0, &stopped["continue"]), ("deny", &json!(false)));
    // The stop holds, whatever the policy says.
    assert_eq!(at_once(&before("s", "t5", "ls"))["continue"], false);
    let rows = hub.history();
    let starts: Vec<_> = rows.iter().filter(|row| row["kind"] == "tool_call_start").collect();
    assert_eq!(starts[0]["data"]["policy"]["decision"], "allow");
    assert_eq!(starts[1]["data"]["policy"]["pattern"], "rm *");
    assert_eq!(starts[2]["data"].get("policy"), None);
    assert!(kinds(&rows).contains(&"session_stopped"), "{rows:?}");
    let ends: Vec<_> = rows.iter().filter(|row| row["kind"] == "tool_call_end").collect();
    assert_eq!(ends[0]["data"]["error"], "use trash");
}

#[test]
fn the_policy_asks_a_person_in_countersign() {
    let hub = Hub::with_toml(GATE);
    for (decision, expected) in [
        (json!({"decision": "approve"}), "allow"),
        (json!({"decision": "deny", "message": "later"}), "deny"),
        (json!({"decision": "stop"}), "deny"),
    ] {
        let held = Held::send(&hub, "claude-code", &before("s", "t1", "git push"), &[]);
        let asked = wait_for(&hub, 1).remove(0);
        assert_eq!(asked["tool_info"]["hook"], "PreToolUse");
        decide(&hub, &asked, &decision).expect(200);
        let answer = held.json();
        assert_eq!(before_tool(&answer).0, expected, "{answer}");
        assert_eq!(answer.get("continue").is_some(), decision["decision"] == "stop");
    }
}

#[test]
fn codex_is_let_through_where_the_policy_allows_and_asked_about_where_it_asks() {
    let hub = Hub::with_toml(GATE);
    assert_eq!(hook(&hub, "codex", &before("s", "t1", "ls")).expect(200).text, "");
    let held = Held::send(&hub, "codex", &before("s", "t2", "git push"), &[]);
    let asked = wait_for(&hub, 1).remove(0);
    decide(&hub, &asked, &json!({"decision": "approve"})).expect(200);
    let said = held.said();
    assert!(said.whole && said.body.is_empty(), "it takes no plain allow: {said:?}");
    let held = Held::send(&hub, "codex", &before("s", "t3", "git push"), &[]);
    let asked = wait_for(&hub, 1).remove(0);
    decide(&hub, &asked, &json!({"decision": "deny", "message": "later"})).expect(200);
    assert_eq!(before_tool(&held.json()), ("deny", "later"));
}

#[test]
fn a_call_of_codex_that_a_person_approved_is_not_asked_about_twice() {
    let hub = Hub::with_toml(GATE);
    let held = Held::send(&hub, "codex", &before("s", "t1", "git push"), &[]);
    let asked = wait_for(&hub, 1).remove(0);
    decide(&hub, &asked, &json!({"decision": "approve"})).expect(200);
    assert!(held.said().whole);
    // Its own question about that very call, with its reason for it.
    let mut request = before("s", "t1", "git push");
    request["hook_event_name"] = json!("PermissionRequest");
    request["tool_input"]["description"] = json!("to publish");
    request.as_object_mut().unwrap().remove("tool_use_id");
    let answer = hook(&hub, "codex", &request).expect(200).json();
    assert_eq!(answer["hookSpecificOutput"]["decision"]["behavior"], "allow");
    let rows = hub.history();
    let told = rows
        .iter()
        .find(|row| row["kind"] == "permission_request")
        .expect("told");
    assert!(
        told["data"]["not_asked"]
            .as_str()
            .unwrap()
            .contains("approved this very call"),
        "{told}"
    );
    // That was for once: the same again is a question.
    let held = Held::send(&hub, "codex", &request, &[]).held();
    wait_for(&hub, 1);
    drop(held);
}
