//! The one request that a client has before it, and the answers that it gives: which of them counts, and for what.

use std::sync::Arc;

use countersign_dialects::codex::{Question, Response};
use countersign_hub::Waiter;
use countersign_hub::agent_loop::{Inquiry, Ruling};
use countersign_model::{Approval, Json, Scope, Seq, Surface, Verdict, to_json};
use serde::Deserialize;
use serde_json::Value;

/// A question that is in the registry, and not answered yet as far as the agent knows.
pub(super) struct Open {
    pub(super) question: Arc<str>,
    /// What the agent wants to run.
    pub(super) asked: Question,
    /// The id of the request, and of the message that brings it to the client.
    pub(super) request_id: String,
    pub(super) waiter: Waiter,
    /// Its place in the log: it is shown once that is committed.
    pub(super) seq: Seq,
    /// The client has it.
    pub(super) shown: bool,
    /// The client has answered it, first or not.
    pub(super) answered: bool,
    /// The client's answer was the first.
    pub(super) here: bool,
    /// The patch of the client's answer.
    pub(super) apply_patch: Option<Json>,
}

/// What the agent wants to run, as the client is asked.
pub(super) fn asked(inquiry: &Inquiry) -> Question {
    Question {
        command: inquiry.command.clone(),
        apply_patch: inquiry.apply_patch.clone(),
    }
}

impl Open {
    /// The arguments that an answer brings: those that were asked about with another patch. `None` when it brings no other, or
    /// there was no patch to change: what is approved is what was asked about.
    pub(super) fn edited(&self, response: &Response) -> Option<Json> {
        let patch = response.apply_patch.as_ref()?;
        let asked = self.asked.apply_patch.as_ref()?;
        (!same(asked, patch)).then(|| {
            to_json(&Question {
                command: self.asked.command.clone(),
                apply_patch: Some(patch.clone()),
            })
        })
    }

    /// What the agent is told.
    pub(super) fn ruling(&self, approval: &Approval) -> Ruling {
        let decision = approval.decision.as_ref();
        let arguments = decision.and_then(|decision| decision.arguments.clone());
        Ruling {
            question: self.question.clone(),
            verdict: approval.status.verdict().unwrap_or(Verdict::Deny),
            scope: decision.map_or(Scope::Once, |decision| decision.scope),
            message: decision.and_then(|decision| decision.message.clone()),
            apply_patch: self
                .apply_patch
                .clone()
                .filter(|_| self.here)
                .or_else(|| patch_of(arguments.as_ref()?)),
            arguments,
        }
    }
}

/// A ruling for a question that did not come to a person.
pub(super) fn refusal(question: Arc<str>, verdict: Verdict, message: String) -> Ruling {
    Ruling {
        question,
        verdict,
        scope: Scope::Once,
        message: Some(message),
        arguments: None,
        apply_patch: None,
    }
}

fn patch_of(arguments: &Json) -> Option<Json> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Arguments {
        apply_patch: Option<Json>,
    }
    serde_json::from_str::<Arguments>(arguments.get()).ok()?.apply_patch
}

/// Whether two patches say the same, in whatever order and spelling.
fn same(one: &Json, other: &Json) -> bool {
    let read = |json: &Json| serde_json::from_str::<Value>(json.get()).ok();
    read(one).is_some_and(|one| Some(one) == read(other))
}

/// Where an answer came from, in words.
pub(super) fn place(by: Surface) -> &'static str {
    match by {
        Surface::Dialog => "in the dialog",
        Surface::Window => "in the window",
        Surface::Tray => "in the tray",
        Surface::Rest => "over REST",
        Surface::Socket => "over a WebSocket",
        Surface::Hub => "by Countersign itself",
    }
}
