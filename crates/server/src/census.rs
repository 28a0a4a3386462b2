//! How many connections of which dialect there are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    Sam,
    Hive,
    Amiga,
    Cloud,
    Codex,
}

impl Speaks {
    pub(crate) const ALL: [Self; 5] = [Self::Sam, Self::Hive, Self::Amiga, Self::Cloud, Self::Codex];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sam => "sam",
            Self::Hive => "hive",
            Self::Amiga => "amiga",
            Self::Cloud => "cloud",
            Self::Codex => "codex",
        }
    }
}

/// Connections by dialect.
#[derive(Debug, Default)]
pub(crate) struct Census([AtomicUsize; Speaks::ALL.len()]);

impl Census {
    /// One more, while the guard lives.
    pub(crate) fn enter(self: &Arc<Self>, speaks: Speaks) -> Present {
        self.add(speaks);
        Present {
            census: self.clone(),
            speaks: Mutex::new(speaks),
        }
    }

    pub(crate) fn count(&self, speaks: Speaks) -> usize {
        self.0[speaks as usize].load(Ordering::Relaxed)
    }

    fn add(&self, speaks: Speaks) {
        self.0[speaks as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn remove(&self, speaks: Speaks) {
        self.0[speaks as usize].fetch_sub(1, Ordering::Relaxed);
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Present {
    census: Arc<Census>,
    speaks: Mutex<Speaks>,
}

impl Present {
    /// It turned out to speak another dialect.
    pub(crate) fn turn(&self, speaks: Speaks) {
        let mut current = self.speaks.lock().unwrap_or_else(PoisonError::into_inner);
        self.census.remove(std::mem::replace(&mut *current, speaks));
        self.census.add(speaks);
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        let speaks = *self.speaks.lock().unwrap_or_else(PoisonError::into_inner);
        self.census.remove(speaks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_counts_as_what_it_speaks_until_it_ends() {
        let census = Arc::new(Census::default());
        let first = census.enter(Speaks::Sam);
        let _second = census.enter(Speaks::Sam);
        first.turn(Speaks::Hive);
        assert_eq!((census.count(Speaks::Sam), census.count(Speaks::Hive)), (1, 1));
        drop(first);
        assert_eq!((census.count(Speaks::Sam), census.count(Speaks::Hive)), (1, 0));
    }
}
