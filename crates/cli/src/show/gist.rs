//! What a tool call is about, in a few words: the command, the code, the path, or else all arguments.

use serde_json::Value;

/// The argument names that say most, the best first.
const TELLING: &[&str] = &[
    "command",
    "cmd",
    "code",
    "sql",
    "query",
    "pattern",
    "url",
    "file_path",
    "path",
    "prompt",
    "message",
    "text",
];

/// The gist of a call's arguments; empty when there are none.
pub(crate) fn gist(arguments: &Value) -> String {
    let object = match arguments {
        Value::Null => return String::new(),
        Value::String(text) => return text.clone(),
        Value::Object(object) => object,
        other => return other.to_string(),
    };
    for name in TELLING {
        match object.get(*name) {
            Some(Value::String(text)) if !text.is_empty() => return text.clone(),
            // A command as a list of words, as exec takes it.
            Some(Value::Array(words)) if !words.is_empty() && words.iter().all(Value::is_string) => {
                return words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
            }
            _ => {}
        }
    }
    match object.len() {
        0 => String::new(),
        _ => pairs(arguments, &[]),
    }
}

/// `iteration 3, tokens used 5432`, leaving out what is null and what is named.
pub(super) fn pairs(data: &Value, without: &[&str]) -> String {
    let Value::Object(object) = data else {
        return String::new();
    };
    let said: Vec<String> = object
        .iter()
        .filter(|(name, value)| !value.is_null() && !without.contains(&name.as_str()))
        .map(|(name, value)| match value {
            Value::String(text) => format!("{} {text}", name.replace('_', " ")),
            other => format!("{} {other}", name.replace('_', " ")),
        })
        .collect();
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_telling_argument_stands_for_all() {
        for (arguments, expect) in [
            (json!({"cwd": "/x", "command": "rm -rf build"}), "rm -rf build"),
            (json!({"command": ["git", "push"]}), "git push"),
            (json!({"file_path": "src/a.rs", "old": "a"}), "src/a.rs"),
            (json!({"command": "", "path": "a"}), "a"),
            (
                json!({"depth": 2, "is_deep": true, "nothing": null}),
                "depth 2, is deep true",
            ),
            (json!("just text"), "just text"),
            (json!([1, 2]), "[1,2]"),
            (json!({}), ""),
            (json!(null), ""),
        ] {
            assert_eq!(gist(&arguments), expect, "{arguments}");
        }
    }
}
