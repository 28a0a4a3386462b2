//! What a hub finds when it starts again.

use countersign_hub::{Archive, EventQuery, Find, Mark};
use countersign_model::{Answer, Ask, Delivery, NewEvent, Scope, Status, Surface, Verdict};
use countersign_store::{Store, StoreError};
use countersign_testkit::{answer, ask, json, session};
use tempfile::tempdir;

use crate::run::{Run, database, note};

#[tokio::test]
async fn events_come_back_as_they_were_to_the_letter() {
    let home = tempdir().expect("a folder");
    let raw = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).expect("JSON");
    let given = NewEvent {
        agent: "agent \u{1F600}".into(),
        session: None,
        stream: Some("st\"ream".into()),
        timestamp: Some(raw("17054886101234567890.1230")),
        data: raw("{ \"b\" : 1e999, \"a\":\"\\ud800 \\u0000 \u{7f}\",\"b\":18446744073709551616 }"),
        extra: serde_json::from_str(r#"{"correlation_id": 1.50,"a\u0022":[ null ],"a\u0022":2}"#).expect("an object"),
        ..note(0)
    };
    let run = Run::open(home.path(), "e1");
    run.publish(vec![given.clone()]).await;
    run.close();
    let run = Run::open(home.path(), "e2");
    let mut cursor = run.hub.cursor(Some(&"e1:0".parse().expect("a place"))).expect("kept");
    let batch = cursor.read(10, usize::MAX).await.expect("readable");
    let event = &batch[0].event;
    assert_eq!((event.id().as_str(), event.origin), ("e1:1", given.origin));
    assert_eq!(
        (&event.agent, &event.session, &event.stream),
        (&given.agent, &None, &given.stream)
    );
    assert_eq!(event.kind, given.kind);
    assert_eq!(event.data.get(), given.data.get());
    let extra = serde_json::to_string(&event.extra).expect("JSON");
    assert_eq!(extra, r#"{"correlation_id":1.50,"a\"":[ null ],"a\"":2}"#);
    let timestamp = |event: &Option<countersign_model::Json>| event.as_ref().map(|json| json.get().to_owned());
    assert_eq!(timestamp(&event.timestamp), timestamp(&given.timestamp));
}

#[tokio::test]
async fn seq_goes_on_without_a_gap_and_each_event_keeps_its_epoch() {
    let home = tempdir().expect("a folder");
    for (epoch, count) in [("e1", 3), ("e2", 0), ("e3", 2)] {
        let run = Run::open(home.path(), epoch);
        for n in 0..count {
            run.publish(vec![note(n)]).await;
        }
        run.close();
    }
    let (store, restored) = Store::open(home.path(), "e4").expect("opened");
    assert_eq!((restored.last, restored.oldest), (5, 1));
    let epochs: Vec<_> = restored
        .epochs
        .iter()
        .map(|(epoch, last)| (epoch.as_str(), *last))
        .collect();
    assert_eq!(epochs, [("e1", 3), ("e2", 3), ("e3", 5)]);
    let page = store.reads().events(countersign_hub::EventQuery {
        limit: 100,
        max_bytes: usize::MAX,
        ..Default::default()
    });
    let ids: Vec<_> = page
        .await
        .expect("readable")
        .events
        .iter()
        .map(|event| event.id())
        .collect();
    assert_eq!(ids, ["e1:1", "e1:2", "e1:3", "e3:4", "e3:5"]);
}

#[tokio::test]
async fn no_number_is_used_twice_even_when_nothing_is_kept() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    run.publish(vec![note(1), note(2), note(3)]).await;
    run.close();
    Run::open(home.path(), "e2").close();
    database(home.path())
        .execute("DELETE FROM events", [])
        .expect("deleted");
    let (_, restored) = Store::open(home.path(), "e3").expect("opened");
    assert_eq!((restored.last, restored.oldest), (3, 4));
}

#[tokio::test]
async fn no_number_is_used_twice_when_nothing_of_the_last_run_is_kept() {
    for kept in ["seq < 0", "seq <= 3"] {
        let home = tempdir().expect("a folder");
        let run = Run::open(home.path(), "e1");
        run.publish(vec![note(1), note(2), note(3)]).await;
        run.close();
        let run = Run::open(home.path(), "e2");
        run.publish(vec![note(4), note(5)]).await;
        run.close();
        database(home.path())
            .execute(&format!("DELETE FROM events WHERE NOT ({kept})"), [])
            .expect("deleted");
        let run = Run::open(home.path(), "e3");
        assert_eq!(run.publish(vec![note(6)]).await, 6, "kept: {kept}");
        assert!(run.hub.cursor(Some(&"e2:5".parse().expect("a place"))).is_ok());
    }
}

#[tokio::test]
async fn a_question_that_waits_is_waiting_again_with_all_that_was_said_of_it() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    let question = Ask {
        cwd: Some("/home".into()),
        timeout: Some(90),
        stream: Some("x".into()),
        tool_info: Some(json(&serde_json::json!({ "category": "development" }))),
        edits: true,
        ..ask("r1", "ls")
    };
    let asked = run.ask(question.clone()).await;
    let before = serde_json::to_value(run.hub.waiting()).expect("JSON");
    let id = asked.waiter.id().clone();
    drop(asked);
    run.close();

    let run = Run::open(home.path(), "e2");
    let waiting = run.hub.waiting();
    assert_eq!(serde_json::to_value(&waiting).expect("JSON"), before);
    let again = run.hub.ask(question).await.expect("known");
    assert_eq!((again.waiter.id(), again.seq), (&id, 1));
    assert_eq!(run.hub.tail(), 1, "asking again adds nothing to the log");
    run.answer(&id, answer(Verdict::Approve)).await;
    let mut waiter = again.waiter;
    assert_eq!(waiter.claim().map(|approval| approval.status), Some(Status::Approved));
}

