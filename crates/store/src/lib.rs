//! The log's durable half: SQLite as one reader of the log, and history for readers that fell behind it.
//! One writer thread commits what its cursor gives, event and rows in one transaction; other threads only read.

mod commit;
mod folder;
mod notes;
mod reads;
mod rows;
mod schema;
pub mod spool;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_hub::{Hub, Restored};

pub use folder::{DataFolder, FolderError, private_file};
pub use notes::{DeadLetter, Notes};
pub use reads::Reads;
pub use writer::Writer;

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says no.
    #[error("the history at {path} could not be opened: {source}")]
    Open {
        /// The database file.
        path: PathBuf,
        /// SQLite's word.
        source: rusqlite::Error,
    },
    /// The schema is not ours, or newer than this program.
    #[error(
        "the history at {path} has a form that this version cannot read ({source}); a newer Countersign may have written it"
    )]
    Schema {
        /// The database file.
        path: PathBuf,
        /// What did not fit.
        source: rusqlite_migration::Error,
    },
    /// A thread could not be started.
    #[error("the store's thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// An opened history: what the hub needs to start, and the connection that will write.
pub struct Store {
    path: PathBuf,
    connection: rusqlite::Connection,
    reads: Arc<Reads>,
    notes: Notes,
}

impl Store {
    /// Opens (or makes) the history in `folder`, records a new epoch named `epoch`, and says where the log goes on.
    ///
    /// # Errors
    /// When the database cannot be opened or read.
    pub fn open(folder: &Path, epoch: &str) -> Result<(Self, Restored), StoreError> {
        let path = folder.join("history.sqlite");
        let failed = |source| StoreError::Open {
            path: path.clone(),
            source,
        };
        let mut connection = schema::open_writer(&path).map_err(failed)?;
        schema::migrate(&mut connection).map_err(|source| StoreError::Schema {
            path: path.clone(),
            source,
        })?;
        let restored = rows::restore(&mut connection, epoch).map_err(failed)?;
        let reads = Arc::new(Reads::start(&path)?);
        let store = Self {
            path,
            connection,
            notes: Notes::new(reads.clone()),
            reads,
        };
        Ok((store, restored))
    }

    /// The reading side, for the hub.
    pub fn reads(&self) -> Arc<Reads> {
        self.reads.clone()
    }

    /// Where readers that outlive the hub keep their places.
    pub fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// Starts the writer: from now on the log is committed as it grows.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(self, hub: &Arc<Hub>) -> Result<Writer, StoreError> {
        Ok(Writer::start(self.connection, self.path, self.reads, self.notes, hub)?)
    }
}
