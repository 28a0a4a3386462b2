//! Codex AgentLoop's door: each connection is a session with an agent of its own, and is logged in a file of its own where a
//! folder for them is set (seed 003).

mod approval;
mod book;
mod config;
mod conversation;
mod door;
mod requests;
mod script;
mod session;
mod shelf;

use std::path::PathBuf;
use std::sync::Arc;

use countersign_hub::agent_loop::AgentLoop;
use countersign_hub::random_hex;

pub use config::Codex;
pub(crate) use door::{list, one, open};
pub use script::ScriptProblem;
pub(crate) use script::scripted;
pub(crate) use shelf::Shelf;

/// The agent's name in the log.
const AGENT: &str = "codex";

/// What all sessions share.
#[derive(Clone)]
pub(crate) struct Room {
    /// Who answers users; without one they are told so.
    pub(crate) agent: Option<Arc<dyn AgentLoop>>,
    /// Where sessions are logged.
    pub(crate) shelf: Option<Arc<Shelf>>,
}

impl Room {
    /// A room whose sessions are logged in that folder, if there is one.
    pub(crate) fn new(agent: Option<Arc<dyn AgentLoop>>, folder: Option<PathBuf>) -> Self {
        Self {
            agent,
            shelf: folder.map(|folder| Arc::new(Shelf::new(folder))),
        }
    }
}

/// A random UUID (RFC 9562, version 4) without its dashes.
fn plain_uuid() -> String {
    let mut hex = random_hex(16);
    hex.replace_range(12..13, "4");
    let variant = match hex.as_bytes()[16] {
        b'0'..=b'3' => "8",
        b'4'..=b'7' => "9",
        b'8' | b'9' | b'a' | b'b' => "a",
        _ => "b",
    };
    hex.replace_range(16..17, variant);
    hex
}

/// A random UUID, as messages have them.
fn uuid() -> String {
    let mut id = plain_uuid();
    for place in [8, 13, 18, 23] {
        id.insert(place, '-');
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_random_uuids() {
        let id = uuid();
        let shape: String = id.chars().map(|c| if c == '-' { '-' } else { 'x' }).collect();
        assert_eq!(shape, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
        assert_eq!(&id[14..15], "4");
        assert!("89ab".contains(&id[19..20]), "{id}");
        assert_eq!(plain_uuid().len(), 32);
        assert_ne!(uuid(), uuid());
    }
}
