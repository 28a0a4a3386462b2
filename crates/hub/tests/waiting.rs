//! Who waits for whom: publishers for room, readers for news, acknowledgements for the commit, and nobody longer than need be.

use std::sync::Arc;

use countersign_hub::{Config, PublishError};
use countersign_model::kind;
use countersign_testkit::{Drained, Rig, ask, event, now_or_never, session};

fn note(text: &str) -> countersign_model::NewEvent {
    event("note", &serde_json::json!({ "text": text }))
}

fn small() -> Config {
    Config {
        ring_bytes: 1_000,
        ..Config::default()
    }
}

#[tokio::test]
async fn a_publisher_waits_for_the_store_only_while_a_whole_ring_is_unpersisted() {
    let rig = Rig::new(small());
    for _ in 0..4 {
        rig.hub.publish(vec![note("x")]).await.expect("room");
    }
    let hub = Arc::clone(&rig.hub);
    let waiting = tokio::spawn(async move { hub.publish(vec![note("y")]).await });
    tokio::task::yield_now().await;
    assert_eq!((rig.hub.tail(), waiting.is_finished()), (4, false));
    rig.archive.step(&rig.hub, 1);
    let published = waiting.await.expect("no panic").expect("room");
    assert_eq!((published.first, published.last), (5, 5));
}

#[tokio::test]
async fn a_publisher_that_gives_up_waiting_has_published_nothing() {
    let rig = Rig::new(small());
    rig.hub.publish(vec![note(&"x".repeat(2_000))]).await.expect("room");
    assert!(now_or_never(rig.hub.publish(vec![note("y")])).is_none());
    rig.drain();
    assert_eq!((rig.hub.tail(), rig.archive.committed().len()), (1, 1));
}

#[tokio::test]
async fn a_question_waits_for_room_as_an_event_does() {
    let rig = Rig::new(small());
    rig.hub.publish(vec![note(&"x".repeat(2_000))]).await.expect("room");
    assert!(now_or_never(rig.hub.ask(ask("r1", "ls"))).is_none());
    rig.drain();
    assert!(rig.hub.ask(ask("r1", "ls")).await.is_ok());
}

#[tokio::test]
async fn a_reader_is_woken_by_events_and_behind_a_barrier_by_the_commit() {
    let rig = Rig::new(Config::default());
    let mut cursor = rig.hub.from_head();
    assert!(now_or_never(cursor.ready()).is_none());
    rig.hub.publish(vec![note("x")]).await.expect("room");
    cursor.ready().await;
    cursor.read(10, usize::MAX).await.expect("readable");
    let _asked = rig.hub.ask(ask("r1", "ls")).await.expect("taken");
    rig.hub.publish(vec![note("behind it")]).await.expect("room");
    assert!(
        now_or_never(cursor.ready()).is_none(),
        "a request is shown before it is committed"
    );
    rig.drain();
    cursor.ready().await;
    assert_eq!(cursor.read(10, usize::MAX).await.expect("readable").len(), 2);
}

#[tokio::test]
async fn an_acknowledgement_comes_with_the_commit_or_with_the_failure() {
    let rig = Rig::new(Config::default());
    let first = rig.hub.publish(vec![note("x")]).await.expect("room").last;
    assert!(now_or_never(rig.hub.committed(first)).is_none());
    rig.drain();
    rig.hub.committed(first).await.expect("committed");

    let second = rig.hub.publish(vec![note("y")]).await.expect("room").last;
    rig.archive.fail_commits(true);
    assert_eq!(rig.drain(), Drained::Failed);
    let failed = rig.hub.committed(second).await.expect_err("failing");
    assert!(failed.to_string().contains("no space left"), "{failed}");
    assert!(rig.hub.failing().borrow().is_some());

    rig.archive.fail_commits(false);
    assert_eq!(rig.drain(), Drained::Committed(1));
    rig.hub
        .committed(second)
        .await
        .expect("kept in memory and written after all");
    assert!(rig.hub.failing().borrow().is_none());
}

#[tokio::test]
async fn kinds_of_the_hub_are_refused_and_nothing_beside_them_is_published() {
    let rig = Rig::new(Config::default());
    let kinds = [
        kind::APPROVAL_REQUEST,
        kind::APPROVAL_RESPONSE,
        kind::APPROVAL_RESOLVED,
        kind::APPROVAL_DELIVERED,
        kind::SESSION_STOPPED,
        kind::SESSION_RESUMED,
        kind::RULE_CREATED,
        kind::RULE_REVOKED,
        "rule_of_thumb",
        kind::AGENT_CONNECTED,
        kind::AGENT_DISCONNECTED,
        kind::HELLO,
        kind::ACK,
        kind::HISTORY_LOST,
    ];
    for kind in kinds {
        let forged = event(kind, &serde_json::json!({}));
        let refused = rig.hub.publish(vec![note("fine"), forged]).await;
        assert_eq!(refused, Err(PublishError::HubOnly(kind.to_owned())));
    }
    assert_eq!(rig.hub.publish(Vec::new()).await, Err(PublishError::Empty));
    assert_eq!(rig.hub.tail(), 0);
}

#[tokio::test]
async fn sessions_are_found_by_id_and_narrowed_by_agent() {
    let rig = Rig::new(Config::default());
    let other = countersign_model::NewEvent {
        agent: "ada".into(),
        ..note("y")
    };
    rig.hub.publish(vec![note("x"), other]).await.expect("room");
    rig.drain();
    let agents = |keys: Vec<countersign_model::SessionKey>| {
        keys.into_iter().map(|key| key.agent.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        agents(rig.hub.session_keys("s1", None).await.expect("two")),
        ["sam", "ada"]
    );
    assert_eq!(
        agents(rig.hub.session_keys("s1", Some("ada")).await.expect("one")),
        ["ada"]
    );
    assert!(rig.hub.session_keys("s1", Some("eve")).await.is_err());
    assert!(rig.hub.session_keys("s2", None).await.is_err());
    assert!(rig.hub.stop(&session(), countersign_model::Surface::Tray, None));
    assert!(
        !rig.hub.stop(&session(), countersign_model::Surface::Tray, None),
        "stopped already"
    );
}
