//! What was taken in already: a bounded memory of marks, kept over restarts, by which a sender that tries again is recognised.
//! Where marks come from is the sender's affair.

use std::collections::{HashMap, VecDeque};

use countersign_model::Seq;

/// Marks that are remembered; the oldest go first.
const MOST: usize = 65_536;

/// Tells one thing that was sent from all others: a random id, or the beginning of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark(pub [u8; 16]);

/// A mark that is remembered from the commit of its event on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What was sent.
    pub mark: Mark,
    /// Its event.
    pub seq: Seq,
    /// The mark that is forgotten for it.
    pub forget: Option<Mark>,
}

#[derive(Debug, Default)]
pub(crate) struct Memory {
    places: HashMap<Mark, Seq>,
    order: VecDeque<Mark>,
}

impl Memory {
    /// The event of this mark.
    pub(crate) fn get(&self, mark: Mark) -> Option<Seq> {
        self.places.get(&mark).copied()
    }

    /// Remembers a new mark.
    pub(crate) fn put(&mut self, mark: Mark, seq: Seq) -> Seen {
        let forget = if self.order.len() >= MOST {
            self.order.pop_front()
        } else {
            None
        };
        if let Some(old) = forget {
            self.places.remove(&old);
        }
        self.places.insert(mark, seq);
        self.order.push_back(mark);
        Seen { mark, seq, forget }
    }

    /// What the store kept, in any order.
    pub(crate) fn restore(&mut self, mut kept: Vec<(Mark, Seq)>) {
        kept.sort_unstable_by_key(|(_, seq)| *seq);
        for (mark, seq) in kept {
            self.put(mark, seq);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(n: usize) -> Mark {
        Mark((n as u128).to_be_bytes())
    }

    #[test]
    fn the_oldest_mark_makes_room() {
        let mut memory = Memory::default();
        for n in 0..MOST {
            assert_eq!(memory.put(mark(n), n as Seq).forget, None);
        }
        assert_eq!(memory.put(mark(MOST), 1).forget, Some(mark(0)));
        assert_eq!((memory.get(mark(0)), memory.get(mark(1))), (None, Some(1)));
        assert_eq!(memory.places.len(), MOST);
    }
}
