//! Hooks' events that found no hub: one file each in a folder that is their owner's alone, until the hub takes them up.
//! Programs write here at once and without a lock; the hub alone reads.

mod name;
mod put;
mod take;
#[cfg(test)]
mod tests;

pub use put::{Letter, put};
pub use take::{Dropped, Spooled, clear_drafts, drops, forget_drops, list, read, remove};

use std::path::{Path, PathBuf};

/// The folder's name within the data folder.
const FOLDER: &str = "spool";
/// Letters at most; the oldest go first.
const MOST_LETTERS: usize = 2048;
/// Bytes of all letters at most.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// What is older tells nobody anything.
const MOST_AGE_MICROS: u64 = 7 * 24 * 60 * 60 * 1_000_000;
/// Where drops are counted: a line for each.
const DROPS: &str = "dropped";
/// The same while it is being told.
const TOLD: &str = ".dropped";

/// The spool of a data folder.
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join(FOLDER)
}
