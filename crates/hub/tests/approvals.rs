//! Questions and answers through the hub: what agents, approvers and readers see of them, also when the store fails or the
//! hub starts again.

use countersign_hub::{AnswerError, AskError, BatchError, Config, Item, Limits, Refusal, Waiter};
use countersign_model::{Answer, Approval, Ask, Delivery, Scope, SessionKey, Status, Surface, Verdict, kind};
use countersign_testkit::{Drained, Rig, answer, ask, now_or_never, session};

fn rig() -> Rig {
    Rig::new(Config::default())
}

fn put(rig: &Rig, question: Ask) -> Waiter {
    now_or_never(rig.hub.ask(question))
        .expect("room")
        .expect("taken")
        .waiter
}

/// Asked and committed.
fn asked(rig: &Rig, question: Ask) -> Waiter {
    let waiter = put(rig, question);
    rig.drain();
    waiter
}

fn give(rig: &Rig, waiter: &Waiter, answer: Answer) -> Result<Approval, AnswerError> {
    now_or_never(rig.hub.answer(waiter.id(), answer)).expect("at once")
}

fn status(waiter: &mut Waiter) -> Option<Status> {
    waiter.claim().map(|approval| approval.status)
}

/// What readers have seen of one kind.
fn seen(rig: &Rig, kind: &str) -> Vec<serde_json::Value> {
    let mut cursor = rig.hub.cursor(Some(&"0".parse().expect("a place"))).expect("kept");
    let batch = now_or_never(cursor.read(usize::MAX, usize::MAX))
        .expect("at once")
        .expect("readable");
    let of_kind = batch.iter().filter(|entry| *entry.event.kind == *kind);
    of_kind
        .map(|entry| serde_json::from_str(entry.event.data.get()).expect("JSON"))
        .collect()
}

#[test]
fn nobody_sees_or_answers_a_question_before_it_is_committed() {
    let rig = rig();
    let waiter = put(&rig, ask("r1", "ls"));
    assert!(rig.hub.waiting().is_empty() && seen(&rig, kind::APPROVAL_REQUEST).is_empty());
    assert!(matches!(
        give(&rig, &waiter, answer(Verdict::Approve)),
        Err(AnswerError::NotFound)
    ));
    rig.drain();
    assert_eq!(rig.hub.waiting().len(), 1);
    assert_eq!(seen(&rig, kind::APPROVAL_REQUEST).len(), 1);
}

#[test]
fn nobody_is_told_an_answer_before_it_is_committed() {
    let rig = rig();
    let mut waiter = asked(&rig, ask("r1", "ls"));
    give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
    assert_eq!(status(&mut waiter), None);
    assert!(seen(&rig, kind::APPROVAL_RESOLVED).is_empty());
    rig.drain();
    assert_eq!(status(&mut waiter), Some(Status::Approved));
    assert_eq!(seen(&rig, kind::APPROVAL_RESOLVED).len(), 1);
}

#[tokio::test]
async fn whoever_waits_is_woken_by_the_commit_of_the_answer() {
    let rig = rig();
    let mut waiter = asked(&rig, ask("r1", "ls"));
    let id = waiter.id().clone();
    let agent = tokio::spawn(async move {
        let approval = waiter.answer().await;
        waiter.delivered();
        approval.status
    });
    tokio::task::yield_now().await;
    rig.hub.answer(&id, answer(Verdict::Deny)).await.expect("first");
    tokio::task::yield_now().await;
    assert!(!agent.is_finished());
    rig.drain();
    assert_eq!(agent.await.expect("no panic"), Status::Denied);
    rig.drain();
    let row = rig.archive.approval(&id).expect("kept");
    assert_eq!((row.status, row.delivery), (Status::Denied, Delivery::Delivered));
    assert_eq!(seen(&rig, kind::APPROVAL_DELIVERED)[0]["delivery"], "delivered");
}

