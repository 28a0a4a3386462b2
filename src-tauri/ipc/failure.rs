//! What a command says when it fails: a stable word for the page, plain words for the person.

use countersign_hub::{AnswerError, ArchiveError, SessionError};
use countersign_model::{Approval, Problem};
use serde::Serialize;

/// A command's failure, as the page gets it.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    code: &'static str,
    message: String,
    /// With `resolved`: what was decided, by whoever was first.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<Box<Approval>>,
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            approval: None,
        }
    }
}

impl From<AnswerError> for Failure {
    fn from(error: AnswerError) -> Self {
        let message = error.to_string();
        let code = match error {
            AnswerError::NotFound => "not_found",
            AnswerError::Ambiguous => "ambiguous",
            AnswerError::Resolved(approval) => {
                return Self {
                    code: "resolved",
                    message,
                    approval: Some(approval),
                };
            }
            AnswerError::Unsupported(_) => "unsupported",
            AnswerError::Archive(_) => "failed",
        };
        Self::new(code, message)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        let code = match error {
            SessionError::NotFound => "not_found",
            SessionError::Ambiguous => "ambiguous",
            SessionError::Archive(_) => "failed",
        };
        Self::new(code, error.to_string())
    }
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        Self::new("failed", error.to_string())
    }
}

/// There is no hub, and this is why.
impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::new("unreachable", problem.message)
    }
}
