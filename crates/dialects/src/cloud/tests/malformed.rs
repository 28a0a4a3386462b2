//! Frames that a client cannot send, each with its own word; and notifications whose address cannot be told.

use countersign_model::Origin;
use serde_json::json;
use serde_json::value::RawValue;

use super::event;
use crate::cloud::{Address, address, decode};

#[test]
fn each_mistake_is_named() {
    for (text, word) in [
        ("", "not JSON"),
        ("hello", "not JSON"),
        ("{", "not JSON"),
        (r#"{"type":"ping"} {}"#, "not JSON"),
        ("[\"ping\"]", "JSON object"),
        ("null", "JSON object"),
        ("{}", "`type` is missing"),
        (r#"{"type":null}"#, "`type` is missing"),
        (r#"{"type":7}"#, "`type` is missing"),
        (r#"{"type":"ping","type":"pong"}"#, "duplicate"),
        (r#"{"type":"user_presence"}"#, "online"),
        (r#"{"type":"user_presence","data":"offline"}"#, "online"),
        (r#"{"type":"user_presence","data":"sleeping"}"#, "online"),
        (
            r#"{"type":"user_presence","data":{"userId":"other","status":"busy"}}"#,
            "online",
        ),
    ] {
        let error = decode(text).expect_err(text).to_string();
        assert!(
            error.starts_with("Invalid message format: ") && error.contains(word),
            "{text}: {error}"
        );
    }
    let deep = format!("{{\"type\":\"ping\",\"data\":{}{}}}", "[".repeat(70), "]".repeat(70));
    assert!(decode(&deep).expect_err("deep").to_string().contains("nested"));
}

#[test]
fn what_is_not_a_clients_to_say_is_refused() {
    for kind in ["agent_status", "chat_message", "notification"] {
        let error = decode(&format!("{{\"type\":\"{kind}\",\"data\":{{}}}}")).expect_err(kind);
        assert!(error.to_string().contains("/publish"), "{error}");
    }
    for kind in ["auth", "error"] {
        decode(&format!("{{\"type\":\"{kind}\"}}")).expect_err(kind);
    }
    let unknown = decode(r#"{"type":"subscribe"}"#).expect_err("unknown").to_string();
    assert!(unknown.starts_with("Unknown message type"), "{unknown}");
}

#[test]
fn a_notification_reaches_whom_it_names_and_nobody_by_mistake() {
    let of = |data: &str| {
        let mut event = event(Origin::Sam, "notification", &json!({}));
        event.data = RawValue::from_string(data.to_owned()).expect("JSON");
        address(&event)
    };
    let user = |name: &str| Address::User(name.to_owned());
    for (data, expected) in [
        (r#"{"message":"m"}"#, Address::All),
        (r#"{"message":"the user is back","userId":null}"#, Address::All),
        (r#"{"userId":"u1"}"#, user("u1")),
        (r#"{"user_id":"u1"}"#, user("u1")),
        (r#"{"\u0075ser\u0049d":"u\u0031"}"#, user("u1")),
        (r#"{"userId":42}"#, user("42")),
        (r#"{"userId":"u1","user_id":"u1"}"#, user("u1")),
        (r#"{"userId":"u1","userId":"u2"}"#, Address::Nobody),
        (r#"{"userId":["u1"]}"#, Address::Nobody),
        (r#"{"userId":true}"#, Address::Nobody),
    ] {
        assert_eq!(of(data), expected, "{data}");
    }
    assert!(Address::All.includes(None) && !user("u1").includes(None) && !user("u1").includes(Some("u2")));
    assert!(user("u1").includes(Some("u1")) && !Address::Nobody.includes(Some("u1")));
    assert_eq!(
        address(&event(Origin::Sam, "agent_status", &json!({"userId": "u1"}))),
        Address::All
    );
}
