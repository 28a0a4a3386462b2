//! An event in one line. Fields are read as they are found: the inner shape of `data` is the agent's own.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::gist::pairs;
use super::{Paint, Tone, clock, duration, gist, one_line};

/// Characters of a summary before it is cut.
const MOST: usize = 160;
/// `countersign/0f3a`, then no more padding.
const WHO: usize = 22;
const KIND: usize = 19;

/// `10:30:01.204  sam/s1  tool_call_end  execute_code ok 0.52 s`, from a monitor's frame or a row of the history.
pub(crate) fn event_line(frame: &Value, zone: &TimeZone, paint: Paint) -> String {
    let time = clock(frame.get("timestamp").unwrap_or(&Value::Null), zone);
    let text = |name: &str| frame.get(name).and_then(Value::as_str).unwrap_or_default();
    let who = match (text("agent"), text("session")) {
        (agent, "") => agent.to_owned(),
        (agent, session) => format!("{agent}/{session}"),
    };
    let kind = text("type");
    let data = frame.get("data").unwrap_or(&Value::Null);
    let (tone, said) = summary(kind, data);
    format!(
        "{}  {:WHO$}  {}  {}",
        paint.apply(Tone::Dim, &time),
        one_line(&who, 60),
        paint.apply(tone, &format!("{:KIND$}", one_line(kind, 60))),
        one_line(&said, MOST),
    )
    .trim_end()
    .to_owned()
}

fn summary(kind: &str, data: &Value) -> (Tone, String) {
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
    let details = data.get("details").unwrap_or(&Value::Null);
    let tool = text("tool_name");
    match kind {
        "tool_call_start" => (Tone::Plain, with_reason(tool.to_owned(), &gist(argument(data)))),
        "tool_call_end" => {
            let failed = data.get("success") == Some(&Value::Bool(false)) || !text("error").is_empty();
            let took = data
                .get("duration")
                .and_then(Value::as_f64)
                .map(duration)
                .unwrap_or_default();
            let error = match text("error") {
                "" => String::new(),
                error => format!(": {error}"),
            };
            let outcome = if failed { "failed" } else { "ok" };
            let tone = if failed { Tone::Bad } else { Tone::Good };
            (tone, format!("{}{error}", join(" ", &[tool, outcome, &took])))
        }
        "tool_call_result" => {
            let cut = if data.get("truncated") == Some(&Value::Bool(true)) {
                "(cut)"
            } else {
                ""
            };
            (
                Tone::Dim,
                with_reason(tool.to_owned(), &join(" ", &[&plain(data.get("result")), cut])),
            )
        }
        "approval_request" => {
            let why = match text("reason") {
                "" => String::new(),
                why => format!("({why})"),
            };
            (
                Tone::NeedsYou,
                with_reason(tool.to_owned(), &join(" ", &[&gist(argument(data)), &why])),
            )
        }
        "approval_resolved" => {
            let status = match text("status") {
                "" => text("decision"),
                status => status,
            };
            let tone = if status == "approved" { Tone::Good } else { Tone::Bad };
            let by = match text("by") {
                "" => String::new(),
                by => format!("by {by}"),
            };
            (tone, with_reason(join(" ", &[tool, status, &by]), text("message")))
        }
        "approval_delivered" => match text("delivery") {
            "undeliverable" => (
                Tone::Bad,
                join(" ", &[tool, "the agent was gone and did not get the answer"]),
            ),
            _ => (Tone::Dim, join(" ", &[tool, "the agent got the answer"])),
        },
        "session_stopped" => (Tone::Bad, with_reason(by(text("by")), text("message"))),
        "session_resumed" => (Tone::Good, by(text("by"))),
        "agent_connected" => (Tone::Dim, String::new()),
        "agent_disconnected" => (Tone::Dim, text("reason").to_owned()),
        "agent_status" => (
            Tone::Plain,
            with_reason(text("status").to_owned(), &pairs(details, &[])),
        ),
        "autonomous_activity" => {
            let activity = text("activity_type").replace('_', " ");
            (Tone::Dim, with_reason(activity, &pairs(details, &["timestamp"])))
        }
        "system2_intervention" | "system3_intervention" | "system3_evaluation" => {
            (Tone::Judged, judgement(data, details))
        }
        "rule_created" | "rule_revoked" => {
            let rule = data.get("rule").unwrap_or(&Value::Null);
            let of = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
            (Tone::Judged, join(" ", &[of("decision"), of("tool_name")]))
        }
        _ => (Tone::Plain, other(data)),
    }
}

/// `execute_code approve 0.95: Safe code execution`.
fn judgement(data: &Value, details: &Value) -> String {
    let text = |from: &Value, name: &str| from.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let first = |options: &[String]| {
        options
            .iter()
            .find(|said| !said.is_empty())
            .cloned()
            .unwrap_or_default()
    };
    let word = first(&[text(data, "decision"), text(data, "action")]).replace('_', " ");
    let confidence = data
        .get("confidence")
        .and_then(Value::as_f64)
        .map(|value| value.to_string());
    let about = match text(data, "intervention_type") {
        about if about.is_empty() => about,
        about => format!("({})", about.replace('_', " ")),
    };
    let why = first(&[
        text(data, "reasoning"),
        text(data, "reason"),
        text(details, "reason"),
        text(details, "message"),
    ]);
    let said = join(
        " ",
        &[&text(data, "tool_name"), &word, &confidence.unwrap_or_default(), &about],
    );
    with_reason(said, &why)
}

