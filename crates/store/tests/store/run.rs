//! A hub over a history in a temporary folder, opened and closed as the programs do it.

use std::path::Path;
use std::sync::Arc;

use countersign_hub::{Asked, Config, Hub};
use countersign_model::{Answer, Ask, NewEvent, Seq};
use countersign_store::{Reads, Store, Writer};
use countersign_testkit::ManualClock;

pub(crate) struct Run {
    pub(crate) hub: Arc<Hub>,
    pub(crate) reads: Arc<Reads>,
    pub(crate) writer: Writer,
}

impl Run {
    /// Opens the history in `folder` under a new epoch.
    pub(crate) fn open(folder: &Path, epoch: &str) -> Self {
        Self::with(folder, epoch, Config::default())
    }

    pub(crate) fn with(folder: &Path, epoch: &str, config: Config) -> Self {
        let (store, restored) = Store::open(folder, epoch).expect("opened");
        let reads = store.reads();
        let hub = Hub::new(config, restored, reads.clone(), ManualClock::new());
        let writer = store.start(&hub).expect("started");
        Self { hub, reads, writer }
    }

    pub(crate) async fn publish(&self, events: Vec<NewEvent>) -> Seq {
        self.hub.publish(events).await.expect("published").last
    }

    /// Everything that is in the log by now is committed.
    pub(crate) async fn committed(&self) {
        self.hub.committed(self.hub.tail()).await.expect("committed");
    }

    /// Asked and committed.
    pub(crate) async fn ask(&self, ask: Ask) -> Asked {
        let asked = self.hub.ask(ask).await.expect("taken");
        self.committed().await;
        asked
    }

    /// Answered and committed, with what the commit itself adds to the log.
    pub(crate) async fn answer(&self, id: &str, answer: Answer) {
        self.hub.answer(id, answer).await.expect("first");
        self.committed().await;
        self.committed().await;
    }

    pub(crate) fn close(self) {
        self.writer.close();
    }
}

/// The database, for a test that looks at it or harms it.
pub(crate) fn database(folder: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.join("history.sqlite")).expect("opened")
}

pub(crate) fn note(n: usize) -> NewEvent {
    countersign_testkit::event("note", &serde_json::json!({ "n": n }))
}
