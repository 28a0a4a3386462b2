//! A small random generator for tests of random moments: seeded anew each time, or from `COUNTERSIGN_TEST_SEED` to repeat a run.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// xorshift64*: no secrets depend on it.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Says its seed, so that a failure can be repeated.
    pub fn new() -> Self {
        let given = std::env::var("COUNTERSIGN_TEST_SEED")
            .ok()
            .and_then(|text| text.parse().ok());
        // The standard library has its hashers seeded by the system.
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        eprintln!("COUNTERSIGN_TEST_SEED={seed}");
        Self(seed | 1)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    /// A time below `most`.
    pub fn time(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.below(most.as_micros() as u64))
    }

    /// One of them.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}
