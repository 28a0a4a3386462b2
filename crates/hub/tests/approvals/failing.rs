//! Whatever fails, the answer is no.

use super::*;

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
