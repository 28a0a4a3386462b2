//! What a question is: its id, its content, what was approved is what runs.

use super::*;

#[test]
fn asking_again_gives_the_same_approval_and_another_call_under_the_same_id_is_refused() {
    let rig = rig();
    let first = asked(&rig, ask("r1", "ls"));
    let again = put(&rig, ask("r1", "ls"));
    assert_eq!(first.id(), again.id());
    let from_another_session = Ask {
        session: "s2".into(),
        ..ask("r1", "ls")
    };
    assert_eq!(
        put(&rig, from_another_session).id(),
        first.id(),
        "an agent that came back"
    );
    for other in [
        ask("r1", "rm -r /"),
        Ask {
            cwd: Some("/".into()),
            ..ask("r1", "ls")
        },
        Ask {
            tool_name: "Bash".into(),
            ..ask("r1", "ls")
        },
    ] {
        let refused = now_or_never(rig.hub.ask(other)).expect("room");
        assert!(matches!(refused, Err(AskError::Refused(Refusal::Conflict(_)))));
    }
    let of_another_agent = Ask {
        agent: "ada".into(),
        ..ask("r1", "rm -r /")
    };
    assert_ne!(put(&rig, of_another_agent).id(), first.id());
    rig.drain();
    assert_eq!(seen(&rig, kind::APPROVAL_REQUEST).len(), 2);
}

#[test]
fn a_request_id_names_an_approval_while_only_one_agent_used_it() {
    let rig = rig();
    let first = asked(&rig, ask("r1", "ls"));
    let find = |name: &str| now_or_never(rig.hub.find(name)).expect("at once");
    assert_eq!(find("r1").expect("one").id, *first.id());
    let _second = asked(
        &rig,
        Ask {
            agent: "ada".into(),
            ..ask("r1", "ls")
        },
    );
    assert!(matches!(find("r1"), Err(AnswerError::Ambiguous)));
    assert_eq!(find(first.id()).expect("its own id").agent, "sam".into());
    assert!(matches!(find("r2"), Err(AnswerError::NotFound)));
}

#[test]
fn what_cannot_be_bound_is_refused() {
    let rig = Rig::new(Config {
        limits: Limits {
            max_pending: 2,
            max_request_bytes: 1_000,
            ..Limits::default()
        },
        ..Config::default()
    });
    let raw = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).expect("JSON");
    let twice = Ask {
        arguments: raw(r#"{"code":"ls","code":"rm"}"#),
        ..ask("r1", "")
    };
    let half = Ask {
        arguments: raw(r#"{"code":"\ud800"}"#),
        ..ask("r1", "")
    };
    for unbound in [twice, half] {
        let refused = now_or_never(rig.hub.ask(unbound)).expect("room");
        assert!(matches!(refused, Err(AskError::Refused(Refusal::Arguments(_)))));
    }
    let refused = now_or_never(rig.hub.ask(ask("r1", &"x".repeat(1_000)))).expect("room");
    assert!(matches!(
        refused,
        Err(AskError::Refused(Refusal::TooLarge { limit: 1_000, .. }))
    ));
    let _two = (put(&rig, ask("r1", "ls")), put(&rig, ask("r2", "ls")));
    let refused = now_or_never(rig.hub.ask(ask("r3", "ls"))).expect("room");
    assert!(matches!(refused, Err(AskError::Refused(Refusal::TooMany))));
    assert!(
        now_or_never(rig.hub.ask(ask("r1", "ls"))).expect("room").is_ok(),
        "known already"
    );
}

#[test]
fn edited_arguments_go_only_to_agents_that_run_them_and_only_once() {
    let rig = rig();
    let plain = asked(&rig, ask("r1", "ls"));
    let edits = asked(
        &rig,
        Ask {
            edits: true,
            ..ask("r2", "ls")
        },
    );
    let edited = Answer {
        arguments: Some(countersign_testkit::json(&serde_json::json!({ "code": "ls -l" }))),
        ..answer(Verdict::Approve)
    };
    assert!(matches!(
        give(&rig, &plain, edited.clone()),
        Err(AnswerError::Unsupported(_))
    ));
    let standing = Answer {
        scope: Scope::Always,
        ..edited.clone()
    };
    assert!(matches!(give(&rig, &edits, standing), Err(AnswerError::Unsupported(_))));
    let decision = give(&rig, &edits, edited).expect("taken").decision.expect("decided");
    assert_eq!(decision.arguments.expect("edited").get(), r#"{"code":"ls -l"}"#);
}

#[test]
fn a_question_asked_again_from_another_session_is_stopped_with_either() {
    for stopped_in in ["s1", "s2"] {
        for decided in [false, true] {
            let rig = rig();
            let mut waiter = asked(&rig, ask("r1", "ls"));
            let again = Ask {
                session: "s2".into(),
                ..ask("r1", "ls")
            };
            asked(&rig, again);
            if decided {
                give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
                rig.drain();
            }
            let key = SessionKey {
                session: stopped_in.into(),
                ..session()
            };
            rig.hub.stop(&key, Surface::Tray, None);
            rig.drain();
            assert_eq!(
                status(&mut waiter),
                Some(Status::Stopped),
                "{stopped_in}, decided: {decided}"
            );
        }
    }
}

#[test]
fn a_question_is_not_bound_to_any_number_of_sessions() {
    let rig = rig();
    let refused = (0..100).find_map(|n| {
        let again = Ask {
            session: format!("s{n}").into(),
            ..ask("r1", "ls")
        };
        now_or_never(rig.hub.ask(again)).expect("room").err()
    });
    assert!(matches!(refused, Some(AskError::Refused(Refusal::TooManySessions(_)))));
}

#[test]
fn a_batch_is_taken_as_a_whole_or_not_at_all() {
    let rig = Rig::new(Config {
        limits: Limits {
            max_pending: 2,
            ..Limits::default()
        },
        ..Config::default()
    });
    let put = |questions: &[Ask]| {
        let note = || Item::Event(countersign_testkit::event("note", &serde_json::json!({})));
        let questions = questions.iter().cloned().map(|ask| Item::Ask(Box::new(ask)));
        let items = std::iter::once(note()).chain(questions).chain([note()]).collect();
        let taken = now_or_never(rig.hub.publish_all(items)).expect("room");
        rig.drain();
        taken
    };
    let again = Ask {
        session: "s2".into(),
        ..ask("r1", "ls")
    };
    let many = (0..100).map(|n| Ask {
        session: format!("s{n}").into(),
        ..ask("r1", "ls")
    });
    for refused in [
        vec![ask("r1", "ls"), ask("r1", "rm")],
        vec![ask("r1", "ls"), ask("r2", "ls"), ask("r3", "ls")],
        many.collect(),
    ] {
        assert!(matches!(put(&refused), Err(BatchError::Ask(..))));
        assert_eq!(rig.hub.tail(), 0);
    }
    let published = put(&[ask("r1", "ls"), again, ask("r2", "ls")]).expect("taken");
    assert_eq!((published.first, published.last), (1, 4));
    assert_eq!(rig.hub.waiting().len(), 2);
    assert!(matches!(
        put(&[ask("r2", "ls"), ask("r1", "rm")]),
        Err(BatchError::Ask(2, _))
    ));
}
