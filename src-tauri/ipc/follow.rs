//! The page's place in the log: one batch in flight, the next when the page has pulled it, about one a frame at most.
//! Neither of Tauri's channels has backpressure, so the page's pull is the only thing that moves a follower on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_hub::{Cursor, Hub};
use countersign_model::{Epoch, Seq, Since};
use tauri::async_runtime::JoinHandle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::failure::Failure;
use super::rows::{self, Lost};

/// Batches are no closer than this: a frame or two of the screen.
const PACE: Duration = Duration::from_millis(33);
/// After the store could not be read.
const RETRY: Duration = Duration::from_secs(1);
/// Rows in a batch.
const MOST_ROWS: usize = 2_000;
/// Bytes of data in a batch, unless its one event is larger.
const MOST_BYTES: usize = 1 << 20;
/// Followers of one page. A page that starts more has forgotten its oldest.
const MOST_FOLLOWERS: usize = 8;

/// Where a follower stands when it starts.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Started {
    pub(crate) id: u32,
    pub(crate) epoch: Epoch,
    /// The newest event; what comes up to here is a replay.
    pub(crate) head: Seq,
}

/// All followers of the log, by the webview they belong to.
#[derive(Default)]
pub(crate) struct Followers {
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    last: u32,
    by_id: HashMap<u32, Follower>,
}

