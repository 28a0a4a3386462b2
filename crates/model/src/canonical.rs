//! The one spelling of a tool call that its SHA-256 is taken of: object keys sorted, strings re-encoded, numbers to the letter.
//! Objects with a key twice are refused: readers disagree on which value counts, so what a person saw might not be what runs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// How deeply JSON that comes in may be nested.
pub const MAX_DEPTH: usize = 64;

/// Why a value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// The same key twice in one object.
    #[error("the key {0:?} occurs twice in one object")]
    DuplicateKey(String),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Not JSON that can be read: a lone surrogate in a string, say.
    #[error("not readable: {0}")]
    Unreadable(String),
}

/// Whether JSON text nests deeper than [`MAX_DEPTH`]. The text must be well-formed or about to be parsed.
pub fn too_deep(text: &[u8]) -> bool {
    // Few brackets cannot nest deep, whatever they enclose, and counting them is much faster than following strings.
    if text.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= MAX_DEPTH {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// SHA-256, in hex, of the canonical tool name, arguments and working directory.
///
/// # Errors
/// When the arguments have no canonical form.
pub fn digest(tool_name: &str, arguments: &RawValue, cwd: Option<&str>) -> Result<String, CanonicalError> {
    if too_deep(arguments.get().as_bytes()) {
        return Err(CanonicalError::TooDeep);
    }
    let mut text = String::with_capacity(arguments.get().len() + 64);
    text.push('[');
    push_string(&mut text, tool_name);
    text.push(',');
    push_value(&mut text, arguments)?;
    text.push(',');
    match cwd {
        Some(cwd) => push_string(&mut text, cwd),
        None => text.push_str("null"),
    }
    text.push(']');
    let hash = Sha256::digest(text.as_bytes());
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn push_string(text: &mut String, value: &str) {
    text.push_str(&serde_json::to_string(value).expect("a string serialises"));
}

fn push_value(text: &mut String, value: &RawValue) -> Result<(), CanonicalError> {
    let unreadable = |error: serde_json::Error| CanonicalError::Unreadable(error.to_string());
    let raw = value.get();
    match raw.as_bytes().first() {
        Some(b'{') => {
            let fields = serde_json::from_str::<Fields<'_>>(raw).map_err(unreadable)?;
            if let Some(twice) = fields.twice {
                return Err(CanonicalError::DuplicateKey(twice));
            }
            text.push('{');
            for (place, (key, value)) in fields.sorted.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                push_string(text, key);
                text.push(':');
                push_value(text, value)?;
            }
            text.push('}');
        }
        Some(b'[') => {
            let items = serde_json::from_str::<Vec<&RawValue>>(raw).map_err(unreadable)?;
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                push_value(text, item)?;
            }
            text.push(']');
        }
        Some(b'"') => {
            let string = serde_json::from_str::<Cow<'_, str>>(raw).map_err(unreadable)?;
            push_string(text, &string);
        }
        _ => text.push_str(raw),
    }
    Ok(())
}

struct Fields<'a> {
    sorted: BTreeMap<String, &'a RawValue>,
    twice: Option<String>,
}

impl<'de> serde::Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Fields {
                    sorted: BTreeMap::new(),
                    twice: None,
                };
                while let Some(key) = map.next_key::<String>()? {
                    let value = map.next_value::<&RawValue>()?;
                    if fields.sorted.insert(key.clone(), value).is_some() {
                        fields.twice.get_or_insert(key);
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(arguments: &str) -> Result<String, CanonicalError> {
        digest(
            "Bash",
            &RawValue::from_string(arguments.to_owned()).expect("JSON"),
            Some("/p"),
        )
    }

    #[test]
    fn the_order_of_keys_and_the_spelling_of_strings_do_not_count() {
        assert_eq!(of(r#"{"a":1,"b":"é"}"#), of(r#"{ "b" : "\u00e9", "a" : 1 }"#));
    }

    #[test]
    fn numbers_that_floats_would_confuse_differ() {
        assert_ne!(of("{\"n\":9007199254740993}"), of("{\"n\":9007199254740992}"));
    }

    #[test]
    fn tool_and_directory_count() {
        let arguments = crate::empty_object();
        let base = digest("Bash", &arguments, Some("/p")).expect("digest");
        assert_ne!(base, digest("Edit", &arguments, Some("/p")).expect("digest"));
        assert_ne!(base, digest("Bash", &arguments, Some("/q")).expect("digest"));
        assert_ne!(base, digest("Bash", &arguments, None).expect("digest"));
    }

    #[test]
    fn a_key_given_twice_is_refused_at_any_level() {
        assert_eq!(
            of(r#"{"x":[{"code":"ls","code":"rm"}]}"#),
            Err(CanonicalError::DuplicateKey("code".into()))
        );
    }

    #[test]
    fn depth_is_bounded_and_brackets_in_strings_do_not_count() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(of(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(of(&nested(MAX_DEPTH + 1)), Err(CanonicalError::TooDeep));
        assert!(!too_deep(
            format!("\"{}\\\"{}\"", "[".repeat(99), "{".repeat(99)).as_bytes()
        ));
    }

    proptest! {
        #[test]
        fn distinct_string_arguments_have_distinct_digests(a in ".{0,20}", b in ".{0,20}") {
            let text = |s: &str| serde_json::to_string(&serde_json::json!({ "code": s })).expect("JSON");
            prop_assert_eq!(of(&text(&a)) == of(&text(&b)), a == b);
        }
    }
}