#[tokio::test]
async fn an_answer_that_has_not_reached_its_agent_is_kept_for_it() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    let asked = run.ask(ask("r1", "ls")).await;
    let id = asked.waiter.id().clone();
    let with_message = Answer {
        message: Some("go on \u{202e}".into()),
        ..answer(Verdict::Deny)
    };
    run.answer(&id, with_message).await;
    run.close();

    let run = Run::open(home.path(), "e2");
    assert!(run.hub.waiting().is_empty());
    let mut waiter = run.hub.ask(ask("r1", "ls")).await.expect("known").waiter;
    let approval = waiter.claim().expect("committed before");
    assert_eq!(approval.status, Status::Denied);
    assert_eq!(
        approval.decision.expect("kept").message.as_deref(),
        Some("go on \u{202e}")
    );
    waiter.delivered();
    run.committed().await;
    run.close();

    let run = Run::open(home.path(), "e3");
    let found = run.reads.find(Find::Id(id.to_string())).await.expect("readable");
    assert_eq!(
        (found[0].status, found[0].delivery),
        (Status::Denied, Delivery::Delivered)
    );
    assert_eq!(run.hub.find("r1").await.expect("one").id, id);
    assert_eq!(
        run.hub
            .approvals(Some(Status::Denied), 10)
            .await
            .expect("readable")
            .len(),
        1
    );
}

#[tokio::test]
async fn stops_and_rules_outlive_the_hub_until_they_are_lifted_and_revoked() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    let asked = run.ask(ask("r1", "ls")).await;
    let always = Answer {
        scope: Scope::Always,
        ..answer(Verdict::Approve)
    };
    run.answer(asked.waiter.id(), always).await;
    run.hub.stop(&session(), Surface::Tray, Some("enough".into()));
    run.committed().await;
    let (stops, rules) = (run.hub.stops(), serde_json::to_value(run.hub.rules()).expect("JSON"));
    drop(asked);
    run.close();

    let run = Run::open(home.path(), "e2");
    assert_eq!(run.hub.stops(), stops);
    assert!(run.hub.stopped(&session()).is_some(), "agents are told at once");
    assert_eq!(serde_json::to_value(run.hub.rules()).expect("JSON"), rules);
    let mut late = run.ask(ask("r2", "ls")).await.waiter;
    assert_eq!(late.claim().map(|approval| approval.status), Some(Status::Stopped));
    run.hub.resume_session(&session(), Surface::Tray);
    let rule = run.hub.rules()[0].id.clone();
    run.hub.revoke(&rule);
    run.committed().await;
    drop(late);
    run.close();

    let (_, restored) = Store::open(home.path(), "e3").expect("opened");
    assert!(restored.stops.is_empty() && restored.rules.is_empty());
}

#[tokio::test]
async fn a_history_of_a_newer_version_or_of_something_else_is_left_alone() {
    let newer = tempdir().expect("a folder");
    Run::open(newer.path(), "e1").close();
    database(newer.path())
        .pragma_update(None, "user_version", 99)
        .expect("set");
    let error = Store::open(newer.path(), "e2").err().expect("refused");
    assert!(matches!(error, StoreError::Schema { .. }));
    assert!(error.to_string().contains("a newer Countersign"), "{error}");

    let other = tempdir().expect("a folder");
    let path = other.path().join("history.sqlite");
    std::fs::write(&path, "not a database, but somebody's text ".repeat(100)).expect("written");
    let error = Store::open(other.path(), "e1").err().expect("refused");
    assert!(error.to_string().contains("history.sqlite"), "{error}");
    assert!(
        std::fs::read_to_string(&path)
            .expect("untouched")
            .starts_with("not a database")
    );
}

#[tokio::test]
async fn a_closed_history_is_one_file_whoever_was_reading_it() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    run.publish((0..2000).map(note).collect()).await;
    run.committed().await;
    let reads = run.reads.clone();
    let query = || EventQuery {
        limit: 2000,
        max_bytes: usize::MAX,
        ..EventQuery::default()
    };
    assert_eq!(reads.events(query()).await.expect("read").events.len(), 2000);
    let under_way: Vec<_> = (0..50).map(|_| reads.events(query())).collect();
    run.close();
    let files: Vec<_> = std::fs::read_dir(home.path())
        .expect("listed")
        .map(|file| file.expect("an entry").file_name())
        .collect();
    assert_eq!(files, ["history.sqlite"]);
    for lookup in under_way {
        assert!(lookup.await.is_err());
    }
    assert!(reads.events(query()).await.is_err(), "asked too late");
}

#[tokio::test]
async fn what_was_taken_in_is_recognised_after_a_restart() {
    let home = tempdir().expect("a folder");
    let mark = |n: u8| Mark([n; 16]);
    let run = Run::open(home.path(), "e1");
    let once = run.hub.publish_once(vec![(note(1), mark(1)), (note(2), mark(2))]).await;
    run.hub
        .committed(once.expect("published").last)
        .await
        .expect("committed");
    run.close();
    let run = Run::open(home.path(), "e2");
    let once = run.hub.publish_once(vec![(note(2), mark(2)), (note(3), mark(3))]).await;
    assert_eq!(once.expect("published").places, [(2, false), (3, true)]);
    run.close();
    let (_, restored) = Store::open(home.path(), "e3").expect("opened");
    assert_eq!(restored.seen, [(mark(1), 1), (mark(2), 2), (mark(3), 3)]);
}
