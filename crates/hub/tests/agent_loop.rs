//! The scripted agent keeps what an agent behind a transport promises: an end to each input, an answer waited for, a stop obeyed.

use countersign_hub::agent_loop::{Inquiry, Ruling, Spoken, Told};
use countersign_model::{Scope, Verdict, to_json};
use countersign_testkit::{AgentRig, now_or_never, scripted};
use serde_json::{Value, json};

fn input(text: &str) -> Told {
    Told::Input {
        items: vec![to_json(&json!({"type": "input_text", "text": text}))],
        previous_response_id: None,
    }
}

fn ruling(question: &Inquiry, verdict: Verdict) -> Told {
    Told::Decision(Ruling {
        question: question.question.clone(),
        verdict,
        scope: Scope::Once,
        message: Some("because".into()),
        arguments: None,
        apply_patch: None,
    })
}

fn next(rig: &mut AgentRig) -> Spoken {
    now_or_never(rig.next()).expect("it says something").expect("it lives")
}

#[track_caller]
fn item(rig: &mut AgentRig) -> Value {
    match next(rig) {
        Spoken::Item(item) => serde_json::from_str(item.get()).expect("JSON"),
        other => panic!("no item: {other:?}"),
    }
}

#[track_caller]
fn asked(rig: &mut AgentRig) -> Inquiry {
    match next(rig) {
        Spoken::Ask(inquiry) => inquiry,
        other => panic!("no question: {other:?}"),
    }
}

fn quiet(rig: &mut AgentRig) -> bool {
    now_or_never(rig.next()).is_none()
}

fn asking() -> Value {
    json!([{"steps": [
        {"ask": {"command": ["ls"], "approved": [{"item": {"type": "ran"}}], "denied": [{"item": {"type": "$message"}}],
            "explained": [{"type": "explained"}]}},
        {"item": {"type": "after"}}
    ]}])
}

#[test]
fn it_waits_for_each_decision_and_does_what_it_says() {
    let mut rig = AgentRig::new(&scripted(asking()));
    assert!(quiet(&mut rig));
    for (verdict, word) in [(Verdict::Approve, "ran"), (Verdict::Deny, "because")] {
        rig.tell(input("go"));
        let inquiry = asked(&mut rig);
        assert_eq!(inquiry.command, ["ls"]);
        assert!(quiet(&mut rig), "nothing before the decision");
        rig.tell(Told::Explain {
            question: inquiry.question.clone(),
        });
        assert_eq!(item(&mut rig)["type"], "explained");
        assert!(quiet(&mut rig));
        rig.tell(ruling(&inquiry, verdict));
        assert_eq!(item(&mut rig)["type"], word);
        assert_eq!(item(&mut rig)["type"], "after");
        assert!(matches!(next(&mut rig), Spoken::Finished { .. }));
        assert!(quiet(&mut rig));
    }
}

#[test]
fn a_stop_ends_the_turn_at_once_and_the_next_one_begins_anew() {
    let mut rig = AgentRig::new(&scripted(asking()));
    for cancel in [false, true] {
        rig.tell(input("go"));
        let inquiry = asked(&mut rig);
        rig.tell(if cancel {
            Told::Cancel
        } else {
            ruling(&inquiry, Verdict::Stop)
        });
        assert!(matches!(next(&mut rig), Spoken::Loading(false)));
        assert!(matches!(next(&mut rig), Spoken::Finished { .. }));
        // Told a second time, nothing is left to be stopped.
        rig.tell(Told::Cancel);
        assert!(quiet(&mut rig));
    }
}

#[test]
fn an_answer_to_another_question_is_none() {
    let mut rig = AgentRig::new(&scripted(asking()));
    rig.tell(input("go"));
    let mut other = asked(&mut rig);
    other.question = "another".into();
    rig.tell(ruling(&other, Verdict::Approve));
    assert!(quiet(&mut rig));
}

#[test]
fn the_last_turn_is_played_again_and_a_session_begins_at_the_first() {
    let turns = json!([{"steps": [{"finish": "one"}]}, {"steps": [{"fail": {"message": "two"}}]}]);
    let agent = scripted(turns);
    for _ in 0..2 {
        let mut rig = AgentRig::new(&agent);
        for word in ["one", "two", "two"] {
            rig.tell(input("go"));
            match next(&mut rig) {
                Spoken::Finished { response_id: said } | Spoken::Failed { message: said, .. } => assert_eq!(said, word),
                other => panic!("{other:?}"),
            }
        }
    }
}
