//! What is written down is written once for each stretch of time and change, however many ask for it.

use std::sync::Arc;

use countersign_hub::Hub;
use countersign_model::metrics::Group;
use countersign_model::{Extra, NewEvent, Origin, to_json};
use serde_json::json;

use super::Board;

fn hub() -> (tempfile::TempDir, Arc<Hub>, countersign_store::Writer) {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, restored) = countersign_store::Store::open(folder.path(), "e").expect("a store");
    let clock = Arc::new(countersign_hub::SystemClock);
    let hub = Hub::new(countersign_hub::Config::default(), restored, store.reads(), clock);
    let writer = store.start(&hub).expect("a writer");
    (folder, hub, writer)
}

async fn call(hub: &Hub) {
    let event = NewEvent {
        origin: Origin::Rest,
        agent: "a".into(),
        session: Some("s".into()),
        stream: None,
        kind: "tool_call_start".into(),
        timestamp: None,
        data: to_json(&json!({"tool_name": "Read"})),
        extra: Extra::default(),
    };
    hub.publish(vec![event]).await.expect("published");
}

#[tokio::test]
async fn a_snapshot_is_written_once_a_change_and_shared() {
    let (_folder, hub, writer) = hub();
    let board = Board::new(hub.clone());
    let reading = tokio::spawn(super::read(hub.clone(), board.clone()));
    for round in 1..=3 {
        call(&hub).await;
        board.catch_up().await;
        let before = board.written();
        for hours in [1, 24, 168] {
            let first = board.snapshot(hours, false);
            for _ in 0..1000 {
                assert!(Arc::ptr_eq(&first, &board.snapshot(hours, false)));
            }
            assert!(first.json.get().contains(&format!("\"total_calls\":{round}")));
            let tools = board.group(Group::Tools, hours);
            assert!(Arc::ptr_eq(&tools, &board.group(Group::Tools, hours)));
        }
        assert_eq!(board.written() - before, 3, "one for each stretch of time");
    }
    reading.abort();
    writer.close();
}
