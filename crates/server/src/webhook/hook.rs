//! One webhook: a reader of the log whose cursor outlives the hub. It posts one event after the other, tries again for as long as it
//! takes, and sets aside what its target refuses for good.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_hub::{Cursor, EventQuery, Hub};
use countersign_model::{Event, Seq, Since, Webhook, WebhookState};
use countersign_store::{DeadLetter, Notes};
use tokio::sync::{Notify, watch};

use super::WebhookSettings;
use super::post::{Http, Outcome, post};
use crate::outward::{Patience, origin};

/// Events that are read from the log at once, and their bytes, about.
const MAX_EVENTS: usize = 256;
const MAX_BYTES: usize = 1024 * 1024;
/// How often a target may refuse an event before it is set aside.
const TRIES: u32 = 4;
/// Events that are set aside at most; beyond that the webhook waits.
const MAX_DEAD: usize = 1000;
/// Events that are passed over before the place is noted anew.
const SKIPPED: u64 = 1000;
/// How long to wait for a store that cannot be read or written.
const STORE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct State {
    seen: Seq,
    retrying: bool,
    last_error: Option<String>,
    dead: Vec<DeadLetter>,
}

pub(crate) struct Hook {
    pub(crate) settings: WebhookSettings,
    reader: Arc<str>,
    hub: Arc<Hub>,
    notes: Notes,
    http: Http,
    /// Signalled when its state changes.
    changes: watch::Sender<u64>,
    state: Mutex<State>,
    again: AtomicBool,
    wake: Notify,
}

