//! Where a reader may go on: places in this run, in earlier ones, and places that are gone.

use countersign_hub::{Config, HistoryLost, Hub};
use countersign_model::{Epoch, Seq, Since};
use countersign_testkit::{MemoryArchive, Rig, event, now_or_never};

fn publish(rig: &Rig, count: usize) {
    let events = (0..count)
        .map(|n| event("note", &serde_json::json!({ "n": n })))
        .collect();
    now_or_never(rig.hub.publish(events)).expect("room").expect("published");
}

/// Epoch `e1` ended with 3 durable events of 5, `e2` with none of its own, `e3` has 2 more by now.
fn third_run() -> Rig {
    let rig = Rig::new(Config::default());
    publish(&rig, 3);
    rig.drain();
    publish(&rig, 2);
    let rig = rig.crash().crash();
    publish(&rig, 2);
    rig
}

fn check(rig: &Rig, since: &str, expect: Result<&[Seq], ()>) {
    let since: Since = since.parse().expect("a place");
    let mut cursor = match rig.hub.cursor(Some(&since)) {
        Ok(cursor) => cursor,
        Err(lost) => {
            let expected = HistoryLost {
                epoch: rig.hub.epoch().clone(),
                oldest: 1,
                head: rig.hub.head(),
                last: lost.last,
            };
            assert_eq!(lost, expected);
            assert_eq!(expect, Err(()), "{since:?} was lost");
            return;
        }
    };
    let mut seen = Vec::new();
    while let Ok(batch) = now_or_never(cursor.read(2, usize::MAX)).expect("at once")
        && !batch.is_empty()
    {
        seen.extend(batch.iter().map(|entry| entry.event.seq));
    }
    assert_eq!(expect, Ok(&seen[..]), "{since:?}");
}

#[test]
fn a_place_in_this_run_is_resumed_up_to_the_newest_event() {
    let rig = third_run();
    check(&rig, "e3:3", Ok(&[4, 5]));
    check(&rig, "e3:4", Ok(&[5]));
    check(&rig, "e3:5", Ok(&[]));
    check(&rig, "e3:0", Ok(&[1, 2, 3, 4, 5]));
}

#[test]
fn without_an_epoch_this_run_is_meant() {
    let rig = third_run();
    check(&rig, "0", Ok(&[1, 2, 3, 4, 5]));
    check(&rig, "4", Ok(&[5]));
    check(&rig, "6", Err(()));
}

#[test]
fn a_place_in_an_earlier_run_is_resumed_as_far_as_that_run_was_durable() {
    let rig = third_run();
    check(&rig, "e1:2", Ok(&[3, 4, 5]));
    check(&rig, "e1:3", Ok(&[4, 5]));
    // What `e1` called 4 and 5 was broadcast and lost; those numbers name other events now.
    check(&rig, "e1:4", Err(()));
    check(&rig, "e1:5", Err(()));
    check(&rig, "e2:3", Ok(&[4, 5]));
    check(&rig, "e2:4", Err(()));
}

#[test]
fn unknown_runs_and_places_beyond_the_newest_event_are_lost() {
    let rig = third_run();
    check(&rig, "e4:1", Err(()));
    check(&rig, "nowhere:0", Err(()));
    check(&rig, "e3:6", Err(()));
    check(&rig, &format!("e3:{}", u64::MAX), Err(()));
    check(&rig, &format!("{}", u64::MAX), Err(()));
}

#[test]
fn what_retention_has_dropped_is_lost_from_the_place_before_the_oldest_kept_event_on() {
    let archive = MemoryArchive::new();
    let mut restored = archive.restore();
    (restored.last, restored.oldest) = (20, 11);
    restored.epochs = vec![(Epoch::new("e0"), 20)];
    let hub = Hub::new(
        Config::default(),
        restored,
        archive,
        countersign_testkit::ManualClock::new(),
    );
    let lost = |since: &str| hub.cursor(Some(&since.parse().expect("a place"))).is_err();
    assert!(lost("9") && lost("e0:9") && lost("0"));
    assert!(!lost("10") && !lost("e0:10") && !lost("20"));

    // Events 11 to 20 are gone meanwhile too: the reader goes on with what there is, and misses nothing of it.
    let mut cursor = hub.cursor(Some(&"10".parse().expect("a place"))).expect("kept");
    let live = vec![event("note", &serde_json::json!({}))];
    now_or_never(hub.publish(live)).expect("room").expect("published");
    let batch = now_or_never(cursor.read(10, usize::MAX)).expect("at once");
    let seqs: Vec<_> = batch.expect("readable").iter().map(|entry| entry.event.seq).collect();
    assert_eq!(seqs, [21]);
}

#[test]
fn a_reader_that_lost_its_place_goes_on_from_the_newest_event() {
    let rig = third_run();
    let mut cursor = rig.hub.from_head();
    assert_eq!(cursor.seen(), 5);
    publish(&rig, 1);
    let batch = now_or_never(cursor.read(10, usize::MAX))
        .expect("at once")
        .expect("readable");
    assert_eq!(batch.iter().map(|entry| entry.event.seq).collect::<Vec<_>>(), [6]);
}

#[test]
fn each_event_carries_the_run_it_was_made_in() {
    let rig = third_run();
    rig.drain();
    let committed = rig.archive.committed();
    let ids: Vec<_> = committed.iter().map(|entry| entry.event.id()).collect();
    assert_eq!(ids, ["e1:1", "e1:2", "e1:3", "e3:4", "e3:5"]);
}
