//! Steps as a person sees them: a heading before, the time after, and on failure the command that repeats that step alone.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The steps of one verb, in order. The first that fails ends the verb.
pub(crate) struct Steps {
    verb: &'static str,
    started: Instant,
    passed: usize,
    skipped: usize,
}

impl Steps {
    pub(crate) fn new(verb: &'static str) -> Self {
        Self {
            verb,
            started: Instant::now(),
            passed: 0,
            skipped: 0,
        }
    }

    /// Does `work` under the heading `what`. `again` is what to type to repeat it alone.
    pub(crate) fn step(&mut self, what: &str, again: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        eprintln!("\n==> {what}");
        let started = Instant::now();
        work().with_context(|| {
            let after = words(started.elapsed());
            format!(
                "{}: \"{what}\" failed after {after}; to run only this again: {again}",
                self.verb
            )
        })?;
        self.passed += 1;
        eprintln!("    {}", words(started.elapsed()));
        Ok(())
    }

    /// Says that a step is left out, and why.
    pub(crate) fn skip(&mut self, what: &str, why: &str) {
        eprintln!("\n==> {what}\n    skipped: {why}");
        self.skipped += 1;
    }

    /// The closing line.
    pub(crate) fn finish(self) {
        eprintln!(
            "\ncargo xtask {}: all done in {}",
            self.verb,
            words(self.started.elapsed())
        );
        let skipped = if self.skipped == 0 {
            String::new()
        } else {
            format!(", {} skipped", self.skipped)
        };
        eprintln!("steps: {} passed, 0 failed{skipped}", self.passed);
    }
}

/// `0.4 s`, `12 s`, `3 min 5 s`.
fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_exact_as_a_person_wants_them() {
        assert_eq!(words(Duration::from_millis(420)), "0.4 s");
        assert_eq!(words(Duration::from_secs(12)), "12 s");
        assert_eq!(words(Duration::from_secs(185)), "3 min 5 s");
    }

    #[test]
    fn a_failed_step_names_itself_and_how_to_repeat_it() {
        let failed = Steps::new("test")
            .step("the window's tests", "npm test", || anyhow::bail!("no such file"))
            .unwrap_err();
        let said = format!("{failed:#}");
        assert!(said.contains("\"the window's tests\" failed"), "{said}");
        assert!(said.contains("npm test") && said.contains("no such file"), "{said}");
    }
}