impl Hook {
    pub(crate) fn new(
        settings: WebhookSettings,
        hub: Arc<Hub>,
        notes: Notes,
        http: Http,
        changes: watch::Sender<u64>,
    ) -> Self {
        let seen = hub.head();
        Self {
            reader: format!("webhook:{}", settings.name).into(),
            settings,
            hub,
            notes,
            http,
            changes,
            state: Mutex::new(State {
                seen,
                ..State::default()
            }),
            again: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it stands. Of the address only the origin is shown: many services keep their secret in the path.
    pub(crate) fn view(&self) -> Webhook {
        let state = self.state();
        Webhook {
            name: self.settings.name.clone(),
            url: origin(&self.settings.url),
            state: if state.retrying {
                WebhookState::Retrying
            } else if state.dead.is_empty() {
                WebhookState::Ok
            } else {
                WebhookState::Dead
            },
            last_error: state.last_error.clone(),
            behind: self.hub.head().saturating_sub(state.seen),
            dead: state.dead.len() as u64,
        }
    }

    /// Sends again, now, what was set aside, and what waits to be tried again.
    pub(crate) fn retry(&self) {
        self.again.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Reads and posts; does not end.
    pub(crate) async fn run(&self) {
        let mut cursor = self.start().await;
        let mut skipped = 0;
        loop {
            tokio::select! {
                () = cursor.ready() => {}
                () = self.wake.notified() => {}
            }
            if self.again.swap(false, Ordering::AcqRel) {
                self.dig_up().await;
            }
            let batch = match cursor.read(MAX_EVENTS, MAX_BYTES).await {
                Ok(batch) => batch,
                Err(error) => {
                    self.state().last_error = Some(error.to_string());
                    tokio::time::sleep(STORE).await;
                    continue;
                }
            };
            let Some(last) = batch.last().map(|entry| entry.event.seq) else {
                continue;
            };
            // What a crash could take back is not told.
            while self.hub.committed(last).await.is_err() {
                tokio::time::sleep(STORE).await;
            }
            for entry in &batch {
                let event = &entry.event;
                if self.settings.wants(event) {
                    self.deliver(event).await;
                    skipped = SKIPPED;
                }
                self.state().seen = event.seq;
                skipped += 1;
                if skipped > SKIPPED {
                    self.notes.set_place(&self.reader, self.place(event.seq));
                    skipped = 0;
                }
            }
        }
    }

    fn place(&self, seq: Seq) -> String {
        format!("{}:{seq}", self.hub.epoch())
    }

    /// Goes on where it was, or begins with what comes next.
    async fn start(&self) -> Cursor {
        let (place, dead) = loop {
            let place = self.notes.place(&self.reader).await;
            let dead = self.notes.dead_letters(&self.reader).await;
            if let (Ok(place), Ok(dead)) = (place, dead) {
                break (place, dead);
            }
            tokio::time::sleep(STORE).await;
        };
        {
            let mut state = self.state();
            state.last_error = dead.last().map(|letter| letter.error.clone());
            state.dead = dead;
        }
        let since = place.and_then(|place| place.parse::<Since>().ok());
        let Some(since) = since else {
            // The hub may have taken events in since the hook was made, and they are to be told, too.
            let seq = self.state().seen;
            let made = Since { epoch: None, seq };
            let cursor = self.hub.cursor(Some(&made)).unwrap_or_else(|_| self.hub.from_head());
            self.state().seen = cursor.seen();
            self.notes.keep_place(&self.reader, self.place(cursor.seen())).await;
            return cursor;
        };
        let cursor = self.hub.cursor(Some(&since)).unwrap_or_else(|lost| {
            let from = lost
                .last
                .unwrap_or(since.seq)
                .clamp(lost.oldest.saturating_sub(1), lost.head);
            self.state().last_error = Some(format!("events after {} up to {from} are no longer kept", since.seq));
            let from = Since { epoch: None, seq: from };
            self.hub.cursor(Some(&from)).unwrap_or_else(|_| self.hub.from_head())
        });
        self.state().seen = cursor.seen();
        cursor
    }

    /// Posts an event until its target has it, or has refused it for good.
    async fn deliver(&self, event: &Event) {
        let mut patience = Patience::default();
        let mut refused = 0;
        loop {
            let wait = match post(&self.http, &self.settings, event, self.hub.now()).await {
                Outcome::Taken => {
                    let mut state = self.state();
                    let was = std::mem::take(&mut state.retrying);
                    if state.dead.is_empty() {
                        state.last_error = None;
                    }
                    drop(state);
                    if was {
                        self.changed();
                    }
                    return;
                }
                Outcome::Later(error, wait) => {
                    self.failed(error);
                    wait
                }
                Outcome::Refused(error) => {
                    refused += 1;
                    if refused >= TRIES && self.state().dead.len() < MAX_DEAD {
                        return self.bury(event.seq, error).await;
                    }
                    self.failed(error);
                    None
                }
            };
            let wait = wait.unwrap_or_else(|| patience.next());
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.wake.notified() => {
                    if self.again.swap(false, Ordering::AcqRel) {
                        self.dig_up().await;
                    }
                }
            }
        }
    }

    fn failed(&self, error: String) {
        let mut state = self.state();
        if !state.retrying {
            tracing::warn!(webhook = self.settings.name, error, "tried again until it is taken");
        }
        let news = !std::mem::replace(&mut state.retrying, true);
        state.last_error = Some(error);
        drop(state);
        if news {
            self.changed();
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Sets an event aside, with its place: after a crash it is not lost.
    async fn bury(&self, seq: Seq, error: String) {
        tracing::error!(
            webhook = self.settings.name,
            seq,
            error,
            "refused for good, and set aside"
        );
        let letter = DeadLetter { seq, error };
        {
            let mut state = self.state();
            state.retrying = false;
            state.last_error = Some(letter.error.clone());
            state.dead.retain(|other| other.seq != seq);
            state.dead.push(letter.clone());
        }
        self.changed();
        self.notes.bury(&self.reader, letter).await;
    }

    /// Tries once more what was set aside, oldest first; a target that is down is left alone.
    async fn dig_up(&self) {
        let dead: Vec<_> = self.state().dead.iter().map(|letter| letter.seq).collect();
        for seq in dead {
            let query = EventQuery {
                since: seq - 1,
                until: Some(seq),
                limit: 1,
                max_bytes: usize::MAX,
                ..EventQuery::default()
            };
            let event = match self.hub.archive().events(query).await {
                Ok(page) => page.events.into_iter().next(),
                Err(error) => {
                    self.state().last_error = Some(error.to_string());
                    return;
                }
            };
            // What is no longer kept cannot be sent.
            if let Some(event) = event {
                match post(&self.http, &self.settings, &event, self.hub.now()).await {
                    Outcome::Taken => {}
                    Outcome::Refused(error) => {
                        self.state().last_error = Some(error);
                        continue;
                    }
                    Outcome::Later(error, _) => {
                        self.state().last_error = Some(error);
                        return;
                    }
                }
            }
            self.notes.dig_up(&self.reader, seq).await;
            let mut state = self.state();
            state.dead.retain(|letter| letter.seq != seq);
            if state.dead.is_empty() && !state.retrying {
                state.last_error = None;
            }
            drop(state);
            self.changed();
        }
    }
}
