//! What the dialog shows of an approval: the whole call, or the plain word that it is too long to be approved here.
//! Pure. The texts are the agent's own; the widgets make them visible.

use std::sync::Arc;

use countersign_model::{Approval, Json, Millis};
use serde_json::value::RawValue;

use super::choices::{Choice, choices};
use super::sections::{Section, sections, sections_without, text_of};
use countersign_model::visible;

/// What can be shown whole: characters of the call, marks included.
const MOST_CHARACTERS: usize = 4_000;
/// And lines of it.
const MOST_LINES: usize = 60;
/// A name longer than this is no name to decide by.
const MOST_NAME: usize = 300;
/// What an agent says of its call is cut here: it is not what would be approved.
const MOST_SAID: usize = 400;
/// Permissions to keep that are offered one by one; an agent offers two or three.
const MOST_GRANTS: usize = 6;
/// A permission that takes more words than this is given in the window.
const MOST_LABEL: usize = 200;
/// The tool with which Claude Code asks the person questions of its own; approving it without answers answers nothing.
pub(crate) const QUESTIONS: &str = "AskUserQuestion";
/// The tool with which Claude Code submits a plan.
pub(crate) const PLAN: &str = "ExitPlanMode";

/// A question to a person.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    #[cfg_attr(
        not(any(test, target_os = "linux")),
        expect(dead_code, reason = "the plugin's dialog has no place for it")
    )]
    pub(crate) id: Arc<str>,
    pub(crate) agent: String,
    pub(crate) session: String,
    /// What kind of subagent asks, where one does.
    pub(crate) subagent: Option<String>,
    pub(crate) tool: String,
    pub(crate) cwd: Option<String>,
    pub(crate) asked_at: Millis,
    pub(crate) expires_at: Option<Millis>,
    /// Why, or what the tool is, in the agent's own words, which may be anything. On one line, visible, cut.
    pub(crate) says: Option<String>,
    /// The agent's own questions, where it asks some that can be answered here.
    pub(crate) choices: Vec<Choice>,
    /// As the agent gave them.
    pub(crate) arguments: Json,
    pub(crate) sections: Vec<Section>,
    /// All of it is shown. Only then does the dialog offer to approve.
    pub(crate) whole: bool,
    /// What its agent does, before the tool's name.
    pub(crate) asks: &'static str,
    /// The word for approving it; none where only the window can.
    pub(crate) approves: Option<&'static str>,
    /// The word for denying it.
    pub(crate) denies: &'static str,
    /// Its agent runs other arguments when told to; they are written in the window.
    pub(crate) edits: bool,
    /// Whether a stop ends its agent's run.
    pub(crate) stops: bool,
    /// What its agent would keep from an approval, if the answer says so: the place, and plain words that are visible.
    pub(crate) grants: Vec<(u32, String)>,
    /// So many more can be given in the window.
    pub(crate) more_grants: usize,
}

impl Question {
    /// What to show of `approval`.
    pub(crate) fn of(approval: &Approval) -> Self {
        let asked = (approval.tool_name == QUESTIONS)
            .then(|| choices(&approval.arguments))
            .flatten();
        let mut question = Self {
            id: approval.id.clone(),
            agent: approval.agent.to_string(),
            session: approval.session.to_string(),
            subagent: None,
            tool: approval.tool_name.clone(),
            cwd: approval.cwd.clone(),
            asked_at: approval.asked_at,
            expires_at: approval.expires_at,
            says: approval.tool_info.as_ref().and_then(|info| said(info, "description")),
            choices: asked.clone().unwrap_or_default(),
            arguments: approval.arguments.clone(),
            sections: match &asked {
                Some(_) => sections_without(&approval.arguments, "questions"),
                None => sections(&approval.arguments),
            },
            whole: true,
            asks: match approval.tool_name.as_str() {
                QUESTIONS => "asks you",
                PLAN => "has a plan",
                _ => "asks to run",
            },
            approves: match approval.tool_name.as_str() {
                QUESTIONS => asked.as_ref().map(|_| "Answer"),
                PLAN => Some("Start"),
                _ => Some("Approve"),
            },
            denies: if approval.tool_name == PLAN {
                "Keep planning"
            } else {
                "Deny"
            },
            edits: approval.edits && !matches!(approval.tool_name.as_str(), QUESTIONS | PLAN),
            stops: approval.stops,
            grants: Vec::new(),
            more_grants: 0,
        };
        question.whole = question.fits();
        if !question.whole {
            question.approves = None;
            question.edits = false;
            question.choices.clear();
            question.cut();
        }
        if question.approves.is_some() && question.choices.is_empty() {
            question.offer(approval);
        }
        question
    }

