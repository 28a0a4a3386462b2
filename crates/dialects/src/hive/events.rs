//! Hive's event types and the data that each one carries. Reading them never judges: a field of another type than the seed's
//! counts as absent, and the event's data is kept as it came.

use countersign_model::fact::lenient;
use countersign_model::{Json, kind, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The ten types: the eight of the seed's table, and the two that its text names beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// A run begins.
    ExecutionStarted,
    /// A run is over and went well.
    ExecutionCompleted,
    /// A run is over and went badly.
    ExecutionFailed,
    /// How far a run is.
    GoalProgress,
    /// A run got where it wanted.
    GoalAchieved,
    /// Something that runs share has changed.
    StateChanged,
    /// A run waits, for a person maybe (HITL).
    ExecutionPaused,
    /// A run goes on.
    ExecutionResumed,
    /// A node of a run's graph is done.
    NodeExecuted,
    /// A run broke a rule that it was given.
    ConstraintViolation,
}

impl EventType {
    /// All of them, in the seed's order.
    pub const ALL: [Self; 10] = [
        Self::ExecutionStarted,
        Self::ExecutionCompleted,
        Self::ExecutionFailed,
        Self::GoalProgress,
        Self::GoalAchieved,
        Self::StateChanged,
        Self::ExecutionPaused,
        Self::ExecutionResumed,
        Self::NodeExecuted,
        Self::ConstraintViolation,
    ];

    /// The name that events have on the wire and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExecutionStarted => kind::EXECUTION_STARTED,
            Self::ExecutionCompleted => kind::EXECUTION_COMPLETED,
            Self::ExecutionFailed => kind::EXECUTION_FAILED,
            Self::GoalProgress => kind::GOAL_PROGRESS,
            Self::GoalAchieved => kind::GOAL_ACHIEVED,
            Self::StateChanged => kind::STATE_CHANGED,
            Self::ExecutionPaused => kind::EXECUTION_PAUSED,
            Self::ExecutionResumed => kind::EXECUTION_RESUMED,
            Self::NodeExecuted => kind::NODE_EXECUTED,
            Self::ConstraintViolation => kind::CONSTRAINT_VIOLATION,
        }
    }

    /// The type of that name, in any letter case: clients filter by `GOAL_PROGRESS` and are told of `goal_progress`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(name))
    }
}

/// Data of `execution_started`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecutionStarted {
    /// What the run was given.
    pub input_data: Value,
    /// The stream that it is labelled with.
    #[serde(deserialize_with = "lenient")]
    pub stream_id: Option<String>,
    /// The run.
    #[serde(deserialize_with = "lenient")]
    pub execution_id: Option<String>,
}

/// Data of `execution_completed`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecutionCompleted {
    /// What the run gave.
    pub output: Value,
    /// The run.
    #[serde(deserialize_with = "lenient")]
    pub execution_id: Option<String>,
}

/// Data of `execution_failed`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecutionFailed {
    /// What went wrong.
    pub error: Value,
    /// The run.
    #[serde(deserialize_with = "lenient")]
    pub execution_id: Option<String>,
}

/// Data of `goal_progress`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GoalProgress {
    /// 0 to 1.
    #[serde(deserialize_with = "lenient")]
    pub progress: Option<f64>,
    /// Each criterion's state.
    pub criteria_status: Value,
}

/// Data of `goal_achieved`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GoalAchieved {
    /// Each criterion's last state.
    pub final_status: Value,
}

/// Data of `state_changed`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StateChanged {
    /// What has changed.
    #[serde(deserialize_with = "lenient")]
    pub key: Option<String>,
    /// From.
    pub old_value: Value,
    /// To.
    pub new_value: Value,
}

/// Data of `execution_paused`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecutionPaused {
    /// Where in the graph.
    #[serde(deserialize_with = "lenient")]
    pub node_id: Option<String>,
    /// Why.
    pub reason: Value,
}

/// Data of `execution_resumed`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecutionResumed {
    /// Where in the graph.
    #[serde(deserialize_with = "lenient")]
    pub node_id: Option<String>,
    /// What the person decided.
    pub decision: Value,
}

/// Data of `node_executed`. The seed names the type and not its fields; these are the ones that its siblings have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeExecuted {
    /// Where in the graph.
    #[serde(deserialize_with = "lenient")]
    pub node_id: Option<String>,
    /// What the node gave.
    pub output: Value,
    /// The run.
    #[serde(deserialize_with = "lenient")]
    pub execution_id: Option<String>,
}

