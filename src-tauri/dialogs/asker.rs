//! What the line of approvals needs of a desktop: native dialogs, one at a time. Each platform brings its own.

use serde_json::Value;
use tokio::sync::oneshot;

use super::confirmation::Confirmation;
use super::question::Question;
use countersign_model::Verdict;

/// What a person answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) verdict: Verdict,
    /// Which of the agent's own permissions go with it, by their places.
    pub(crate) grants: Vec<u32>,
    /// The arguments to run with, where they are not those that the agent gave: with the answers to its own questions.
    pub(crate) arguments: Option<Value>,
    /// A word to the agent.
    pub(crate) message: Option<String>,
}

impl Said {
    /// An answer and nothing else.
    #[cfg(any(test, not(target_os = "linux")))]
    pub(crate) fn only(verdict: Verdict) -> Self {
        Self {
            verdict,
            grants: Vec::new(),
            arguments: None,
            message: None,
        }
    }
}

/// What the window is to show of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// All of it, with its answers.
    Request,
    /// Its arguments, to be changed before they run.
    Edit,
}

/// How a question ended.
#[cfg_attr(
    not(any(test, target_os = "linux")),
    expect(
        dead_code,
        reason = "the plugin's dialog says neither that it was closed nor that it was taken away"
    )
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A person gave this answer.
    Answer(Said),
    /// A person wants to see it in the window, or to edit it there.
    Show(At),
    /// A person closed it without an answer.
    Closed,
    /// It was taken away by the program.
    Withdrawn,
}

/// Opens native dialogs. Nothing here waits: what a person does arrives later.
pub(crate) trait Asker: Send + Sync + 'static {
    /// Opens the one dialog, with `behind` more in line. The receiver fails when none could be opened.
    fn ask(&self, question: Question, behind: usize) -> oneshot::Receiver<Outcome>;
    /// The number of those in line behind the open one has changed.
    fn behind(&self, count: usize);
    /// Asks for a yes. Return, Escape and closing say no; so does a receiver that fails.
    fn confirm(&self, confirmation: Confirmation) -> oneshot::Receiver<bool>;
    /// Takes the open dialog away. Without one, nothing happens.
    fn withdraw(&self);
}
