//! The writer: one thread, one cursor. It takes whatever has come since the last commit and commits it as one transaction.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_hub::Hub;
use rusqlite::Connection;
use tokio::sync::watch;

use crate::Reads;
use crate::commit::Pen;
use crate::notes::Notes;

/// Events of one transaction at most.
const MAX_EVENTS: usize = 8192;
/// Bytes of data of one transaction, about.
const MAX_BYTES: usize = 8 * 1024 * 1024;
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
        notes: Notes,
        hub: &Arc<Hub>,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let bytes = Arc::new(AtomicU64::new(0));
        let (hub, size) = (Arc::clone(hub), Arc::clone(&bytes));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("store-write".into()).spawn(move || {
            let _ending = Ending(hub.clone());
            let pen = runtime.block_on(run(Pen::new(connection), &path, &hub, stopped, &size, &notes));
            reads.close();
            pen.close();
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

/// Says that nothing is committed any more when the thread ends by a mistake of the program's own.
struct Ending(Arc<Hub>);

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0
                .mark_failing("the store's writer has ended by a mistake of the program: start Countersign again");
        }
    }
}

async fn run(
    mut pen: Pen,
    path: &std::path::Path,
    hub: &Arc<Hub>,
    mut stop: watch::Receiver<bool>,
    size: &AtomicU64,
    notes: &Notes,
) -> Pen {
    let mut cursor = hub.store_cursor();
    let mut failing = false;
    loop {
        tokio::select! {
            () = cursor.ready() => {}
            () = notes.ready() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
        let from = cursor.seen();
        // The store's own place never leaves the ring: only what it has committed is dropped there.
        let batch = cursor.read_ring(MAX_EVENTS, MAX_BYTES).unwrap_or_default();
        let last = batch.last().map(|entry| entry.event.seq);
        if last.is_none() && notes.is_empty() {
            if *stop.borrow() {
                return pen;
            }
            continue;
        }
        match pen.commit_with(&batch, Some(notes)) {
            Ok(()) => {
                let recovered = std::mem::take(&mut failing);
                if recovered {
                    tracing::info!("the store has recovered");
                }
                size.store(size_on_disk(path), Ordering::Relaxed);
                if let Some(last) = last.or(recovered.then_some(from)) {
                    hub.mark_durable(last);
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, path = %path.display(), "the store cannot commit; trying again every second");
                }
                cursor.rewind(from);
                hub.mark_failing(&error.to_string());
                if *stop.borrow() {
                    tracing::error!(
                        lost = hub.tail() - from,
                        "closing with events that could not be committed"
                    );
                    return pen;
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

fn size_on_disk(path: &std::path::Path) -> u64 {
    let of = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |file| file.len());
    of(path) + of(&path.with_extension("sqlite-wal"))
}
