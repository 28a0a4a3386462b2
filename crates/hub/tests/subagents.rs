//! A stop of an agent with hooks reaches the subagents that its session started, and nobody else.

use countersign_hub::{Config, Waiter};
use countersign_model::{Ask, Origin, SessionKey, Status, Surface, Verdict};
use countersign_testkit::{Rig, answer, ask};

fn key(session: &str) -> SessionKey {
    SessionKey {
        agent: "sam".into(),
        session: session.into(),
    }
}

async fn asked(rig: &Rig, origin: Origin, session: &str) -> Waiter {
    let ask = Ask {
        origin,
        session: session.into(),
        ..ask(&format!("{origin} {session}"), "x")
    };
    let waiter = rig.hub.ask(ask).await.expect("asked").waiter;
    rig.drain();
    waiter
}

fn status(waiter: &mut Waiter) -> Option<Status> {
    waiter.claim().map(|approval| approval.status)
}

#[tokio::test]
async fn what_waits_and_what_comes_is_stopped_with_the_session_that_started_it() {
    let rig = Rig::new(Config::default());
    let mut child = asked(&rig, Origin::Hook, "s/1").await;
    let mut grandchild = asked(&rig, Origin::Hook, "s/1/2").await;
    let mut namesake = asked(&rig, Origin::Hook, "s1").await;
    let mut not_a_hook = asked(&rig, Origin::Rest, "s/1").await;
    rig.hub.stop(&key("s"), Surface::Window, None);
    rig.drain();
    assert_eq!(status(&mut child), Some(Status::Stopped));
    assert_eq!(status(&mut grandchild), Some(Status::Stopped));
    assert_eq!(status(&mut namesake), None);
    assert_eq!(
        status(&mut not_a_hook),
        None,
        "a slash in a name means nothing elsewhere"
    );
    let mut later = asked(&rig, Origin::Hook, "s/3").await;
    assert_eq!(status(&mut later), Some(Status::Stopped));
    assert!(rig.hub.stop_over(&key("s/3"), Origin::Hook).is_some());
    assert!(rig.hub.stop_over(&key("s/3"), Origin::Sam).is_none());
    rig.hub.resume_session(&key("s"), Surface::Window);
    rig.drain();
    assert!(rig.hub.stop_over(&key("s/3"), Origin::Hook).is_none());
    let mut free = asked(&rig, Origin::Hook, "s/4").await;
    assert_eq!(status(&mut free), None);
}

#[tokio::test]
async fn a_stop_overtakes_an_approval_that_the_subagent_has_not_got() {
    let rig = Rig::new(Config::default());
    let mut child = asked(&rig, Origin::Hook, "s/1").await;
    rig.hub
        .answer(child.id(), answer(Verdict::Approve))
        .await
        .expect("answered");
    rig.hub.stop(&key("s"), Surface::Window, None);
    rig.drain();
    assert_eq!(status(&mut child), Some(Status::Stopped));
}

#[tokio::test]
async fn a_question_is_taken_back_at_once_only_when_nobody_else_waits_for_it() {
    let rig = Rig::new(Config::default());
    let first = asked(&rig, Origin::Hook, "s").await;
    let mut second = asked(&rig, Origin::Hook, "s").await;
    let id = first.id().clone();
    assert_eq!(id, *second.id());
    first.withdraw("gone");
    rig.drain();
    assert_eq!(status(&mut second), None);
    second.withdraw("gone");
    rig.drain();
    let approval = rig.hub.find(&id).await.expect("known");
    assert_eq!(approval.status, Status::Cancelled);
    assert_eq!(approval.decision.expect("decided").message.as_deref(), Some("gone"));
}
