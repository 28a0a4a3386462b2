//! A call's arguments as a person reads them: commands as text, an edit as its lines, a plan as what was written, the rest as JSON.
//! Pure. Nothing is left out; the headings are ours or the arguments' own names, the texts are the agent's.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use similar::{ChangeTag, TextDiff};

use super::indent::{indent, is_string};

/// How a part of the arguments is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As it is.
    Text,
    /// Each line behind its sign: ` ` stays, `-` goes, `+` comes.
    Diff,
    /// Markdown, for a person to read.
    Markdown,
}

/// A part of the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// Its heading: never the agent's.
    pub(crate) heading: &'static str,
    /// The agent's text.
    pub(crate) text: String,
    /// How it is laid out.
    pub(crate) layout: Layout,
}

impl Section {
    /// Text under a heading.
    pub(crate) fn text(heading: &'static str, text: String) -> Self {
        let layout = Layout::Text;
        Self { heading, text, layout }
    }
}

/// Arguments that are read as text rather than as data, in the order in which they are shown: the fields of the first line that
/// a call has one of.
const TEXTS: [&[&str]; 7] = [
    &["command", "description"],
    &["command"],
    &["code"],
    &["plan"],
    &["url", "prompt"],
    &["url"],
    &["file_path"],
];

/// The fields in which agents say what an edit takes out and puts in, as in `ui/src/stream/change.ts`.
const EDITS: [(&str, &str); 3] = [
    ("old_string", "new_string"),
    ("old_str", "new_str"),
    ("old_text", "new_text"),
];

/// The parts of a call's arguments.
pub(crate) fn sections(arguments: &RawValue) -> Vec<Section> {
    let whole = || vec![Section::text("arguments", indent(arguments.get()))];
    if is_string(arguments.get()) {
        return match serde_json::from_str(arguments.get()) {
            Ok(text) => vec![Section::text("text", text)],
            Err(_) => whole(),
        };
    }
    let Ok(mut fields) = serde_json::from_str::<Fields>(arguments.get()) else {
        return whole();
    };
    let mut found = change(&mut fields);
    if found.is_empty() {
        found = TEXTS
            .iter()
            .find_map(|wanted| texts(&mut fields, wanted))
            .unwrap_or_default();
    }
    if found.is_empty() {
        return whole();
    }
    if !fields.0.is_empty() {
        found.push(Section::text("other arguments", indent(&fields.json())));
    }
    found
}

/// The parts of what is left of the arguments without a field that is shown otherwise; nothing where that is all.
pub(crate) fn sections_without(arguments: &RawValue, field: &str) -> Vec<Section> {
    match serde_json::from_str::<Fields>(arguments.get()) {
        Ok(mut fields) => {
            fields.drop(field);
            let rest = Section::text("other arguments", indent(&fields.json()));
            if fields.0.is_empty() { Vec::new() } else { vec![rest] }
        }
        Err(_) => sections(arguments),
    }
}

/// The text of a field; `None` where there is none.
pub(crate) fn text_of(object: &RawValue, field: &str) -> Option<String> {
    let fields: Fields = serde_json::from_str(object.get()).ok()?;
    let (_, value) = fields.0.iter().find(|(name, _)| name == field)?;
    serde_json::from_str(value.get()).ok()
}

/// A change of a file, taken out of the fields: its name, and the lines that go and come. Nothing for another call.
fn change(fields: &mut Fields) -> Vec<Section> {
    let mut rest = fields.clone();
    let edits = if let Some(edit) = rest.edit() {
        vec![edit]
    } else if let Some(edits) = rest.edits() {
        edits
    } else if let (true, Some(content)) = (rest.string("file_path").is_some(), rest.take_string("content")) {
        vec![Section {
            heading: "the file becomes",
            text: lines("", &content),
            layout: Layout::Diff,
        }]
    } else {
        return Vec::new();
    };
    let file = rest.take_string("file_path").map(|file| Section::text("file", file));
    *fields = rest;
    file.into_iter().chain(edits).collect()
}

/// Each line behind its sign. A last line without its end says so, where that is a difference.
fn lines(before: &str, after: &str) -> String {
    let differ = before.ends_with('\n') != after.ends_with('\n') && !before.is_empty() && !after.is_empty();
    let diff = TextDiff::from_lines(before, after);
    let mut out = String::new();
    for change in diff.iter_all_changes() {
        out.push(match change.tag() {
            ChangeTag::Equal => ' ',
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        });
        out.push_str(change.value().trim_end_matches('\n'));
        if differ && change.missing_newline() {
            out.push_str(" (without an end of line)");
        }
        out.push('\n');
    }
    out.pop();
    out
}

