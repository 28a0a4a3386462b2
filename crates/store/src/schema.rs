//! The tables, their migrations, and how a connection is set up.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

const FIRST: &str = "
CREATE TABLE epochs (
    ordinal INTEGER PRIMARY KEY,
    epoch   TEXT NOT NULL UNIQUE,
    first   INTEGER NOT NULL,              -- the first seq this epoch may use
    last    INTEGER                        -- the last durable seq, written with each commit
) STRICT;
CREATE TABLE events (
    seq       INTEGER PRIMARY KEY,
    time      INTEGER NOT NULL,            -- milliseconds since the Unix epoch
    origin    TEXT NOT NULL,
    agent     TEXT NOT NULL,
    session   TEXT,
    stream    TEXT,
    kind      TEXT NOT NULL,
    timestamp TEXT,                        -- JSON, as the publisher gave it
    data      TEXT NOT NULL                -- JSON
) STRICT;
CREATE TABLE approvals (
    id         TEXT PRIMARY KEY,
    agent      TEXT NOT NULL,
    request_id TEXT NOT NULL,
    status     TEXT NOT NULL,
    delivery   TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    body       TEXT NOT NULL,              -- JSON of the whole approval
    UNIQUE (agent, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_by_seq ON approvals (seq);
CREATE INDEX approvals_by_request ON approvals (request_id);
CREATE INDEX approvals_open ON approvals (status, delivery);
CREATE TABLE stops (
    agent   TEXT NOT NULL,
    session TEXT NOT NULL,
    at      INTEGER NOT NULL,
    origin  TEXT NOT NULL,                 -- the surface it was given from, as JSON
    message TEXT,
    PRIMARY KEY (agent, session)
) STRICT, WITHOUT ROWID;
CREATE TABLE rules (
    id   TEXT PRIMARY KEY,
    body TEXT NOT NULL                     -- JSON of the whole rule
) STRICT, WITHOUT ROWID;
CREATE TABLE sessions (
    session TEXT NOT NULL,
    agent   TEXT NOT NULL,
    first   INTEGER NOT NULL,              -- its first event
    PRIMARY KEY (session, agent)
) STRICT, WITHOUT ROWID;
";

/// How far readers that outlive the hub have come, what their targets refused, and the hubs that an event came through.
const READERS: &str = "
CREATE TABLE vias (
    seq INTEGER PRIMARY KEY,
    via TEXT NOT NULL                      -- ids of hubs, separated by commas
) STRICT;
CREATE TRIGGER vias_go AFTER DELETE ON events BEGIN DELETE FROM vias WHERE seq = old.seq; END;
CREATE TABLE places (
    reader TEXT PRIMARY KEY,
    place  TEXT NOT NULL                   -- in the reader's own form: EPOCH:SEQ
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letters (
    reader TEXT NOT NULL,
    seq    INTEGER NOT NULL,
    error  TEXT NOT NULL,
    PRIMARY KEY (reader, seq)
) STRICT, WITHOUT ROWID;
";

/// What was taken in already, and is recognised if it is sent again. The hub says which marks are forgotten.
const SEEN: &str = "
CREATE TABLE seen (
    mark BLOB PRIMARY KEY,
    seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// What an event's envelope said beside what the hub knows, as a JSON object.
const EXTRA: &str = "ALTER TABLE events ADD COLUMN extra TEXT;";

fn migrations() -> Migrations<'static> {
    Migrations::new(vec![M::up(FIRST), M::up(READERS), M::up(SEEN), M::up(EXTRA)])
}

/// The one connection that writes. A commit is on the disk when it returns (write-ahead log, synced).
pub(crate) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    private(path);
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Makes the file its owner's alone before SQLite does; its side files take over the mode. The folder is private already.
fn private(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if let Err(error) = options.open(path) {
        // SQLite will say what is wrong with the path, and better.
        tracing::debug!(%error, "the history could not be made");
    }
}

/// A connection that only reads.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

pub(crate) fn migrate(connection: &mut Connection) -> Result<(), rusqlite_migration::Error> {
    migrations().to_latest(connection)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_migrations_are_valid() {
        super::migrations().validate().expect("valid");
    }
}
