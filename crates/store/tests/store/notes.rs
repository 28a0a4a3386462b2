//! Places and dead letters of readers that outlive the hub.

use std::sync::Arc;

use countersign_hub::{Config, Hub, Place};
use countersign_store::{DeadLetter, Notes, Store, Writer};
use countersign_testkit::ManualClock;
use tempfile::tempdir;

use crate::run::note;

fn open(folder: &std::path::Path, epoch: &str) -> (Arc<Hub>, Notes, Writer) {
    let (store, restored) = Store::open(folder, epoch).expect("opened");
    let hub = Hub::new(Config::default(), restored, store.reads(), ManualClock::new());
    let notes = store.notes();
    let writer = store.start(&hub).expect("started");
    (hub, notes, writer)
}

#[tokio::test]
async fn a_place_comes_back_with_or_without_events() {
    let home = tempdir().expect("a folder");
    let (reader, other): (Arc<str>, Arc<str>) = ("webhook:a".into(), "upstream:b".into());
    {
        let (hub, notes, writer) = open(home.path(), "e1");
        assert_eq!(notes.place(&reader).await.expect("read"), None);
        notes.keep_place(&reader, "e1:1".into()).await;
        notes.set_place(&reader, "e1:2".into());
        notes.keep_place(&other, "x:7".into()).await;
        let place = Place {
            reader: other.clone(),
            at: "x:9".into(),
        };
        let via: Vec<Arc<str>> = vec!["h1".into(), "h2".into()];
        let merged = hub
            .merge(vec![(note(0), via.clone()), (note(1), Vec::new())], Some(place))
            .await;
        hub.committed(merged.expect("merged").last).await.expect("committed");
        writer.close();
    }
    let (hub, notes, writer) = open(home.path(), "e2");
    assert_eq!(notes.place(&reader).await.expect("read").as_deref(), Some("e1:2"));
    assert_eq!(notes.place(&other).await.expect("read").as_deref(), Some("x:9"));
    let mut cursor = hub.cursor(Some(&"e1:0".parse().expect("a place"))).expect("kept");
    let batch = cursor.read(10, usize::MAX).await.expect("readable");
    let vias: Vec<usize> = batch.iter().map(|entry| entry.event.via.len()).collect();
    assert_eq!((vias, hub.id()), (vec![2, 0], "e1"));
    writer.close();
}

#[tokio::test]
async fn dead_letters_are_kept_until_they_are_dug_up() {
    let home = tempdir().expect("a folder");
    let reader: Arc<str> = "webhook:a".into();
    let letter = |seq| DeadLetter {
        seq,
        error: "the target answered 400".into(),
    };
    {
        let (_hub, notes, writer) = open(home.path(), "e1");
        notes.bury(&reader, letter(7)).await;
        notes.bury(&reader, letter(3)).await;
        notes.dig_up(&reader, 7).await;
        writer.close();
    }
    let (_hub, notes, writer) = open(home.path(), "e2");
    assert_eq!(notes.dead_letters(&reader).await.expect("read"), [letter(3)]);
    assert_eq!(notes.dead_letters("webhook:b").await.expect("read"), []);
    writer.close();
}
