//! An agent that plays a script: turns of items, questions and ends, for tests of everything around an agent. It runs nothing.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use countersign_model::{Json, Verdict, to_json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{AgentEnd, AgentLoop, Inquiry, Ruling, Spoken, Told};
use crate::clock::random_hex;

/// What the agent does, turn by turn. After the last turn it plays that one again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// One turn an input of the user's.
    pub turns: Vec<Turn>,
}

/// What the agent does with one input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Turn {
    /// In order. Where none of them ends the turn, it ends behind the last.
    pub steps: Vec<Step>,
}

/// One thing that the agent does. In items, a string that is one of these and nothing else stands for what was said:
/// `$input`, `$previousResponseId`, and behind a question `$message`, `$applyPatch`, `$arguments` and `$scope`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Says an item.
    Item(Map<String, Value>),
    /// Says whether it is at work.
    Loading(bool),
    /// Asks, waits for the decision, and does what is for that decision. A stop ends the turn.
    Ask(Asking),
    /// Says that something went wrong, and goes on.
    Error(Trouble),
    /// Ends the turn badly.
    Fail(Trouble),
    /// Ends the turn with this response id.
    Finish(String),
    /// Does nothing until a person stops it (`"stop"`, the one word there is).
    Wait(Until),
}

/// A question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asking {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The files that it would change.
    #[serde(rename = "applyPatch", skip_serializing_if = "Option::is_none")]
    pub apply_patch: Option<Map<String, Value>>,
    /// Where it would run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// The function call that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// What it does when it may.
    pub approved: Vec<Step>,
    /// What it does when it may not.
    pub denied: Vec<Step>,
    /// What it says when it is asked what the question is about.
    pub explained: Vec<Map<String, Value>>,
}

/// What went wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trouble {
    /// What.
    pub message: String,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Map<String, Value>>,
}

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// A person's stop.
    Stop,
}

/// A script that cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// Not one turn.
    #[error("the script has no turns")]
    Empty,
    /// A command without a word.
    #[error("turn {0} asks about an empty `command`")]
    NoCommand(usize),
}

/// Plays a script in each session, from its start.
#[derive(Clone, Debug)]
pub struct ScriptedAgent {
    script: Arc<Script>,
}

impl ScriptedAgent {
    /// An agent that plays this script.
    ///
    /// # Errors
    /// When the script has nothing to play, or asks about nothing.
    pub fn new(script: Script) -> Result<Self, ScriptError> {
        if script.turns.is_empty() {
            return Err(ScriptError::Empty);
        }
        for (place, turn) in script.turns.iter().enumerate() {
            if asks_nothing(&turn.steps) {
                return Err(ScriptError::NoCommand(place + 1));
            }
        }
        Ok(Self {
            script: Arc::new(script),
        })
    }
}

fn asks_nothing(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Ask(asking) => {
            asking.command.is_empty() || asks_nothing(&asking.approved) || asks_nothing(&asking.denied)
        }
        _ => false,
    })
}

impl AgentLoop for ScriptedAgent {
    fn live(&self, _session: Arc<str>, end: AgentEnd) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let script = self.script.clone();
        Box::pin(async move {
            let mut player = Player { end, questions: 0 };
            let _over = player.play(&script).await;
        })
    }
}

/// The session is over.
struct Over;

/// How a run of steps ended.
enum Flow {
    /// There may be more steps.
    On,
    /// The turn has ended.
    Ended,
    /// A person stopped it.
    Stopped,
}

struct Player {
    end: AgentEnd,
    questions: usize,
}

