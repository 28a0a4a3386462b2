//! What a local program asks the person at the desktop to allow.

use std::future::Future;
use std::pin::Pin;

use countersign_model::{Approval, Verdict};

use super::token::TokenWish;

/// What a local program asks a person to allow.
#[derive(Clone, Debug)]
pub enum ConfirmAsk {
    /// A web monitor that may answer.
    Dashboard,
    /// A token that may answer.
    Token(TokenWish),
    /// One answer.
    Answer {
        /// To this request.
        approval: Box<Approval>,
        /// Namely.
        decision: Verdict,
    },
}

/// Asks the person at the desktop. The shell implements it.
pub trait Confirm: Send + Sync + 'static {
    /// Whether they allow it; closing the question means no.
    fn confirm(&self, ask: ConfirmAsk) -> Pin<Box<dyn Future<Output = bool> + Send>>;
}
