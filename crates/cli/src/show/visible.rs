//! Makes text that cannot lie: control, bidi, zero-width and look-alike blank characters become `⟨U+202E⟩`.

/// The text with every hidden character spelled out. Line feeds and tabs stay.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            out.push_str(&format!("⟨U+{:04X}⟩", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    out
}

/// One line of it: breaks become ↵, runs of blanks one blank, and no more than `most` characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
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
    let line = visible(&line);
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if cut => format!("{line}…"),
        None => line,
    }
}

fn is_hidden(character: char) -> bool {
    if matches!(character, '\n' | '\t') {
        return false;
    }
    character.is_control()
        || matches!(
            u32::from(character),
            // Cf: formats, bidi controls, zero-width characters, tags
            0x00AD | 0x0600..=0x0605 | 0x061C | 0x06DD | 0x070F | 0x0890..=0x0891 | 0x08E2 | 0x200B..=0x200F
            | 0x202A..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF0..=0xFFFB | 0x110BD | 0x110CD
            | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF
            // Zl, Zp, and Zs but for the space
            | 0x2028..=0x2029 | 0x00A0 | 0x1680 | 0x2000..=0x200A | 0x202F | 0x205F | 0x3000
            // Co: private use
            | 0xE000..=0xF8FF | 0xF0000..=0x10FFFF
            // letters and marks that render as nothing
            | 0x034F | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFFA0
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_spelled_out_and_layout_stays() {
        for (text, expect) in [
            ("plain ünï 漢字 🙂", "plain ünï 漢字 🙂"),
            ("a\tb\nc", "a\tb\nc"),
            ("a\rb", "a⟨U+000D⟩b"),
            ("\u{1b}[31mred", "⟨U+001B⟩[31mred"),
            ("x\u{202e}y", "x⟨U+202E⟩y"),
            ("zero\u{200b}width", "zero⟨U+200B⟩width"),
            ("no\u{a0}break", "no⟨U+00A0⟩break"),
            ("\u{9b}2J", "⟨U+009B⟩2J"),
            ("tag\u{e0041}", "tag⟨U+E0041⟩"),
        ] {
            assert_eq!(visible(text), expect, "{text:?}");
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
