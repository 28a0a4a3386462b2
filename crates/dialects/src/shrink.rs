//! Cuts what is too large to send: string by string, at character boundaries, with the JSON around them untouched.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::fit::fit;
use crate::limits::{MAX_OUT, MAX_RESULT_OUT};
use countersign_model::fields;

/// Room that the envelope around `data` may take in a frame, names escaped at worst, its other fields included.
const ENVELOPE: usize = 32 * 1024;

/// `data` as it goes out: a result to its first 64 KiB, any string as short as need be for the frame to stay within bounds.
/// What was cut says `"truncated": true`.
pub fn outgoing<'a>(kind: &str, data: &'a RawValue) -> Cow<'a, str> {
    let text = data.get();
    if text.len() <= MAX_RESULT_OUT {
        return Cow::Borrowed(text);
    }
    let mut cut = Cow::Borrowed(text);
    if kind == countersign_model::kind::TOOL_CALL_RESULT {
        cut = cut_field(text, "result", MAX_RESULT_OUT).map_or(cut, Cow::Owned);
    }
    let mut limit = MAX_RESULT_OUT;
    while cut.len() > MAX_OUT - ENVELOPE && limit >= 64 {
        cut = cut_strings(&cut, limit).map_or(cut, Cow::Owned);
        limit /= 2;
    }
    if cut.len() > MAX_OUT - ENVELOPE {
        cut = Cow::Owned(fit(&cut, MAX_OUT - ENVELOPE).into_owned());
    }
    match cut {
        Cow::Borrowed(text) => Cow::Borrowed(text),
        Cow::Owned(text) => Cow::Owned(mark_truncated(&text)),
    }
}

/// The object with the string at `field` cut to `limit` bytes and marked; `None` when nothing had to be cut.
pub fn kept(data: &RawValue, field: &str, limit: usize) -> Option<String> {
    if data.get().len() <= limit {
        return None;
    }
    cut_field(data.get(), field, limit).map(|text| mark_truncated(&text))
}

fn cut_field(text: &str, field: &str, limit: usize) -> Option<String> {
    let mut fields = fields::read(text).ok()?;
    let mut changed = false;
    for (name, value) in &mut fields {
        if name == field
            && value.starts_with('"')
            && let Some(cut) = cut_strings(value, limit)
        {
            *value = Cow::Owned(cut);
            changed = true;
        }
    }
    changed.then(|| fields::write(&fields))
}

fn mark_truncated(text: &str) -> String {
    let Ok(mut fields) = fields::read(text) else {
        return text.to_owned();
    };
    let yes = Cow::Borrowed("true");
    match fields.iter_mut().find(|(name, _)| name == "truncated") {
        Some((_, value)) => *value = yes,
        None => fields.push(("truncated".to_owned(), yes)),
    }
    fields::write(&fields)
}

/// The JSON text with each string cut to `limit` bytes of its value; `None` when all were short enough.
/// Keys are never cut: two could become one.
fn cut_strings(text: &str, limit: usize) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out: Option<String> = None;
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        let (end, cut) = string_end(text, at, limit);
        let after = bytes[end..].iter().find(|byte| !byte.is_ascii_whitespace());
        if let (Some(cut), false) = (cut, after == Some(&b':')) {
            let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
            out.push_str(&text[copied..cut]);
            out.push('"');
            copied = end;
        }
        at = end;
    }
    out.map(|mut out| {
        out.push_str(&text[copied..]);
        out
    })
}

/// For the string literal that starts at `start`: where it ends, and where to cut it so that its value has at most `limit`
/// bytes, if it has more.
fn string_end(text: &str, start: usize, limit: usize) -> (usize, Option<usize>) {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    let mut value = 0;
    let mut cut = None;
    while at < bytes.len() && bytes[at] != b'"' {
        let (raw, decoded) = unit(bytes, at);
        value += decoded;
        if value > limit && cut.is_none() {
            cut = Some(at);
        }
        at += raw;
    }
    ((at + 1).min(bytes.len()), cut)
}

