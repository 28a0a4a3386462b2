//! How asking ended: its exit code, and the words for it.

use countersign_model::{Approval, Status};
use serde_json::json;

use crate::commands;
use crate::failure::{Exit, Failure};
use crate::hub::HubError;
use crate::output::{Out, say};
use crate::show::visible;

/// How it ended.
#[derive(Debug)]
pub(super) enum End {
    /// Somebody or something decided; with the hub's own text.
    Decided(Box<Approval>, String),
    /// The hub was away for too long.
    Unreachable(HubError),
    /// Nobody came who could answer.
    NoApprover,
    /// The hub does not take the question.
    Refused(HubError),
    /// A signal.
    Interrupted,
}

impl End {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Decided(approval, _) => match approval.status {
                Status::Approved => Exit::Ok,
                Status::Denied => Exit::Failed,
                Status::Stopped => Exit::Stopped,
                Status::Pending | Status::Expired | Status::Cancelled => Exit::Unanswered,
            },
            Self::Refused(HubError::Refused(problem)) if matches!(problem.status, 400 | 409 | 413 | 422) => Exit::Usage,
            Self::Refused(_) | Self::Unreachable(_) | Self::NoApprover | Self::Interrupted => Exit::Unanswered,
        }
    }

    pub(super) fn tell(&self, json: bool) -> Result<(), Failure> {
        let mut out = Out::open();
        match self {
            Self::Decided(approval, text) => {
                let decision = approval.decision.as_ref();
                let by = decision.map_or("nobody", |decision| commands::surface(decision.by));
                say(&format!("{} by {by}", approval.status.as_str()));
                let message = decision.and_then(|decision| decision.message.as_deref());
                if json {
                    out.line(text.trim_end())?;
                } else if let Some(message) = message {
                    out.line(&visible(message))?;
                }
            }
            Self::Unreachable(error) => Self::failed(&mut out, json, "unreachable", &format!("unreachable: {error}"))?,
            Self::Refused(error) => Self::failed(&mut out, json, "refused", &error.to_string())?,
            Self::NoApprover => Self::failed(&mut out, json, "no_approver", "nobody came who can answer")?,
            Self::Interrupted => Self::failed(&mut out, json, "interrupted", "interrupted: nobody allowed it")?,
        }
        out.flush()
    }

    fn failed(out: &mut Out, json: bool, status: &str, why: &str) -> Result<(), Failure> {
        say(&format!("countersign: {why}"));
        if json {
            out.line(&json!({ "status": status, "error": why }).to_string())?;
        }
        Ok(())
    }
}
