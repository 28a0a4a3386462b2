//! Sessions: stopped, resumed, looked up, and what each is doing.

use std::sync::Arc;

use countersign_model::{Origin, Presence, SessionKey, SessionView, Surface};

use super::{Hub, lock};
use crate::archive::ArchiveError;
use crate::entry::{Entry, Stop};
use crate::people::People;

/// Why a session was not found.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SessionError {
    /// Never seen.
    #[error("there is no such session")]
    NotFound,
    /// Several agents have one of that id.
    #[error("several agents have a session of this id; say which agent")]
    Ambiguous,
    /// The store.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl Hub {
    /// Stops a session. `false` when it was stopped before.
    pub fn stop(&self, key: &SessionKey, by: Surface, message: Option<String>) -> bool {
        let now = self.clock.now();
        self.change(|registry, out| registry.stop(key, by, message, now, out))
    }

    /// Lifts the stop on a session. `false` when there was none.
    pub fn resume_session(&self, key: &SessionKey, by: Surface) -> bool {
        self.change(|registry, out| registry.resume(key, by, out))
    }

    /// The stop on a session, once it may be told to the agent.
    pub fn stopped(&self, key: &SessionKey) -> Option<Stop> {
        let registry = lock(&self.state);
        registry
            .stopped(key)
            .filter(|(_, sent)| *sent)
            .map(|(stop, _)| stop.clone())
    }

    /// The stop that reaches a session which speaks like that, its own or its parent's, once it may be told to the agent.
    pub fn stop_over(&self, key: &SessionKey, origin: Origin) -> Option<Stop> {
        let registry = lock(&self.state);
        let (stop, _) = registry.stop_over(key, Some(origin)).filter(|(_, sent)| *sent)?;
        Some(stop.clone())
    }

    /// All stops.
    pub fn stops(&self) -> Vec<Stop> {
        lock(&self.state).stops().cloned().collect()
    }

    /// The agents that had a session of this id, narrowed to `agent` when given.
    ///
    /// # Errors
    /// When there is none.
    pub async fn session_keys(&self, session: &str, agent: Option<&str>) -> Result<Vec<SessionKey>, SessionError> {
        self.flush().await;
        let mut agents = self.archive.session_agents(session.to_owned()).await?;
        for stop in self.stops() {
            if *stop.key.session == *session && !agents.contains(&stop.key.agent) {
                agents.push(stop.key.agent);
            }
        }
        agents.retain(|known| agent.is_none_or(|agent| *agent == **known));
        if agents.is_empty() {
            return Err(SessionError::NotFound);
        }
        Ok(agents
            .into_iter()
            .map(|agent| SessionKey {
                agent,
                session: session.into(),
            })
            .collect())
    }

    /// What each session is doing. [`Hub::observe`] feeds it.
    pub fn sessions(&self) -> Vec<SessionView> {
        let waiting = self.waiting();
        let stops = self.stops();
        lock(&self.sessions).view(&waiting, &stops)
    }

    /// What one session is doing.
    pub fn session(&self, key: &SessionKey) -> SessionView {
        let (waiting, stops, now) = (self.waiting(), self.stops(), self.now());
        lock(&self.sessions).one(key, &waiting, &stops, now)
    }

    /// What the views were fed until now is of earlier runs of the hub: who was there then has to come again.
    pub fn restored(&self) {
        lock(&self.sessions).restored(self.now());
        *lock(&self.people) = People::new(self.start);
    }

    /// Who is there, by what [`Hub::observe`] was given.
    pub fn presence(&self) -> Presence {
        lock(&self.people).presence()
    }

    /// Feeds the views of sessions and of people: their reader's step.
    pub fn observe(&self, batch: &[Arc<Entry>]) {
        let (mut sessions, mut people) = (lock(&self.sessions), lock(&self.people));
        for entry in batch {
            sessions.apply(&entry.event);
            people.apply(&entry.event);
        }
    }
}
