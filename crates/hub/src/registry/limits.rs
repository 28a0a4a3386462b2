//! What the registry holds on to at most, and why a question is refused.

use std::sync::Arc;

use countersign_model::canonical::CanonicalError;

/// What the registry holds on to at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a request outlives its agent's connection or last poll, in seconds.
    pub grace_seconds: i64,
    /// Approvals that may wait at once.
    pub max_pending: usize,
    /// Bytes of one request's data.
    pub max_request_bytes: usize,
    /// Bytes of all waiting requests' data.
    pub max_pending_bytes: usize,
    /// Resolved approvals kept at hand for agents that ask again; older ones are in the store.
    pub max_recent: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            grace_seconds: 60,
            max_pending: 1000,
            max_request_bytes: 256 * 1024,
            max_pending_bytes: 64 * 1024 * 1024,
            max_recent: 256,
        }
    }
}

/// Sessions that one question is asked from at most.
pub(super) const MAX_SESSIONS: usize = 64;

/// Why a question was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The id is taken by another question.
    #[error("request_id {0:?} was used before by this agent for another call; give each request an id of its own")]
    Conflict(Arc<str>),
    /// Over [`Limits::max_request_bytes`].
    #[error("the request has {size} bytes; at most {limit} can be approved")]
    TooLarge {
        /// Bytes of the data.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Over [`Limits::max_pending`] or [`Limits::max_pending_bytes`].
    #[error("too many approvals wait already")]
    TooMany,
    /// The same question from ever new sessions.
    #[error("request_id {0:?} was asked from too many sessions; give each request an id of its own")]
    TooManySessions(Arc<str>),
    /// The arguments cannot be bound.
    #[error("the arguments cannot be approved: {0}")]
    Arguments(#[from] CanonicalError),
}
