//! Text that cannot lie: characters that would not be seen, or that move others about, are spelled out as ⟨U+202E⟩.
//! The page has the same table in `ui/src/stream/visible.ts`; `visible.json` holds both to it. How a spelled character is set
//! off from the same letters typed out is each surface's part.

/// A stretch of text that is safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What to show.
    pub text: String,
    /// It spells out characters that would not be seen.
    pub mark: bool,
}

/// Text in which line feeds and tabs are layout; a carriage return is so only before a line feed.
pub fn segments(text: &str) -> Vec<Segment> {
    split(text, |character, next| match character {
        '\n' | '\t' => false,
        '\r' => next != Some('\n'),
        _ => is_hidden(character),
    })
}

/// The same as one string.
pub fn block(text: &str) -> String {
    segments(text).into_iter().map(|segment| segment.text).collect()
}

/// A name on one line: line feeds and tabs are spelled out too.
pub fn line(text: &str) -> String {
    split(text, |character, _| is_hidden(character))
        .into_iter()
        .map(|segment| segment.text)
        .collect()
}

/// A name on one line, cut to `most` characters. Never for what is to be approved.
pub fn short(text: &str, most: usize) -> String {
    let mut start: String = text.trim_start().chars().take(most + 1).collect();
    let cut = start.chars().count() > most;
    if cut {
        start.pop();
    }
    let words = start.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = line(&words);
    if cut { format!("{shown}…") } else { shown }
}

/// Text on one line: breaks become ↵, runs of blanks one blank, and no more than `most` characters.
pub fn one_line(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut cut = false;
    let (mut blank, mut broken) = (false, false);
    for character in text.trim().chars() {
        if line.len() > most * 4 {
            cut = true;
            break;
        }
        match character {
            '\n' | '\r' => broken = true,
            ' ' | '\t' => blank = true,
            _ => {
                if broken {
                    line.push_str(" ↵ ");
                } else if blank {
                    line.push(' ');
                }
                (blank, broken) = (false, false);
                line.push(character);
            }
        }
    }
    let line = block(&line);
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if cut => format!("{line}…"),
        None => line,
    }
}

fn split(text: &str, hidden: impl Fn(char, Option<char>) -> bool) -> Vec<Segment> {
    let mut found: Vec<Segment> = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let mark = hidden(character, characters.peek().copied());
        if found.last().is_none_or(|last| last.mark != mark) {
            let text = String::new();
            found.push(Segment { text, mark });
        }
        let text = &mut found.last_mut().expect("pushed above").text;
        if mark {
            text.push_str(&format!("⟨U+{:04X}⟩", u32::from(character)));
        } else {
            text.push(character);
        }
    }
    found
}

/// Unicode 16: Cc, Cf, Zl, Zp, Co, Zs but the space, and letters and marks that are drawn as nothing.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            u32::from(character),
            0x00A0
                | 0x00AD
                | 0x034F
                | 0x0600..=0x0605
                | 0x061C
                | 0x06DD
                | 0x070F
                | 0x0890..=0x0891
                | 0x08E2
                | 0x115F..=0x1160
                | 0x1680
                | 0x17B4..=0x17B5
                | 0x180B..=0x180F
                | 0x2000..=0x200F
                | 0x2028..=0x202F
                | 0x205F..=0x206F
                | 0x2800
                | 0x3000
                | 0x3164
                | 0xE000..=0xF8FF
                | 0xFE00..=0xFE0F
                | 0xFEFF
                | 0xFFA0
                | 0xFFF0..=0xFFFB
                | 0x110BD
                | 0x110CD
                | 0x13430..=0x1343F
                | 0x1BCA0..=0x1BCA3
                | 0x1D173..=0x1D17A
                | 0xE0000..=0xE0FFF
                | 0xF0000..=0x10FFFF
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ui/src/stream/visible.test.ts` reads too.
    #[derive(serde::Deserialize)]
    struct Shared {
        hidden: Vec<(String, String)>,
        block: Vec<(String, String)>,
        line: Vec<(String, String)>,
    }

    fn shared() -> Shared {
        serde_json::from_str(include_str!("visible.json")).expect("the shared cases")
    }

    #[test]
    fn every_character_is_hidden_or_shown_as_the_shared_table_says() {
        let hex = |code: &String| u32::from_str_radix(code, 16).expect("hexadecimal");
        let ranges: Vec<_> = (shared().hidden.iter())
            .map(|(first, last)| hex(first)..=hex(last))
            .collect();
        for character in '\0'..=char::MAX {
            let code = u32::from(character);
            let hidden = ranges.iter().any(|range| range.contains(&code));
            assert_eq!(is_hidden(character), hidden, "U+{code:04X}");
        }
    }

    #[test]
    fn text_looks_as_the_shared_cases_say() {
        let Shared {
            block: blocks,
            line: lines,
            ..
        } = shared();
        for (text, expect) in blocks {
            assert_eq!(block(&text), expect, "{text:?}");
        }
        for (text, expect) in lines {
            assert_eq!(line(&text), expect, "{text:?}");
        }
    }

    #[test]
    fn a_hidden_character_is_told_from_its_spelling_typed_out() {
        assert_eq!(
            segments("⟨U+202E⟩\u{202E}\u{202D}x"),
            [("⟨U+202E⟩", false), ("⟨U+202E⟩⟨U+202D⟩", true), ("x", false)].map(|(text, mark)| Segment {
                text: text.into(),
                mark
            })
        );
    }

    #[test]
    fn a_short_form_is_one_line_and_says_that_it_was_cut() {
        assert_eq!(short("  rm  -rf\n\tbuild ", 40), "rm -rf build");
        assert_eq!(short("🎉🎉🎉🎉", 3), "🎉🎉🎉…");
        assert_eq!(short("a\u{202E}b", 9), "a⟨U+202E⟩b");
    }

    #[test]
    fn no_text_keeps_a_nul() {
        for text in ["\0", "a\0b", "\n\0\t"] {
            assert!(!block(text).contains('\0') && !line(text).contains('\0') && !short(text, 9).contains('\0'));
        }
    }

    #[test]
    fn one_line_folds_and_cuts() {
        for (text, most, expect) in [
            ("  a  b\t c ", 20, "a b c"),
            ("a\r\n  b\n\nc", 20, "a ↵ b ↵ c"),
            ("abcdef", 3, "abc…"),
            ("abc", 3, "abc"),
            ("äöü", 2, "äö…"),
        ] {
            assert_eq!(one_line(text, most), expect, "{text:?}");
        }
        assert_eq!(one_line(&"x".repeat(1_000_000), 10), format!("{}…", "x".repeat(10)));
    }
}
