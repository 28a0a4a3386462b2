//! What an event's envelope says beside the fields that its dialect names: kept as it came, and given to whoever reads the envelope.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::Json;

/// Bytes of other fields that go out with an event; the store has them all.
const MAX_OUT: usize = 16 * 1024;

/// Other fields of an envelope (`correlation_id`, say), in their order, each value as it came.
#[derive(Clone, Debug, Default)]
pub struct Extra(Vec<(Box<str>, Json)>);

impl Extra {
    /// From fields that a decoder did not know.
    pub fn of<'a>(fields: impl IntoIterator<Item = (Cow<'a, str>, &'a RawValue)>) -> Self {
        Self(
            fields
                .into_iter()
                .map(|(name, value)| (name.into_owned().into_boxed_str(), value.to_owned()))
                .collect(),
        )
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes, about.
    pub fn weight(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| name.len() + value.get().len() + 32)
            .sum()
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| **field == *name)
    }

    /// Without these fields.
    pub fn forget(&mut self, names: &[&str]) {
        self.0.retain(|(field, _)| !names.contains(&&**field));
    }

    /// Appends `,"name":value` for each field to an object that is being written, but for those that it names itself, in any
    /// letter case (some readers do not tell `Type` from `type`), and for what does not fit into a frame.
    pub fn write_after(&self, out: &mut String, own: &[&str]) {
        let end = out.len() + MAX_OUT;
        for (name, value) in self.beside(own) {
            let name = serde_json::to_string(name).expect("a string serialises");
            if out.len() + name.len() + value.get().len() + 2 > end {
                continue;
            }
            out.push(',');
            out.push_str(&name);
            out.push(':');
            out.push_str(value.get());
        }
    }

    fn beside<'a>(&'a self, own: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a RawValue)> {
        self.0
            .iter()
            .filter(move |(name, _)| !own.iter().any(|own| own.eq_ignore_ascii_case(name)))
            .map(|(name, value)| (&**name, &**value))
    }

    /// For a reader that writes these fields itself and takes the rest whole.
    pub fn without<'a>(&'a self, own: &'a [&'a str]) -> Beside<'a> {
        Beside { extra: self, own }
    }
}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.without(&[]).serialize(serializer)
    }
}

/// Other fields beside an envelope's own.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    extra: &'a Extra,
    own: &'a [&'a str],
}

impl Serialize for Beside<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.extra.beside(self.own) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Extra;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Extra, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Json>()? {
                    fields.push((name.into_boxed_str(), value));
                }
                Ok(Extra(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extra(text: &str) -> Extra {
        serde_json::from_str(text).expect("an object")
    }

    fn after(extra: &Extra, own: &[&str]) -> String {
        let mut out = "{\"type\":\"x\"".to_owned();
        extra.write_after(&mut out, own);
        out + "}"
    }

    #[test]
    fn fields_go_out_as_they_came_but_for_those_that_the_frame_has() {
        let extra = extra(r#"{"b": 1.50, "Type":"forged", "a\"":[ 1 ], "SEQ":7}"#);
        assert_eq!(after(&extra, &["type", "seq"]), r#"{"type":"x","b":1.50,"a\"":[ 1 ]}"#);
        assert_eq!(after(&Extra::default(), &[]), r#"{"type":"x"}"#);
    }

    #[test]
    fn what_is_too_large_for_a_frame_is_kept_and_stays_out_of_it() {
        let extra = extra(&format!(r#"{{"large":"{}","small":1}}"#, "x".repeat(MAX_OUT)));
        assert_eq!(after(&extra, &[]), r#"{"type":"x","small":1}"#);
        assert!(serde_json::to_string(&extra).expect("JSON").len() > MAX_OUT);
    }
}
