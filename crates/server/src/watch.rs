//! What the hub cannot do by itself, because it has no timer and reads nothing on its own: tasks that run as long as it does.

use std::sync::Arc;
use std::time::Duration;

use countersign_hub::Hub;
use countersign_model::Since;
use tokio::sync::watch;

/// Expires what has run out of time.
pub(crate) async fn watch_time(hub: Arc<Hub>) {
    let mut deadline = hub.deadline();
    loop {
        let due = *deadline.borrow_and_update();
        let wait = due.map(|due| Duration::from_millis(u64::try_from(due.0 - hub.now().0).unwrap_or(0)));
        tokio::select! {
            changed = deadline.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = tokio::time::sleep(wait.unwrap_or(Duration::MAX)), if wait.is_some() => {
                hub.expire();
                // What could not be settled now (it is being written to its agent) is looked at again, but not in a hurry.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Events of earlier runs that the view of sessions begins with.
const BEFORE: u64 = 20_000;

/// Keeps the view of sessions up to date: a reader like any other, which begins a while before the hub did.
pub(crate) async fn watch_sessions(hub: Arc<Hub>) {
    let began = hub.durable();
    let seq = began.saturating_sub(BEFORE).max(hub.oldest().saturating_sub(1));
    let mut cursor = hub
        .cursor(Some(&Since { epoch: None, seq }))
        .unwrap_or_else(|_| hub.from_head());
    let mut before = true;
    loop {
        if before && cursor.seen() >= began {
            before = false;
            hub.restored();
        }
        cursor.ready().await;
        match cursor.read(1024, 1024 * 1024).await {
            Ok(batch) => hub.observe(&batch),
            Err(error) => {
                tracing::warn!(%error, "the view of sessions waits for the store");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        tokio::task::yield_now().await;
    }
}

/// Signals when the store begins to fail, and when it works again.
pub(crate) async fn watch_store(hub: Arc<Hub>, changes: watch::Sender<u64>) {
    let mut failing = hub.failing();
    while failing.changed().await.is_ok() {
        changes.send_modify(|count| *count += 1);
    }
}
