//! JSON settings as text: where things are, and splices that keep every other byte. What is put in and taken out is `hooks`' and `env`'s.
//!
//! An insertion shows by itself what was there before, so that its removal is exact without any memory. A container that was
//! there and was empty gets its first child tight after the bracket; one that was made with its child has white space there.
//! Behind other children a new one comes last, on a line of its own, and ends in a comma where the one before it did.

use std::ops::Range;

use jsonc_parser::ast::{Array, Object, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::Unreadable;

/// Nesting beyond which a file is left alone: the parser calls itself.
const MAX_DEPTH: usize = 128;

/// Settings as text, without the byte order mark.
#[derive(Clone, Debug)]
pub(super) struct Text {
    text: String,
}

/// A container and the byte ranges of its children.
#[derive(Clone, Debug)]
pub(super) struct Container {
    range: Range<usize>,
    children: Vec<Range<usize>>,
    depth: usize,
}

impl Container {
    pub(super) fn object(object: &Object<'_>, depth: usize) -> Self {
        Self {
            range: span(&object.range()),
            children: object.properties.iter().map(|child| span(&child.range())).collect(),
            depth,
        }
    }

    pub(super) fn array(array: &Array<'_>, depth: usize) -> Self {
        Self {
            range: span(&array.range()),
            children: array.elements.iter().map(|child| span(&child.range())).collect(),
            depth,
        }
    }
}

/// A range of the parser's as one of the language's.
pub(super) fn span(range: &jsonc_parser::common::Range) -> Range<usize> {
    range.start..range.end
}

/// Reads JSON, comments and trailing commas included.
///
/// # Errors
/// Where and why it cannot be read.
pub(super) fn parse(text: &str) -> Result<Option<Value<'_>>, Unreadable> {
    if let Some(place) = too_deep(text) {
        return Err(Unreadable::at(text, place, "nested too deeply".to_owned()));
    }
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    parse_to_ast(text, &CollectOptions::default(), &options)
        .map(|result| result.value)
        .map_err(|error| Unreadable::at(text, error.range().start, error.kind().to_string()))
}

fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            // A line ends a string that was no string: a quote within a comment.
            b'\n' => in_string = false,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(place);
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn into_string(self) -> String {
        self.text
    }

    /// The line break that the file uses.
    pub(super) fn newline(&self) -> &'static str {
        newline(&self.text)
    }

    /// One step of indentation: that of the first indented line, or two spaces.
    fn unit(&self) -> &str {
        self.text
            .lines()
            .map(|line| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()])
            .find(|indent| !indent.is_empty())
            .unwrap_or("  ")
    }

    fn indent(&self, depth: usize) -> String {
        self.unit().repeat(depth)
    }

    /// Puts a child last. `child` is its text when it starts at the indentation that it is given.
    pub(super) fn append(&mut self, parent: &Container, child: impl FnOnce(&Layout) -> String) {
        let Some(last) = parent.children.last() else {
            let layout = self.layout(self.indent(parent.depth + 1));
            self.text.insert_str(parent.range.start + 1, &child(&layout));
            return;
        };
        let own_line = self.text[..last.start].rsplit('\n').next().unwrap_or_default();
        let indent = if own_line.trim_matches([' ', '\t']).is_empty() && self.text[..last.start].contains('\n') {
            own_line.to_owned()
        } else {
            self.indent(parent.depth + 1)
        };
        let layout = self.layout(indent);
        let gap = last.end..parent.range.end - 1;
        let trailing = comma(&self.text, gap.clone());
        let place = after_comments(&self.text, trailing.map_or(last.end, |comma| comma + 1), gap.end);
        let mut new = format!("{}{}{}", layout.newline, layout.indent, child(&layout));
        if trailing.is_some() {
            new.push(',');
        }
        self.text.insert_str(place, &new);
        if trailing.is_none() {
            self.text.insert(last.end, ',');
        }
    }

    fn layout(&self, indent: String) -> Layout {
        Layout {
            newline: self.newline(),
            unit: self.unit().to_owned(),
            indent,
        }
    }

    /// Whether this child fills a container that was made for it.
    pub(super) fn made_with(&self, parent: &Container, child: usize) -> bool {
        let place = &parent.children[child];
        let inside = parent.range.start + 1..parent.range.end - 1;
        let before = &self.text[inside.start..place.start];
        let after = &self.text[place.end..inside.end];
        let blank = |text: &str| text.chars().all(char::is_whitespace);
        parent.children.len() == 1 && !before.is_empty() && blank(before) && blank(&after.replacen(',', "", 1))
    }

    /// Takes a child out, with what [`Text::append`] put around it.
    pub(super) fn remove(&mut self, parent: &Container, child: usize) {
        let place = parent.children[child].clone();
        let before = before_line(&self.text[..place.start]);
        let end = parent
            .children
            .get(child + 1)
            .map_or(parent.range.end - 1, |next| next.start);
        let follows = comma(&self.text, place.end..end);
        let last = child + 1 == parent.children.len();
        match (follows, child.checked_sub(1)) {
            (Some(comma), _) => {
                self.text.replace_range(comma..=comma, "");
                self.text.replace_range(before..place.end, "");
            }
            (None, Some(previous)) => {
                self.text.replace_range(before..place.end, "");
                let gap = parent.children[previous].end..before;
                if let (true, Some(comma)) = (last, comma(&self.text, gap)) {
                    self.text.replace_range(comma..=comma, "");
                }
            }
            (None, None) => self
                .text
                .replace_range(before.max(parent.range.start + 1)..place.end, ""),
        }
    }

    /// Writes another value over one.
    pub(super) fn replace(&mut self, place: Range<usize>, value: &str) {
        self.text.replace_range(place, value);
    }
}

