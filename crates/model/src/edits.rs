//! Arguments that an answer brings instead of a request's own: whether its agent would run them, and what they are whole. An agent
//! that takes others for none would run what it asked about, which is not what was approved.

use serde_json::{Map, Value};

use crate::canonical::{CanonicalError, digest};
use crate::{Approval, Json, Origin, to_json};

/// The tool with which Claude Code, and agents over MCP, ask a person something of their own.
const QUESTIONS: &str = "AskUserQuestion";

/// Why arguments cannot stand in for those of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Two readers would not read the same.
    #[error("`arguments` cannot be approved: {0}")]
    Ambiguous(#[from] CanonicalError),
    /// The request's are an object.
    #[error("`arguments` must be an object, as the request's own are; leave them out to approve those")]
    NoObject,
    /// An agent's hooks know no empty arguments.
    #[error("the agent takes empty `arguments` for none, and would run its own; leave them out to approve those")]
    Empty,
    /// Questions without an answer.
    #[error(
        "these are questions: approve with `arguments` such as {{\"answers\": {{{0:?}: \"...\"}}}}, or deny with a `message`"
    )]
    Unanswered(String),
    /// An answer to something that was not asked.
    #[error("`arguments.answers` has an answer to {0:?}, which is none of the questions")]
    NotAsked(String),
    /// An answer that says nothing.
    #[error("the answer to {0:?} must be text, or a list of texts where several options may be chosen")]
    NoWords(String),
    /// The questions are the agent's.
    #[error("`arguments.questions` are not those that were asked; leave them out")]
    OtherQuestions,
}

/// What runs when `approval` is approved with these arguments; `None` is what it asks for itself. To questions, the answers alone
/// are enough.
///
/// # Errors
/// When the agent could not run them, or not as what they are.
pub fn edited(approval: &Approval, given: Option<Json>) -> Result<Option<Json>, Unfit> {
    let asked: Value = serde_json::from_str(approval.arguments.get()).unwrap_or_default();
    let questions = questions(approval, &asked);
    let Some(given) = given else {
        // Over MCP a word to the agent is an answer, too.
        return match questions.into_iter().next() {
            Some(first) if approval.origin == Origin::Hook => Err(Unfit::Unanswered(first.name)),
            _ => Ok(None),
        };
    };
    digest(&approval.tool_name, &given, approval.cwd.as_deref())?;
    let Value::Object(asked) = asked else {
        return Ok(Some(given));
    };
    let Ok(fields) = serde_json::from_str::<Map<String, Value>>(given.get()) else {
        return Err(Unfit::NoObject);
    };
    if !questions.is_empty() {
        return answered(asked, fields, &questions).map(|whole| Some(to_json(&whole)));
    }
    if approval.origin == Origin::Hook && fields.is_empty() && !asked.is_empty() {
        return Err(Unfit::Empty);
    }
    Ok(Some(given))
}

struct Question {
    name: String,
    several: bool,
}

/// The questions that the agent asks a person, where that is what the call is for.
fn questions(approval: &Approval, asked: &Value) -> Vec<Question> {
    if approval.tool_name != QUESTIONS || !matches!(approval.origin, Origin::Hook | Origin::Mcp) {
        return Vec::new();
    }
    let list = asked["questions"].as_array().into_iter().flatten();
    list.filter_map(|question| {
        Some(Question {
            name: question["question"].as_str()?.to_owned(),
            several: question["multiSelect"] == true,
        })
    })
    .collect()
}

/// What was asked, with the answers.
fn answered(
    mut asked: Map<String, Value>,
    given: Map<String, Value>,
    questions: &[Question],
) -> Result<Map<String, Value>, Unfit> {
    let unanswered = || Unfit::Unanswered(questions[0].name.clone());
    for (name, value) in given {
        match (name.as_str(), value) {
            ("questions", value) if Some(&value) != asked.get("questions") => return Err(Unfit::OtherQuestions),
            ("answers", Value::Object(answers)) if !answers.is_empty() => {
                let answers: Result<Map<_, _>, _> = answers
                    .into_iter()
                    .map(|(name, answer)| answer_to(questions, name, answer))
                    .collect();
                asked.insert("answers".to_owned(), Value::Object(answers?));
            }
            ("answers", _) => return Err(unanswered()),
            (_, value) => drop(asked.insert(name, value)),
        }
    }
    if asked.get("answers").is_some_and(Value::is_object) {
        Ok(asked)
    } else {
        Err(unanswered())
    }
}

