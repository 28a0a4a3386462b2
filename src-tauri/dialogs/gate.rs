//! The inert time: answers count only after a while in which the dialog did not appear, get the focus or see typing.
//! Arithmetic alone; the caller brings the clock, closes buttons and swallows keys.

use std::time::{Duration, Instant};

/// How long answers stay inert (DESIGN.md section 3).
pub(crate) const INERT: Duration = Duration::from_millis(800);

/// Whether answers count. Closed when made.
#[derive(Debug)]
pub(crate) struct Gate {
    opens: Instant,
}

impl Gate {
    /// A dialog appears.
    pub(crate) fn new(now: Instant) -> Self {
        Self { opens: now + INERT }
    }

    /// It appeared, got the focus, or a key was pressed: the time starts anew.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.opens = self.opens.max(now + INERT);
    }

    /// Whether an answer given now counts.
    pub(crate) fn is_open(&self, now: Instant) -> bool {
        now >= self.opens
    }

    /// How long until it does.
    pub(crate) fn opens_in(&self, now: Instant) -> Duration {
        self.opens.saturating_duration_since(now)
    }

    /// A key is pressed: whether it may do something. Either way the time starts anew.
    pub(crate) fn key(&mut self, now: Instant) -> bool {
        let open = self.is_open(now);
        self.restart(now);
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn opens_800_ms_after_it_appeared() {
        let start = Instant::now();
        let gate = Gate::new(start);
        assert!(!gate.is_open(start + ms(799)));
        assert!(gate.is_open(start + ms(800)));
        assert_eq!(gate.opens_in(start + ms(300)), ms(500));
    }

    #[test]
    fn a_key_in_the_inert_time_does_nothing_and_starts_it_anew() {
        let start = Instant::now();
        let mut gate = Gate::new(start);
        assert!(!gate.key(start + ms(700)));
        assert!(!gate.is_open(start + ms(1499)));
        assert!(gate.is_open(start + ms(1500)));
    }

    #[test]
    fn steady_typing_never_answers() {
        let start = Instant::now();
        let mut gate = Gate::new(start);
        assert!((1..200).all(|stroke| !gate.key(start + ms(stroke * 790))));
    }

    #[test]
    fn a_key_after_the_time_counts_once() {
        let start = Instant::now();
        let mut gate = Gate::new(start);
        assert!(gate.key(start + ms(800)));
        assert!(!gate.key(start + ms(810)));
    }

    #[test]
    fn a_clock_that_steps_back_does_not_open_it_early() {
        let start = Instant::now();
        let mut gate = Gate::new(start + ms(500));
        gate.restart(start);
        assert!(!gate.is_open(start + ms(1299)));
    }
}
