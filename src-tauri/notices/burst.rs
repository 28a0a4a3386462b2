//! How many notifications may come in a while, and how many were held back. Arithmetic alone; the caller brings the clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Shown in [`WHILE`] at most.
const MOST: usize = 5;
/// The while.
const WHILE: Duration = Duration::from_secs(10);

/// A bound on what is shown.
#[derive(Debug, Default)]
pub(super) struct Burst {
    shown: VecDeque<Instant>,
    held: usize,
}

impl Burst {
    /// Whether one more may be shown now. If not, it is counted.
    pub(super) fn offer(&mut self, now: Instant) -> bool {
        self.forget(now);
        // While some are held, later ones join them: the summary speaks for all.
        if self.held > 0 || self.shown.len() >= MOST {
            self.held += 1;
            return false;
        }
        self.shown.push_back(now);
        true
    }

    /// When the summary is due; `None` while nothing is held.
    pub(super) fn due(&self) -> Option<Instant> {
        let oldest = self.shown.front()?;
        (self.held > 0).then(|| *oldest + WHILE)
    }

    /// How many the summary has to speak for, once it is due. It counts as one that was shown.
    pub(super) fn summary(&mut self, now: Instant) -> Option<usize> {
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        self.forget(now);
        self.shown.push_back(now);
        Some(std::mem::take(&mut self.held))
    }

    fn forget(&mut self, now: Instant) {
        while self.shown.front().is_some_and(|shown| *shown + WHILE <= now) {
            self.shown.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_are_shown_and_the_rest_are_summed_up_once() {
        let start = Instant::now();
        let mut burst = Burst::default();
        let shown = (0..17).filter(|_| burst.offer(start)).count();
        assert_eq!((shown, burst.due()), (5, Some(start + WHILE)));
        assert_eq!(burst.summary(start + WHILE / 2), None);
        assert_eq!(burst.summary(start + WHILE), Some(12));
        assert_eq!(burst.summary(start + WHILE), None);
        assert!(burst.offer(start + WHILE));
    }

    #[test]
    fn a_flood_of_an_hour_is_a_summary_every_while() {
        let start = Instant::now();
        let mut burst = Burst::default();
        let mut notifications = 0;
        for second in 0..3600 {
            let now = start + Duration::from_secs(second);
            notifications += usize::from(burst.summary(now).is_some());
            notifications += (0..50).filter(|_| burst.offer(now)).count();
        }
        assert!(notifications <= 3600 / 10 * MOST, "{notifications}");
    }

    #[test]
    fn a_few_now_and_then_are_all_shown() {
        let start = Instant::now();
        let mut burst = Burst::default();
        assert!((0..100).all(|n| burst.offer(start + Duration::from_secs(3 * n))));
    }
}
