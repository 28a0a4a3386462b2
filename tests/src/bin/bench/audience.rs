//! The monitors: each counts what it gets and fails the run when an event is missing, doubled or out of place.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::{traffic, wire};

/// How long nothing may move.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Shared {
    received: Vec<AtomicU64>,
    moved: Notify,
    awaited: AtomicBool,
    recording: AtomicBool,
    latencies: Mutex<Vec<u64>>,
    failure: Mutex<Option<String>>,
}

/// Monitors that are connected.
pub(crate) struct Audience {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl Audience {
    pub(crate) async fn connect(address: SocketAddr, count: usize) -> Result<Self> {
        let shared = Arc::new(Shared {
            received: (0..count).map(|_| AtomicU64::new(0)).collect(),
            ..Shared::default()
        });
        let mut tasks = Vec::new();
        for place in 0..count {
            let (stream, reader) = wire::connect(address, "/")
                .await
                .with_context(|| format!("monitor {place}"))?;
            let shared = shared.clone();
            tasks.push(tokio::spawn(async move {
                if let Err(error) = listen(&stream, reader, &shared, place).await {
                    let mut failure = shared.failure.lock().unwrap_or_else(PoisonError::into_inner);
                    failure.get_or_insert(format!("monitor {place}: {error:#}"));
                    shared.moved.notify_one();
                }
            }));
        }
        Ok(Self { shared, tasks })
    }

    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// What the slowest one has.
    pub(crate) fn slowest(&self) -> u64 {
        self.shared
            .received
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .min()
            .unwrap_or(u64::MAX)
    }

    /// Waits until all have `count` events.
    pub(crate) async fn have(&self, count: u64) -> Result<()> {
        let mut before = self.slowest();
        loop {
            if let Some(failure) = &*self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner) {
                bail!("{failure}");
            }
            self.shared.awaited.store(true, Ordering::SeqCst);
            if self.slowest() >= count {
                return Ok(());
            }
            if tokio::time::timeout(PATIENCE, self.shared.moved.notified())
                .await
                .is_err()
            {
                let now = self.slowest();
                ensure!(
                    now > before,
                    "a monitor has only {now} of {count} events and gets no more"
                );
                before = now;
            }
        }
    }

    /// Starts to note how long each event takes.
    pub(crate) fn record(&self) {
        self.shared.recording.store(true, Ordering::SeqCst);
    }

    /// Stops, and tells what was noted, in nanoseconds.
    pub(crate) fn recorded(&self) -> Vec<u64> {
        self.shared.recording.store(false, Ordering::SeqCst);
        std::mem::take(&mut self.shared.latencies.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn listen(stream: &tokio::net::TcpStream, mut reader: wire::Reader, shared: &Shared, place: usize) -> Result<()> {
    let mut next = 0;
    let mut latencies = Vec::new();
    loop {
        let recording = shared.recording.load(Ordering::Relaxed);
        reader
            .read(stream, |event| {
                let (number, sent) = traffic::read(event)?;
                ensure!(number == next, "event {number} came where {next} was due");
                next += 1;
                if recording {
                    latencies.push(traffic::now().saturating_sub(sent));
                }
                Ok(())
            })
            .await?;
        if !latencies.is_empty() {
            let mut all = shared.latencies.lock().unwrap_or_else(PoisonError::into_inner);
            all.append(&mut latencies);
        }
        shared.received[place].store(next, Ordering::SeqCst);
        if shared.awaited.swap(false, Ordering::SeqCst) {
            shared.moved.notify_one();
        }
    }
}
