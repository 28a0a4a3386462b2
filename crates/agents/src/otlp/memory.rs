//! What is remembered of sessions, traces and calls, bounded.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Entries that are remembered.
const MOST: usize = 20_000;

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
        self.values.get(key)
    }

    pub(super) fn put(&mut self, key: Key, value: V) {
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
        if !self.values.contains_key(key) {
            self.put(key.clone(), V::default());
        }
        self.values.get_mut(key).expect("it was put there")
    }
}