/// How a new child is laid out.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) newline: &'static str,
    unit: String,
    indent: String,
}

impl Layout {
    /// The layout of a file that does not exist.
    pub(super) fn of_a_new_file(newline: &'static str) -> Self {
        Self {
            newline,
            unit: "  ".to_owned(),
            indent: String::new(),
        }
    }

    /// A container with one child, made for it: white space after the bracket says so.
    pub(super) fn around(&self, open: char, close: char, child: &str) -> String {
        let (newline, indent, unit) = (self.newline, &self.indent, &self.unit);
        format!("{open}{newline}{indent}{unit}{child}{newline}{indent}{close}")
    }

    /// The layout of children one level further in.
    pub(super) fn inner(&self) -> Self {
        Self {
            indent: format!("{}{}", self.indent, self.unit),
            ..self.clone()
        }
    }
}

/// The line break that a text uses.
pub(super) fn newline(text: &str) -> &'static str {
    match text.find('\n') {
        Some(place) if text[..place].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// How much of the text before a child is not its own indentation and line break. More is not taken: a comment may end in spaces.
fn before_line(text: &str) -> usize {
    let line = text.trim_end_matches([' ', '\t']);
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line).len()
}

/// Where the first comma is between two children, comments left out.
fn comma(text: &str, gap: Range<usize>) -> Option<usize> {
    let mut place = gap.start;
    while place < gap.end {
        let rest = &text[place..gap.end];
        place = match rest.as_bytes()[0] {
            b',' => return Some(place),
            b'/' => place + comment(rest),
            _ => place + rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    None
}

/// The length of the comment that `text` starts with.
fn comment(text: &str) -> usize {
    if text.starts_with("//") {
        text.find(['\n', '\r']).unwrap_or(text.len())
    } else if let Some(rest) = text.strip_prefix("/*") {
        rest.find("*/").map_or(text.len(), |end| end + 4)
    } else {
        1
    }
}

/// Behind the comments that begin on the line of `place`.
fn after_comments(text: &str, mut place: usize, end: usize) -> usize {
    loop {
        let rest = &text[place..end];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if !rest[blank..].starts_with("//") && !rest[blank..].starts_with("/*") {
            return place;
        }
        place += blank + comment(&rest[blank..]);
    }
}

impl Text {
    /// Takes a property out of the root, and the root with it where it was made for that.
    pub(super) fn remove_from_root(&mut self, root: &Container, property: usize) {
        let around = (&self.text[..root.range.start], &self.text[root.range.end..]);
        let alone = around.0.trim().is_empty() && around.1.trim().is_empty();
        if alone && self.made_with(root, property) {
            self.text.replace_range(root.range.clone(), "");
        } else {
            self.remove(root, property);
        }
    }
}
