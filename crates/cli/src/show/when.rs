//! Times and durations as a person reads them, in the system's time zone. Pure but for the zone.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::Value;

/// `10:30:01.204` of a timestamp in whatever form an agent gave it; `--:--:--.---` for one that cannot be read.
pub(crate) fn clock(timestamp: &Value, zone: &TimeZone) -> String {
    read(timestamp, zone).map_or_else(
        || "--:--:--.---".to_owned(),
        |time| format!("{}", time.strftime("%H:%M:%S%.3f")),
    )
}

/// RFC 3339; the same without an offset, as Python's `isoformat` gives it; or seconds since 1970.
fn read(timestamp: &Value, zone: &TimeZone) -> Option<Zoned> {
    match timestamp {
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(time) => Some(time.to_zoned(zone.clone())),
            Err(_) => text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok(),
        },
        Value::Number(number) => {
            let seconds = number.as_f64()?;
            // JavaScript counts milliseconds; no agent dates from the year 5138.
            let millis = if seconds.abs() > 1e11 {
                seconds
            } else {
                seconds * 1000.0
            };
            let time = Timestamp::from_millisecond(millis as i64).ok()?;
            Some(time.to_zoned(zone.clone()))
        }
        _ => None,
    }
}

/// `8 ms`, `0.52 s`, `12.3 s`, `2 min 05 s`, `3 h 12 min`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return String::new();
    }
    let seconds = seconds.max(0.0);
    if seconds < 0.1 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if seconds < 9.995 {
        return format!("{seconds:.2} s");
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    if whole < 3600 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        format!("{} h {:02} min", whole / 3600, whole % 3600 / 60)
    }
}

/// How long something has waited: `now`, `12 s`, `5 min`, `3 h`, `2 d`.
pub(crate) fn age(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    match seconds {
        0 => "now".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_time_is_read_in_each_form_that_agents_write() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        for (given, expect) in [
            (json!("2026-01-17T10:30:00.000Z"), "12:30:00.000"),
            (json!("2026-01-17T10:30:00.5+01:00"), "11:30:00.500"),
            (json!("2026-01-17T10:30:00.123456"), "10:30:00.123"),
            (json!(1_768_645_800.25), "12:30:00.250"),
            (json!(1_768_645_800_250_i64), "12:30:00.250"),
            (json!("yesterday"), "--:--:--.---"),
            (json!(null), "--:--:--.---"),
            (json!(1e300), "--:--:--.---"),
        ] {
            assert_eq!(clock(&given, &zone), expect, "{given}");
        }
    }

    #[test]
    fn durations_and_ages_are_rounded_for_people() {
        for (seconds, expect) in [
            (0.008, "8 ms"),
            (0.523, "0.52 s"),
            (12.34, "12.3 s"),
            (125.0, "2 min 05 s"),
            (11_520.0, "3 h 12 min"),
            (-1.0, "0 ms"),
            (f64::NAN, ""),
        ] {
            assert_eq!(duration(seconds), expect);
        }
        for (millis, expect) in [
            (-5, "now"),
            (12_400, "12 s"),
            (300_000, "5 min"),
            (7_200_000, "2 h"),
            (200_000_000, "2 d"),
        ] {
            assert_eq!(age(millis), expect);
        }
    }
}
