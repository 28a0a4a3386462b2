//! Publishing: a peer's events, another server's, and the hub's own notes of who is there.

use std::sync::Arc;

use countersign_model::{Event, Extra, Millis, NewEvent, Origin, Seq, SessionKey, kind, to_json};

use super::{Hub, lock};
use crate::entry::{Change, Entry, Place};

/// Places that a publish got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The first event.
    pub first: Seq,
    /// The last event.
    pub last: Seq,
}

/// Why nothing was published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// A kind that only the hub makes, or that has a door of its own.
    #[error("events of type {0:?} are made by Countersign alone")]
    HubOnly(String),
    /// Nothing was given.
    #[error("there is no event to publish")]
    Empty,
}

/// Whether it is a peer's to publish.
pub(super) fn publishable(event: &NewEvent) -> Result<(), PublishError> {
    if kind::is_reserved(&event.kind) {
        return Err(PublishError::HubOnly(event.kind.to_string()));
    }
    Ok(())
}

impl Hub {
    /// Publishes events in order. Waits for no monitor, and for the store only while a whole ring is not persisted.
    ///
    /// # Errors
    /// When a kind is not a peer's to publish; then none of the events is.
    pub async fn publish(&self, events: Vec<NewEvent>) -> Result<Published, PublishError> {
        events.iter().try_for_each(publishable)?;
        if events.is_empty() {
            return Err(PublishError::Empty);
        }
        self.room().await;
        let _order = lock(&self.state);
        Ok(self.append_events(events))
    }

    /// Publishes events of another server in order, each with the hubs that it came through. `place`, where the last of them
    /// stands there, is recorded in the same commit: after a crash they are there with it, or come again.
    ///
    /// # Errors
    /// As [`Hub::publish`].
    pub async fn merge(
        &self,
        events: Vec<(NewEvent, Vec<Arc<str>>)>,
        place: Option<Place>,
    ) -> Result<Published, PublishError> {
        events.iter().try_for_each(|(event, _)| publishable(event))?;
        let count = events.len();
        if count == 0 {
            return Err(PublishError::Empty);
        }
        self.room().await;
        let _order = lock(&self.state);
        let now = self.clock.now();
        let mut place = place.map(Change::Place);
        let mut events = events.into_iter().enumerate();
        let last = self.log.append(count, |seq| {
            let (index, (new, via)) = events.next().expect("as many as counted");
            let changes = place.take_if(|_| index + 1 == count).into_iter().collect();
            let mut event = self.event_of(new, seq, now);
            event.via = via;
            Entry::new(event, changes)
        });
        Ok(Published {
            first: last + 1 - count as Seq,
            last,
        })
    }

    pub(super) fn append_events(&self, events: Vec<NewEvent>) -> Published {
        let now = self.clock.now();
        let count = events.len();
        let mut events = events.into_iter();
        let last = self.log.append(count, |seq| {
            let new = events.next().expect("as many as counted");
            Entry::new(self.event_of(new, seq, now), Vec::new())
        });
        Published {
            first: last + 1 - count as Seq,
            last,
        }
    }

    pub(super) fn event_of(&self, new: NewEvent, seq: Seq, now: Millis) -> Event {
        new.placed(seq, self.epoch.clone(), now)
    }

    /// Waits until the ring has room for what is not persisted.
    pub(super) async fn room(&self) {
        if !self.log.is_full() {
            return;
        }
        let mut durable = self.log.watch_durable();
        loop {
            durable.borrow_and_update();
            if !self.log.is_full() {
                return;
            }
            if durable.changed().await.is_err() {
                return;
            }
        }
    }

    /// An agent's connection published its first event in this session.
    pub fn agent_connected(&self, key: &SessionKey, connection: &str) {
        lock(&self.sessions).connected(key, self.clock.now());
        self.note(key, kind::AGENT_CONNECTED, connection);
    }

    /// An agent's connection is gone.
    pub fn agent_disconnected(&self, key: &SessionKey, connection: &str) {
        lock(&self.sessions).disconnected(key, self.clock.now());
        self.note(key, kind::AGENT_DISCONNECTED, connection);
    }

    fn note(&self, key: &SessionKey, kind: &str, connection: &str) {
        let _order = lock(&self.state);
        self.append_events(vec![NewEvent {
            origin: Origin::Hub,
            agent: key.agent.clone(),
            session: Some(key.session.clone()),
            stream: None,
            kind: kind.into(),
            timestamp: None,
            data: to_json(&serde_json::json!({ "connection": connection })),
            extra: Extra::default(),
        }]);
    }

    /// A person's first connection came, or their last one went: recorded at once, in the caller's order, whatever the store is at.
    pub fn person(&self, presence: NewEvent) {
        let _order = lock(&self.state);
        self.append_events(vec![presence]);
    }
}