#[test]
fn the_first_answer_wins_and_the_second_gets_to_see_it() {
    let rig = rig();
    let waiter = asked(&rig, ask("r1", "ls"));
    let first = Answer {
        message: Some("not now".into()),
        ..answer(Verdict::Deny)
    };
    give(&rig, &waiter, first).expect("first");
    for verdict in [Verdict::Approve, Verdict::Deny, Verdict::Stop] {
        let Err(AnswerError::Resolved(recorded)) = give(&rig, &waiter, answer(verdict)) else {
            panic!("answered twice")
        };
        let decision = recorded.decision.expect("recorded");
        assert_eq!(
            (recorded.status, decision.message.as_deref()),
            (Status::Denied, Some("not now"))
        );
    }
    assert!(rig.hub.stops().is_empty(), "a late stop changes nothing");
    rig.drain();
    assert_eq!(seen(&rig, kind::APPROVAL_RESOLVED).len(), 1);
}

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
fn a_stop_ends_what_waits_and_what_comes_until_it_is_lifted() {
    let rig = rig();
    let mut one = asked(&rig, ask("r1", "ls"));
    let mut two = asked(&rig, ask("r2", "pwd"));
    let mut elsewhere = asked(
        &rig,
        Ask {
            session: "s2".into(),
            ..ask("r3", "ls")
        },
    );
    give(&rig, &one, answer(Verdict::Stop)).expect("first");
    assert!(
        rig.hub.stopped(&session()).is_none(),
        "agents are told once it is committed"
    );
    rig.drain();
    assert!(rig.hub.stopped(&session()).is_some());
    assert_eq!(
        (status(&mut one), status(&mut two)),
        (Some(Status::Stopped), Some(Status::Stopped))
    );
    assert_eq!(status(&mut elsewhere), None);
    let mut later = asked(&rig, ask("r4", "ls"));
    assert_eq!(status(&mut later), Some(Status::Stopped));
    assert!(rig.hub.resume_session(&session(), Surface::Window));
    assert!(!rig.hub.resume_session(&session(), Surface::Window));
    let mut after = asked(&rig, ask("r5", "ls"));
    assert_eq!(status(&mut after), None);
    assert_eq!(seen(&rig, kind::SESSION_STOPPED).len(), 1);
    assert_eq!(seen(&rig, kind::SESSION_RESUMED).len(), 1);
}

