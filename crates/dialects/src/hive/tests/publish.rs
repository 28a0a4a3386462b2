//! Who and what an event is about when it says so in one place, in another, or not at all; and the same over SAM's door.

use std::sync::Arc;

use countersign_model::{NewEvent, Origin, Verdict};

use super::{event_in, logged, peer, published};
use crate::hive;
use crate::sam::{self, Inbound, Peer};

fn event(rest: &str) -> NewEvent {
    event_in(&format!(r#"{{"action":"publish","event":{{"data":{{}},{rest}}}}}"#))
}

fn names(event: &NewEvent) -> (&str, Option<&str>, Option<&str>) {
    (&event.agent, event.session.as_deref(), event.stream.as_deref())
}

#[test]
fn an_event_is_of_its_agent_else_its_stream_else_hive() {
    let all = event(r#""type":"x","agent":"a","stream_id":"s","execution_id":"e""#);
    assert_eq!(names(&all), ("a", Some("e"), Some("s")));
    let stream = event(r#""type":"x","stream_id":"s","execution_id":"e""#);
    assert_eq!(names(&stream), ("s", Some("e"), Some("s")));
    let nothing = event(r#""type":"x""#);
    assert_eq!(names(&nothing), ("hive", Some("c-0123456789ab"), None));
    let out = hive::event(&logged(nothing));
    assert!(out.contains(r#""stream_id":"hive","execution_id":null"#), "{out}");
}

#[test]
fn the_ids_in_the_data_stand_in_for_those_of_the_envelope() {
    let inner =
        r#"{"action":"publish","event":{"type":"EXECUTION_STARTED","data":{"stream_id":"s","execution_id":"e"}}}"#;
    assert_eq!(names(&event_in(inner)), ("s", Some("e"), Some("s")));
    let both = r#"{"action":"publish","event":{"type":"EXECUTION_FAILED","execution_id":"e","data":{"execution_id":"other"}}}"#;
    assert_eq!(names(&event_in(both)), ("hive", Some("e"), None));
    let bad = r#"{"action":"publish","event":{"type":"EXECUTION_FAILED","data":{"execution_id":"","error":7}}}"#;
    assert_eq!(names(&event_in(bad)).1, Some("c-0123456789ab"));
    let unknown = r#"{"action":"publish","event":{"type":"mine","data":{"execution_id":"e"}}}"#;
    assert_eq!(names(&event_in(unknown)).1, Some("c-0123456789ab"));
}

#[test]
fn types_are_known_in_any_letter_case() {
    for name in ["EXECUTION_STARTED", "execution_started", "Execution_Started"] {
        assert_eq!(&*event(&format!(r#""type":"{name}""#)).kind, "execution_started");
    }
    assert_eq!(&*event(r#""type":"TOOL_CALL_START""#).kind, "tool_call_start");
}

#[test]
fn a_type_of_another_dialect_is_told_in_lower_case() {
    let mut event = event(r#""type":"x""#);
    (event.origin, event.kind) = (Origin::Sam, "System_Ready".into());
    event.session = Some("c-0123456789ab".into());
    let out = hive::event(&logged(event));
    assert!(out.contains(r#"{"type":"system_ready","#), "{out}");
    assert!(out.contains(r#""execution_id":"c-0123456789ab""#), "{out}");
}

#[test]
fn a_person_may_answer_in_an_event_too() {
    let text = r#"{"action":"publish","event":{"type":"APPROVAL_RESPONSE","agent":"a","data":
        {"request_id":"r","response":"deny","message":"no"}},"ack":1}"#;
    let decoded = published(text);
    assert_eq!(decoded.ack.map(|ack| ack.get().to_owned()), Some("1".to_owned()));
    let Inbound::Answer(reply) = decoded.inbound else {
        panic!("not an answer")
    };
    assert_eq!((&*reply.request_id, reply.agent.as_deref()), ("r", Some("a")));
    assert_eq!((reply.response, reply.message.as_deref()), (Verdict::Deny, Some("no")));
}

fn over_sam(text: &str, origin: Origin) -> NewEvent {
    let peer = Peer {
        origin,
        agent: origin.as_str().into(),
        ..peer()
    };
    match sam::decode(text, &peer).expect("well-formed").inbound {
        Inbound::Event(event) => event,
        other => panic!("not an event: {other:?}"),
    }
}

#[test]
fn hives_events_come_in_over_sams_door_too() {
    let text = r#"{"type":"EXECUTION_STARTED","stream_id":"s","execution_id":"e","data":{"input_data":{}}}"#;
    let event = over_sam(text, Origin::Sam);
    assert_eq!((event.origin, &*event.kind), (Origin::Hive, "execution_started"));
    assert_eq!(names(&event), ("s", Some("e"), Some("s")));
    let event = over_sam(r#"{"type":"goal_progress","data":{"progress":0.5}}"#, Origin::Sam);
    assert_eq!((event.origin, names(&event).0), (Origin::Hive, "hive"));
    let event = over_sam(r#"{"type":"GOAL_ACHIEVED","data":{}}"#, Origin::Rest);
    assert_eq!((event.origin, names(&event).0), (Origin::Rest, "rest"));
}

#[test]
fn any_event_over_sams_door_may_be_labelled_in_hives_words() {
    let text = r#"{"type":"TOOL","stream_id":"s","execution_id":"e","data":{}}"#;
    let event = over_sam(text, Origin::Sam);
    assert_eq!((event.origin, &*event.kind), (Origin::Sam, "TOOL"));
    assert_eq!(names(&event), ("sam", Some("e"), Some("s")));
    let text = r#"{"type":"x","stream":"a","stream_id":"b","session":"c","execution_id":"d","data":{}}"#;
    assert_eq!(
        names(&over_sam(text, Origin::Sam)),
        ("sam", Some("c"), Some("a")),
        "its own words come first"
    );
    let error = sam::decode(r#"{"type":"x","data":{},"execution_id":7}"#, &peer()).expect_err("a number");
    assert_eq!(error.field, Some("execution_id"));
}

#[test]
fn no_frame_that_goes_out_is_larger_than_clients_take() {
    let data = format!(r#"{{"a":"{}"}}"#, "\\u0001".repeat(600_000));
    let text = format!(
        r#"{{"action":"publish","event":{{"type":"{}","data":{data}}}}}"#,
        "\\n".repeat(128)
    );
    let mut event = logged(event_in(&text));
    event.agent = Arc::from("\"".repeat(256));
    event.session = Some("\\".repeat(256).into());
    event.stream = Some("\u{7f}".repeat(256).into());
    let out = hive::event(&event);
    assert!(out.len() < crate::limits::MAX_OUT, "{} bytes", out.len());
    let out: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(out["event"]["data"]["truncated"], true);
}

#[test]
fn what_the_envelope_says_beside_its_own_fields_goes_out_to_the_letter() {
    let text = r#"{"action":"publish","note":1,"event":{"type":"GOAL_ACHIEVED","stream_id":"s","correlation_id":"c 1",
        "data":{},"causation":{ "of": [1.50, null] },"seq":99,"Agent":"forged","via":["x"],"message":"m"}}"#;
    let logged = logged(event_in(text));
    let own = r#""seq":12,"agent":"s","correlation_id":"c 1","causation":{ "of": [1.50, null] }"#;
    let out = hive::event(&logged);
    assert!(out.ends_with(&format!(r#"{own},"message":"m"}}}}"#)), "{out}");
    assert!(hive::event_object(&logged).contains(own));
    assert!(sam::event(&logged).contains(r#""causation":{ "of": [1.50, null] }"#));
    let row = serde_json::to_string(&countersign_model::EventRow::from(&logged)).expect("a row");
    assert!(
        row.contains(r#""correlation_id":"c 1","causation":{ "of": [1.50, null] }"#),
        "{row}"
    );
}

#[test]
fn sams_door_keeps_what_it_does_not_know_and_a_row_of_an_export_is_the_event_that_it_was() {
    let event = over_sam(
        r#"{"type":"x","data":{},"trace":[1],"message":"m","id":7}"#,
        Origin::Sam,
    );
    let row = serde_json::to_string(&countersign_model::EventRow::from(&logged(event))).expect("a row");
    let again = over_sam(&row, Origin::Rest);
    assert_eq!(
        serde_json::to_string(&again.extra).expect("JSON"),
        r#"{"trace":[1],"message":"m"}"#
    );
}
