//! The figures as everybody here shares them: kept by one reader of the log, written down once for each stretch of time and change.

mod reader;
pub(crate) mod rest;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use countersign_dialects::amiga::{self, Namespace, Parts, Room, packet};
use countersign_hub::metrics::{Metrics, TaskChanges};
use countersign_hub::{Batch, Hub};
use countersign_model::metrics::{Group, Point, Versions};
use countersign_model::{Json, Millis, Seq};
use engineioxide::Str;
use tokio::sync::watch;

pub(crate) use reader::read;

/// Who asks is told figures that are behind the log only when counting takes longer than this: after a start, say.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// A snapshot that is no older than this is given to whoever asks.
const FRESH_MILLIS: i64 = 1000;

/// Something written down, shared by all who are sent it.
#[derive(Debug)]
pub(crate) struct Written {
    /// The figures that it was written from.
    pub(crate) versions: Versions,
    /// JSON text.
    pub(crate) json: Json,
    /// The event that it is sent as.
    pub(crate) name: &'static str,
    packets: [OnceLock<Str>; Namespace::ALL.len()],
    bytes: OnceLock<Bytes>,
}

impl Written {
    fn new(versions: Versions, name: &'static str, json: Json) -> Arc<Self> {
        Arc::new(Self {
            versions,
            json,
            name,
            packets: [const { OnceLock::new() }; Namespace::ALL.len()],
            bytes: OnceLock::new(),
        })
    }

    /// As an event in a namespace.
    pub(crate) fn packet(&self, namespace: Namespace) -> &Str {
        self.packets[namespace as usize].get_or_init(|| packet::event(namespace, self.name, self.json.get()).into())
    }

    /// The same text for those who want binary payloads.
    pub(crate) fn bytes(&self) -> &Bytes {
        self.bytes
            .get_or_init(|| Bytes::copy_from_slice(self.json.get().as_bytes()))
    }
}

/// What is written down of one stretch of time.
#[derive(Debug, Default)]
struct Sheet {
    versions: Versions,
    parts: Option<Parts>,
    whole: Option<(Millis, Arc<Written>)>,
    groups: [Option<Arc<Written>>; Group::ALL.len()],
}

#[derive(Debug)]
struct Kept {
    metrics: Metrics,
    sheets: HashMap<u32, Sheet>,
    /// How often a whole snapshot was written down.
    #[cfg(test)]
    written: u64,
}

/// The figures.
#[derive(Debug)]
pub(crate) struct Board {
    hub: Arc<Hub>,
    kept: Mutex<Kept>,
    /// The last event that was counted.
    seen: watch::Sender<Seq>,
}

/// The figures, for those who are in the process and need no request.
#[derive(Clone, Debug)]
pub struct Figures(Arc<Board>);

impl Figures {
    pub(crate) fn new(board: Arc<Board>) -> Self {
        Self(board)
    }

    /// AMIGA's `metrics_update` (seed 001) of the last `hours`, 1 to 168, as its clients get it.
    pub async fn update(&self, hours: u32) -> Json {
        self.0.catch_up().await;
        self.0.snapshot(hours, true).json.clone()
    }
}

