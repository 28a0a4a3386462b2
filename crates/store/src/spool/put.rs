//! Putting a letter into the spool: whole or not at all, whoever else does the same, and within the bounds.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::name::{Name, is_id};
use super::{DROPS, MOST_AGE_MICROS, MOST_BYTES, MOST_LETTERS};

/// A hook's event that found no hub.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The hook's id: 32 lower-case hex digits.
    pub id: &'a str,
    /// When the hook ran, in microseconds since the Unix epoch.
    pub micros: u64,
    /// Which agent's it is: `claude-code`.
    pub agent: &'a str,
    /// The hook's JSON as it came.
    pub body: &'a [u8],
}

/// Puts a letter into the spool `folder`, which is made (mode 0700) if it is not there. What is too much is dropped, oldest first.
///
/// A crash leaves the letter or nothing; only a power cut may leave half a letter, which is thrown away when it is read.
///
/// # Errors
/// When it cannot be written.
pub fn put(folder: &Path, letter: &Letter<'_>) -> io::Result<()> {
    if !is_id(letter.id) || !letter.agent.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    make(folder)?;
    // The agent on a line of its own before the body, which may be anything.
    let text = [letter.agent.as_bytes(), b"\n", letter.body].concat();
    let name = Name {
        micros: letter.micros,
        id: letter.id.to_owned(),
        bytes: text.len() as u64,
    };
    bound(folder, &name)?;
    let draft = folder.join(format!(".draft-{}", letter.id));
    let written = private(&draft)
        .and_then(|mut file| file.write_all(&text))
        .and_then(|()| fs::rename(&draft, folder.join(name.to_string())));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        private_folder(parent)?;
    }
    private_folder(folder)
}

fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Drops the oldest letters until there is room for `new`, and what is too old.
fn bound(folder: &Path, new: &Name) -> io::Result<()> {
    let mut names = names(folder)?;
    let mut bytes = names.iter().map(|name| name.bytes).sum::<u64>() + new.bytes;
    if names.len() < MOST_LETTERS && bytes <= MOST_BYTES && !names.iter().any(|name| is_old(name, new)) {
        return Ok(());
    }
    names.sort_unstable();
    let mut left = names.len() + 1;
    let mut dropped = String::new();
    for name in &names {
        if left <= MOST_LETTERS && bytes <= MOST_BYTES && !is_old(name, new) {
            break;
        }
        left -= 1;
        bytes -= name.bytes;
        // Another program may have dropped it, or the hub taken it.
        if fs::remove_file(folder.join(name.to_string())).is_ok() {
            dropped.push_str(&format!("{}\n", name.micros));
        }
    }
    if dropped.is_empty() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(folder.join(DROPS))?.write_all(dropped.as_bytes())
}

fn is_old(name: &Name, new: &Name) -> bool {
    new.micros.saturating_sub(name.micros) > MOST_AGE_MICROS
}

/// The letters, in no order.
pub(super) fn names(folder: &Path) -> io::Result<Vec<Name>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().to_str().and_then(Name::parse));
    }
    Ok(names)
}
