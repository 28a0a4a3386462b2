//! How long to wait before the next try: longer each time, up to a bound, and never all at once.

use std::time::Duration;

/// Time before the first try after a failure.
const FIRST: Duration = Duration::from_millis(500);
/// The longest time between tries.
const LONGEST: Duration = Duration::from_secs(30);

/// Counts tries that failed in a row.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    failed: u32,
}

impl Patience {
    /// How long to wait now: half of it fixed, half of it left to chance.
    pub(crate) fn next(&mut self) -> Duration {
        let time = FIRST.saturating_mul(1 << self.failed.min(16)).min(LONGEST);
        self.failed += 1;
        jitter(time)
    }

    /// It went well.
    pub(crate) fn reset(&mut self) {
        self.failed = 0;
    }
}

/// Between half of `time` and all of it.
pub(crate) fn jitter(time: Duration) -> Duration {
    let mut byte = [0_u8; 1];
    // Without randomness everybody comes at once; that is no reason to fail.
    let _ = getrandom::fill(&mut byte);
    time / 2 + (time / 2) * u32::from(byte[0]) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_up_to_its_bound_and_starts_again() {
        let mut patience = Patience::default();
        for number in 0..40_u32 {
            let wait = patience.next();
            let full = FIRST.saturating_mul(1 << number.min(16)).min(LONGEST);
            assert!(wait >= full / 2 && wait <= full, "{number}: {wait:?}");
        }
        patience.reset();
        assert!(patience.next() <= FIRST);
    }
}
