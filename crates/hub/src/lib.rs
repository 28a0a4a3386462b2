//! The headless core: one writer path into the log, readers with cursors, one registry of approvals.
//! It knows no sockets, files, database, HTTP or windows, and it asks a [`Clock`] for the time.

pub mod agent_loop;
mod archive;
mod clock;
mod cursor;
mod entry;
mod hub;
mod log;
pub mod metrics;
mod people;
mod registry;
#[cfg(test)]
mod registry_tests;
mod seen;
mod sessions;

pub use archive::{Archive, ArchiveError, EventQuery, Find, Lookup, Page, Restored};
pub use clock::{Clock, SystemClock, random_hex};
pub use cursor::{Batch, Cursor};
pub use entry::{Change, Dialect, Entry, Place, Stop};
pub use hub::{
    AnswerError, AskError, Asked, BatchError, CommitError, Config, HistoryLost, Hub, Item, Once, PublishError,
    Published, SessionError, Waiter,
};
pub use registry::{Limits, Refusal};
pub use seen::{Mark, Seen};
pub use sessions::Sessions;
