//! An agent's own questions with their options, and the arguments that carry the answers to them. Pure. The tool is Claude Code's
//! `AskUserQuestion`, as of its tool schemas (`sdk-tools.d.ts` of 2.1); what is chosen goes back under the whole question.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Questions that fit into a dialog; the tool asks four at most.
const MOST_QUESTIONS: usize = 4;
const MOST_OPTIONS: usize = 6;
/// Characters of all of it.
const MOST_CHARACTERS: usize = 2_000;

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The whole question, by which its answer is named.
    pub(crate) question: String,
    /// A word for it.
    pub(crate) header: Option<String>,
    pub(crate) options: Vec<Offer>,
    /// Any number of the options may be chosen.
    pub(crate) several: bool,
}

/// One option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) label: String,
    pub(crate) description: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    questions: Vec<AskedOne>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AskedOne {
    question: String,
    header: Option<String>,
    options: Vec<AskedOption>,
    #[serde(default)]
    multi_select: bool,
}

#[derive(Deserialize)]
struct AskedOption {
    label: String,
    description: Option<String>,
    preview: Option<Value>,
}

/// The questions; none where they have another shape, or are more than a dialog shows whole.
pub(crate) fn choices(arguments: &RawValue) -> Option<Vec<Choice>> {
    let Asked { questions } = serde_json::from_str(arguments.get()).ok()?;
    if questions.is_empty() || questions.len() > MOST_QUESTIONS {
        return None;
    }
    let mut found: Vec<Choice> = Vec::new();
    let mut characters = 0;
    for asked in questions {
        // Answers are named by their question: two of the same name could not be told apart.
        let twice = found.iter().any(|known| known.question == asked.question);
        let previewed = asked.options.iter().any(|option| option.preview.is_some());
        if twice || previewed || asked.question.is_empty() || asked.options.len() > MOST_OPTIONS {
            return None;
        }
        let options: Vec<_> = asked
            .options
            .into_iter()
            .map(|AskedOption { label, description, .. }| Offer { label, description })
            .collect();
        let said = options
            .iter()
            .flat_map(|offer| std::iter::once(&offer.label).chain(&offer.description));
        characters += said.map(|text| text.chars().count()).sum::<usize>() + asked.question.chars().count();
        found.push(Choice {
            question: asked.question,
            header: asked.header.filter(|header| !header.is_empty()),
            options,
            several: asked.multi_select,
        });
    }
    (characters <= MOST_CHARACTERS).then_some(found)
}

/// One answer as the tool takes it: the label, or the person's own words; several with a comma between them. Empty: none yet.
pub(crate) fn answer(choice: &Choice, picked: &[usize], own: &str) -> String {
    let own = own.trim();
    let labels = picked.iter().filter_map(|place| choice.options.get(*place));
    let mut words: Vec<&str> = labels.map(|offer| offer.label.as_str()).collect();
    if !choice.several && !own.is_empty() {
        words.clear();
    }
    words.extend((!own.is_empty()).then_some(own));
    words.join(", ")
}

/// The same arguments with the answers in them; none where they are no object.
pub(crate) fn answered(arguments: &RawValue, answers: impl IntoIterator<Item = (String, String)>) -> Option<Value> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(arguments.get()) else {
        return None;
    };
    let answers: Map<_, _> = answers
        .into_iter()
        .map(|(question, answer)| (question, Value::from(answer)))
        .collect();
    fields.insert("answers".into(), answers.into());
    Some(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json;

    const ASKED: &str = r#"{"questions":[
        {"question":"Which colour?","header":"Colour","multiSelect":false,"options":[{"label":"Red","description":"warm"},{"label":"Blue"}]},
        {"question":"Which sizes?","header":"","multiSelect":true,"options":[{"label":"S"},{"label":"M"},{"label":"L"}]}]}"#;

    #[test]
    fn questions_are_read_with_their_options() {
        let read = choices(&json(ASKED)).expect("questions");
        assert_eq!(read[0].header.as_deref(), Some("Colour"));
        assert_eq!(read[0].options[0].description.as_deref(), Some("warm"));
        assert_eq!((read[1].several, read[1].header.as_deref()), (true, None));
    }

    #[test]
    fn what_a_dialog_cannot_show_whole_is_for_the_window() {
        let none = |text: &str| assert_eq!(choices(&json(text)), None, "{text}");
        none("{}");
        none(r#"{"questions":[]}"#);
        none(&ASKED.replace("\"label\":\"Blue\"", "\"label\":\"Blue\",\"preview\":\"+---+\""));
        none(&ASKED.replace("Which sizes?", "Which colour?"));
        none(&ASKED.replace("warm", &"w".repeat(2_001)));
        none(&ASKED.replace("[{\"label\":\"S\"},", &format!("[{}", "{\"label\":\"S\"},".repeat(6))));
    }

    #[test]
    fn an_answer_is_the_label_or_the_persons_own_words() {
        let read = choices(&json(ASKED)).expect("questions");
        assert_eq!(answer(&read[0], &[1], ""), "Blue");
        assert_eq!(answer(&read[0], &[1], " green "), "green");
        assert_eq!(answer(&read[1], &[0, 2], "XL"), "S, L, XL");
        assert_eq!(answer(&read[1], &[], " "), "");
    }

    #[test]
    fn answers_go_back_with_the_arguments_under_the_whole_question() {
        let sent = answered(&json(ASKED), [("Which colour?".into(), "Blue".into())]).expect("an object");
        assert_eq!(sent["answers"], serde_json::json!({"Which colour?": "Blue"}));
        assert_eq!(sent["questions"][1]["question"], "Which sizes?");
        assert_eq!(answered(&json("[]"), []), None);
    }
}
