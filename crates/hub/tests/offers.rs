//! What an answer may carry depends on what the agent said it can carry out.

use countersign_hub::{AnswerError, Config, Waiter};
use countersign_model::{Answer, Ask, Grant, Verdict};
use countersign_testkit::{Rig, answer, ask, json, now_or_never};

fn asked(rig: &Rig, question: Ask) -> Waiter {
    let waiter = now_or_never(rig.hub.ask(question))
        .expect("room")
        .expect("taken")
        .waiter;
    rig.drain();
    waiter
}

fn refused(rig: &Rig, waiter: &Waiter, answer: Answer) -> bool {
    let given = now_or_never(rig.hub.answer(waiter.id(), answer)).expect("at once");
    matches!(given, Err(AnswerError::Unsupported(_)))
}

#[test]
fn only_an_agent_whose_run_ends_with_it_is_answered_with_stop() {
    let rig = Rig::new(Config::default());
    let waiter = asked(
        &rig,
        Ask {
            stops: false,
            ..ask("r1", "ls")
        },
    );
    assert!(refused(&rig, &waiter, answer(Verdict::Stop)));
    assert!(!refused(&rig, &waiter, answer(Verdict::Deny)));
}

#[test]
fn grants_are_those_that_were_offered_each_once_and_only_with_an_approval() {
    let rig = Rig::new(Config::default());
    let grant = |label: &str| Grant {
        label: label.to_owned(),
        entry: json(&serde_json::json!({ "type": "addRules" })),
    };
    let waiter = asked(
        &rig,
        Ask {
            grants: vec![grant("one"), grant("two")],
            ..ask("r1", "ls")
        },
    );
    let with = |verdict, grants: &[u32]| Answer {
        grants: grants.to_vec(),
        ..answer(verdict)
    };
    assert!(refused(&rig, &waiter, with(Verdict::Approve, &[2])));
    assert!(refused(&rig, &waiter, with(Verdict::Approve, &[0, 0])));
    assert!(refused(&rig, &waiter, with(Verdict::Deny, &[0])));
    let decided = now_or_never(rig.hub.answer(waiter.id(), with(Verdict::Approve, &[1, 0]))).expect("at once");
    assert_eq!(decided.expect("taken").decision.expect("decided").grants, [1, 0]);
}
