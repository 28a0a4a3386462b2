//! What the hub asks of the store, as a reader of the past: history, old approvals, and the state at start.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use countersign_model::{Approval, Epoch, Event, Rule, Seq, Status};

use crate::{Mark, Stop};

/// A lookup under way.
pub type Lookup<T> = Pin<Box<dyn Future<Output = Result<T, ArchiveError>> + Send>>;

/// The store could not be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the history could not be read: {0}")]
pub struct ArchiveError(pub String);

/// Which events to read, oldest first.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// Only events after this one.
    pub since: Seq,
    /// Only events up to and with this one.
    pub until: Option<Seq>,
    /// Only these kinds; empty means all.
    pub kinds: Vec<String>,
    /// Only these agents; empty means all.
    pub agents: Vec<String>,
    /// Only these sessions; empty means all.
    pub sessions: Vec<String>,
    /// Only events of these streams; `None` means all, those without a stream included.
    pub streams: Option<Vec<String>>,
    /// At most so many events.
    pub limit: usize,
    /// Stop after the event with which the page's data passes so many bytes.
    pub max_bytes: usize,
}

/// Events that were read.
#[derive(Debug, Default)]
pub struct Page {
    /// Oldest first.
    pub events: Vec<Event>,
    /// Read on after this place; `None` when everything up to the query's end has been seen.
    pub next: Option<Seq>,
}

/// How an approval is named.
#[derive(Clone, Debug)]
pub enum Find {
    /// By the hub's id.
    Id(String),
    /// By its request's id, whoever asked.
    Request(String),
    /// By its agent and its request's id.
    Key(Arc<str>, Arc<str>),
}

/// The durable past. The store implements it.
pub trait Archive: Send + Sync + 'static {
    /// Events, oldest first.
    fn events(&self, query: EventQuery) -> Lookup<Page>;
    /// Approvals of that name: none, one, or (for a request id that several agents used) more; at most a few.
    fn find(&self, find: Find) -> Lookup<Vec<Approval>>;
    /// The newest approvals, newest first, of one status or of all.
    fn approvals(&self, status: Option<Status>, limit: usize) -> Lookup<Vec<Approval>>;
    /// Whether a session of this id has ever been seen; the agents that had one.
    fn session_agents(&self, session: String) -> Lookup<Vec<Arc<str>>>;
}

/// What the store gives the hub at start.
#[derive(Debug)]
pub struct Restored {
    /// The new epoch, already recorded.
    pub epoch: Epoch,
    /// The last durable event; the next one gets the number after it.
    pub last: Seq,
    /// The oldest event that is kept.
    pub oldest: Seq,
    /// Earlier epochs, each with its last durable event.
    pub epochs: Vec<(Epoch, Seq)>,
    /// Approvals that wait, or whose decision has not reached its agent.
    pub approvals: Vec<Approval>,
    /// Sessions that are stopped.
    pub stops: Vec<Stop>,
    /// Rules in force.
    pub rules: Vec<Rule>,
    /// Stand-ins for approvals that waited and whose rows cannot be read: cancelled, without a digest. The rows are kept as they are.
    pub unreadable: Vec<Approval>,
    /// Ids of rules whose rows cannot be read: they are not in force, and kept.
    pub unreadable_rules: Vec<String>,
    /// What is recognised if it is sent again, each with its event.
    pub seen: Vec<(Mark, Seq)>,
}
