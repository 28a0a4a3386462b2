//! A frame's fields, values as text: those that its dialect knows by name, and the rest, which goes on with the event.

use std::borrow::Cow;

use countersign_model::Extra;
use serde_json::value::RawValue;

/// A field's name: borrowed where it has no escapes.
#[derive(serde::Deserialize)]
pub(crate) struct Name<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// A struct that reads a JSON object: each field it names as text, so that an error can say which one is wrong, and in `rest`
/// all others. A field that is `null` or not there is `None`; one that is there twice is an error.
macro_rules! raw_fields {
    ($(#[$doc:meta])* $shown:vis struct $name:ident { $($field:ident: $wire:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Default)]
        $shown struct $name<'a> {
            $($field: Option<&'a serde_json::value::RawValue>,)*
            rest: Vec<(std::borrow::Cow<'a, str>, &'a serde_json::value::RawValue)>,
        }

        impl<'de: 'a, 'a> serde::Deserialize<'de> for $name<'a> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields<'a>(std::marker::PhantomData<$name<'a>>);
                impl<'de: 'a, 'a> serde::de::Visitor<'de> for Fields<'a> {
                    type Value = $name<'a>;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        // Twice the same name is an error even where the first was null.
                        #[derive(Default)]
                        struct Seen { $($field: bool,)* }
                        let (mut read, mut seen) = ($name::default(), Seen::default());
                        while let Some($crate::fields::Name(name)) = map.next_key()? {
                            match &*name {
                                $($wire => {
                                    if std::mem::replace(&mut seen.$field, true) {
                                        return Err(serde::de::Error::duplicate_field($wire));
                                    }
                                    read.$field = map.next_value()?;
                                })*
                                _ => read.rest.push((name, map.next_value()?)),
                            }
                        }
                        Ok(read)
                    }
                }
                deserializer.deserialize_map(Fields(std::marker::PhantomData))
            }
        }
    };
}
pub(crate) use raw_fields;

/// What an envelope says beside the fields that its dialect knows, but for what a hub set: an event that was exported, or told by
/// another hub, is the event that it was, and its place and origin are set anew.
pub(crate) fn rest_of<'a>(rest: Vec<(Cow<'a, str>, &'a RawValue)>) -> Extra {
    if rest.is_empty() {
        return Extra::default();
    }
    ours(Extra::of(rest))
}

fn ours(mut extra: Extra) -> Extra {
    if extra.has("seq") && extra.has("origin") {
        extra.forget(&["id", "time", "origin", "kind"]);
    }
    extra.forget(&["seq", "via"]);
    extra
}

/// What an envelope says beside the fields of these names; of what is no object, nothing.
pub fn beside(envelope: &str, known: &[&str]) -> Extra {
    let mut extra: Extra = serde_json::from_str(envelope).unwrap_or_default();
    extra.forget(known);
    ours(extra)
}
