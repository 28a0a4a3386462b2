//! What the agent says on standard input: one JSON object, of which only the name of its event matters here.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read};

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What the hub takes in one request.
pub(super) const MOST_BYTES: usize = 12 * 1024 * 1024;

/// One hook's input.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Input {
    /// As it came; cut after `MOST_BYTES`.
    pub(super) body: Vec<u8>,
    /// `hook_event_name`, also of what is cut or broken behind it.
    pub(super) event: Option<String>,
    /// Whether it is one JSON object.
    pub(super) is_object: bool,
    /// Whether there was more than the hub takes.
    pub(super) too_large: bool,
}

impl Input {
    /// Reads to the end.
    pub(super) fn read(mut from: impl Read) -> io::Result<Self> {
        let mut body = Vec::with_capacity(8 * 1024);
        from.by_ref().take(MOST_BYTES as u64 + 1).read_to_end(&mut body)?;
        let too_large = body.len() > MOST_BYTES;
        if too_large {
            body.truncate(MOST_BYTES);
            // An agent that cannot write on may take that for a failure.
            io::copy(&mut from, &mut io::sink())?;
        }
        let input = Self::of(body);
        Ok(Self { too_large, ..input })
    }

    /// What is given as a whole.
    pub(super) fn of(body: Vec<u8>) -> Self {
        let name = RefCell::new(None);
        let mut json = serde_json::Deserializer::from_slice(&body);
        let is_object = json.deserialize_map(Name(&name)).is_ok() && json.end().is_ok();
        Self {
            event: name.into_inner(),
            is_object,
            body,
            too_large: false,
        }
    }
}

/// Notes the name where it stands, whatever comes after it.
struct Name<'a>(&'a RefCell<Option<String>>);

impl<'de> Visitor<'de> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Key>()? {
            if key.is_name {
                let value: serde_json::Value = map.next_value()?;
                *self.0.borrow_mut() = value.as_str().map(str::to_owned);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Key {
    is_name: bool,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Ok(Self {
            is_name: text == "hook_event_name",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, event: Option<&str>, is_object: bool) {
        let input = Input::read(text.as_bytes()).expect("read");
        assert_eq!((input.event.as_deref(), input.is_object), (event, is_object), "{text}");
        assert_eq!((input.body.as_slice(), input.too_large), (text.as_bytes(), false));
    }

    #[test]
    fn the_event_is_named_at_the_top_and_nowhere_else() {
        check(r#"{"session_id":"s","hook_event_name":"Stop"}"#, Some("Stop"), true);
        check(r#"{"hook_event\u005fname":"Stop"}"#, Some("Stop"), true);
        check(r#"{"tool_input":{"hook_event_name":"Stop"}}"#, None, true);
        check(r#"{"hook_event_name":7}"#, None, true);
        check(r#"[{"hook_event_name":"Stop"}]"#, None, false);
        check("", None, false);
        check("nonsense", None, false);
        check(r#"{} {}"#, None, false);
    }

    #[test]
    fn the_event_is_known_of_what_is_broken_behind_it() {
        check(
            r#"{"hook_event_name":"PermissionRequest","tool_input":{"#,
            Some("PermissionRequest"),
            false,
        );
    }

    #[test]
    fn what_is_too_large_is_read_to_its_end_and_cut() {
        let text = format!(r#"{{"hook_event_name":"PreToolUse","x":"{}"}}"#, "x".repeat(MOST_BYTES));
        let mut from = text.as_bytes();
        let input = Input::read(&mut from).expect("read");
        assert!(input.too_large && from.is_empty() && input.body.len() == MOST_BYTES);
        assert_eq!(input.event.as_deref(), Some("PreToolUse"));
    }
}