fn other(data: &Value) -> String {
    for name in ["message", "text", "summary"] {
        if let Some(text) = data.get(name).and_then(Value::as_str) {
            return text.to_owned();
        }
    }
    pairs(data, &[])
}

fn argument(data: &Value) -> &Value {
    data.get("arguments").unwrap_or(&Value::Null)
}

fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.trim_end().to_owned(),
        Some(other) => other.to_string(),
    }
}

fn by(surface: &str) -> String {
    match surface {
        "" => String::new(),
        surface => format!("by {surface}"),
    }
}

fn with_reason(said: String, why: &str) -> String {
    match (said.as_str(), why) {
        (_, "") => said,
        ("", why) => why.to_owned(),
        (said, why) => format!("{said}: {why}"),
    }
}

fn join(between: &str, parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[allow(clippy::needless_pass_by_value)] // a table of values reads better without references
    fn check(kind: &str, data: Value, expect: &str) {
        let frame = json!({"type": kind, "timestamp": "2026-01-17T10:30:00.000Z", "data": data, "agent": "sam", "session": "s1"});
        let line = event_line(&frame, &TimeZone::UTC, Paint::new(false));
        let start = format!("10:30:00.000  {:WHO$}  {kind:KIND$}  ", "sam/s1");
        assert_eq!(line, format!("{start}{expect}").trim_end(), "{frame}");
    }

    #[test]
    fn each_kind_of_the_seed_has_its_line() {
        check(
            "tool_call_start",
            json!({"tool_name": "execute_code", "arguments": {"code": "print('hello')"}, "context": {}}),
            "execute_code: print('hello')",
        );
        check(
            "tool_call_end",
            json!({"tool_name": "execute_code", "success": true, "duration": 0.523, "error": null}),
            "execute_code ok 0.52 s",
        );
        check(
            "tool_call_end",
            json!({"tool_name": "bash", "success": false, "duration": 2, "error": "exit 1"}),
            "bash failed 2.00 s: exit 1",
        );
        check(
            "tool_call_result",
            json!({"tool_name": "execute_code", "result": "hello\nworld\n", "truncated": true}),
            "execute_code: hello ↵ world (cut)",
        );
        check(
            "system2_intervention",
            json!({"intervention_type": "token_limit_breach", "action": "context_compression", "details": {"message": "done"}}),
            "context compression (token limit breach): done",
        );
        check(
            "system3_evaluation",
            json!({"tool_name": "execute_code", "decision": "approve", "reasoning": "Safe", "confidence": 0.95}),
            "execute_code approve 0.95: Safe",
        );
        check(
            "system3_intervention",
            json!({"action": "block_execution", "details": {"reason": "Protected file"}}),
            "block execution: Protected file",
        );
        check(
            "autonomous_activity",
            json!({"activity_type": "heartbeat", "details": {"timestamp": 1.5, "heartbeat_count": 5}}),
            "heartbeat: heartbeat count 5",
        );
        check(
            "agent_status",
            json!({"status": "processing", "details": {"iteration": 3, "tokens_used": 5432}}),
            "processing: iteration 3, tokens used 5432",
        );
        check(
            "approval_request",
            json!({"request_id": "r", "tool_name": "bash", "arguments": {"command": "rm -rf build"}, "reason": "clean"}),
            "bash: rm -rf build (clean)",
        );
    }

    #[test]
    fn the_hubs_own_kinds_have_theirs() {
        check(
            "approval_resolved",
            json!({"tool_name": "bash", "status": "denied", "by": "window", "message": "not on Friday"}),
            "bash denied by window: not on Friday",
        );
        check(
            "approval_delivered",
            json!({"tool_name": "bash", "delivery": "delivered"}),
            "bash the agent got the answer",
        );
        check("session_stopped", json!({"by": "tray"}), "by tray");
        check("agent_connected", json!({"connection": "c1"}), "");
        check("agent_disconnected", json!({"reason": "closed"}), "closed");
        check(
            "rule_created",
            json!({"rule": {"decision": "approve", "tool_name": "bash"}}),
            "approve bash",
        );
    }

    #[test]
    fn unknown_kinds_and_odd_shapes_are_shown_as_they_can_be() {
        check("task_done", json!({"message": "finished"}), "finished");
        check("metrics", json!({"tokens_in": 3, "x": null}), "tokens in 3");
        check(
            "tool_call_end",
            json!({"tool_name": 7, "success": "yes", "duration": "long"}),
            "ok",
        );
        check("tool_call_start", json!([1]), "");
        check("system3_evaluation", json!("text"), "");
        let bare = event_line(&json!({"type": "x"}), &TimeZone::UTC, Paint::new(false));
        assert!(bare.starts_with("--:--:--.---"), "{bare}");
    }

    #[test]
    fn nothing_in_a_frame_reaches_the_terminal_as_a_control() {
        let nasty = "a\u{1b}]0;x\u{7}\u{202e}b\nc";
        let frame =
            json!({"type": nasty, "timestamp": nasty, "agent": nasty, "session": nasty, "data": {"message": nasty}});
        let line = event_line(&frame, &TimeZone::UTC, Paint::new(false));
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
    }
}
