//! Values on the command line that several commands read alike.

use std::time::Duration;

use countersign_model::Since;
use serde_json::value::RawValue;

/// A resume point, kept as it was typed once it is known to be one.
pub(super) fn since(text: &str) -> Result<String, String> {
    text.parse::<Since>()
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

/// Seconds, more than none.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| *seconds > 0.0 && *seconds <= 31_536_000.0)
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "a number of seconds, more than 0, up to a year".to_owned())
}

/// Any JSON, kept to the letter: what a person approves is what was typed.
pub(super) fn json(text: &str) -> Result<Box<RawValue>, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}

/// A JSON object, kept to the letter.
pub(super) fn object(text: &str) -> Result<Box<RawValue>, String> {
    let value = json(text)?;
    if value.get().starts_with('{') {
        Ok(value)
    } else {
        Err("not a JSON object".to_owned())
    }
}
