//! An object's fields in their order, values as text: to change one field and leave the others to the letter.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A field's name, and its value as JSON text.
pub type Field<'a> = (String, Cow<'a, str>);

/// The fields of a JSON object, repeated ones included.
///
/// # Errors
/// When the text is not one JSON object.
pub fn read(text: &str) -> serde_json::Result<Vec<Field<'_>>> {
    struct Read;
    impl<'de> Visitor<'de> for Read {
        type Value = Vec<Field<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                fields.push((name, Cow::Borrowed(value.get())));
            }
            Ok(fields)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let fields = deserializer.deserialize_map(Read)?;
    deserializer.end()?;
    Ok(fields)
}

/// The object that has these fields.
///
/// # Panics
/// Never: a name is a string, and strings serialise.
pub fn write(fields: &[Field<'_>]) -> String {
    let mut text = String::from("{");
    for (place, (name, value)) in fields.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(&serde_json::to_string(name).expect("a string serialises"));
        text.push(':');
        text.push_str(value);
    }
    text.push('}');
    text
}