/// Takes the wanted fields out as texts; none, and nothing is taken, unless all are there.
fn texts(fields: &mut Fields, wanted: &[&'static str]) -> Option<Vec<Section>> {
    let found: Option<Vec<_>> = wanted.iter().map(|name| Some((*name, fields.string(name)?))).collect();
    let found = found?;
    fields.0.retain(|(key, _)| !wanted.contains(&key.as_str()));
    let section = |(heading, text)| Section {
        heading,
        text,
        layout: if heading == "plan" {
            Layout::Markdown
        } else {
            Layout::Text
        },
    };
    Some(found.into_iter().map(section).collect())
}

/// An object's fields as they came, in their order.
#[derive(Clone)]
pub(crate) struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    fn json(&self) -> String {
        let fields = self.0.iter();
        let fields = fields.map(|(key, value)| format!("{}:{}", serde_json::Value::from(key.as_str()), value.get()));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }

    /// A field of this name; none when it comes twice and could be read as either: it stays data, where both are seen.
    fn one(&self, name: &str) -> Option<&RawValue> {
        let mut named = self.0.iter().filter(|(key, _)| key == name);
        let (_, value) = named.next()?;
        named.next().is_none().then_some(&**value)
    }

    fn string(&self, name: &str) -> Option<String> {
        let value = self.one(name).filter(|value| is_string(value.get()))?;
        serde_json::from_str(value.get()).ok()
    }

    fn drop(&mut self, name: &str) {
        self.0.retain(|(key, _)| key != name);
    }

    fn take_string(&mut self, name: &str) -> Option<String> {
        let text = self.string(name)?;
        self.drop(name);
        Some(text)
    }

    fn edit(&mut self) -> Option<Section> {
        let (old, new) = EDITS
            .into_iter()
            .find(|(old, new)| self.string(old).is_some() && self.string(new).is_some())?;
        let (before, after) = (self.take_string(old)?, self.take_string(new)?);
        let everywhere = self.one("replace_all").map(RawValue::get).map(str::to_owned);
        if matches!(everywhere.as_deref(), Some("true" | "false")) {
            self.drop("replace_all");
        }
        Some(Section {
            heading: if everywhere.as_deref() == Some("true") {
                "is changed, wherever it occurs"
            } else {
                "is changed"
            },
            text: lines(&before, &after),
            layout: Layout::Diff,
        })
    }

    /// A list of edits, each of which is nothing else.
    fn edits(&mut self) -> Option<Vec<Section>> {
        let each: Vec<Fields> = serde_json::from_str(self.one("edits")?.get()).ok()?;
        let read: Option<Vec<_>> = each
            .into_iter()
            .map(|mut edit| edit.edit().filter(|_| edit.0.is_empty()))
            .collect();
        let read = read.filter(|read| !read.is_empty())?;
        self.drop("edits");
        Some(read)
    }
}

impl<'de> serde::Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json;

    fn shown(arguments: &str) -> Vec<(&'static str, String)> {
        let sections = sections(&json(arguments)).into_iter();
        sections.map(|section| (section.heading, section.text)).collect()
    }

    #[test]
    fn a_command_is_shown_as_text_and_the_rest_as_json() {
        assert_eq!(
            shown(r#"{"timeout":1e400,"command":"ls -l\nrm \u0061","description":"List"}"#),
            [
                ("command", "ls -l\nrm a".to_owned()),
                ("description", "List".to_owned()),
                ("other arguments", "{\n  \"timeout\": 1e400\n}".to_owned())
            ]
        );
        assert_eq!(shown(r#"{"code":"print(1)"}"#), [("code", "print(1)".to_owned())]);
        assert_eq!(shown(r#"{"file_path":"/a"}"#), [("file_path", "/a".to_owned())]);
        assert_eq!(
            shown(r#"{"command":["ls"]}"#),
            [("arguments", "{\n  \"command\": [\n    \"ls\"\n  ]\n}".to_owned())]
        );
        assert_eq!(shown(r#""just text""#), [("text", "just text".to_owned())]);
        assert_eq!(shown("null"), [("arguments", "null".to_owned())]);
    }

    #[test]
    fn with_both_a_command_and_code_nothing_is_left_out() {
        assert_eq!(
            shown(r#"{"code":"c","command":"d"}"#),
            [
                ("command", "d".to_owned()),
                ("other arguments", "{\n  \"code\": \"c\"\n}".to_owned())
            ]
        );
        assert_eq!(shown(r#"{"command":"ls","command":"rm"}"#)[0].0, "arguments");
    }

    #[test]
    fn an_edit_is_shown_as_its_lines() {
        let edit = r#"{"file_path":"/a","old_string":"x\ny\nz","new_string":"x\nq\nz","replace_all":false}"#;
        let changed = ("is changed", " x\n-y\n+q\n z".to_owned());
        assert_eq!(shown(edit), [("file", "/a".to_owned()), changed.clone()]);
        let all = edit.replace("false", "true");
        assert_eq!(shown(&all)[1], ("is changed, wherever it occurs", changed.1.clone()));
        let odd = edit.replace("false", "7");
        assert_eq!(shown(&odd)[2].0, "other arguments");
        let several =
            r#"{"file_path":"/a","edits":[{"old_string":"x","new_string":"y"},{"old_string":"","new_string":"z"}]}"#;
        assert_eq!(
            shown(several),
            [
                ("file", "/a".to_owned()),
                ("is changed", "-x\n+y".to_owned()),
                ("is changed", "+z".to_owned())
            ]
        );
        let more = several.replace("\"new_string\":\"z\"", "\"new_string\":\"z\",\"then\":1");
        assert_eq!(shown(&more)[0].0, "file_path");
        assert_eq!(shown(&more)[1].0, "other arguments");
    }

    #[test]
    fn a_file_that_is_written_is_shown_line_by_line() {
        let write = r#"{"file_path":"/a","content":"x\ny\n"}"#;
        let becomes = ("the file becomes", "+x\n+y".to_owned());
        assert_eq!(shown(write), [("file", "/a".to_owned()), becomes]);
    }

    #[test]
    fn a_last_line_that_loses_its_end_is_said_to() {
        assert_eq!(lines("x\n", "x"), "-x\n+x (without an end of line)");
        assert_eq!(lines("x", "y"), "-x\n+y");
        assert_eq!(lines("x\n", ""), "-x");
    }

    #[test]
    fn a_plan_is_to_be_read_laid_out() {
        let sections = sections(&json(r##"{"plan":"# Do\n1. it"}"##));
        assert_eq!(sections[0].layout, Layout::Markdown);
        assert_eq!(sections[0].text, "# Do\n1. it");
    }
}
