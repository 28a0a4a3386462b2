//! Taking letters up: listed in the order of their hooks, read, and removed once they are delivered.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use countersign_model::Millis;

use super::name::Name;
use super::put::names;
use super::{DROPS, TOLD};

/// A letter that waits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spooled {
    name: Name,
}

impl Spooled {
    /// The hook's id.
    pub fn id(&self) -> &str {
        &self.name.id
    }

    /// When the hook ran.
    pub fn time(&self) -> Millis {
        Millis(i64::try_from(self.name.micros / 1000).unwrap_or(i64::MAX))
    }
}

/// Letters that were dropped because there were too many, or too old ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// How many.
    pub count: usize,
    /// When the hook of the oldest ran.
    pub first: Millis,
    /// When the hook of the newest ran.
    pub last: Millis,
}

/// The letters that wait, oldest first.
///
/// # Errors
/// When the folder cannot be read; one that is not there is empty.
pub fn list(folder: &Path) -> io::Result<Vec<Spooled>> {
    let mut letters: Vec<_> = names(folder)?.into_iter().map(|name| Spooled { name }).collect();
    letters.sort_unstable();
    Ok(letters)
}

/// A letter's agent and body; `None` when it is not whole, or gone.
///
/// # Errors
/// When it cannot be read.
pub fn read(folder: &Path, letter: &Spooled) -> io::Result<Option<(String, Vec<u8>)>> {
    let text = match fs::read(folder.join(letter.name.to_string())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let whole = text.len() as u64 == letter.name.bytes;
    let Some(end) = text.iter().position(|byte| *byte == b'\n').filter(|_| whole) else {
        return Ok(None);
    };
    let body = text[end + 1..].to_vec();
    Ok(String::from_utf8(text[..end].to_vec()).ok().map(|agent| (agent, body)))
}

/// Removes a letter.
///
/// # Errors
/// When it cannot be removed; one that is not there is fine.
pub fn remove(folder: &Path, letter: &Spooled) -> io::Result<()> {
    match fs::remove_file(folder.join(letter.name.to_string())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// What was dropped and is not told yet: the same until [`forget_drops`].
///
/// # Errors
/// When it cannot be read.
pub fn drops(folder: &Path) -> io::Result<Option<Dropped>> {
    // Renamed first: what is dropped from now on is counted in a new file.
    let counted = folder.join(TOLD);
    if !counted.exists() {
        match fs::rename(folder.join(DROPS), &counted) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            renamed => renamed?,
        }
    }
    let text = fs::read_to_string(&counted)?;
    let times: Vec<u64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    let millis =
        |micros: Option<&u64>| Millis(i64::try_from(micros.map_or(0, |micros| micros / 1000)).unwrap_or(i64::MAX));
    Ok((!times.is_empty()).then(|| Dropped {
        count: times.len(),
        first: millis(times.iter().min()),
        last: millis(times.iter().max()),
    }))
}

/// What [`drops`] gave was told.
///
/// # Errors
/// When that cannot be noted.
pub fn forget_drops(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join(TOLD)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Removes what programs that were killed while they wrote have left behind.
///
/// # Errors
/// When the folder cannot be read.
pub fn clear_drafts(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let draft = entry.file_name().to_string_lossy().starts_with(".draft-");
        let age = entry.metadata().and_then(|about| about.modified()).ok();
        let old = age.and_then(|time| time.elapsed().ok());
        if draft && old.is_some_and(|old| old > Duration::from_secs(60)) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}