#[test]
fn a_stop_beats_an_approval_until_the_agent_is_being_told() {
    let rig = rig();
    let (mut told, mut overtaken) = (asked(&rig, ask("r1", "ls")), asked(&rig, ask("r2", "pwd")));
    for waiter in [&told, &overtaken] {
        give(&rig, waiter, answer(Verdict::Approve)).expect("first");
    }
    rig.drain();
    assert_eq!(status(&mut told), Some(Status::Approved));
    rig.hub.stop(&session(), Surface::Tray, Some("enough".into()));
    assert_eq!(status(&mut overtaken), None, "the stop is not committed yet");
    rig.drain();
    let stopped = overtaken.claim().expect("committed");
    assert_eq!(stopped.status, Status::Stopped);
    assert_eq!(stopped.decision.expect("decided").message.as_deref(), Some("enough"));
    told.delivered();
    overtaken.delivered();
    rig.drain();
    let rows: Vec<_> = ["r1", "r2"]
        .map(|request| rig.hub.find_key("sam", request).expect("at hand").status)
        .into();
    assert_eq!(rows, [Status::Approved, Status::Stopped]);
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
fn a_stop_as_the_answer_ends_each_session_that_asked() {
    let rig = rig();
    let waiter = asked(&rig, ask("r1", "ls"));
    let again = Ask {
        session: "s2".into(),
        ..ask("r1", "ls")
    };
    asked(&rig, again);
    give(&rig, &waiter, answer(Verdict::Stop)).expect("first");
    let mut stopped: Vec<_> = rig
        .hub
        .stops()
        .iter()
        .map(|stop| stop.key.session.to_string())
        .collect();
    stopped.sort();
    assert_eq!(stopped, ["s1", "s2"]);
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
fn an_approval_that_could_not_be_written_is_stopped_with_its_session() {
    let rig = rig();
    let mut waiter = asked(&rig, ask("r1", "ls"));
    let mut second = rig.hub.wait_for(waiter.id()).expect("at hand");
    give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
    rig.drain();
    assert_eq!(
        (status(&mut waiter), status(&mut second)),
        (Some(Status::Approved), Some(Status::Approved))
    );
    rig.hub.stop(&session(), Surface::Tray, None);
    let id = waiter.id().clone();
    drop(waiter);
    rig.drain();
    let held = |rig: &Rig| {
        now_or_never(rig.hub.find(&id))
            .expect("at once")
            .expect("at hand")
            .status
    };
    assert_eq!(held(&rig), Status::Approved, "another connection is writing it still");
    drop(second);
    assert_eq!(held(&rig), Status::Stopped);
}

#[test]
fn an_agent_that_goes_away_has_its_grace_time_and_then_the_answer_is_no() {
    let rig = rig();
    let waiter = asked(&rig, ask("r1", "ls"));
    let id = waiter.id().clone();
    drop(waiter);
    rig.clock.advance(59);
    rig.hub.expire();
    let mut back = asked(&rig, ask("r1", "ls"));
    assert_eq!(*back.id(), id);
    rig.clock.advance(1_000);
    rig.hub.expire();
    assert_eq!(status(&mut back), None, "someone waits: no time limit");
    assert_eq!(*rig.hub.deadline().borrow(), None);
    drop(back);
    let due = rig.hub.deadline().borrow().expect("the grace time runs");
    rig.clock.set(due);
    rig.hub.expire();
    rig.drain();
    let row = rig.archive.approval(&id).expect("kept");
    assert_eq!(row.status, Status::Cancelled);
    assert_eq!(row.decision.expect("decided").decision, Verdict::Deny);
}

#[test]
fn a_request_that_nobody_answers_in_its_time_is_denied() {
    let rig = rig();
    let mut waiter = asked(
        &rig,
        Ask {
            timeout: Some(5),
            ..ask("r1", "ls")
        },
    );
    assert_eq!(*rig.hub.deadline().borrow(), Some(rig.hub.now().plus_seconds(5)));
    rig.clock.advance(5);
    rig.hub.expire();
    assert!(matches!(
        give(&rig, &waiter, answer(Verdict::Approve)),
        Err(AnswerError::Resolved(_))
    ));
    rig.drain();
    let approval = waiter.claim().expect("committed");
    assert_eq!(
        (approval.status, approval.status.verdict()),
        (Status::Expired, Some(Verdict::Deny))
    );
}

#[test]
fn while_the_store_fails_every_answer_is_no() {
    let rig = rig();
    let mut shown = asked(&rig, ask("r1", "ls"));
    rig.archive.fail_commits(true);
    let mut new = put(&rig, ask("r2", "ls"));
    give(&rig, &shown, answer(Verdict::Approve)).expect("first");
    assert_eq!(rig.drain(), Drained::Failed);
    for waiter in [&mut shown, &mut new] {
        let approval = waiter.claim().expect("answered at once");
        assert_eq!(approval.status, Status::Denied);
        let decision = approval.decision.expect("decided");
        assert_eq!((decision.decision, decision.by), (Verdict::Deny, Surface::Hub));
        assert!(decision.message.expect("says why").contains("could not record"));
    }
    let resolved = seen(&rig, kind::APPROVAL_RESOLVED);
    assert!(resolved.iter().all(|data| data["decision"] == "deny"), "{resolved:?}");
    assert_eq!(resolved.len(), 2);

    rig.archive.fail_commits(false);
    rig.drain();
    let committed = rig.archive.committed();
    assert!(
        committed
            .iter()
            .all(|entry| !entry.event.data.get().contains(r#""decision":"approve""#))
    );
    assert_eq!(rig.archive.approval(shown.id()).expect("kept").status, Status::Denied);
    let mut after = asked(&rig, ask("r3", "ls"));
    give(&rig, &after, answer(Verdict::Approve)).expect("first");
    rig.drain();
    assert_eq!(status(&mut after), Some(Status::Approved), "it has recovered");
}

#[test]
fn a_standing_approval_that_could_not_be_recorded_makes_no_rule() {
    let rig = rig();
    let waiter = asked(&rig, ask("r1", "ls"));
    rig.archive.fail_commits(true);
    let always = Answer {
        scope: Scope::Always,
        ..answer(Verdict::Approve)
    };
    give(&rig, &waiter, always).expect("first");
    rig.drain();
    rig.archive.fail_commits(false);
    rig.drain();
    assert!(rig.hub.rules().is_empty());
    let mut again = asked(&rig, ask("r2", "ls"));
    assert_eq!(status(&mut again), None);
}

#[test]
fn a_crash_approves_nothing_that_was_not_committed() {
    let rig = rig();
    let waiter = asked(&rig, ask("r1", "ls"));
    let id = waiter.id().clone();
    give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
    let rig = rig.crash();
    assert_eq!(rig.hub.waiting().len(), 1);
    let mut waiter = put(&rig, ask("r1", "ls"));
    assert_eq!((status(&mut waiter), waiter.id()), (None, &id));
    give(&rig, &waiter, answer(Verdict::Deny)).expect("the first answer that lasted");
    rig.drain();
    assert_eq!(status(&mut waiter), Some(Status::Denied));
}

#[test]
fn a_committed_answer_reaches_its_agent_after_a_crash() {
    let rig = rig();
    let mut waiter = asked(&rig, ask("r1", "ls"));
    give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
    rig.drain();
    assert_eq!(status(&mut waiter), Some(Status::Approved));
    let rig = rig.crash();
    let mut waiter = put(&rig, ask("r1", "ls"));
    assert_eq!(status(&mut waiter), Some(Status::Approved));
    waiter.delivered();
    rig.drain();
    // Over by now, and so no longer restored: the store alone remembers it.
    let rig = rig.crash();
    let mut waiter = put(&rig, ask("r1", "ls"));
    assert_eq!(status(&mut waiter), Some(Status::Approved));
    let other = now_or_never(rig.hub.ask(ask("r1", "rm"))).expect("room");
    assert!(matches!(other, Err(AskError::Refused(Refusal::Conflict(_)))));
}

#[test]
fn an_approval_on_its_way_when_the_hub_died_is_not_given_to_a_stopped_session() {
    let rig = rig();
    let mut waiter = asked(&rig, ask("r1", "ls"));
    give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
    rig.drain();
    assert_eq!(status(&mut waiter), Some(Status::Approved));
    rig.hub.stop(&session(), Surface::Tray, None);
    rig.drain();
    let rig = rig.crash();
    rig.drain();
    let mut waiter = put(&rig, ask("r1", "ls"));
    assert_eq!(status(&mut waiter), Some(Status::Stopped));
}

#[test]
fn an_unreadable_store_refuses_questions_it_might_know() {
    let rig = rig();
    rig.archive.fail_reads(true);
    let refused = now_or_never(rig.hub.ask(ask("r1", "ls"))).expect("room");
    assert!(matches!(refused, Err(AskError::Archive(_))));
    assert_eq!(rig.hub.tail(), 0);
}

#[test]
fn what_the_store_does_not_have_is_not_forgotten_so_no_question_gets_a_second_id() {
    let rig = Rig::new(Config {
        limits: Limits {
            max_recent: 1,
            ..Limits::default()
        },
        ..Config::default()
    });
    rig.archive.fail_commits(true);
    let mut ids = Vec::new();
    for request in ["r1", "r2", "r3", "r1"] {
        let mut waiter = put(&rig, ask(request, "ls"));
        rig.drain();
        assert_eq!(status(&mut waiter), Some(Status::Denied));
        ids.push(waiter.id().clone());
        waiter.delivered();
    }
    assert_eq!(ids[0], ids[3]);
    rig.archive.fail_commits(false);
    rig.drain();
    assert_eq!(rig.archive.approval(&ids[0]).expect("kept").status, Status::Denied);
    let _more = (asked(&rig, ask("r4", "ls")), asked(&rig, ask("r1", "ls")));
}

#[test]
fn a_stop_that_overtook_an_uncommitted_approval_is_told_once_the_stop_itself_is_committed() {
    let rig = rig();
    let mut waiter = asked(&rig, ask("r1", "ls"));
    give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
    rig.hub.stop(&session(), Surface::Tray, None);
    rig.archive.step(&rig.hub, 1);
    assert_eq!(status(&mut waiter), None, "only the approval is committed");
    rig.archive.step(&rig.hub, 1);
    assert_eq!(status(&mut waiter), Some(Status::Stopped));
}

#[test]
fn a_stop_put_again_is_told_once_it_is_committed_again() {
    let rig = rig();
    rig.hub.stop(&session(), Surface::Tray, None);
    rig.hub.resume_session(&session(), Surface::Tray);
    rig.hub.stop(&session(), Surface::Tray, None);
    for told in [false, false, true] {
        rig.archive.step(&rig.hub, 1);
        assert_eq!(rig.hub.stopped(&session()).is_some(), told);
    }
}

#[test]
fn an_approval_that_never_reached_its_agent_is_not_given_to_a_stopped_session() {
    let rig = rig();
    let waiter = asked(&rig, ask("r1", "ls"));
    give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
    rig.drain();
    let id = waiter.id().clone();
    drop(waiter);
    rig.clock.advance(60);
    rig.hub.expire();
    rig.drain();
    assert_eq!(
        rig.archive.approval(&id).expect("kept").delivery,
        Delivery::Undeliverable
    );
    let rig = rig.crash();
    rig.hub.stop(&session(), Surface::Tray, None);
    rig.drain();
    let mut waiter = asked(&rig, ask("r1", "ls"));
    assert_eq!((status(&mut waiter), waiter.id()), (Some(Status::Stopped), &id));
}

#[test]
fn an_approval_fetched_late_is_recorded_as_delivered_after_all() {
    let rig = rig();
    let waiter = asked(&rig, ask("r1", "ls"));
    give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
    rig.drain();
    drop(waiter);
    rig.clock.advance(60);
    rig.hub.expire();
    let mut late = asked(&rig, ask("r1", "ls"));
    assert_eq!(status(&mut late), Some(Status::Approved));
    let id = late.id().clone();
    late.delivered();
    rig.drain();
    assert_eq!(rig.archive.approval(&id).expect("kept").delivery, Delivery::Delivered);
    let said: Vec<_> = seen(&rig, kind::APPROVAL_DELIVERED)
        .into_iter()
        .map(|data| data["delivery"].clone())
        .collect();
    assert_eq!(said, ["undeliverable", "delivered"]);
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
