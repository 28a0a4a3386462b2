//! Upstreams: running servers of the five systems that the hub attaches to as a client. Their events are merged under the upstream's
//! name, their questions are asked here too. What is spoken, and what a chain of hubs may expect, is in `docs/upstreams.md`.

mod amiga;
mod asks;
mod cloud;
mod codex;
mod hive;
mod link;
mod sam;
mod settings;
mod tongue;
mod trail;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use countersign_hub::Hub;
use countersign_model::{Upstream, UpstreamState};
use countersign_store::{DataFolder, FolderError, Notes};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::webhook::Http;
use link::{Link, Status};
pub use settings::{UpstreamError, UpstreamSettings, WrittenUpstream};
pub(crate) use trail::Trail;
pub(crate) use wire::{EPOCH, HUB, VIA};

/// Where those are kept that a person added.
const FILE: &str = "upstreams.json";
/// Upstreams at most.
const MAX: usize = 64;

/// Why an upstream was not added or removed.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamsError {
    /// As it is written, it cannot be.
    #[error(transparent)]
    Settings(#[from] UpstreamError),
    /// The name is taken.
    #[error("there is an upstream of this name already; remove it first, or choose another name")]
    Taken,
    /// Too many.
    #[error("there are {MAX} upstreams already; remove one first")]
    TooMany,
    /// No such upstream.
    #[error("there is no upstream of this name")]
    NotFound,
    /// It stands in the configuration.
    #[error("this upstream stands in the configuration: remove it there, and start Countersign again")]
    Configured,
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

struct Attached {
    link: Arc<Link>,
    task: JoinHandle<()>,
}

struct Shared {
    hub: Arc<Hub>,
    notes: Notes,
    http: Http,
    /// Its lock is the server's, and ends with it.
    folder: Weak<DataFolder>,
    timeout: Option<i64>,
    changes: watch::Sender<u64>,
    trail: Trail,
    attached: Mutex<Vec<Attached>>,
}

/// All upstreams.
#[derive(Clone)]
pub struct Upstreams(Arc<Shared>);

impl Upstreams {
    /// Attaches to those of the configuration, and to those that a person added before.
    pub(crate) fn start(
        settings: Vec<UpstreamSettings>,
        hub: &Arc<Hub>,
        notes: &Notes,
        http: &Http,
        folder: &Arc<DataFolder>,
        timeout: Option<i64>,
        changes: &watch::Sender<u64>,
    ) -> Self {
        let upstreams = Self(Arc::new(Shared {
            hub: hub.clone(),
            notes: notes.clone(),
            http: http.clone(),
            folder: Arc::downgrade(folder),
            timeout,
            changes: changes.clone(),
            trail: Trail::default(),
            attached: Mutex::default(),
        }));
        {
            let mut attached = upstreams.attached();
            for settings in settings {
                attached.push(upstreams.attach(settings, true));
            }
            for settings in kept(folder) {
                if !attached.iter().any(|known| known.link.settings.name == settings.name) {
                    attached.push(upstreams.attach(settings, false));
                }
            }
        }
        upstreams
    }

    fn attached(&self) -> MutexGuard<'_, Vec<Attached>> {
        self.0.attached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attach(&self, settings: UpstreamSettings, configured: bool) -> Attached {
        let shared = &self.0;
        let link = Arc::new(Link {
            reader: format!("upstream:{}", settings.name).into(),
            settings,
            configured,
            hub: shared.hub.clone(),
            notes: shared.notes.clone(),
            http: shared.http.clone(),
            trail: shared.trail.clone(),
            timeout: shared.timeout,
            changes: shared.changes.clone(),
            status: Mutex::new(Status {
                state: UpstreamState::Connecting,
                since: shared.hub.now(),
                last_error: None,
                events: 0,
            }),
        });
        let running = link.clone();
        let task = tokio::spawn(async move { running.run().await });
        Attached { link, task }
    }

    /// Where each stands.
    pub fn list(&self) -> Vec<Upstream> {
        self.attached().iter().map(|attached| attached.link.view()).collect()
    }

    /// Attaches to one more, and keeps it over restarts.
    ///
    /// # Errors
    /// When it is not right as it is written, its name is taken, or it cannot be kept.
    pub fn add(&self, written: WrittenUpstream) -> Result<Upstream, UpstreamsError> {
        let settings = UpstreamSettings::check(written, false)?;
        let mut attached = self.attached();
        if attached.iter().any(|known| known.link.settings.name == settings.name) {
            return Err(UpstreamsError::Taken);
        }
        if attached.len() >= MAX {
            return Err(UpstreamsError::TooMany);
        }
        self.keep(
            attached
                .iter()
                .filter(|known| !known.link.configured)
                .map(|known| &known.link.settings)
                .chain([&settings]),
        )?;
        attached.push(self.attach(settings, false));
        Ok(attached.last().expect("pushed above").link.view())
    }

    /// Lets go of one that a person added.
    ///
    /// # Errors
    /// When there is none of that name, or it stands in the configuration.
    pub fn remove(&self, name: &str) -> Result<(), UpstreamsError> {
        let mut attached = self.attached();
        let place = attached.iter().position(|known| known.link.settings.name == name);
        let place = place.ok_or(UpstreamsError::NotFound)?;
        if attached[place].link.configured {
            return Err(UpstreamsError::Configured);
        }
        self.keep(
            attached
                .iter()
                .enumerate()
                .filter(|(index, known)| *index != place && !known.link.configured)
                .map(|(_, known)| &known.link.settings),
        )?;
        let gone = attached.remove(place);
        gone.task.abort();
        self.0.trail.leave(name, &self.0.hub);
        self.0.notes.set_place(&gone.link.reader, String::new());
        self.0.changes.send_modify(|count| *count += 1);
        Ok(())
    }

    fn keep<'a>(&self, settings: impl Iterator<Item = &'a UpstreamSettings>) -> Result<(), FolderError> {
        let list: Vec<_> = settings.map(UpstreamSettings::kept).collect();
        let text = format!("{:#}\n", json!({ "upstreams": list }));
        match self.0.folder.upgrade() {
            Some(folder) => folder.write_private(FILE, &text).map(drop),
            None => Ok(()),
        }
    }

    /// Ends all connections.
    pub(crate) fn close(&self) {
        for attached in self.attached().iter() {
            attached.task.abort();
        }
    }
}

/// Those that a person added before; what cannot be read is said and left alone.
fn kept(folder: &DataFolder) -> Vec<UpstreamSettings> {
    #[derive(serde::Deserialize)]
    struct Kept {
        upstreams: Vec<WrittenUpstream>,
    }
    let path = folder.path().join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "the upstreams cannot be read");
            return Vec::new();
        }
    };
    let kept: Kept = match serde_json::from_str(&text) {
        Ok(kept) => kept,
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "the upstreams cannot be read");
            return Vec::new();
        }
    };
    let check = |written| match UpstreamSettings::check(written, false) {
        Ok(settings) => Some(settings),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "left out");
            None
        }
    };
    kept.upstreams.into_iter().filter_map(check).collect()
}
