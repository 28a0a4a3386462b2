//! Each message of the seed, in both directions, as snapshots to read.

use countersign_model::{Approval, Decision, Epoch, Scope, Status, Surface, Verdict, to_json};

use super::{NOW, ask_in, event_in, logged, read, reply_in};
use crate::sam::{self, WireError};

macro_rules! seed {
    ($kind:literal) => {
        include_str!(concat!("../../../fuzz/seeds/sam/", $kind, ".json"))
    };
}

macro_rules! events {
    ($($test:ident $kind:literal)*) => {$(
        #[test]
        fn $test() {
            let decoded = event_in(seed!($kind));
            said!(debug concat!($kind, "-in"), decoded);
            said!(concat!($kind, "-out"), sam::event(&logged(decoded)));
        }
    )*};
}

events! {
    tool_call_start "tool_call_start"
    tool_call_end "tool_call_end"
    tool_call_result "tool_call_result"
    system2_intervention "system2_intervention"
    system3_evaluation "system3_evaluation"
    system3_intervention "system3_intervention"
    autonomous_activity "autonomous_activity"
    agent_status "agent_status"
}

#[test]
fn approval_request() {
    let ask = ask_in(seed!("approval_request"));
    said!(debug "approval_request-in", ask);
    let (_, event) = ask.asked("apr-1".into(), String::new(), 12, NOW);
    said!("approval_request-out", sam::event(&logged(event)));
}

#[test]
fn approval_response_from_a_person() {
    said!(debug "approval_response-in", reply_in(seed!("approval_response")));
    for (word, verdict) in [
        ("approve", Verdict::Approve),
        ("deny", Verdict::Deny),
        ("stop", Verdict::Stop),
    ] {
        let text = format!(r#"{{"type":"approval_response","request_id":"r1","response":"{word}"}}"#);
        assert_eq!(reply_in(&text).response, verdict);
    }
}

fn approval(status: Status, decision: Option<Decision>) -> Approval {
    let (asked, _) = ask_in(seed!("approval_request")).asked("apr-1".into(), "0".repeat(64), 12, NOW);
    Approval {
        status,
        decision,
        ..asked
    }
}

fn decision(verdict: Verdict, by: Surface) -> Decision {
    Decision {
        decision: verdict,
        scope: Scope::Once,
        message: None,
        arguments: None,
        grants: Vec::new(),
        by,
        rule: None,
        at: NOW,
    }
}

#[test]
fn approval_response_to_the_agent() {
    let plain = approval(Status::Approved, Some(decision(Verdict::Approve, Surface::Dialog)));
    said!("approve-out", sam::answer(&plain).expect("decided"));
    let edited = Decision {
        arguments: Some(to_json(&serde_json::json!({ "code": "print('Hello')" }))),
        ..decision(Verdict::Approve, Surface::Window)
    };
    let edited = approval(Status::Approved, Some(edited));
    said!(
        "approve_with_other_arguments-out",
        sam::answer(&edited).expect("decided")
    );
    let deny = Decision {
        message: Some("not on a \"Friday\"\nask again".to_owned()),
        ..decision(Verdict::Deny, Surface::Rest)
    };
    let deny = approval(Status::Denied, Some(deny));
    said!("deny-out", sam::answer(&deny).expect("decided"));
    let stop = approval(Status::Stopped, Some(decision(Verdict::Stop, Surface::Tray)));
    said!("stop-out", sam::answer(&stop).expect("decided"));
}

#[test]
fn an_answer_says_approve_only_of_what_is_approved() {
    let statuses = [Status::Denied, Status::Stopped, Status::Expired, Status::Cancelled];
    for status in statuses {
        // Whatever the decision's own word, the status decides.
        let text = sam::answer(&approval(status, Some(decision(Verdict::Approve, Surface::Hub)))).expect("over");
        let response = if status == Status::Stopped { "stop" } else { "deny" };
        assert!(text.contains(&format!(r#""response":"{response}""#)), "{text}");
        assert!(!text.contains("approve\""), "{text}");
    }
    assert_eq!(sam::answer(&approval(Status::Pending, None)), None);
}

#[test]
fn the_frames_of_the_hub() {
    let epoch = Epoch::new("5f0c1d2e");
    said!("hello-out", sam::hello(&epoch, 41, "0.1.0", NOW));
    said!("history_lost-out", sam::history_lost(&epoch, 7, 41, Some(30), NOW));
    said!("ack-out", sam::ack(&to_json(&"a \"token\""), &epoch, 42));
    said!("stop_of_the_session-out", sam::stop("s\"1", Some("enough")));
    said!("stop_without_a_word-out", sam::stop("s1", None));
    let of_a_field = read(r#"{"type":"x","data":[]}"#).expect_err("not an object");
    said!("error_of_a_field-out", sam::error(&of_a_field.error, of_a_field.field));
    let of_the_frame = WireError {
        error: "not JSON: \"\\".to_owned(),
        field: None,
    };
    said!(
        "error_of_the_frame-out",
        sam::error(&of_the_frame.error, of_the_frame.field)
    );
}

#[test]
fn clouds_status_gets_sams_words_and_keeps_its_own() {
    let cloud = r#"{"agentName":"A","state":"working","currentTask":"Tests","progress":45}"#;
    let text = sam::event(&logged(event_in(&super::frame("agent_status", cloud))));
    let frame: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let expected = serde_json::json!({"status": "working", "details": {"currentTask": "Tests", "progress": 45},
        "agentName": "A", "state": "working", "currentTask": "Tests", "progress": 45});
    assert_eq!(frame["data"], expected);
    for own in [r#"{"status":"idle","state":"x"}"#, r#"{"state":7}"#, "{}"] {
        let text = sam::event(&logged(event_in(&super::frame("agent_status", own))));
        assert!(text.contains(&format!("\"data\":{own},")), "{text}");
    }
}