/// What the words with a `$` stand for.
type Words = Vec<(&'static str, Value)>;

impl Player {
    async fn play(&mut self, script: &Script) -> Result<(), Over> {
        let mut turns = 0;
        loop {
            // What concerns a turn that is over concerns nobody.
            let Told::Input {
                items,
                previous_response_id,
            } = self.hear().await?
            else {
                continue;
            };
            let turn = &script.turns[turns.min(script.turns.len() - 1)];
            turns += 1;
            let mut words = vec![
                ("$input", json!(items)),
                ("$previousResponseId", json!(previous_response_id)),
            ];
            let end = self.steps(&turn.steps, &mut words).await?;
            if let Flow::Stopped = end {
                self.say(Spoken::Loading(false)).await?;
            }
            if !matches!(end, Flow::Ended) {
                let response_id = format!("resp_{}", random_hex(12));
                self.say(Spoken::Finished { response_id }).await?;
            }
        }
    }

    async fn hear(&mut self) -> Result<Told, Over> {
        self.end.told.recv().await.ok_or(Over)
    }

    async fn say(&self, spoken: Spoken) -> Result<(), Over> {
        self.end.spoken.send(spoken).await.map_err(|_| Over)
    }

    /// Whether a person has stopped it in the meantime.
    fn stopped(&mut self) -> bool {
        std::iter::from_fn(|| self.end.told.try_recv().ok()).any(|told| matches!(told, Told::Cancel))
    }

    async fn steps(&mut self, steps: &[Step], words: &mut Words) -> Result<Flow, Over> {
        for step in steps {
            if self.stopped() {
                return Ok(Flow::Stopped);
            }
            match step {
                Step::Item(item) => self.say(Spoken::Item(filled(item, words))).await?,
                Step::Loading(loading) => self.say(Spoken::Loading(*loading)).await?,
                Step::Error(trouble) => {
                    let (message, details) = said(trouble);
                    self.say(Spoken::Error { message, details }).await?;
                }
                Step::Fail(trouble) => {
                    let (message, details) = said(trouble);
                    self.say(Spoken::Failed { message, details }).await?;
                    return Ok(Flow::Ended);
                }
                Step::Finish(id) => {
                    let response_id = id.clone();
                    self.say(Spoken::Finished { response_id }).await?;
                    return Ok(Flow::Ended);
                }
                Step::Wait(Until::Stop) => {
                    while !matches!(self.hear().await?, Told::Cancel) {}
                    return Ok(Flow::Stopped);
                }
                Step::Ask(asking) => match self.ask(asking, words).await? {
                    Flow::On => {}
                    end => return Ok(end),
                },
            }
        }
        Ok(Flow::On)
    }

    async fn ask(&mut self, asking: &Asking, words: &mut Words) -> Result<Flow, Over> {
        self.questions += 1;
        let question: Arc<str> = format!("q{}", self.questions).into();
        let inquiry = Inquiry {
            question: question.clone(),
            command: asking.command.clone(),
            apply_patch: asking.apply_patch.as_ref().map(to_json),
            cwd: asking.cwd.clone(),
            call_id: asking.call_id.clone(),
        };
        self.say(Spoken::Ask(inquiry)).await?;
        let ruling = loop {
            match self.hear().await? {
                Told::Decision(ruling) if ruling.question == question => break ruling,
                Told::Explain { question: about } if about == question => {
                    for item in &asking.explained {
                        self.say(Spoken::Item(filled(item, words))).await?;
                    }
                }
                Told::Cancel => return Ok(Flow::Stopped),
                Told::Decision(_) | Told::Explain { .. } | Told::Input { .. } => {}
            }
        };
        let next = match ruling.verdict {
            Verdict::Approve => &asking.approved,
            Verdict::Deny => &asking.denied,
            Verdict::Stop => return Ok(Flow::Stopped),
        };
        learn(&ruling, words);
        // It calls itself no deeper than the script nests.
        Box::pin(self.steps(next, words)).await
    }
}

fn learn(ruling: &Ruling, words: &mut Words) {
    let json = |json: &Option<Json>| match json {
        Some(json) => serde_json::from_str(json.get()).unwrap_or_default(),
        None => Value::Null,
    };
    words.truncate(2);
    words.push(("$message", json!(ruling.message)));
    words.push(("$applyPatch", json(&ruling.apply_patch)));
    words.push(("$arguments", json(&ruling.arguments)));
    words.push(("$scope", json!(ruling.scope)));
}

fn said(trouble: &Trouble) -> (String, Option<Json>) {
    (trouble.message.clone(), trouble.details.as_ref().map(to_json))
}

fn filled(item: &Map<String, Value>, words: &Words) -> Json {
    let mut item = Value::Object(item.clone());
    fill(&mut item, words);
    to_json(&item)
}

fn fill(value: &mut Value, words: &Words) {
    match value {
        Value::String(text) => {
            if let Some((_, word)) = words.iter().find(|(name, _)| text == name) {
                *value = word.clone();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| fill(value, words)),
        Value::Object(fields) => fields.values_mut().for_each(|value| fill(value, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
