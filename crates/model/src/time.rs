//! Points in time as the log keeps them: milliseconds since the Unix epoch, RFC 3339 on the wire.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since 1970-01-01T00:00:00Z. Serialised as RFC 3339 with three decimals, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// This time and `seconds` more (less, when negative); stops at the ends of what can be represented.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// `2026-01-17T10:30:00.000Z`. Times outside of years -9999 to 9999 are shown as the nearest end.
    pub fn to_rfc3339(self) -> String {
        let timestamp = jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        format!("{timestamp:.3}")
    }

    /// Reads RFC 3339.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_with_three_decimals_and_read_back() {
        let time = Millis(1_768_645_800_000);
        assert_eq!(time.to_rfc3339(), "2026-01-17T10:30:00.000Z");
        assert_eq!(Millis::parse("2026-01-17T10:30:00.000Z"), Some(time));
    }

    #[test]
    fn absurd_times_are_written_without_panic() {
        Millis(i64::MAX).to_rfc3339();
        Millis(i64::MIN).to_rfc3339();
    }
}
