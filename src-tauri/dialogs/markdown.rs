//! Markdown as a person reads it: its lines, each with what it is and its spans. Line by line, so that nothing is moved or left out;
//! what is not known stays as it was written. No links to follow, no pictures, no markup of the desktop's. Pure.

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// From 1.
    Heading(usize),
    /// A point of a list, so many levels deep; its mark is the first span.
    Point(usize),
    Quote,
    /// Of a fenced block or a table: to the letter.
    Code,
}

/// How a span is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Italic,
    Code,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) kind: Kind,
    pub(crate) spans: Vec<(Style, &'a str)>,
}

/// The lines of a text.
pub(crate) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.trim_end().split('\n') {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        if let Some(open) = fence {
            if mark == Some(open) && trimmed.trim_end() == open {
                fence = None;
            } else {
                found.push(code(line));
            }
        } else if let Some(mark) = mark.filter(|mark| !trimmed[mark.len()..].contains('`')) {
            fence = Some(mark);
        } else if trimmed.starts_with('|') {
            found.push(code(line));
        } else {
            found.push(plain(line));
        }
    }
    found
}

fn code(line: &str) -> Line<'_> {
    Line {
        kind: Kind::Code,
        spans: vec![(Style::Plain, line)],
    }
}

fn plain(line: &str) -> Line<'_> {
    let trimmed = line.trim_start();
    let hashes = trimmed.bytes().take_while(|byte| *byte == b'#').count();
    if (1..=6).contains(&hashes) && trimmed[hashes..].starts_with(' ') {
        return Line {
            kind: Kind::Heading(hashes),
            spans: spans(trimmed[hashes..].trim()),
        };
    }
    if let Some(quoted) = trimmed.strip_prefix("> ") {
        return Line {
            kind: Kind::Quote,
            spans: spans(quoted),
        };
    }
    let deep = (line.len() - trimmed.len()) / 2;
    if let Some((mark, rest)) = point(trimmed) {
        let rest = spans(rest);
        return Line {
            kind: Kind::Point(deep),
            spans: std::iter::once((Style::Plain, mark)).chain(rest).collect(),
        };
    }
    Line {
        kind: Kind::Text,
        spans: spans(line),
    }
}

/// The mark of a list's point, as it is shown, and the rest.
fn point(line: &str) -> Option<(&str, &str)> {
    if let Some(rest) = ["- ", "* ", "+ "].into_iter().find_map(|mark| line.strip_prefix(mark)) {
        for (written, shown) in [("[ ] ", "☐ "), ("[x] ", "☑ "), ("[X] ", "☑ ")] {
            if let Some(rest) = rest.strip_prefix(written) {
                return Some((shown, rest));
            }
        }
        return Some(("• ", rest));
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let ends = line
        .get(digits..digits + 2)
        .is_some_and(|end| end == ". " || end == ") ");
    ((1..=4).contains(&digits) && ends).then(|| line.split_at(digits + 2))
}

fn spans(text: &str) -> Vec<(Style, &str)> {
    let mut found = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(at) = rest[from..].find(['`', '*']).map(|at| at + from) {
        let marks = [("`", Style::Code), ("**", Style::Bold), ("*", Style::Italic)];
        let set = marks.into_iter().find_map(|(mark, style)| {
            let inside = rest[at..].strip_prefix(mark)?;
            let end = inside.find(mark)?;
            let words = &inside[..end];
            let sound = !words.is_empty() && (style == Style::Code || words.trim() == words);
            sound.then(|| (style, words, &inside[end + mark.len()..]))
        });
        match set {
            Some((style, words, after)) => {
                found.extend((at > 0).then(|| (Style::Plain, &rest[..at])));
                found.push((style, words));
                (rest, from) = (after, 0);
            }
            None => from = at + 1,
        }
    }
    found.extend((!rest.is_empty()).then_some((Style::Plain, rest)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(Kind, &[(Style, &str)])]) {
        let found: Vec<_> = lines(text).into_iter().map(|line| (line.kind, line.spans)).collect();
        let expected: Vec<_> = expected.iter().map(|(kind, spans)| (*kind, spans.to_vec())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn each_line_is_what_it_is() {
        use Style::{Bold, Code, Italic, Plain};
        check(
            "# The plan\n\n1. Do **this** with `rm`\n  - then *that*\n> quoted",
            &[
                (Kind::Heading(1), &[(Plain, "The plan")]),
                (Kind::Text, &[]),
                (
                    Kind::Point(0),
                    &[
                        (Plain, "1. "),
                        (Plain, "Do "),
                        (Bold, "this"),
                        (Plain, " with "),
                        (Code, "rm"),
                    ],
                ),
                (Kind::Point(1), &[(Plain, "• "), (Plain, "then "), (Italic, "that")]),
                (Kind::Quote, &[(Plain, "quoted")]),
            ],
        );
    }

    #[test]
    fn code_and_tables_are_shown_to_the_letter() {
        check(
            "```sh\nrm **x**\n# no heading\n```\n| a | b |",
            &[
                (Kind::Code, &[(Style::Plain, "rm **x**")]),
                (Kind::Code, &[(Style::Plain, "# no heading")]),
                (Kind::Code, &[(Style::Plain, "| a | b |")]),
            ],
        );
    }

    #[test]
    fn what_is_not_known_stays_as_it_was_written() {
        for text in [
            "2 * 3 * 4",
            "a ** b",
            "`open",
            "#hash",
            "[x](http://y)",
            "<b>x</b>",
            "****",
            "12345. x",
        ] {
            check(text, &[(Kind::Text, &[(Style::Plain, text)])]);
        }
    }
}