struct Follower {
    webview: String,
    pulled: Arc<watch::Sender<Seq>>,
    task: JoinHandle<()>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Followers {
    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a follower for a page. `send` says whether the page still listens.
    pub(crate) fn start(
        &self,
        hub: &Arc<Hub>,
        webview: &str,
        since: Option<&Since>,
        send: impl Fn(String) -> bool + Send + Sync + 'static,
    ) -> Started {
        let (cursor, lost) = match hub.cursor(since) {
            Ok(cursor) => (cursor, None),
            Err(gone) => {
                let cursor = hub.from_head();
                let head = cursor.seen();
                let oldest = gone.oldest;
                (cursor, Some(Lost { oldest, head }))
            }
        };
        let pulled = Arc::new(watch::Sender::new(0));
        let epoch = hub.epoch().clone();
        let head = hub.head();
        let task = follow(cursor, lost, epoch.clone(), pulled.subscribe(), send);
        let mut live = self.live();
        live.last = live.last.wrapping_add(1);
        let id = live.last;
        let oldest = oldest_of(&live, webview);
        if let Some(oldest) = oldest {
            live.by_id.remove(&oldest);
        }
        let follower = Follower {
            webview: webview.to_owned(),
            pulled,
            task: tauri::async_runtime::spawn(task),
        };
        live.by_id.insert(id, follower);
        tracing::debug!(id, webview, live = live.by_id.len(), "a page follows the log");
        Started { id, epoch, head }
    }

    /// The page has taken everything up to `to`.
    pub(crate) fn pulled(&self, webview: &str, id: u32, to: Seq) -> Result<(), Failure> {
        let live = self.live();
        let follower = live.by_id.get(&id).filter(|follower| follower.webview == webview);
        let follower = follower.ok_or_else(|| Failure::new("not_found", "this follower has ended"))?;
        follower.pulled.send_modify(|pulled| *pulled = (*pulled).max(to));
        Ok(())
    }

    /// Ends a follower.
    pub(crate) fn end(&self, webview: &str, id: u32) {
        let mut live = self.live();
        if live.by_id.get(&id).is_some_and(|follower| follower.webview == webview) {
            live.by_id.remove(&id);
        }
    }

    /// Ends all of a page that was left or reloaded.
    pub(crate) fn end_all(&self, webview: &str) {
        self.live().by_id.retain(|_, follower| follower.webview != webview);
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.live().by_id.len()
    }
}

/// The oldest follower of a page that has all it may have.
fn oldest_of(live: &Live, webview: &str) -> Option<u32> {
    let own = live.by_id.iter().filter(|(_, follower)| follower.webview == webview);
    let ids: Vec<_> = own.map(|(id, _)| *id).collect();
    if ids.len() < MOST_FOLLOWERS {
        return None;
    }
    ids.into_iter().min()
}

async fn follow(
    mut cursor: Cursor,
    lost: Option<Lost>,
    epoch: Epoch,
    mut pulled: watch::Receiver<Seq>,
    send: impl Fn(String) -> bool + Send,
) {
    if let Some(lost) = lost {
        let sent = send(rows::lost(&epoch, lost));
        // An empty log has its head at 0, which is what an unpulled follower says too; nothing is lost by not waiting.
        if !sent || pulled.wait_for(|to| *to >= lost.head).await.is_err() {
            return;
        }
    }
    let mut next = Instant::now();
    loop {
        cursor.ready().await;
        sleep_until(next).await;
        next = Instant::now() + PACE;
        let seen = cursor.seen();
        let batch = match cursor.read(MOST_ROWS, MOST_BYTES).await {
            Ok(batch) => batch,
            Err(error) => {
                tracing::warn!(%error, "the window's reader tries again");
                sleep(RETRY).await;
                continue;
            }
        };
        let to = cursor.seen();
        if to == seen {
            continue;
        }
        let text = rows::batch(&epoch, seen, to, batch.iter().map(|entry| &entry.event));
        drop(batch);
        if !send(text) || pulled.wait_for(|done| *done >= to).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tokio::sync::mpsc;

    use super::*;
    use crate::testing::{Bench, event};

    fn page() -> (impl Fn(String) -> bool + Send + Sync + 'static, mpsc::Receiver<Value>) {
        let (tell, batches) = mpsc::channel(64);
        let send = move |text: String| {
            let batch = serde_json::from_str(&text).expect("JSON");
            tell.try_send(batch).is_ok()
        };
        (send, batches)
    }

    fn seqs(batch: &Value) -> Vec<u64> {
        let events = batch["events"].as_array().expect("events");
        events.iter().map(|row| row["seq"].as_u64().expect("a seq")).collect()
    }

    #[tokio::test]
    async fn nothing_more_is_sent_until_the_page_has_pulled() {
        let bench = Bench::new().await;
        let followers = Followers::default();
        let (send, mut batches) = page();
        let started = followers.start(&bench.hub, "main", None, send);
        bench.publish("note", "{}").await;
        let first = batches.recv().await.unwrap();
        assert_eq!((seqs(&first), &first["to"]), (vec![1], &1.into()));
        bench.publish("note", "{}").await;
        bench.publish("note", "{}").await;
        tokio::time::sleep(PACE * 4).await;
        assert!(batches.try_recv().is_err());
        followers.pulled("main", started.id, 1).unwrap();
        let second = batches.recv().await.unwrap();
        assert_eq!((seqs(&second), &second["from"]), (vec![2, 3], &2.into()));
    }

    #[tokio::test]
    async fn a_page_far_behind_gets_everything_once_and_in_order_in_capped_batches() {
        let bench = Bench::new().await;
        let events: Vec<_> = (0..5_000).map(|_| event("note", "{}")).collect();
        bench.hub.publish(events).await.unwrap();
        let followers = Followers::default();
        let (send, mut batches) = page();
        let since = "0".parse().unwrap();
        let started = followers.start(&bench.hub, "main", Some(&since), send);
        assert_eq!(started.head, 5_000);
        let mut all = Vec::new();
        while all.len() < 5_000 {
            let batch = batches.recv().await.unwrap();
            let got = seqs(&batch);
            assert!(got.len() <= MOST_ROWS);
            all.extend(got);
            followers
                .pulled("main", started.id, batch["to"].as_u64().unwrap())
                .unwrap();
        }
        assert_eq!(all, (1..=5_000).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_place_that_is_gone_is_said_first_and_live_events_follow() {
        let bench = Bench::new().await;
        bench.publish("note", "{}").await;
        let followers = Followers::default();
        let (send, mut batches) = page();
        let since = "other:7".parse().unwrap();
        let started = followers.start(&bench.hub, "main", Some(&since), send);
        let first = batches.recv().await.unwrap();
        assert_eq!((&first["lost"]["head"], &first["to"]), (&1.into(), &1.into()));
        followers.pulled("main", started.id, 1).unwrap();
        bench.publish("note", "{}").await;
        assert_eq!(seqs(&batches.recv().await.unwrap()), [2]);
    }

    #[tokio::test]
    async fn a_page_that_is_left_or_starts_too_many_leaks_no_follower() {
        let bench = Bench::new().await;
        let followers = Followers::default();
        for _ in 0..MOST_FOLLOWERS * 2 {
            followers.start(&bench.hub, "main", None, |_| true);
        }
        assert_eq!(followers.count(), MOST_FOLLOWERS);
        let other = followers.start(&bench.hub, "other", None, |_| true);
        followers.end_all("main");
        assert_eq!(followers.count(), 1);
        followers.end("main", other.id);
        assert_eq!(followers.count(), 1);
        followers.end("other", other.id);
        assert_eq!(followers.count(), 0);
        assert!(followers.pulled("other", other.id, 1).is_err());
    }

    #[tokio::test]
    async fn a_page_that_no_longer_listens_is_not_sent_to_again() {
        let bench = Bench::new().await;
        let followers = Followers::default();
        let (send, batches) = page();
        drop(batches);
        let started = followers.start(&bench.hub, "main", None, send);
        bench.publish("note", "{}").await;
        let pulled = followers.live().by_id[&started.id].pulled.clone();
        pulled.closed().await;
    }
}
