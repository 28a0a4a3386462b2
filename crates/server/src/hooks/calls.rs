//! Calls that have begun and not ended, by session: by them an end is told with its start, a question is matched with its call, and a
//! question that was answered in the terminal is found. Bounded, and lost with the hub: what is not known is never guessed.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use countersign_model::SessionKey;

/// Sessions that are followed at once; the one that was quiet for the longest is forgotten first.
const MAX_SESSIONS: usize = 2048;
/// Calls of a session, likewise.
const MAX_CALLS: usize = 256;
/// Turns of a session whose end is remembered.
const MAX_TURNS: usize = 16;

/// A call that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) tool: String,
    /// What it runs, wherever it does.
    pub(super) digest: String,
    /// A no that the agent was told, which it may have been told too late.
    pub(super) refused: Option<Refused>,
    /// The approval by which a person let it run before the agent asked about it.
    pub(super) approved: Option<Arc<str>>,
}

/// A no to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The approval.
    pub(super) approval: Arc<str>,
    /// What the agent was told.
    pub(super) words: String,
}

#[derive(Debug, Default)]
struct Session {
    running: VecDeque<Call>,
    turns: VecDeque<String>,
    used: u64,
}

#[derive(Debug, Default)]
pub(super) struct Calls {
    sessions: HashMap<SessionKey, Session>,
    clock: u64,
}

impl Calls {
    fn session(&mut self, key: &SessionKey) -> &mut Session {
        if !self.sessions.contains_key(key) && self.sessions.len() >= MAX_SESSIONS {
            let quiet = self.sessions.iter().min_by_key(|(_, session)| session.used);
            if let Some(quiet) = quiet.map(|(key, _)| key.clone()) {
                self.sessions.remove(&quiet);
            }
        }
        self.clock += 1;
        let session = self.sessions.entry(key.clone()).or_default();
        session.used = self.clock;
        session
    }

    pub(super) fn begin(&mut self, key: &SessionKey, call: Call) {
        let session = self.session(key);
        session.running.retain(|running| running.id != call.id);
        if session.running.len() >= MAX_CALLS {
            session.running.pop_front();
        }
        session.running.push_back(call);
    }

    /// The agent was told no about a call, which goes on to be followed until its end is seen.
    pub(super) fn refuse(&mut self, key: &SessionKey, id: &str, refused: Refused) {
        let session = self.sessions.get_mut(key);
        let mut running = session.into_iter().flat_map(|session| &mut session.running);
        if let Some(call) = running.find(|call| call.id == id) {
            call.refused = Some(refused);
        }
    }

    /// A person let a call run.
    pub(super) fn approve(&mut self, key: &SessionKey, id: &str, approval: Arc<str>) {
        let session = self.sessions.get_mut(key);
        let mut running = session.into_iter().flat_map(|session| &mut session.running);
        if let Some(call) = running.find(|call| call.id == id) {
            call.approved = Some(approval);
        }
    }

    /// By which approval a person let this call run; once.
    pub(super) fn take_approval(&mut self, key: &SessionKey, id: &str) -> Option<Arc<str>> {
        let running = &mut self.sessions.get_mut(key)?.running;
        running.iter_mut().find(|call| call.id == id)?.approved.take()
    }

    /// A call is over. `None` when its start was not seen.
    pub(super) fn end(&mut self, key: &SessionKey, id: &str) -> Option<Call> {
        let session = self.sessions.get_mut(key)?;
        let place = session.running.iter().position(|call| call.id == id)?;
        session.running.remove(place)
    }

    /// How many calls that run the same have not ended, and the id of the only one.
    pub(super) fn alike(&self, key: &SessionKey, digest: &str) -> (usize, Option<String>) {
        let running = self.sessions.get(key).map(|session| &session.running);
        let mut alike = running.into_iter().flatten().filter(|call| call.digest == digest);
        match (alike.next(), alike.count()) {
            (None, _) => (0, None),
            (Some(only), 0) => (1, Some(only.id.clone())),
            (Some(_), more) => (more + 1, None),
        }
    }

    /// The turn of a session is over: what has not ended by now never will.
    pub(super) fn over(&mut self, key: &SessionKey) -> Vec<Call> {
        let session = self.sessions.get_mut(key);
        session.map_or_else(Vec::new, |session| session.running.drain(..).collect())
    }

    /// A session is over, and the subagents that it started.
    pub(super) fn gone(&mut self, key: &SessionKey) -> Vec<(Arc<str>, Call)> {
        let children = format!("{}/", key.session);
        let mut left = Vec::new();
        self.sessions.retain(|other, session| {
            let gone =
                other.agent == key.agent && (other.session == key.session || other.session.starts_with(&children));
            if gone {
                let calls = session.running.drain(..);
                left.extend(calls.map(|call| (other.session.clone(), call)));
            }
            !gone
        });
        left
    }

    /// Whether the end of this turn was told before; from now on it was.
    pub(super) fn turn_told(&mut self, key: &SessionKey, turn: &str) -> bool {
        let session = self.session(key);
        if session.turns.iter().any(|told| told == turn) {
            return true;
        }
        if session.turns.len() >= MAX_TURNS {
            session.turns.pop_front();
        }
        session.turns.push_back(turn.to_owned());
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(session: &str) -> SessionKey {
        SessionKey {
            agent: "a".into(),
            session: session.into(),
        }
    }

    fn call(id: &str, digest: &str) -> Call {
        Call {
            id: id.into(),
            tool: "Bash".into(),
            digest: digest.into(),
            refused: None,
            approved: None,
        }
    }

    #[test]
    fn only_a_call_that_is_alone_of_its_kind_is_named() {
        let mut calls = Calls::default();
        let s = key("s");
        assert_eq!(calls.alike(&s, "x"), (0, None));
        calls.begin(&s, call("1", "x"));
        calls.begin(&s, call("2", "y"));
        assert_eq!(calls.alike(&s, "x"), (1, Some("1".into())));
        calls.begin(&s, call("3", "x"));
        assert_eq!(calls.alike(&s, "x"), (2, None));
        assert!(calls.end(&s, "1").is_some() && calls.end(&s, "1").is_none());
        assert_eq!(calls.alike(&s, "x"), (1, Some("3".into())));
        assert_eq!(calls.alike(&key("t"), "x"), (0, None));
    }

    #[test]
    fn a_session_takes_its_subagents_with_it_and_nobody_elses() {
        let mut calls = Calls::default();
        for session in ["s", "s/1", "s2", "s2/1"] {
            calls.begin(&key(session), call(session, "x"));
        }
        let mut gone: Vec<_> = calls.gone(&key("s")).into_iter().map(|(session, _)| session).collect();
        gone.sort();
        assert_eq!(gone, ["s".into(), Arc::<str>::from("s/1")]);
        assert!(calls.end(&key("s2"), "s2").is_some());
    }

    #[test]
    fn memory_is_bounded() {
        let mut calls = Calls::default();
        for n in 0..MAX_SESSIONS * 2 {
            calls.begin(&key(&n.to_string()), call("1", "x"));
        }
        for n in 0..MAX_CALLS * 2 {
            calls.begin(&key("s"), call(&n.to_string(), "x"));
        }
        assert_eq!(calls.sessions.len(), MAX_SESSIONS);
        assert_eq!(calls.over(&key("s")).len(), MAX_CALLS);
    }
}
