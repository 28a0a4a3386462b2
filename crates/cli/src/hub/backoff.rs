//! Pauses between tries: short at first, twice as long each time, up to a bound.

use std::time::Duration;

/// The pauses of one series of tries.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    /// From 250 ms to 5 s.
    pub(crate) fn new() -> Self {
        Self::between(Duration::from_millis(250), Duration::from_secs(5))
    }

    pub(crate) fn between(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            next: first,
        }
    }

    /// How long to pause before the next try.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (self.next * 2).min(self.most);
        pause
    }

    /// A try worked.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_bound_and_start_again() {
        let mut backoff = Backoff::new();
        let pauses: Vec<_> = (0..6).map(|_| backoff.pause().as_millis()).collect();
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 5000]);
        backoff.reset();
        assert_eq!(backoff.pause().as_millis(), 250);
    }
}
