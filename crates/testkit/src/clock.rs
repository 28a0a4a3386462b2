//! A clock that moves only when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use countersign_hub::Clock;
use countersign_model::Millis;

/// Stands still at 2026-01-17T10:30:00Z until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that many may hold.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_768_645_800_000)))
    }

    /// Moves forward (back, when negative) by so many seconds.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Moves to a point in time.
    pub fn set(&self, to: Millis) {
        self.0.store(to.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}
