//! The writer: one thread, one cursor. It takes whatever has come since the last commit and commits it as one transaction.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_hub::{Batch, Hub};
use countersign_model::SessionKey;
use rusqlite::Connection;
use tokio::sync::watch;

use crate::{Reads, rows};

/// Events of one transaction at most.
const MAX_EVENTS: usize = 8192;
/// Bytes of data of one transaction, about.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Sessions that are remembered as written; forgetting one costs a write that changes nothing.
const MAX_KNOWN: usize = 10_000;
/// How long to wait after a commit that failed.
const RETRY: Duration = Duration::from_secs(1);

/// The running writer. Dropped, or told to close, it commits what is there, ends the reading, and ends.
pub struct Writer {
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
    bytes: Arc<AtomicU64>,
}

impl Writer {
    pub(crate) fn start(
        connection: Connection,
        path: PathBuf,
        reads: Arc<Reads>,
        hub: &Arc<Hub>,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let bytes = Arc::new(AtomicU64::new(0));
        let (hub, size) = (Arc::clone(hub), Arc::clone(&bytes));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("store-write".into()).spawn(move || {
            let connection = runtime.block_on(run(connection, &path, &hub, stopped, &size));
            reads.close();
            close(connection);
        })?;
        Ok(Self {
            stop,
            thread: Some(thread),
            bytes,
        })
    }

    /// The history's size on disk at the last commit, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// A handle on the size that outlives the writer.
    pub fn size(&self) -> Arc<AtomicU64> {
        self.bytes.clone()
    }

    /// Commits what is in the log and ends.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended badly");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

async fn run(
    mut connection: Connection,
    path: &std::path::Path,
    hub: &Arc<Hub>,
    mut stop: watch::Receiver<bool>,
    size: &AtomicU64,
) -> Connection {
    let mut cursor = hub.store_cursor();
    let mut known = HashSet::new();
    let mut failing = false;
    loop {
        tokio::select! {
            () = cursor.ready() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
        let from = cursor.seen();
        // The store's own place never leaves the ring: only what it has committed is dropped there.
        let batch = cursor.read_ring(MAX_EVENTS, MAX_BYTES).unwrap_or_default();
        let Some(last) = batch.last().map(|entry| entry.event.seq) else {
            if *stop.borrow() {
                return connection;
            }
            continue;
        };
        match commit(&mut connection, &batch, &mut known) {
            Ok(()) => {
                if std::mem::take(&mut failing) {
                    tracing::info!("the store has recovered");
                }
                size.store(size_on_disk(path), Ordering::Relaxed);
                hub.mark_durable(last);
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, path = %path.display(), "the store cannot commit; trying again every second");
                }
                known.clear();
                cursor.rewind(from);
                hub.mark_failing(&error.to_string());
                if *stop.borrow() {
                    tracing::error!(
                        lost = hub.tail() - from,
                        "closing with events that could not be committed"
                    );
                    return connection;
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

fn commit(connection: &mut Connection, batch: &Batch, known: &mut HashSet<SessionKey>) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for entry in batch {
        let event = &entry.event;
        rows::write_event(&transaction, event)?;
        for change in &entry.changes {
            rows::write_change(&transaction, change)?;
        }
        if let Some(session) = &event.session {
            let key = SessionKey {
                agent: event.agent.clone(),
                session: session.clone(),
            };
            if !known.contains(&key) {
                rows::write_session(&transaction, &key, event.seq)?;
                if known.len() >= MAX_KNOWN {
                    known.clear();
                }
                known.insert(key);
            }
        }
    }
    transaction.commit()
}

/// Moves everything into the one file: who copies `history.sqlite` then has it all. As the last connection it also takes SQLite's
/// side files away.
fn close(connection: Connection) {
    let moved = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    match moved {
        Ok(false) => {}
        Ok(true) => tracing::warn!("somebody else reads the history: its newest part stays in history.sqlite-wal"),
        Err(error) => tracing::warn!(%error, "the history's newest part stays in history.sqlite-wal"),
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the history did not close cleanly; it is whole all the same");
    }
}

fn size_on_disk(path: &std::path::Path) -> u64 {
    let of = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |file| file.len());
    of(path) + of(&path.with_extension("sqlite-wal"))
}
