//! The one source of time, so that tests can stop it, and the one source of randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_model::Millis;

/// Says what time it is.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Millis;
}

/// The system's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // the one place that reads the system's clock
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// `bytes` random bytes from the operating system, in hex.
///
/// # Panics
/// When the operating system has no randomness to give; nothing safe can be done then.
pub fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0_u8; bytes];
    getrandom::fill(&mut buffer).expect("the operating system gives randomness");
    buffer.iter().map(|byte| format!("{byte:02x}")).collect()
}
