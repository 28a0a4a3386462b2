//! Tasks that have begun and are not over, found again by what their end says. Bounded; keys are kept as hashes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use countersign_model::Event;
use countersign_model::metrics::Task;

/// Tasks that are followed at once; the oldest are forgotten first.
const MAX_OPEN: usize = 10_000;

/// What the end of a task may say to be matched with its beginning.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) enum Key<'a> {
    /// An execution by its id, or that of an agent without one.
    Run(&'a str),
    /// An agent at work, in a session.
    Work(&'a str, Option<&'a str>),
    /// An agent at work, in any session.
    AnyWork(&'a str),
    /// A tool call by its id.
    Call(Place<'a>, &'a str),
    /// A tool's call without an id.
    Nameless(Place<'a>, &'a str),
    /// Any call of a tool.
    Tool(Place<'a>, &'a str),
}

/// Where tool calls are matched: an agent's session.
pub(super) type Place<'a> = (&'a str, Option<&'a str>);

/// Where `event` happened.
pub(super) fn place(event: &Event) -> Place<'_> {
    (&event.agent, event.session.as_deref())
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) task: Task,
    pub(super) minute: i64,
    keys: Vec<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Open {
    tasks: BTreeMap<u64, Running>,
    by_key: HashMap<u64, BTreeSet<u64>>,
    hasher: RandomState,
}

impl Open {
    fn hash(&self, key: Key<'_>) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The oldest task under the first of `keys` that has one.
    pub(super) fn find(&self, keys: &[Key<'_>]) -> Option<u64> {
        keys.iter()
            .find_map(|key| self.by_key.get(&self.hash(*key))?.first().copied())
    }

    /// The task of that id.
    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Task> {
        self.tasks.get_mut(&id).map(|running| &mut running.task)
    }

    /// Follows a task. When there are too many, the oldest one is given back.
    pub(super) fn insert(&mut self, task: Task, minute: i64, keys: &[Key<'_>]) -> Option<Running> {
        let oldest = if self.tasks.len() >= MAX_OPEN {
            self.oldest().and_then(|(id, _)| self.remove(id))
        } else {
            None
        };
        let id = task.id;
        let keys: Vec<u64> = keys.iter().map(|key| self.hash(*key)).collect();
        for key in &keys {
            self.by_key.entry(*key).or_default().insert(id);
        }
        self.tasks.insert(id, Running { task, minute, keys });
        oldest
    }

    /// Follows it no longer.
    pub(super) fn remove(&mut self, id: u64) -> Option<Running> {
        let running = self.tasks.remove(&id)?;
        for key in &running.keys {
            if let Some(ids) = self.by_key.get_mut(key) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_key.remove(key);
                }
            }
        }
        Some(running)
    }

    /// The oldest task, and the minute it began in.
    pub(super) fn oldest(&self) -> Option<(u64, i64)> {
        self.tasks.first_key_value().map(|(id, running)| (*id, running.minute))
    }
}
