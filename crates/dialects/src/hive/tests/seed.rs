//! Each message of the seed, in both directions, as snapshots to read.

use countersign_model::{Approval, Decision, Epoch, Scope, SessionKey, Status, Surface, Verdict, to_json};
use serde_json::json;

use super::{NOW, ask_in, event_in, logged, read, subscription_in};
use crate::hive::{self, Action, EventType, Payload};

macro_rules! seed {
    ($name:literal) => {
        include_str!(concat!("../../../fuzz/seeds/hive/", $name, ".json"))
    };
}

macro_rules! events {
    ($($kind:ident)*) => {$(
        #[test]
        fn $kind() {
            let decoded = event_in(include_str!(concat!("../../../fuzz/seeds/hive/", stringify!($kind), ".json")));
            assert_eq!(&*decoded.kind, stringify!($kind));
            let event_type = EventType::parse(&decoded.kind).expect("one of the ten");
            let payload = Payload::read(event_type, &decoded.data);
            assert_eq!(payload.event_type(), event_type);
            assert_eq!(Payload::read(event_type, &payload.data()), payload);
            said!(debug concat!(stringify!($kind), "-data"), payload);
            said!(debug concat!(stringify!($kind), "-in"), decoded);
            said!(concat!(stringify!($kind), "-out"), hive::event(&logged(decoded)));
        }
    )*};
}

events! {
    execution_started
    execution_completed
    execution_failed
    goal_progress
    goal_achieved
    state_changed
    execution_paused
    execution_resumed
    node_executed
    constraint_violation
}

#[test]
fn subscribe() {
    let all = subscription_in(seed!("subscribe"));
    assert_eq!(all, hive::Subscription::default());
    said!(
        "subscribed_to_all-out",
        hive::subscribed(&all, &Epoch::new("5f0c1d2e"), 41)
    );
    let some = subscription_in(seed!("subscribe_some"));
    said!(debug "subscribe_some-in", some);
    said!(
        "subscribed_to_some-out",
        hive::subscribed(&some, &Epoch::new("5f0c1d2e"), 41)
    );
}

#[test]
fn unsubscribe() {
    assert!(matches!(read(seed!("unsubscribe")), Ok(Action::Unsubscribe)));
    said!("unsubscribed-out", hive::unsubscribed());
}

#[test]
fn auth() {
    let Ok(Action::Auth { token }) = read(seed!("auth")) else {
        panic!("not understood")
    };
    assert_eq!(token, "header.payload.signature");
    said!("authenticated-out", hive::authenticated());
}

fn approval(status: Status, decision: Option<Decision>) -> Approval {
    let (asked, _) = ask_in(seed!("approval_request")).asked("apr-1".into(), "0".repeat(64), 12, NOW);
    Approval {
        status,
        decision,
        ..asked
    }
}

fn decision(verdict: Verdict) -> Decision {
    Decision {
        decision: verdict,
        scope: Scope::Once,
        message: None,
        arguments: None,
        grants: Vec::new(),
        by: Surface::Dialog,
        rule: None,
        at: NOW.plus_seconds(5),
    }
}

#[test]
fn approval_request_and_its_answers() {
    said!(debug "approval_request-in", ask_in(seed!("approval_request")));
    let approve = approval(Status::Approved, Some(decision(Verdict::Approve)));
    said!("approve-out", hive::answer(&approve, NOW).expect("decided"));
    let deny = Decision {
        message: Some("not on a \"Friday\"".to_owned()),
        ..decision(Verdict::Deny)
    };
    said!(
        "deny-out",
        hive::answer(&approval(Status::Denied, Some(deny)), NOW).expect("decided")
    );
    let edited = Decision {
        arguments: Some(to_json(&json!({ "text": "shorter" }))),
        ..decision(Verdict::Approve)
    };
    said!(
        "approve_with_other_arguments-out",
        hive::answer(&approval(Status::Approved, Some(edited)), NOW).expect("decided")
    );
    for status in [Status::Denied, Status::Stopped, Status::Expired, Status::Cancelled] {
        // Whatever the decision's own word, the status decides.
        let text = hive::answer(&approval(status, Some(decision(Verdict::Approve))), NOW).expect("over");
        assert!(!text.contains("approve\""), "{text}");
    }
    assert_eq!(hive::answer(&approval(Status::Pending, None), NOW), None);
}

#[test]
fn the_frames_of_the_hub() {
    let key = |session: &str| SessionKey {
        agent: "webhook".into(),
        session: session.into(),
    };
    said!("stop-out", hive::stop(&key("exec-1"), Some("enough"), NOW));
    said!(
        "stop_of_a_connection-out",
        hive::stop(&key("c-0123456789ab"), None, NOW)
    );
    said!(
        "history_lost-out",
        hive::history_lost(&Epoch::new("5f0c1d2e"), 7, 41, Some(30))
    );
    said!(
        "ack-out",
        hive::ack(&to_json(&"a \"token\""), &Epoch::new("5f0c1d2e"), 42)
    );
    let of_a_field = read(r#"{"action":"publish","event":{"type":"x","data":[]}}"#).expect_err("not an object");
    said!("error_of_a_field-out", hive::error(&of_a_field.error, of_a_field.field));
    said!("error_of_the_frame-out", hive::error("not JSON: \"\\", None));
}
