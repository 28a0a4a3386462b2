//! The Python clients of the whole-program tests: a virtual environment in `tests/.venv`, made from their requirements.

use std::path::Path;

use anyhow::{Context, Result};

use crate::{place, program};

/// Installs exactly what `requirements` names, unless that is there already.
pub(crate) fn install(requirements: &Path) -> Result<()> {
    let folder = place::tests().join(".venv");
    let installed_from = folder.join(".installed-from");
    let wanted = std::fs::read(requirements).with_context(|| {
        format!(
            "{} cannot be read: is this a whole clone?",
            place::from_root(requirements)
        )
    })?;
    let python = folder.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let runs = || program::succeeds(program::command(&python).arg("--version"));
    if std::fs::read(&installed_from).is_ok_and(|installed| installed == wanted) && runs() {
        return Ok(());
    }
    // `--clear` because a folder left by another Python, or by an interrupted run, cannot be repaired.
    let base = if cfg!(windows) { "python" } else { "python3" };
    program::run(program::command(base).args(["-m", "venv", "--clear"]).arg(&folder))
        .context("no virtual environment was made; `python3 --version` should say 3.10 or newer")?;
    program::run(
        program::command(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(requirements),
    )
    .context("the Python clients were not installed; check the network, or name a mirror in PIP_INDEX_URL, then run this again")?;
    std::fs::write(&installed_from, wanted).with_context(|| format!("cannot write {}", installed_from.display()))
}