    /// Adds what the agent said with its request, of which `data` is what came: the reason, which comes before what it says of the
    /// tool, and, where a subagent asks, whose it is.
    #[must_use]
    pub(crate) fn with_told(mut self, data: Option<&RawValue>) -> Self {
        let told = |field: &str| data.and_then(|data| said(data, field));
        self.says = told("reason").or(self.says);
        if let Some(parent) = told("parent_session").filter(|parent| self.session.starts_with(&format!("{parent}/"))) {
            self.subagent = Some(told("agent_type").unwrap_or_else(|| "subagent".into()));
            self.session = parent;
        }
        self
    }

    /// Who asks, visible: the agent, or which of its subagents.
    pub(crate) fn who(&self) -> String {
        let agent = visible::line(&self.agent);
        match &self.subagent {
            Some(kind) => format!("{agent}, its subagent {kind},"),
            None => agent,
        }
    }

    /// Why it cannot be approved here.
    pub(crate) fn elsewhere(&self) -> Option<&'static str> {
        if self.approves.is_some() {
            None
        } else if self.whole {
            Some("It is answered in the window, with the choices that the agent gives.")
        } else {
            Some(
                "This is only its beginning. The request is too long to show whole here, so it can be approved in the window \
                 alone, which shows all of it.",
            )
        }
    }

    /// Offers the permissions whose words can be shown whole.
    fn offer(&mut self, approval: &Approval) {
        for (place, grant) in (0..).zip(&approval.grants) {
            let label = visible::line(&grant.label);
            if self.grants.len() < MOST_GRANTS && !label.is_empty() && label.chars().count() <= MOST_LABEL {
                self.grants.push((place, label));
            } else {
                self.more_grants += 1;
            }
        }
    }

    fn fits(&self) -> bool {
        let mut names = [&self.agent, &self.session, &self.tool].into_iter().chain(&self.cwd);
        let texts = || self.sections.iter().map(|section| visible::block(&section.text));
        names.all(|name| visible::line(name).chars().count() <= MOST_NAME)
            && texts().map(|text| text.chars().count()).sum::<usize>() <= MOST_CHARACTERS
            && texts().map(|text| text.split('\n').count()).sum::<usize>() <= MOST_LINES
    }

    /// Keeps the beginning, for a person to recognise it by; it cannot be approved here.
    fn cut(&mut self) {
        let (mut characters, mut lines) = (MOST_CHARACTERS, MOST_LINES);
        for section in &mut self.sections {
            let mut kept = String::new();
            for character in section.text.chars() {
                if characters == 0 || lines == 0 {
                    break;
                }
                characters -= 1;
                lines -= usize::from(character == '\n');
                kept.push(character);
            }
            section.text = kept;
        }
        self.sections.retain(|section| !section.text.is_empty());
        for name in [&mut self.agent, &mut self.session, &mut self.tool]
            .into_iter()
            .chain(&mut self.cwd)
        {
            if visible::line(name).chars().count() > MOST_NAME {
                *name = name.chars().take(MOST_NAME / 8).chain(['…']).collect();
            }
        }
    }
}

/// A line to recognise a call by, in a notification: its command, or its arguments.
pub(crate) fn gist(arguments: &RawValue) -> String {
    let words = match choices(arguments) {
        Some(asked) => asked
            .into_iter()
            .map(|choice| choice.question)
            .collect::<Vec<_>>()
            .join("  "),
        None => sections(arguments)
            .into_iter()
            .next()
            .map_or_else(String::new, |section| section.text),
    };
    visible::short(&words, 120)
}

