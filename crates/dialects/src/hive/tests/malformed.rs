//! Frames that are wrong in one place each: the error names the place.

use super::{read, subscription_in};
use crate::hive::is_hive;
use crate::limits::{MAX_KIND, MAX_NAME};

fn check(text: &str, field: Option<&str>) {
    let error = read(text)
        .map(|action| panic!("{text} is read as {action:?}"))
        .unwrap_err();
    assert_eq!(error.field, field, "{text}: {}", error.error);
    assert!(!error.error.is_empty());
}

#[test]
fn what_is_no_action_is_an_error_that_says_where() {
    for text in [
        "",
        "{",
        "[]",
        "7",
        "null",
        "\"subscribe\"",
        r#"["subscribe"]"#,
        "{\"action\":}",
    ] {
        check(text, None);
    }
    check(r#"{"action":"subscribe","action":"auth"}"#, None);
    check(
        &format!(r#"{{"action":"subscribe","x":{}1{}}}"#, "[".repeat(64), "]".repeat(64)),
        None,
    );
    for action in [
        "null",
        "\"\"",
        "\"SUBSCRIBE\"",
        "7",
        "{}",
        "\"listen\"",
        "[\"subscribe\"]",
    ] {
        check(&format!(r#"{{"action":{action}}}"#), Some("action"));
    }
    check("{}", Some("action"));
    check(r#"{"type":"event"}"#, Some("action"));
}

#[test]
fn what_cannot_be_subscribed_to_is_named() {
    let with = |rest: &str| format!(r#"{{"action":"subscribe",{rest}}}"#);
    for field in ["stream_id", "execution_id"] {
        for value in ["7", "[]", "\"\"", "{}", "\"a\\nb\"", "true"] {
            check(&with(&format!("\"{field}\":{value}")), Some(field));
        }
        check(
            &with(&format!("\"{field}\":\"{}\"", "n".repeat(MAX_NAME + 1))),
            Some(field),
        );
    }
    for value in ["7", "\"GOAL_PROGRESS\"", "{}", "[7]", "[\"\"]", "[null]", "true"] {
        check(&with(&format!("\"event_types\":{value}")), Some("event_types"));
    }
    let long = "T".repeat(MAX_KIND + 1);
    check(&with(&format!("\"event_types\":[\"{long}\"]")), Some("event_types"));
    let many = vec!["\"T\""; 257].join(",");
    check(&with(&format!("\"event_types\":[{many}]")), Some("event_types"));
    for value in ["1", "\"true\"", "[]"] {
        check(&with(&format!("\"binary\":{value}")), Some("binary"));
    }
    for value in ["-1", "1.5", "\"\"", "\":7\"", "\"a:b:7\"", "[]", "{}", "true"] {
        check(&with(&format!("\"since\":{value}")), Some("since"));
    }
}

#[test]
fn what_is_absent_or_null_or_empty_leaves_nothing_out() {
    let nulls = subscription_in(
        r#"{"action":"subscribe","stream_id":null,"execution_id":null,"event_types":null,"binary":null,"since":null}"#,
    );
    assert_eq!(nulls, subscription_in(r#"{"action":"subscribe"}"#));
    assert_eq!(
        nulls,
        subscription_in(r#"{"action":"subscribe","event_types":[],"unknown":[1]}"#)
    );
}

#[test]
fn a_place_is_text_or_a_number() {
    for (given, seq) in [("41", 41), ("\"41\"", 41), ("\"5f0c:41\"", 41)] {
        let since = subscription_in(&format!(r#"{{"action":"subscribe","since":{given}}}"#)).since;
        assert_eq!(since.map(|since| since.seq), Some(seq), "{given}");
    }
}

#[test]
fn what_cannot_be_published_is_named() {
    let with = |event: &str| format!(r#"{{"action":"publish","event":{event}}}"#);
    check(r#"{"action":"publish"}"#, Some("event"));
    for event in ["null", "[]", "7", "\"x\"", r#"{"type":"x","type":"y","data":{}}"#] {
        check(&with(event), Some("event"));
    }
    for (event, field) in [
        (r#"{"data":{}}"#, "event.type"),
        (r#"{"type":"","data":{}}"#, "event.type"),
        (r#"{"type":7,"data":{}}"#, "event.type"),
        (r#"{"type":"x"}"#, "event.data"),
        (r#"{"type":"x","data":null}"#, "event.data"),
        (r#"{"type":"x","data":[]}"#, "event.data"),
        (r#"{"type":"x","data":{},"stream_id":7}"#, "event.stream_id"),
        (r#"{"type":"x","data":{},"execution_id":""}"#, "event.execution_id"),
        (r#"{"type":"x","data":{},"agent":[]}"#, "event.agent"),
        (r#"{"type":"x","data":{},"timestamp":{}}"#, "event.timestamp"),
        (
            r#"{"type":"approval_request","data":{"tool_name":"t"}}"#,
            "event.data.request_id",
        ),
        (
            r#"{"type":"APPROVAL_REQUEST","data":{"request_id":"r"}}"#,
            "event.data.tool_name",
        ),
        (
            r#"{"type":"approval_response","data":{"response":"deny"}}"#,
            "event.data.request_id",
        ),
        (
            r#"{"type":"approval_response","data":{"request_id":"r","response":"yes"}}"#,
            "event.data.response",
        ),
        (
            r#"{"type":"approval_response","data":{"request_id":"r"}}"#,
            "event.data.response",
        ),
    ] {
        check(&with(event), Some(field));
    }
    check(
        r#"{"action":"publish","event":{"type":"x","data":{}},"ack":[]}"#,
        Some("ack"),
    );
    check(r#"{"action":"auth","token":7}"#, Some("token"));
}

#[test]
fn an_action_makes_a_frame_one_of_hives() {
    for text in [
        r#"{"action":"subscribe"}"#,
        " {\"x\":1,\"action\":7}",
        r#"{"action":"listen","type":"x"}"#,
    ] {
        assert!(is_hive(text), "{text}");
    }
    for text in [
        r#"{"type":"x","data":{"action":"subscribe"}}"#,
        "[\"action\"]",
        "{\"action\"",
        "",
        "{}",
    ] {
        assert!(!is_hive(text), "{text}");
    }
}