impl Board {
    /// No figures yet; [`read`] fills it.
    pub(crate) fn new(hub: Arc<Hub>) -> Arc<Self> {
        let metrics = Metrics::new(hub.now());
        Arc::new(Self {
            hub,
            kept: Mutex::new(Kept {
                metrics,
                sheets: HashMap::new(),
                #[cfg(test)]
                written: 0,
            }),
            seen: watch::Sender::new(0),
        })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now, by the hub's clock.
    pub(crate) fn now(&self) -> Millis {
        self.hub.now()
    }

    /// Signals when figures may have changed: the last event that was counted.
    pub(crate) fn changes(&self) -> watch::Receiver<Seq> {
        self.seen.subscribe()
    }

    /// The newest event of the log.
    pub(crate) fn head(&self) -> Seq {
        self.hub.head()
    }

    /// Whether events up to this one have been counted.
    pub(crate) fn has_seen(&self, seq: Seq) -> bool {
        *self.seen.borrow() >= seq
    }

    /// Waits, not for long, until what is in the log now has been counted.
    pub(crate) async fn catch_up(&self) {
        let head = self.hub.head();
        let mut seen = self.seen.subscribe();
        let _ = tokio::time::timeout(PATIENCE, seen.wait_for(|seen| *seen >= head)).await;
    }

    /// Nothing up to this event counts.
    fn begin(&self, seq: Seq) {
        self.seen.send_replace(seq);
    }

    /// Takes events into account.
    fn observe(&self, batch: &Batch) {
        let Some(last) = batch.last().map(|entry| entry.event.seq) else {
            return;
        };
        {
            let mut kept = self.kept();
            for entry in batch {
                kept.metrics.observe(&entry.event);
            }
        }
        self.seen.send_replace(last);
    }

    /// Lets time pass.
    pub(crate) fn advance(&self) {
        self.kept().metrics.advance(self.hub.now());
    }

    /// A number that grows with each event that is counted and each minute that passes.
    pub(crate) fn version(&self) -> u64 {
        self.kept().metrics.version()
    }

    /// When the figures of the last `hours` changed.
    pub(crate) fn versions(&self, hours: u32) -> Versions {
        self.kept().metrics.versions(hours)
    }

    /// The whole `metrics_update` of the last `hours`. Who asks is not given an old timestamp; updates are written once.
    pub(crate) fn snapshot(&self, hours: u32, asked: bool) -> Arc<Written> {
        let mut kept = self.kept();
        let now = self.hub.now();
        let sheet = kept.sheet(hours, now);
        if let Some((at, whole)) = &sheet.whole
            && !(asked && now.0 - at.0 > FRESH_MILLIS)
        {
            return whole.clone();
        }
        let parts = sheet.parts.as_ref().expect("a sheet is written when it is asked for");
        let whole = Written::new(sheet.versions, "metrics_update", amiga::metrics_update(parts, now));
        sheet.whole = Some((now, whole.clone()));
        #[cfg(test)]
        {
            kept.written += 1;
        }
        whole
    }

    /// One group's update for its room.
    pub(crate) fn group(&self, group: Group, hours: u32) -> Arc<Written> {
        let mut kept = self.kept();
        let now = self.hub.now();
        let sheet = kept.sheet(hours, now);
        if let Some(written) = &sheet.groups[group as usize] {
            return written.clone();
        }
        let parts = sheet.parts.as_ref().expect("a sheet is written when it is asked for");
        let json = amiga::group_update(group, parts, hours, now);
        let written = Written::new(sheet.versions, Room::Group(group).update(), json);
        sheet.groups[group as usize] = Some(written.clone());
        written
    }

    /// The `overview` of the last `hours`.
    pub(crate) fn overview(&self, hours: u32) -> Json {
        let mut kept = self.kept();
        let now = self.hub.now();
        let sheet = kept.sheet(hours, now);
        amiga::overview(sheet.parts.as_ref().expect("a sheet is written when it is asked for"))
    }

    /// A series, see [`Metrics::series`].
    pub(crate) fn series(&self, from: i64, step: i64, count: i64) -> Vec<Point> {
        self.kept().metrics.series(from, step, count)
    }

    /// The newest minute since 1970.
    pub(crate) fn minute(&self) -> i64 {
        self.kept().metrics.minute()
    }

    /// The number of the next change of a task.
    pub(crate) fn next_change(&self) -> u64 {
        self.kept().metrics.next_change()
    }

    /// Changes of tasks from that number on.
    pub(crate) fn task_changes(&self, from: u64, most: usize) -> TaskChanges {
        self.kept().metrics.changes(from, most)
    }

    /// Names a state of the figures of the last `hours`, in this run of the hub.
    pub(crate) fn id(&self, hours: u32, versions: &Versions) -> String {
        let newest = versions.iter().max().copied().unwrap_or(0);
        format!("{}:{hours}:{newest}", self.hub.epoch())
    }

    #[cfg(test)]
    pub(crate) fn written(&self) -> u64 {
        self.kept().written
    }
}

impl Kept {
    /// The sheet of the last `hours`, with its parts as they are now.
    fn sheet(&mut self, hours: u32, now: Millis) -> &mut Sheet {
        self.metrics.advance(now);
        let versions = self.metrics.versions(hours);
        let sheet = self.sheets.entry(hours).or_default();
        if sheet.parts.is_none() || sheet.versions != versions {
            let old = sheet.versions;
            let stale = |group: Group| old[group as usize] != versions[group as usize];
            let figures = self.metrics.figures(hours);
            sheet.parts = Some(Parts::write(&figures, sheet.parts.take(), stale));
            sheet.versions = versions;
            sheet.whole = None;
            for group in Group::ALL {
                if stale(group) {
                    sheet.groups[group as usize] = None;
                }
            }
        }
        sheet
    }
}
