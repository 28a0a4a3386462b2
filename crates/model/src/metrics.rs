//! Figures about what agents do in a stretch of time: values only. Who counts is the hub, who writes them down a dialect.

use std::sync::Arc;

use crate::Millis;

/// Hours that a stretch of time may have (seed 001, "Client Configuration").
pub const HOURS: std::ops::RangeInclusive<u32> = 1..=168;

/// The groups of figures that change by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Counts of tasks.
    Tasks = 0,
    /// Money.
    Costs = 1,
    /// Requests to models, and tokens.
    Api = 2,
    /// Tool calls by tool.
    Tools = 3,
    /// Sessions that were seen.
    Sessions = 4,
    /// What happened last.
    Activity = 5,
}

impl Group {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::Tasks,
        Self::Costs,
        Self::Api,
        Self::Tools,
        Self::Sessions,
        Self::Activity,
    ];
}

/// When each group of a stretch's figures last changed, in numbers that only grow.
pub type Versions = [u64; Group::ALL.len()];

/// Tasks: executions, working stretches of agents, tool runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// Started in this stretch of time, and not over.
    pub running: u64,
    /// Ended in it, well.
    pub completed: u64,
    /// Ended in it, badly.
    pub failed: u64,
}

impl TaskCounts {
    /// All of them.
    pub fn total(self) -> u64 {
        self.running + self.completed + self.failed
    }
}

/// What requests to models took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Requests.
    pub requests: u64,
    /// Tokens in, without those of the cache.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// Tokens read from the cache.
    pub cache_read_tokens: u64,
    /// Tokens written to the cache.
    pub cache_write_tokens: u64,
    /// Billionths of a US dollar.
    pub nanodollars: u64,
    /// Those of them that come from the built-in table of prices.
    pub estimated_nanodollars: u64,
    /// Requests that neither the agent nor the table has a price for.
    pub unpriced_requests: u64,
}

/// One model's share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSpent {
    /// The model, as agents name it.
    pub model: Arc<str>,
    /// What it took.
    pub spent: Spent,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// In words.
    pub description: String,
    /// When.
    pub time: Millis,
}

/// The figures of a stretch of time that ends now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// When each group last changed.
    pub versions: Versions,
    /// Tasks.
    pub tasks: TaskCounts,
    /// All models together.
    pub spent: Spent,
    /// Models of the Haiku family, in billionths of a US dollar.
    pub haiku_nanodollars: u64,
    /// Models of the Sonnet family, in billionths of a US dollar.
    pub sonnet_nanodollars: u64,
    /// Each model, the most expensive first.
    pub models: Vec<ModelSpent>,
    /// Tool calls.
    pub tool_calls: u64,
    /// Each tool's, the most called first.
    pub tools: Vec<(Arc<str>, u64)>,
    /// Sessions that were seen.
    pub sessions: u64,
    /// What happened last, newest first.
    pub activity: Vec<Happening>,
}

/// What a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// A run (Hive).
    Execution,
    /// An agent at work, from one idle time to the next.
    Agent,
    /// One tool call.
    Tool,
}

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    /// Not over.
    Running,
    /// Over, well.
    Completed,
    /// Over, badly.
    Failed,
}

/// A task as it is after a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Names it in this run of the hub.
    pub id: u64,
    /// What it is.
    pub kind: TaskKind,
    /// The tool, the execution, or what the agent says it is at.
    pub name: String,
    /// Whose.
    pub agent: Arc<str>,
    /// In which session.
    pub session: Option<Arc<str>>,
    /// How it stands.
    pub status: TaskStatus,
    /// When it began; unknown when only its end was seen.
    pub started: Option<Millis>,
    /// When it was over.
    pub ended: Option<Millis>,
    /// How far, 0 to 1.
    pub progress: Option<f64>,
    /// What went wrong.
    pub error: Option<String>,
}

/// The figures of one step of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// When the step begins.
    pub time: Millis,
    /// Tasks that began (and are not over) or ended in it.
    pub tasks: TaskCounts,
    /// What requests to models took in it.
    pub spent: Spent,
    /// Tool calls in it.
    pub tool_calls: u64,
}
