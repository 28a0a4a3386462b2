//! Commit before anybody sees; the first answer wins; time and absence deny.

use super::*;

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
