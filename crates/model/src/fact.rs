//! What an event says, whatever the dialect it came in: the projection through which one dialect's events are told in
//! another, counted and shown. Inner shapes are never judged: what does not fit says nothing, and is kept all the same.

use serde::Deserialize;
use serde_json::Value;

use crate::{Event, Json, kind};

/// How busy an agent says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Ready for work.
    Idle,
    /// At work.
    Working,
    /// It has stopped.
    Stopped,
}

impl Busy {
    /// Cloud Agents' word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Working => "working",
            Self::Stopped => "stopped",
        }
    }

    /// From an agent's own word; one that is not known means that it does something.
    pub fn parse(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "idle" | "ready" | "waiting" | "done" | "completed" | "finished" => Self::Idle,
            "stopped" | "failed" | "error" | "cancelled" => Self::Stopped,
            _ => Self::Working,
        }
    }
}

/// What an event says.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A tool call begins.
    ToolStarted {
        /// The tool.
        tool: String,
        /// Names the call, where the agent does.
        call: Option<String>,
    },
    /// A tool call is over.
    ToolEnded {
        /// The tool.
        tool: String,
        /// Names the call, where the agent does.
        call: Option<String>,
        /// Whether it went well.
        success: bool,
        /// How long it took, in seconds.
        seconds: Option<f64>,
        /// What went wrong.
        error: Option<String>,
    },
    /// Telemetry about a tool call, which something else may tell of, too.
    ToolMeasured {
        /// The tool, where it is named.
        tool: Option<String>,
        /// Names the call, where it is known.
        call: Option<String>,
        /// Whether it went well, once it is over.
        success: Option<bool>,
        /// How long it took, in seconds, once it is over.
        seconds: Option<f64>,
    },
    /// An agent waits for a person's answer.
    Asked {
        /// The tool that is to run.
        tool: String,
    },
    /// An agent's state.
    Status {
        /// In one of three words.
        busy: Busy,
        /// In its own word.
        word: String,
        /// What it is at.
        task: Option<String>,
        /// How far, 0 to 1.
        progress: Option<f64>,
    },
    /// A run begins.
    RunStarted,
    /// A run is over and went well.
    RunCompleted,
    /// A run is over and went badly.
    RunFailed {
        /// What went wrong.
        error: Option<String>,
    },
    /// A run waits.
    RunPaused {
        /// Why.
        reason: Option<String>,
        /// Whether it waits for a person.
        person: bool,
    },
    /// A run goes on.
    RunResumed,
    /// How far a run is, 0 to 1.
    Progress(f64),
    /// A run got where it wanted.
    GoalAchieved,
    /// A run broke a rule that it was given.
    Violation {
        /// Which, in words.
        what: String,
    },
    /// Something was said in a conversation.
    Chat {
        /// By whom.
        sender: Option<String>,
        /// What.
        content: String,
    },
    /// A word to people.
    Notification {
        /// `info`, `success`, `warning` or `error`.
        level: String,
        /// What.
        message: String,
        /// To this person alone.
        user: Option<String>,
    },
    /// A person came, went, or is busy.
    Presence {
        /// Who.
        user: String,
        /// `online`, `away`, `busy` or `offline`.
        status: String,
    },
    /// What a request to a model took.
    Usage(Usage),
}

/// What a request to a model took.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// The model.
    #[serde(deserialize_with = "lenient")]
    pub model: Option<String>,
    /// Tokens in, without those of the cache.
    #[serde(deserialize_with = "lenient", alias = "input")]
    pub input_tokens: Option<u64>,
    /// Tokens out.
    #[serde(deserialize_with = "lenient", alias = "output")]
    pub output_tokens: Option<u64>,
    /// Tokens read from the cache.
    #[serde(
        deserialize_with = "lenient",
        alias = "cache_read_input_tokens",
        alias = "cache_read"
    )]
    pub cache_read_tokens: Option<u64>,
    /// Tokens written to the cache.
    #[serde(
        deserialize_with = "lenient",
        alias = "cache_creation_input_tokens",
        alias = "cache_write",
        alias = "cache_creation_tokens"
    )]
    pub cache_write_tokens: Option<u64>,
    /// The cost in US dollars, where the agent knows it.
    #[serde(deserialize_with = "lenient", alias = "cost_usd")]
    pub cost: Option<f64>,
    /// How many requests it took; one unless said otherwise.
    #[serde(deserialize_with = "lenient")]
    pub requests: Option<u64>,
    /// Which signal of telemetry tells it: `log`, `span`, `agent_span` or `metric`. Of those of a session the best one counts.
    #[serde(deserialize_with = "lenient")]
    pub source: Option<String>,
    /// It is all since the beginning of the series of this name, what was told before included.
    #[serde(deserialize_with = "lenient")]
    pub cumulative: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data {
    #[serde(deserialize_with = "lenient")]
    tool_name: Option<String>,
    #[serde(deserialize_with = "lenient", alias = "tool_call_id", alias = "tool_use_id")]
    call_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    success: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    duration: Option<f64>,
    error: Value,
    #[serde(deserialize_with = "lenient")]
    status: Option<String>,
    #[serde(deserialize_with = "lenient")]
    state: Option<String>,
    #[serde(
        deserialize_with = "lenient",
        rename = "currentTask",
        alias = "current_task",
        alias = "task"
    )]
    current_task: Option<String>,
    #[serde(deserialize_with = "lenient")]
    progress: Option<f64>,
    reason: Value,
    #[serde(deserialize_with = "lenient")]
    source: Option<String>,
    #[serde(deserialize_with = "lenient")]
    sender: Option<String>,
    content: Value,
    #[serde(deserialize_with = "lenient")]
    level: Option<String>,
    message: Value,
    #[serde(rename = "userId", alias = "user_id")]
    user_id: Value,
    constraint: Value,
    description: Value,
    constraint_id: Value,
}

