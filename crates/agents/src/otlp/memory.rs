//! What is remembered of sessions, traces and calls, bounded in number and size.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::records::hex;

/// Entries that are remembered.
const MOST: usize = 20_000;

/// Names that are longer are remembered by their digest.
const LONG: usize = 256;

/// An agent, and what is its own: a session, a trace, a call.
pub(super) type Key = (Arc<str>, Arc<str>);

/// A memory that is bounded: the oldest entries are forgotten first.
#[derive(Debug)]
pub(super) struct Memory<V> {
    values: HashMap<Key, V>,
    order: VecDeque<Key>,
}

impl<V> Default for Memory<V> {
    fn default() -> Self {
        Self {
            values: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<V> Memory<V> {
    pub(super) fn get(&self, key: &Key) -> Option<&V> {
        match short(key) {
            Some(short) => self.values.get(&short),
            None => self.values.get(key),
        }
    }

    pub(super) fn put(&mut self, key: Key, value: V) {
        let key = short(&key).unwrap_or(key);
        if self.values.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
            if self.order.len() > MOST
                && let Some(old) = self.order.pop_front()
            {
                self.values.remove(&old);
            }
        }
    }

    pub(super) fn entry(&mut self, key: &Key) -> &mut V
    where
        V: Default,
    {
        let key = short(key).unwrap_or_else(|| key.clone());
        if !self.values.contains_key(&key) {
            self.put(key.clone(), V::default());
        }
        self.values.get_mut(&key).expect("it was put there")
    }
}

/// What stands for a key with a name that is long.
fn short((agent, name): &Key) -> Option<Key> {
    let digest = |name: &str| Arc::from(hex(&Sha256::digest(name)));
    (name.len() > LONG).then(|| (agent.clone(), digest(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_in_number_and_size() {
        let mut memory = Memory::default();
        let long: Arc<str> = "x".repeat(1_000_000).into();
        memory.put(("a".into(), long.clone()), 1);
        assert_eq!(memory.get(&("a".into(), long.clone())), Some(&1));
        *memory.entry(&("a".into(), long)) += 1;
        assert!(memory.values.keys().all(|(_, name)| name.len() <= LONG));
        for n in 0..2 * MOST {
            memory.put(("a".into(), n.to_string().into()), 1);
        }
        assert_eq!((memory.values.len(), memory.order.len()), (MOST, MOST));
    }
}
