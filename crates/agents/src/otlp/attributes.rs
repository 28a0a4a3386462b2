//! Attributes: names with values, looked up under the names that the conventions have had over the years.

use serde_json::{Map, Number, Value};

/// Attributes in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Attributes(pub(super) Vec<(String, Value)>);

impl Attributes {
    /// The value under the first of `names` that has one.
    pub(super) fn get(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| {
            let found = self.0.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value).filter(|value| !value.is_null())
        })
    }

    /// Text that is not empty; a number or a truth in words.
    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        text(self.get(names)?)
    }

    /// A count, whether it came as a whole number, a decimal or text.
    pub(super) fn count(&self, names: &[&str]) -> Option<u64> {
        count(self.get(names)?)
    }

    /// A number.
    pub(super) fn number(&self, names: &[&str]) -> Option<f64> {
        match self.get(names)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
        .filter(|number| number.is_finite())
    }

    /// A truth, or the word for it.
    pub(super) fn truth(&self, names: &[&str]) -> Option<bool> {
        match self.get(names)? {
            Value::Bool(truth) => Some(*truth),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// A value that exporters must write as JSON text where attributes cannot be nested.
    pub(super) fn nested(&self, names: &[&str]) -> Option<Value> {
        Some(match self.get(names)? {
            Value::String(text) => unfold(text),
            value => value.clone(),
        })
    }

    /// All but those that `without` holds, as an object; nothing when none are left.
    pub(super) fn rest(&self, without: &[&str]) -> Option<Value> {
        let rest: Map<String, Value> = self
            .0
            .iter()
            .filter(|(name, _)| !without.contains(&name.as_str()))
            .cloned()
            .collect();
        (!rest.is_empty()).then_some(Value::Object(rest))
    }
}

/// Text in words, if there is any.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
    .filter(|text| !text.is_empty())
}

/// A count of things.
pub(super) fn count(value: &Value) -> Option<u64> {
    let whole = |number: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be in range"
        )]
        (number.is_finite() && (0.0..=9e15).contains(&number)).then_some(number.round() as u64)
    };
    match value {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        _ => None,
    }
}

/// JSON out of text that begins like an object or a list; other text stays what it is.
pub(super) fn unfold(text: &str) -> Value {
    let folded = matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'['));
    let unfolded = if folded { serde_json::from_str(text).ok() } else { None };
    unfolded.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// A number; JSON has none for those that are not finite, which get OTLP's words for them.
pub(super) fn double(number: f64) -> Value {
    match Number::from_f64(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => "NaN".into(),
        None if number > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}
