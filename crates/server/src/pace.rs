//! How fast one connection may speak: a bucket of messages that fills up again, and patience with those who do not stop.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use tokio::time::Instant;

/// Messages that one connection may send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// So many a second, over time.
    pub per_second: f64,
    /// So many at once.
    pub burst: f64,
}

impl Rate {
    fn of<E: Error>(per_second: f64, burst: Option<f64>) -> Result<Self, E> {
        let burst = burst.unwrap_or_else(|| (2.0 * per_second).ceil().max(1.0));
        let valid = (0.001..=1e9).contains(&per_second) && (1.0..=1e9).contains(&burst);
        if valid {
            Ok(Self { per_second, burst })
        } else {
            Err(E::custom(
                "rate_limit: `per_second` is more than 0, and `burst` is 1 or more",
            ))
        }
    }
}

/// `rate_limit = 20`, with twice as many at once; or `rate_limit = { per_second = 20, burst = 100 }`.
impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Rate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("messages a second, or { per_second = 20, burst = 100 }")
            }

            fn visit_i64<E: Error>(self, per_second: i64) -> Result<Rate, E> {
                Rate::of(per_second as f64, None)
            }

            fn visit_f64<E: Error>(self, per_second: f64) -> Result<Rate, E> {
                Rate::of(per_second, None)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rate, A::Error> {
                let (mut per_second, mut burst) = (None, None);
                while let Some(name) = map.next_key::<String>()? {
                    match &*name {
                        "per_second" => per_second = Some(map.next_value::<f64>()?),
                        "burst" => burst = Some(map.next_value::<f64>()?),
                        other => return Err(Error::unknown_field(other, &["per_second", "burst"])),
                    }
                }
                Rate::of(per_second.ok_or_else(|| Error::missing_field("per_second"))?, burst)
            }
        }
        deserializer.deserialize_any(Read)
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is taken.
    Go,
    /// It is refused.
    TooFast,
    /// It is one refused message too many: the connection ends.
    Enough,
}

/// One connection's bucket.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: Rate,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    room: f64,
    /// Refused messages that are still put up with.
    patience: f64,
    at: Instant,
}

impl Pace {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        let state = State {
            room: rate.burst,
            patience: Self::patience(rate),
            at: now,
        };
        Self {
            rate,
            state: Mutex::new(state),
        }
    }

    /// Refused messages at once that end a connection.
    fn patience(rate: Rate) -> f64 {
        (2.0 * rate.burst).max(20.0)
    }

    /// One more message.
    pub(crate) fn take(&self, now: Instant) -> Verdict {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = now.saturating_duration_since(state.at).as_secs_f64() * self.rate.per_second;
        state.at = now;
        state.room = (state.room + gained).min(self.rate.burst);
        state.patience = (state.patience + gained).min(Self::patience(self.rate));
        if state.room >= 1.0 {
            state.room -= 1.0;
            return Verdict::Go;
        }
        state.patience -= 1.0;
        if state.patience >= 0.0 {
            Verdict::TooFast
        } else {
            Verdict::Enough
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_taken_then_the_rate_holds_then_patience_ends() {
        let rate = Rate {
            per_second: 2.0,
            burst: 3.0,
        };
        let start = Instant::now();
        let pace = Pace::new(rate, start);
        let at = |seconds: f64| pace.take(start + Duration::from_secs_f64(seconds));
        assert_eq!(
            [at(0.0), at(0.0), at(0.0), at(0.0)],
            [Verdict::Go, Verdict::Go, Verdict::Go, Verdict::TooFast]
        );
        assert_eq!([at(0.5), at(0.5)], [Verdict::Go, Verdict::TooFast]);
        // Who pauses is forgiven.
        assert_eq!(
            [at(60.0), at(60.0), at(60.0), at(60.0)],
            [Verdict::Go, Verdict::Go, Verdict::Go, Verdict::TooFast]
        );
        let refused = (0..19)
            .map(|_| at(60.0))
            .filter(|verdict| *verdict == Verdict::TooFast)
            .count();
        assert_eq!((refused, at(60.0)), (19, Verdict::Enough));
    }

    #[test]
    fn the_configuration_says_a_number_or_both() {
        #[derive(serde::Deserialize)]
        struct File {
            rate_limit: Rate,
        }
        let read =
            |text: &str| toml::from_str::<File>(text).map(|file| (file.rate_limit.per_second, file.rate_limit.burst));
        assert_eq!(read("rate_limit = 5").ok(), Some((5.0, 10.0)));
        assert_eq!(read("rate_limit = 0.1").ok(), Some((0.1, 1.0)));
        assert_eq!(
            read("rate_limit = { per_second = 5, burst = 7 }").ok(),
            Some((5.0, 7.0))
        );
        assert_eq!(read("[rate_limit]\nper_second = 5").ok(), Some((5.0, 10.0)));
        for wrong in [
            "0",
            "-1",
            "nan",
            "\"x\"",
            "{ burst = 3 }",
            "{ per_second = 1, bursts = 3 }",
            "{ per_second = 1, burst = 0 }",
        ] {
            assert!(read(&format!("rate_limit = {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_keeps_to_the_rate_is_never_refused() {
        let rate = Rate {
            per_second: 10.0,
            burst: 1.0,
        };
        let start = Instant::now();
        let pace = Pace::new(rate, start);
        for tenth in 0..1000 {
            let now = start + Duration::from_micros(tenth * 100_100);
            assert_eq!(pace.take(now), Verdict::Go);
        }
    }
}
