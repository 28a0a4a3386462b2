//! What the tools need of a hub, wherever it is.

use countersign_model::{Approval, Json};
use rmcp::model::Extensions;
use serde::{Deserialize, Serialize};

/// Whose tools these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The agent.
    pub agent: String,
    /// Its session.
    pub session: String,
}

/// Something that a person is asked.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its own id: the same again is the same question.
    pub request_id: String,
    /// Who asks.
    pub agent: String,
    /// In which session.
    pub session: String,
    /// The tool that is to run, or `AskUserQuestion`.
    pub tool_name: String,
    /// What it is to run with.
    pub arguments: Json,
    /// Beside the call: which of the tools asked, and what the agent said of it.
    pub tool_info: Json,
    /// Where it would run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Why, in the agent's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Expires after so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// Whether a stop would reach the agent as one.
    pub stops: bool,
}

/// Something that a person is told.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Who tells.
    pub agent: String,
    /// In which session.
    pub session: String,
    /// What.
    pub message: String,
    /// `info`, `success`, `warning` or `error`.
    pub level: String,
}

/// Why there is no answer. Never an approval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// No hub took the question, or it went away.
    #[error("Countersign does not answer ({0}), so nobody was asked and nothing is approved")]
    Absent(String),
    /// The hub does not take it.
    #[error("Countersign did not take this: {0}")]
    Refused(String),
}

/// A way to a hub.
pub trait Desk: Clone + Send + Sync + 'static {
    /// Who calls, where a request says so itself.
    fn caller(&self, client: Option<&str>, request: &Extensions) -> Caller;

    /// Asks, and waits for the answer, however long. Dropped, it takes the question back at once.
    fn ask(&self, question: Question, request: &Extensions) -> impl Future<Output = Result<Approval, Trouble>> + Send;

    /// Tells.
    fn tell(&self, note: Note, request: &Extensions) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Ends when nobody waits for the answer to this request any more.
    fn gone(&self, request: &Extensions) -> impl Future<Output = ()> + Send + 'static;
}