/// One answer in the form that agents take: text, with commas between several.
fn answer_to(questions: &[Question], name: String, answer: Value) -> Result<(String, Value), Unfit> {
    let Some(question) = questions.iter().find(|question| question.name == name) else {
        return Err(Unfit::NotAsked(name));
    };
    let words = match answer {
        Value::String(text) => Some(text),
        Value::Array(list) if question.several => list
            .iter()
            .map(Value::as_str)
            .collect::<Option<Vec<_>>>()
            .map(|list| list.join(", ")),
        _ => None,
    };
    match words.filter(|words| !words.trim().is_empty()) {
        Some(words) => Ok((name, Value::String(words))),
        None => Err(Unfit::NoWords(name)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Delivery, Millis, Status};

    fn approval(origin: Origin, tool: &str, arguments: &Value) -> Approval {
        Approval {
            id: "apr".into(),
            request_id: "r".into(),
            agent: "claude-code".into(),
            session: "s".into(),
            stream: None,
            origin,
            tool_name: tool.to_owned(),
            arguments: to_json(arguments),
            tool_info: None,
            cwd: None,
            digest: "x".to_owned(),
            edits: true,
            stops: true,
            grants: Vec::new(),
            seq: 1,
            asked_at: Millis(0),
            expires_at: None,
            status: Status::Pending,
            decision: None,
            delivery: Delivery::Waiting,
        }
    }

    fn check(origin: Origin, tool: &str, asked: &Value, given: &str, expect: Result<Value, Unfit>) {
        let given = serde_json::from_str(given).expect("JSON");
        let edited = edited(&approval(origin, tool, asked), Some(given));
        let edited = edited.map(|whole| serde_json::from_str::<Value>(whole.expect("edited").get()).expect("JSON"));
        match (edited, expect) {
            (Ok(edited), Ok(expect)) => assert_eq!(edited, expect, "{tool}"),
            (edited, expect) => assert_eq!(edited.err(), expect.err(), "{tool}"),
        }
    }

    #[test]
    fn what_the_agent_would_not_run_is_no_edit() {
        let asked = json!({"command": "ls"});
        for given in ["5", "\"x\"", "[]", "true"] {
            check(Origin::Hook, "Bash", &asked, given, Err(Unfit::NoObject));
            check(Origin::Sam, "Bash", &asked, given, Err(Unfit::NoObject));
        }
        check(Origin::Hook, "Bash", &asked, "{}", Err(Unfit::Empty));
        check(Origin::Rest, "Bash", &asked, "{}", Ok(json!({})));
        check(Origin::Hook, "List", &json!({}), "{}", Ok(json!({})));
        let twice = r#"{"command": "ls", "command": "rm"}"#;
        let ambiguous = CanonicalError::DuplicateKey("command".into());
        check(Origin::Sam, "Bash", &asked, twice, Err(ambiguous.into()));
        check(
            Origin::Hook,
            "Bash",
            &asked,
            r#"{"command":"ls -l"}"#,
            Ok(json!({"command": "ls -l"})),
        );
        check(Origin::Sam, "free", &json!("ls"), "\"ls -l\"", Ok(json!("ls -l")));
    }

    #[test]
    fn questions_are_answered_with_their_answers_alone_or_whole() {
        let asked = json!({"questions": [
            {"question": "Which colour?", "multiSelect": false},
            {"question": "Which sizes?", "multiSelect": true},
        ], "metadata": 1});
        let mut whole = asked.clone();
        whole["answers"] = json!({"Which colour?": "Blue", "Which sizes?": "S, L"});
        let alone = json!({"answers": {"Which colour?": "Blue", "Which sizes?": ["S", "L"]}}).to_string();
        for origin in [Origin::Hook, Origin::Mcp] {
            check(origin, QUESTIONS, &asked, &alone, Ok(whole.clone()));
            check(origin, QUESTIONS, &asked, &whole.to_string(), Ok(whole.clone()));
        }
        for (given, error) in [
            (json!({}), Unfit::Unanswered("Which colour?".into())),
            (json!({"answers": {}}), Unfit::Unanswered("Which colour?".into())),
            (json!({"answers": "Blue"}), Unfit::Unanswered("Which colour?".into())),
            (json!({"answers": {"Who?": "I"}}), Unfit::NotAsked("Who?".into())),
            (
                json!({"answers": {"Which colour?": 5}}),
                Unfit::NoWords("Which colour?".into()),
            ),
            (
                json!({"answers": {"Which colour?": ["Red"]}}),
                Unfit::NoWords("Which colour?".into()),
            ),
            (
                json!({"answers": {"Which sizes?": [" "]}}),
                Unfit::NoWords("Which sizes?".into()),
            ),
            (
                json!({"questions": [], "answers": {"Which colour?": "Red"}}),
                Unfit::OtherQuestions,
            ),
        ] {
            check(Origin::Hook, QUESTIONS, &asked, &given.to_string(), Err(error));
        }
    }

    #[test]
    fn a_yes_to_a_question_is_no_answer_and_one_to_a_call_is() {
        let asked = json!({"questions": [{"question": "Which colour?"}]});
        let plain = |origin, tool: &str, asked: &Value| edited(&approval(origin, tool, asked), None).is_ok();
        assert!(!plain(Origin::Hook, QUESTIONS, &asked));
        assert!(plain(Origin::Mcp, QUESTIONS, &asked));
        assert!(plain(Origin::Sam, QUESTIONS, &asked));
        assert!(
            plain(Origin::Hook, QUESTIONS, &json!({"questions": 5})),
            "shown as any call"
        );
        assert!(plain(Origin::Hook, "Bash", &json!({"command": "ls"})));
    }
}