/// The character at `at` in a string literal: its bytes in the text, and in the value.
fn unit(bytes: &[u8], at: usize) -> (usize, usize) {
    match bytes[at] {
        b'\\' if bytes.get(at + 1) == Some(&b'u') => match hex(bytes, at + 2) {
            // A pair of escapes is one character of four bytes.
            Some(0xD800..=0xDBFF) if bytes.get(at + 6..at + 8) == Some(b"\\u") => (12, 4),
            Some(0..0x80) => (6, 1),
            Some(0x80..0x800) => (6, 2),
            _ => (6, 3),
        },
        b'\\' => (2, 1),
        0..0x80 => (1, 1),
        0xF0.. => (4, 4),
        0xE0.. => (3, 3),
        _ => (2, 2),
    }
}

fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = std::str::from_utf8(bytes.get(at..at + 4)?).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn out(kind: &str, data: &Value) -> Value {
        let raw = serde_json::value::to_raw_value(data).expect("JSON");
        serde_json::from_str(&outgoing(kind, &raw)).expect("still JSON")
    }

    #[test]
    fn what_is_small_enough_is_untouched() {
        let data = json!({"tool_name": "t", "result": "x".repeat(60_000), "truncated": false});
        assert_eq!(out("tool_call_result", &data), data);
    }

    #[test]
    fn of_a_large_result_the_first_64_kib_go_out() {
        let data = json!({"tool_name": "t", "result": "x".repeat(70_000), "truncated": false});
        let cut = out("tool_call_result", &data);
        assert_eq!(cut["result"].as_str().map(str::len), Some(65_536));
        assert_eq!(cut["truncated"], true);
        assert_eq!(cut["tool_name"], "t");
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        for text in ["é", "😀", "\n", "\u{1}", "漢"] {
            let data = json!({ "result": text.repeat(70_000) });
            let cut = out("tool_call_result", &data);
            let result = cut["result"].as_str().expect("a string");
            assert!(result.len() <= 65_536 && result.len() > 65_530);
            assert!(result.chars().all(|c| text.starts_with(c)), "{text:?}");
        }
        let escaped =
            RawValue::from_string(format!("{{\"result\":\"{}\"}}", "\\ud83d\\ude00".repeat(40_000))).expect("JSON");
        let cut: Value = serde_json::from_str(&outgoing("tool_call_result", &escaped)).expect("no half a pair");
        assert!(cut["result"].as_str().expect("a string").chars().all(|c| c == '😀'));
    }

    #[test]
    fn any_frame_stays_within_bounds() {
        let many = json!({ "lines": vec!["y".repeat(5_000); 1_000], "note": "n" });
        let numbers = json!({ "numbers": (0..400_000).collect::<Vec<u32>>(), "note": "n" });
        let fields: serde_json::Map<_, _> = (0..100_000).map(|n| (format!("field {n}"), json!(n))).collect();
        for data in [many, numbers, Value::Object(fields)] {
            let cut = out("anything", &data);
            assert!(serde_json::to_string(&cut).expect("JSON").len() <= MAX_OUT - ENVELOPE + 32);
            assert_eq!(cut["truncated"], true);
            assert!(
                serde_json::to_string(&cut).expect("JSON").len() > MAX_OUT / 8,
                "no more goes than must"
            );
        }
    }

    proptest! {
        #[test]
        fn cutting_keeps_json_and_shortens_strings_to_prefixes(text in "\\PC{0,200}", key in "\\PC{0,20}", limit in 1_usize..64) {
            let data = json!({ key.clone(): [text.clone()] });
            let raw = serde_json::to_string(&data).expect("JSON");
            let cut = cut_strings(&raw, limit).unwrap_or(raw);
            let cut: Value = serde_json::from_str(&cut).expect("still JSON");
            let short = cut[&key][0].as_str().expect("a string").to_owned();
            prop_assert!(text.starts_with(&short));
            prop_assert!(short.len() <= limit);
            prop_assert!(text == short || short.len() + 4 > limit);
        }
    }
}