/// For `#[serde(deserialize_with)]`: what has another type than expected counts as absent.
///
/// # Errors
/// Only what the deserializer itself meets.
pub fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// A value in words: text as it is, anything else as JSON.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Whether a pause is for a person (HITL: human in the loop).
fn waits_for_person(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["hitl", "human", "approval", "person", "user"]
        .iter()
        .any(|word| reason.contains(word))
}

impl Fact {
    /// What `event` says, if it is of a kind that the hub knows.
    pub fn of(event: &Event) -> Option<Self> {
        Self::read(&event.kind, &event.data)
    }

    /// What an event of this kind with this data says.
    pub fn read(kind: &str, data: &Json) -> Option<Self> {
        let read = || serde_json::from_str::<Data>(data.get()).unwrap_or_default();
        Some(match kind {
            kind::TOOL_CALL_START => {
                let data = read();
                Self::ToolStarted {
                    tool: data.tool_name.unwrap_or_default(),
                    call: data.call_id,
                }
            }
            kind::TOOL_CALL_END => {
                let data = read();
                Self::ToolEnded {
                    tool: data.tool_name.unwrap_or_default(),
                    call: data.call_id,
                    success: data.success.unwrap_or(data.error.is_null()),
                    seconds: data.duration,
                    error: words(&data.error),
                }
            }
            kind::TOOL_TELEMETRY => {
                let data = read();
                Self::ToolMeasured {
                    tool: data.tool_name,
                    call: data.call_id,
                    success: data.success,
                    seconds: data.duration,
                }
            }
            kind::AGENT_STATUS => {
                let data = read();
                let word = data.state.or(data.status)?;
                Self::Status {
                    busy: Busy::parse(&word),
                    word,
                    task: data.current_task,
                    // Cloud Agents count to a hundred.
                    progress: data.progress.map(|percent| (percent / 100.0).clamp(0.0, 1.0)),
                }
            }
            kind::APPROVAL_REQUEST => Self::Asked {
                tool: read().tool_name.unwrap_or_default(),
            },
            // Claude Code begins the same session again once its conversation is compacted.
            kind::SESSION_STARTED if read().source.as_deref() == Some("compact") => return None,
            kind::EXECUTION_STARTED | kind::SESSION_STARTED | kind::SUBAGENT_STARTED => Self::RunStarted,
            kind::EXECUTION_COMPLETED | kind::SESSION_ENDED | kind::SUBAGENT_STOPPED => Self::RunCompleted,
            kind::TURN_COMPLETED => Self::Status {
                busy: Busy::Idle,
                word: "idle".into(),
                task: None,
                progress: None,
            },
            kind::EXECUTION_FAILED => Self::RunFailed {
                error: words(&read().error),
            },
            kind::TURN_FAILED => {
                // The agent's last words say more than the name of an error.
                let data = read();
                Self::RunFailed {
                    error: words(&data.content).or_else(|| words(&data.error)),
                }
            }
            kind::EXECUTION_PAUSED => {
                let reason = words(&read().reason);
                Self::RunPaused {
                    person: reason.as_deref().is_some_and(waits_for_person),
                    reason,
                }
            }
            kind::EXECUTION_RESUMED => Self::RunResumed,
            kind::GOAL_PROGRESS => Self::Progress(read().progress?.clamp(0.0, 1.0)),
            kind::GOAL_ACHIEVED => Self::GoalAchieved,
            kind::CONSTRAINT_VIOLATION => {
                let read = read();
                let what = [
                    &read.message,
                    &read.description,
                    &read.constraint,
                    &read.reason,
                    &read.constraint_id,
                ]
                .into_iter()
                .find_map(words);
                Self::Violation {
                    what: what.unwrap_or_else(|| data.get().to_owned()),
                }
            }
            kind::CHAT_MESSAGE => {
                let data = read();
                Self::Chat {
                    sender: data.sender,
                    content: words(&data.content)?,
                }
            }
            kind::NOTIFICATION => {
                let data = read();
                Self::Notification {
                    level: data.level.unwrap_or_else(|| "info".into()),
                    message: words(&data.message)?,
                    user: words(&data.user_id),
                }
            }
            kind::USER_PRESENCE => {
                let data = read();
                Self::Presence {
                    user: words(&data.user_id)?,
                    status: data.status?,
                }
            }
            kind::USAGE => Self::Usage(serde_json::from_str(data.get()).ok()?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::to_json;

    fn read(kind: &str, data: &Value) -> Option<Fact> {
        Fact::read(kind, &to_json(data))
    }

    #[test]
    fn sams_status_and_clouds_state_say_the_same() {
        let sam = read(
            kind::AGENT_STATUS,
            &json!({"status": "processing", "details": {"iteration": 3}}),
        );
        let Some(Fact::Status { busy, word, .. }) = sam else {
            panic!("{sam:?}")
        };
        assert_eq!((busy, &*word), (Busy::Working, "processing"));
        let cloud = json!({"agentName": "A", "state": "working", "currentTask": "Tests", "progress": 45});
        let expected = Fact::Status {
            busy: Busy::Working,
            word: "working".into(),
            task: Some("Tests".into()),
            progress: Some(0.45),
        };
        assert_eq!(read(kind::AGENT_STATUS, &cloud), Some(expected));
    }

    #[test]
    fn a_session_of_hooks_begins_rests_and_ends() {
        let idle = Fact::Status {
            busy: Busy::Idle,
            word: "idle".into(),
            task: None,
            progress: None,
        };
        for (kind, data, fact) in [
            (
                kind::SESSION_STARTED,
                json!({"source": "startup"}),
                Some(Fact::RunStarted),
            ),
            (kind::SESSION_STARTED, json!({"source": "compact"}), None),
            (kind::SUBAGENT_STARTED, json!({}), Some(Fact::RunStarted)),
            (kind::TURN_COMPLETED, json!({"content": "done"}), Some(idle)),
            (kind::SUBAGENT_STOPPED, json!({}), Some(Fact::RunCompleted)),
            (
                kind::SESSION_ENDED,
                json!({"reason": "other"}),
                Some(Fact::RunCompleted),
            ),
        ] {
            assert_eq!(read(kind, &data), fact, "{kind}");
        }
        let failed = |data: Value| match read(kind::TURN_FAILED, &data) {
            Some(Fact::RunFailed { error }) => error,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            failed(json!({"error": "unknown", "content": "API Error: 400"})).as_deref(),
            Some("API Error: 400")
        );
        assert_eq!(failed(json!({"error": "rate_limit"})).as_deref(), Some("rate_limit"));
    }

    #[test]
    fn what_does_not_fit_says_nothing() {
        assert_eq!(read(kind::GOAL_PROGRESS, &json!({"progress": "half"})), None);
        assert_eq!(read(kind::AGENT_STATUS, &json!({"status": 5})), None);
        assert_eq!(read("made_up", &json!({})), None);
        let odd = read(kind::TOOL_CALL_START, &json!({"tool_name": ["x"], "error": 7}));
        let nameless = Fact::ToolStarted {
            tool: String::new(),
            call: None,
        };
        assert_eq!(odd, Some(nameless));
    }

    #[test]
    fn a_pause_for_a_person_is_told_from_others() {
        let paused = |reason| read(kind::EXECUTION_PAUSED, &json!({"node_id": "n", "reason": reason}));
        for (reason, person) in [("HITL: review", true), ("human_approval", true), ("rate limit", false)] {
            assert!(
                matches!(paused(reason), Some(Fact::RunPaused { person: found, .. }) if found == person),
                "{reason}"
            );
        }
    }

    #[test]
    fn usage_is_read_under_the_names_that_agents_use() {
        let Some(Fact::Usage(usage)) = read(
            kind::USAGE,
            &json!({"model": "claude-haiku-4-5", "input_tokens": 10, "output": 5, "cache_read_input_tokens": 7, "cost_usd": 0.5}),
        ) else {
            panic!("no usage")
        };
        assert_eq!(
            (
                usage.input_tokens,
                usage.output_tokens,
                usage.cache_read_tokens,
                usage.cost
            ),
            (Some(10), Some(5), Some(7), Some(0.5))
        );
    }
}
