//! Each message of the seed, in both directions, as snapshots to read.

use countersign_model::Origin;
use serde_json::{Value, json};

use super::{NOW, event, told};
use crate::cloud::{self, Inbound, Presence};

fn out(kind: &str, data: &Value) -> String {
    let event = event(Origin::Sam, kind, data);
    cloud::messages(&event).join("\n")
}

#[test]
fn what_a_client_sends() {
    for (text, expected) in [
        (r#"{"type":"ping"}"#, Inbound::Ping),
        (r#"{"type":"pong"}"#, Inbound::Pong),
        (
            r#"{"type":"ping","data":null,"timestamp":"x","more":[1]}"#,
            Inbound::Ping,
        ),
        (
            r#" { "data" : "online", "type": "user_presence" } "#,
            Inbound::Presence(Presence::Online),
        ),
        (
            r#"{"type":"user_presence","data":"away"}"#,
            Inbound::Presence(Presence::Away),
        ),
        (
            r#"{"type":"user_presenc\u0065","data":"bus\u0079"}"#,
            Inbound::Presence(Presence::Busy),
        ),
    ] {
        assert_eq!(cloud::decode(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_the_hub_says_of_itself() {
    said!("auth-out", cloud::auth(true, Some("user_abc123"), NOW));
    said!("auth_failed-out", cloud::auth(false, None, NOW));
    said!("ping-out", cloud::ping(NOW));
    said!("pong-out", cloud::pong(NOW));
    said!("error-out", cloud::error("Invalid message format: not \"JSON\"", NOW));
}

#[test]
fn what_agents_broadcast() {
    let status = json!({"agentName": "CLOUD_ASSISTANT", "state": "working", "currentTask": "Processing webhook event", "progress": 45});
    said!("agent_status-out", out("agent_status", &status));
    let chat = json!({"conversationId": "conv-123", "messageId": "msg-456", "content": "Task completed successfully!",
        "sender": "ENGINEERING_LEAD_SUPERVISOR", "timestamp": "2025-12-26T13:00:00.000Z"});
    said!("chat_message-out", out("chat_message", &chat));
    let notification = json!({"level": "success", "message": "All tests passed!"});
    said!("notification-out", out("notification", &notification));
    let to_one = json!({"level": "error", "message": "Task failed", "userId": "user-123"});
    said!("notification_to_one-out", out("notification", &to_one));
}

#[test]
fn who_is_there() {
    let mut event = event(
        Origin::Cloud,
        "user_presence",
        &json!({"userId": "user_abc123", "status": "online"}),
    );
    event.agent = "user_abc123".into();
    event.session = None;
    said!("user_presence-out", cloud::messages(&event).join("\n"));
}

#[test]
fn data_in_clouds_shape_goes_out_to_the_letter() {
    let odd = r#"{ "state" : "w\u006frking","agentName":"A","progress":1e2, "x":[ ] }"#;
    let mut event = event(Origin::Sam, "agent_status", &json!({}));
    event.data = serde_json::value::RawValue::from_string(odd.to_owned()).expect("JSON");
    assert!(cloud::messages(&event)[0].contains(&format!("\"data\":{odd},")));
}

#[test]
fn the_time_is_the_hubs_unless_a_date_was_given() {
    let mut event = event(Origin::Sam, "notification", &json!({"message": "m"}));
    for (given, expected) in [
        (json!("2025-01-02T03:04:05Z"), "2025-01-02T03:04:05Z"),
        (json!("yesterday"), "2025-12-26T13:00:00.000Z"),
        (json!(1_705_488_610.5), "2025-12-26T13:00:00.000Z"),
    ] {
        event.timestamp = Some(countersign_model::to_json(&given));
        assert_eq!(told(&event)[0]["timestamp"], expected, "{given}");
    }
}

#[test]
fn what_agents_broadcast_names_its_agent_and_its_conversation() {
    use countersign_model::NewEvent;

    use crate::sam::{self, Inbound, Peer};

    let peer = |origin| Peer {
        origin,
        agent: "somebody".into(),
        session: Some("connection".into()),
    };
    let read = |origin, text: &str| -> NewEvent {
        match sam::decode(text, &peer(origin)).expect("well-formed").inbound {
            Inbound::Event(event) => event,
            other => panic!("not an event: {other:?}"),
        }
    };
    for (text, origin, agent, session) in [
        (
            r#"{"type":"agent_status","data":{"agentName":"A","state":"idle"}}"#,
            Origin::Cloud,
            "A",
            "connection",
        ),
        (
            r#"{"type":"agent_status","agent":"B","data":{"agentName":"A"}}"#,
            Origin::Cloud,
            "B",
            "connection",
        ),
        (
            r#"{"type":"agent_status","data":{"status":"idle"}}"#,
            Origin::Sam,
            "somebody",
            "connection",
        ),
        (
            r#"{"type":"chat_message","data":{"conversationId":"c1","sender":"A"}}"#,
            Origin::Cloud,
            "A",
            "c1",
        ),
        (
            r#"{"type":"chat_message","session":"s","data":{"conversationId":"c1","sender":"\u0000"}}"#,
            Origin::Cloud,
            "cloud",
            "s",
        ),
        (
            r#"{"type":"notification","data":{"message":"m"}}"#,
            Origin::Cloud,
            "cloud",
            "connection",
        ),
    ] {
        let event = read(Origin::Sam, text);
        assert_eq!(
            (event.origin, &*event.agent, event.session.as_deref()),
            (origin, agent, Some(session)),
            "{text}"
        );
    }
    let event = read(Origin::Rest, r#"{"type":"notification","data":{"message":"m"}}"#);
    assert_eq!((event.origin, &*event.agent), (Origin::Rest, "somebody"));
}
