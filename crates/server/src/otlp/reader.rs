//! The reader of the log that tells the receiver what hooks told: which sessions have them, and which calls are theirs.

use std::sync::Arc;
use std::time::Duration;

use countersign_hub::Hub;
use countersign_model::Since;

use super::Receiver;

/// Events before the start that are looked at: sessions that go on over a restart of the hub are among them.
const BEFORE: u64 = 20_000;
/// Events, and bytes, of one step.
const STEP: usize = 512;
const STEP_BYTES: usize = 1024 * 1024;
/// Wait so long when the store cannot be read.
const RETRY: Duration = Duration::from_secs(1);

/// Reads until the hub is gone.
pub(crate) async fn read(hub: Arc<Hub>, receiver: Arc<Receiver>) {
    let seq = hub.durable().saturating_sub(BEFORE).max(hub.oldest().saturating_sub(1));
    let place = Since { epoch: None, seq };
    let mut cursor = hub.cursor(Some(&place)).unwrap_or_else(|_| hub.from_head());
    receiver.seen.send_replace(cursor.seen());
    loop {
        cursor.ready().await;
        match cursor.read(STEP, STEP_BYTES).await {
            Ok(batch) => {
                let Some(last) = batch.last().map(|entry| entry.event.seq) else {
                    continue;
                };
                {
                    let mut telemetry = receiver.telemetry();
                    for entry in &batch {
                        telemetry.observe(&entry.event);
                    }
                }
                receiver.seen.send_replace(last);
            }
            Err(error) => {
                tracing::warn!(%error, "telemetry waits for the store");
                tokio::time::sleep(RETRY).await;
            }
        }
        tokio::task::yield_now().await;
    }
}
