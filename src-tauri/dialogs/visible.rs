//! Text that cannot lie: characters that would not be seen, or that move others about, are spelled out as ⟨U+202E⟩.
//! Pure; how a spelled character is set off from the same letters typed out is the widgets' part.

/// A stretch of text that is safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// What to show.
    pub(crate) text: String,
    /// It spells out characters that would not be seen.
    pub(crate) mark: bool,
}

/// Text in which line feeds and tabs are layout; a carriage return is so only before a line feed.
pub(crate) fn segments(text: &str) -> Vec<Segment> {
    split(text, |character, next| match character {
        '\n' | '\t' => false,
        '\r' => next != Some('\n'),
        _ => is_hidden(character),
    })
}

/// The same as one string.
pub(crate) fn block(text: &str) -> String {
    segments(text).into_iter().map(|segment| segment.text).collect()
}

/// A name on one line: line feeds and tabs are spelled out too.
pub(crate) fn line(text: &str) -> String {
    split(text, |character, _| is_hidden(character))
        .into_iter()
        .map(|segment| segment.text)
        .collect()
}

/// A name on one line, cut to `most` characters. Never for what is to be approved.
pub(crate) fn short(text: &str, most: usize) -> String {
    let mut start: String = text.trim_start().chars().take(most + 1).collect();
    let cut = start.chars().count() > most;
    if cut {
        start.pop();
    }
    let words = start.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = line(&words);
    if cut { format!("{shown}…") } else { shown }
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

    #[test]
    fn spells_out_what_would_not_be_seen() {
        assert_eq!(block("rm \u{202E}txt.exe"), "rm ⟨U+202E⟩txt.exe");
        assert_eq!(
            block("a\u{200B}b\u{AD}c\u{FEFF}d\0\u{1B}[31m\u{85}"),
            "a⟨U+200B⟩b⟨U+00AD⟩c⟨U+FEFF⟩d⟨U+0000⟩⟨U+001B⟩[31m⟨U+0085⟩"
        );
        assert_eq!(
            block("tag\u{E0041} \u{2800}\u{3164} nbsp\u{A0}"),
            "tag⟨U+E0041⟩ ⟨U+2800⟩⟨U+3164⟩ nbsp⟨U+00A0⟩"
        );
        assert_eq!(block("\u{2066}a\u{2069}\u{2028}"), "⟨U+2066⟩a⟨U+2069⟩⟨U+2028⟩");
    }

    #[test]
    fn keeps_text_lines_and_tabs_and_marks_a_carriage_return_that_would_overwrite_a_line() {
        let plain = "if a:\n\tprint(\"héllo 🎉 日本 <b>&amp;</b>\")\r\nend";
        assert_eq!(block(plain), plain);
        assert_eq!(block("safe\rrm"), "safe⟨U+000D⟩rm");
        assert_eq!(block("safe\r"), "safe⟨U+000D⟩");
    }

    #[test]
    fn a_name_stays_on_its_line() {
        assert_eq!(line("bash\nApproved\tyes"), "bash⟨U+000A⟩Approved⟨U+0009⟩yes");
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
}