/// Data of `constraint_violation`. The seed names the type and not its fields; these are the ones that Hive's own agents send.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConstraintViolation {
    /// Which rule.
    #[serde(deserialize_with = "lenient")]
    pub constraint_id: Option<String>,
    /// In words.
    pub description: Value,
}

/// An event's data, by its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// `execution_started`.
    ExecutionStarted(ExecutionStarted),
    /// `execution_completed`.
    ExecutionCompleted(ExecutionCompleted),
    /// `execution_failed`.
    ExecutionFailed(ExecutionFailed),
    /// `goal_progress`.
    GoalProgress(GoalProgress),
    /// `goal_achieved`.
    GoalAchieved(GoalAchieved),
    /// `state_changed`.
    StateChanged(StateChanged),
    /// `execution_paused`.
    ExecutionPaused(ExecutionPaused),
    /// `execution_resumed`.
    ExecutionResumed(ExecutionResumed),
    /// `node_executed`.
    NodeExecuted(NodeExecuted),
    /// `constraint_violation`.
    ConstraintViolation(ConstraintViolation),
}

impl Payload {
    /// What the data of an event of this type says.
    pub fn read(event_type: EventType, data: &Json) -> Self {
        fn from<T: Default + for<'de> Deserialize<'de>>(data: &Json) -> T {
            serde_json::from_str(data.get()).unwrap_or_default()
        }
        match event_type {
            EventType::ExecutionStarted => Self::ExecutionStarted(from(data)),
            EventType::ExecutionCompleted => Self::ExecutionCompleted(from(data)),
            EventType::ExecutionFailed => Self::ExecutionFailed(from(data)),
            EventType::GoalProgress => Self::GoalProgress(from(data)),
            EventType::GoalAchieved => Self::GoalAchieved(from(data)),
            EventType::StateChanged => Self::StateChanged(from(data)),
            EventType::ExecutionPaused => Self::ExecutionPaused(from(data)),
            EventType::ExecutionResumed => Self::ExecutionResumed(from(data)),
            EventType::NodeExecuted => Self::NodeExecuted(from(data)),
            EventType::ConstraintViolation => Self::ConstraintViolation(from(data)),
        }
    }

    /// The type of the event that carries it.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::ExecutionStarted(_) => EventType::ExecutionStarted,
            Self::ExecutionCompleted(_) => EventType::ExecutionCompleted,
            Self::ExecutionFailed(_) => EventType::ExecutionFailed,
            Self::GoalProgress(_) => EventType::GoalProgress,
            Self::GoalAchieved(_) => EventType::GoalAchieved,
            Self::StateChanged(_) => EventType::StateChanged,
            Self::ExecutionPaused(_) => EventType::ExecutionPaused,
            Self::ExecutionResumed(_) => EventType::ExecutionResumed,
            Self::NodeExecuted(_) => EventType::NodeExecuted,
            Self::ConstraintViolation(_) => EventType::ConstraintViolation,
        }
    }

    /// As an event's data.
    pub fn data(&self) -> Json {
        match self {
            Self::ExecutionStarted(data) => to_json(data),
            Self::ExecutionCompleted(data) => to_json(data),
            Self::ExecutionFailed(data) => to_json(data),
            Self::GoalProgress(data) => to_json(data),
            Self::GoalAchieved(data) => to_json(data),
            Self::StateChanged(data) => to_json(data),
            Self::ExecutionPaused(data) => to_json(data),
            Self::ExecutionResumed(data) => to_json(data),
            Self::NodeExecuted(data) => to_json(data),
            Self::ConstraintViolation(data) => to_json(data),
        }
    }

    /// The run that the data itself names, for an event whose envelope names none.
    pub fn execution_id(&self) -> Option<&str> {
        match self {
            Self::ExecutionStarted(data) => data.execution_id.as_deref(),
            Self::ExecutionCompleted(data) => data.execution_id.as_deref(),
            Self::ExecutionFailed(data) => data.execution_id.as_deref(),
            Self::NodeExecuted(data) => data.execution_id.as_deref(),
            _ => None,
        }
    }

    /// The stream that the data itself names, for an event whose envelope names none.
    pub fn stream_id(&self) -> Option<&str> {
        match self {
            Self::ExecutionStarted(data) => data.stream_id.as_deref(),
            _ => None,
        }
    }
}