/// The text of a field, fit to be shown; `None` where there is none.
fn said(object: &RawValue, field: &str) -> Option<String> {
    let shown = visible::short(&text_of(object, field)?, MOST_SAID);
    (!shown.is_empty()).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::approval;

    fn offered(tool: &str, labels: &[&str]) -> Question {
        let mut asked = approval("a", tool, r#"{"command":"ls"}"#);
        asked.grants = labels.iter().map(|label| crate::testing::grant(label)).collect();
        Question::of(&asked)
    }

    #[test]
    fn permissions_to_keep_are_offered_in_words_that_cannot_lie_and_by_their_places() {
        let long = "x".repeat(201);
        let question = offered("Bash", &["Allow ls", &long, "Allow a\u{202e}b\nc"]);
        let expected = [(0, "Allow ls".to_owned()), (2, "Allow a⟨U+202E⟩b⟨U+000A⟩c".to_owned())];
        assert_eq!((question.grants, question.more_grants), (expected.into(), 1));
        assert_eq!(offered("Bash", &["one"; 8]).more_grants, 2);
    }

    #[test]
    fn an_agents_own_questions_are_answered_where_they_can_be_shown_whole() {
        let asks = |options: &str| {
            let asked = format!(r#"{{"questions":[{{"question":"Which?","options":{options}}}]}}"#);
            Question::of(&approval("a", "AskUserQuestion", &asked))
        };
        let question = asks(r#"[{"label":"A"},{"label":"B"}]"#);
        assert_eq!((question.approves, question.choices.len()), (Some("Answer"), 1));
        assert_eq!((question.sections.len(), question.elsewhere()), (0, None));
        let previewed = asks(r#"[{"label":"A","preview":"x"}]"#);
        assert_eq!((previewed.approves, previewed.choices.len()), (None, 0));
        assert!(previewed.elsewhere().is_some_and(|why| why.contains("choices")));
    }

    #[test]
    fn a_subagent_that_asks_is_named_with_the_session_whose_it_is() {
        let mut asked = approval("a", "Bash", "{}");
        asked.session = "s1/a09e".into();
        let told = |data: &str| Question::of(&asked).with_told(Some(&crate::testing::json(data)));
        let question = told(r#"{"parent_session":"s1","agent_type":"Explore\u202e"}"#);
        assert_eq!(question.who(), "sam, its subagent Explore⟨U+202E⟩,");
        assert_eq!(question.session, "s1");
        let forged = told(r#"{"parent_session":"other","agent_type":"Explore"}"#);
        assert_eq!((forged.who().as_str(), forged.session.as_str()), ("sam", "s1/a09e"));
    }

    #[test]
    fn a_plan_is_started_or_goes_on() {
        let plan = offered("ExitPlanMode", &[]);
        assert_eq!((plan.approves, plan.denies), (Some("Start"), "Keep planning"));
        assert_eq!(plan.elsewhere(), None);
    }

    #[test]
    fn arguments_are_edited_where_the_agent_can_run_others_and_the_call_is_shown_whole() {
        let edits = |tool: &str, command: &str| {
            let mut asked = approval("a", tool, &format!(r#"{{"command":"{command}"}}"#));
            asked.edits = true;
            Question::of(&asked).edits
        };
        assert!(edits("Bash", "ls"));
        assert!(!edits("ExitPlanMode", "ls"));
        assert!(!edits("AskUserQuestion", "ls"));
        assert!(!edits("Bash", &"x".repeat(4_001)));
        assert!(!Question::of(&approval("a", "Bash", "{}")).edits);
    }

    #[test]
    fn what_is_too_long_is_never_offered_for_approval() {
        let whole = |arguments: &str| Question::of(&approval("a", "bash", arguments)).whole;
        assert!(whole(&format!(r#"{{"command":"{}"}}"#, "x".repeat(4_000))));
        assert!(!whole(&format!(r#"{{"command":"{}"}}"#, "x".repeat(4_001))));
        assert!(whole(&format!(r#"{{"command":"{}"}}"#, "x\\n".repeat(59))));
        assert!(!whole(&format!(r#"{{"command":"{}"}}"#, "x\\n".repeat(60))));
        // A mark takes the room that it takes on the screen.
        assert!(!whole(&format!(r#"{{"command":"{}"}}"#, "\u{200B}".repeat(600))));
        assert!(!Question::of(&approval("a", &"t".repeat(301), "{}")).whole);
    }

    #[test]
    fn a_cut_request_keeps_its_beginning() {
        let question = Question::of(&approval(
            "a",
            "bash",
            &format!(r#"{{"command":"{}"}}"#, "x".repeat(9_000)),
        ));
        assert_eq!(question.sections[0].text.len(), 4_000);
    }

    #[test]
    fn what_the_agent_says_is_shown_as_its_words_and_cannot_lie() {
        let json = |text: &str| RawValue::from_string(text.into()).expect("JSON");
        let says = |info: Option<&str>, data: &str| {
            let mut asked = approval("a", "bash", r#"{"command":"ls"}"#);
            asked.tool_info = info.map(json);
            Question::of(&asked).with_told(Some(&json(data))).says
        };
        let info = Some(r#"{"description":"runs a\u202ecommand"}"#);
        assert_eq!(says(info, "{}").as_deref(), Some("runs a⟨U+202E⟩command"));
        assert_eq!(says(info, r#"{"reason":"to see\nall"}"#).as_deref(), Some("to see all"));
        assert_eq!(says(None, r#"{"reason":7}"#), None);
        assert_eq!(says(None, r#"{"reason":" "}"#), None);
        let long = says(None, &format!(r#"{{"reason":"{}"}}"#, "x".repeat(9_000))).expect("said");
        assert_eq!(long.chars().count(), 401);
    }

    #[test]
    fn a_gist_is_one_line() {
        let arguments = RawValue::from_string(r#"{"command":"rm\n-rf  build"}"#.into()).unwrap();
        assert_eq!(gist(&arguments), "rm -rf build");
    }
}
