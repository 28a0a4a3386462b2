//! npm projects: their packages are installed when the lockfile is not the one they were installed from.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{place, program};

/// Installs exactly what `folder`'s lockfile names, unless that is there already.
pub(crate) fn install(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let installed_from = folder.join("node_modules/.installed-from");
    let wanted = std::fs::read(&lock)
        .with_context(|| format!("{} cannot be read: is this a whole clone?", place::from_root(&lock)))?;
    if std::fs::read(&installed_from).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    program::run(npm(folder).args(["ci", "--no-audit", "--no-fund"])).with_context(|| {
        format!(
            "the packages of {} were not installed; check the network with `npm ping` (a proxy: `npm config set proxy URL`, \
             a mirror: `npm config set registry URL`), then run this again",
            place::from_root(folder)
        )
    })?;
    std::fs::write(&installed_from, wanted).with_context(|| format!("cannot write {}", installed_from.display()))
}

/// npm in `folder`.
pub(crate) fn npm(folder: &Path) -> Command {
    let mut command = program::command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(folder);
    command
}
