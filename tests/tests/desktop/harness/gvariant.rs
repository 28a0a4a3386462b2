//! Reads what `gdbus call` prints: strings as GLib writes them, and object references.

/// The strings of a printed value, in order.
pub(crate) fn strings(printed: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = printed.chars();
    while let Some(quote) = rest.find(|character| matches!(character, '\'' | '"')) {
        let mut text = String::new();
        loop {
            match rest.next() {
                None => break,
                Some(end) if end == quote => break,
                Some('\\') => text.extend(escaped(&mut rest)),
                Some(character) => text.push(character),
            }
        }
        found.push(text);
    }
    found
}

fn escaped(rest: &mut std::str::Chars<'_>) -> Option<char> {
    let digits = |rest: &mut std::str::Chars<'_>, count| {
        let code: String = rest.by_ref().take(count).collect();
        u32::from_str_radix(&code, 16).ok().and_then(char::from_u32)
    };
    match rest.next()? {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'v' => Some('\u{b}'),
        'a' => Some('\u{7}'),
        'u' => digits(rest, 4),
        'U' => digits(rest, 8),
        other => Some(other),
    }
}

/// The numbers of a printed value, in order; type names carry none that count.
pub(crate) fn numbers(printed: &str) -> Vec<i64> {
    printed
        .replace("uint32", "")
        .split(|character: char| !character.is_ascii_digit() && character != '-')
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

#[test]
fn printed_values_are_read() {
    assert_eq!(
        strings(r#"('it\n\u202ex', "it's", [(':1.0', '/a/1')])"#),
        ["it\n\u{202e}x", "it's", ":1.0", "/a/1"]
    );
    assert_eq!(numbers("([uint32 1124073472, 0],)"), [1_124_073_472, 0]);
    assert_eq!(numbers("((-3, 4, 10, 20),)"), [-3, 4, 10, 20]);
}
