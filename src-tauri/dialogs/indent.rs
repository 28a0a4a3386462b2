//! JSON laid out for reading, to the letter: numbers stay as they came, strings say what they are. Pure.

/// Whether JSON text is a string.
pub(crate) fn is_string(json: &str) -> bool {
    json.trim_start().starts_with('"')
}

/// Well-formed JSON text with two blanks a level. Escapes that hide plain characters are undone.
pub(crate) fn indent(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut rest = json;
    while let Some(character) = rest.chars().next() {
        if character == '"' {
            let (string, after) = rest.split_at(string_end(rest));
            out.push_str(&plain(string));
            rest = after;
            continue;
        }
        rest = &rest[character.len_utf8()..];
        match character {
            '{' | '[' => {
                out.push(character);
                let inside = rest.trim_start();
                if let Some(after) = inside.strip_prefix(['}', ']']) {
                    out.push(if character == '{' { '}' } else { ']' });
                    rest = after;
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ if character.is_ascii_whitespace() => {}
            _ => out.push(character),
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Where the string that `text` begins with ends.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (place, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

fn plain(string: &str) -> String {
    serde_json::from_str::<String>(string)
        .ok()
        .and_then(|text| serde_json::to_string(&text).ok())
        .unwrap_or_else(|| string.to_owned())
}

#[cfg(test)]
mod tests {
    use super::indent;

    #[test]
    fn lays_out_nested_values() {
        assert_eq!(
            indent(r#"{"a":[1,{"b":"c: [d], {e}"}],"f":{ },"g":[ ]}"#),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"c: [d], {e}\"\n    }\n  ],\n  \"f\": {},\n  \"g\": []\n}"
        );
    }

    #[test]
    fn keeps_numbers_to_the_letter_and_undoes_escapes_that_hide_letters() {
        assert_eq!(indent("[1.10, 1e400, -0]"), "[\n  1.10,\n  1e400,\n  -0\n]");
        assert_eq!(indent(r#""\u0072m \"x\" \n é""#), r#""rm \"x\" \n é""#);
    }

    #[test]
    fn keeps_what_is_not_readable() {
        assert_eq!(indent(r#""\ud800""#), r#""\ud800""#);
        assert_eq!(indent("true"), "true");
    }
}
