//! The reader of the log that keeps the figures: first what the store has of the last 168 hours, then what comes.

use std::sync::Arc;
use std::time::Duration;

use countersign_hub::{ArchiveError, EventQuery, Hub};
use countersign_model::metrics::HOURS;
use countersign_model::{Millis, Seq, Since};

use super::Board;

/// Events of one step, so that those who want figures are let in between.
const STEP: usize = 512;
/// Bytes of one step.
const STEP_BYTES: usize = 1024 * 1024;
/// Wait so long when the store cannot be read.
const RETRY: Duration = Duration::from_secs(1);

/// Reads until the hub is gone.
pub(crate) async fn read(hub: Arc<Hub>, board: Arc<Board>) {
    let since = loop {
        match begin(&hub).await {
            Ok(since) => break since,
            Err(error) => {
                tracing::warn!(%error, "the figures wait for the store");
                tokio::time::sleep(RETRY).await;
            }
        }
    };
    let place = Since {
        epoch: None,
        seq: since,
    };
    board.begin(since);
    let mut cursor = hub.cursor(Some(&place)).unwrap_or_else(|_| hub.from_head());
    loop {
        cursor.ready().await;
        match cursor.read(STEP, STEP_BYTES).await {
            Ok(batch) => board.observe(&batch),
            Err(error) => {
                tracing::warn!(%error, "the figures wait for the store");
                tokio::time::sleep(RETRY).await;
            }
        }
        tokio::task::yield_now().await;
    }
}

/// The last event that is too old to count, found by halving.
async fn begin(hub: &Hub) -> Result<Seq, ArchiveError> {
    let oldest: Millis = hub.now().plus_seconds(-i64::from(*HOURS.end()) * 3600);
    let (mut low, mut high) = (hub.oldest().saturating_sub(1), hub.durable());
    while low < high {
        let middle = low + (high - low) / 2;
        let query = EventQuery {
            since: middle,
            until: Some(high),
            limit: 1,
            max_bytes: 1,
            ..EventQuery::default()
        };
        let page = hub.archive().events(query).await?;
        match page.events.first() {
            Some(event) if event.time < oldest => low = event.seq,
            _ => high = middle,
        }
    }
    Ok(low)
}
