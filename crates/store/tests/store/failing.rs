//! A store that cannot write: every answer is "no", acknowledgements fail, nothing is lost, and it goes on once it can.

use std::path::Path;

use countersign_model::{Answer, Scope, Status, Surface, Verdict, kind};
use countersign_store::Store;
use countersign_testkit::{answer, ask};
use tempfile::tempdir;

use crate::run::{Run, database, note};

/// From now on each commit fails, as on a full disk.
fn break_store(folder: &Path) {
    database(folder)
        .execute_batch("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
        .expect("broken");
}

fn mend_store(folder: &Path) {
    database(folder).execute_batch("DROP TRIGGER full").expect("mended");
}

fn rows(folder: &Path) -> Vec<i64> {
    let database = database(folder);
    let mut statement = database
        .prepare("SELECT seq FROM events ORDER BY seq")
        .expect("prepared");
    let rows = statement.query_map([], |row| row.get(0)).expect("queried");
    rows.collect::<Result<_, _>>().expect("read")
}

#[tokio::test]
async fn an_acknowledged_event_is_in_the_database() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    for n in 0..20 {
        let last = run.publish(vec![note(n), note(n)]).await;
        run.hub.committed(last).await.expect("acknowledged");
        assert_eq!(rows(home.path()).len() as u64, last);
    }
}

#[tokio::test]
async fn while_it_fails_acknowledgements_fail_and_once_it_recovers_nothing_is_missing() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    run.publish(vec![note(1)]).await;
    run.committed().await;
    break_store(home.path());
    let last = run.publish(vec![note(2), note(3)]).await;
    let failed = run.hub.committed(last).await.expect_err("not committed");
    assert!(failed.to_string().contains("the disk is full"), "{failed}");
    assert_eq!((run.hub.durable(), rows(home.path())), (1, vec![1]));
    let mut reader = run
        .hub
        .cursor(Some(&"e1:1".parse().expect("a place")))
        .expect("in the ring");
    assert_eq!(
        reader.read(10, usize::MAX).await.expect("live").len(),
        2,
        "monitors see them all the same"
    );

    mend_store(home.path());
    let mut failing = run.hub.failing();
    failing.wait_for(Option::is_none).await.expect("recovers");
    run.committed().await;
    assert_eq!(rows(home.path()), [1, 2, 3]);
    run.close();
    let (_, restored) = Store::open(home.path(), "e2").expect("opened");
    assert_eq!(restored.last, 3);
}

#[tokio::test]
async fn while_it_fails_questions_and_approvals_are_answered_no_and_that_is_what_is_kept() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    let mut shown = run.ask(ask("r1", "ls")).await.waiter;
    break_store(home.path());
    let always = Answer {
        scope: Scope::Always,
        ..answer(Verdict::Approve)
    };
    run.hub.answer(shown.id(), always).await.expect("first");
    let mut asked = run.hub.ask(ask("r2", "ls")).await.expect("taken").waiter;
    for waiter in [&mut shown, &mut asked] {
        let approval = waiter.answer().await;
        let decision = approval.decision.expect("decided");
        assert_eq!((approval.status, decision.by), (Status::Denied, Surface::Hub));
    }
    let ids = [shown.id().clone(), asked.id().clone()];
    shown.delivered();
    asked.delivered();
    assert!(run.hub.failing().borrow().is_some());

    mend_store(home.path());
    let mut failing = run.hub.failing();
    failing.wait_for(Option::is_none).await.expect("recovers");
    run.committed().await;
    assert!(run.hub.rules().is_empty());
    run.close();

    let run = Run::open(home.path(), "e2");
    for id in ids {
        assert_eq!(run.hub.find(&id).await.expect("kept").status, Status::Denied);
    }
    let mut reader = run.hub.cursor(Some(&"0".parse().expect("a place"))).expect("kept");
    let batch = reader.read(100, usize::MAX).await.expect("readable");
    let resolved = batch
        .iter()
        .filter(|entry| *entry.event.kind == *kind::APPROVAL_RESOLVED);
    let decisions: Vec<_> = resolved
        .map(|entry| entry.event.data.get().contains(r#""decision":"deny""#))
        .collect();
    assert_eq!(decisions, [true, true]);
}

#[tokio::test]
async fn it_closes_even_while_it_fails_and_what_was_committed_is_whole() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    run.publish(vec![note(1)]).await;
    run.committed().await;
    break_store(home.path());
    run.publish(vec![note(2)]).await;
    run.close();
    mend_store(home.path());
    let run = Run::open(home.path(), "e2");
    assert_eq!(run.publish(vec![note(3)]).await, 2);
    // The first run's event 2 was broadcast and lost: whoever saw it is told.
    assert!(run.hub.cursor(Some(&"e1:2".parse().expect("a place"))).is_err());
    assert!(run.hub.cursor(Some(&"e1:1".parse().expect("a place"))).is_ok());
}

#[tokio::test]
async fn closing_commits_what_is_in_the_log() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    run.publish((0..20_000).map(note).collect()).await;
    run.close();
    assert_eq!(rows(home.path()).len(), 20_000);
}
