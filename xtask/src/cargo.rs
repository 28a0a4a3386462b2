//! Cargo, and the tools that `cargo install` brings.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{metadata, program};

/// The package of the desktop app, the only one that needs WebKit.
pub(crate) const SHELL: &str = "countersign-desktop";

/// Cargo with `verb`, in the root folder.
pub(crate) fn cargo(verb: &str) -> Command {
    let mut command = program::command("cargo");
    command.arg(verb);
    command
}

/// The whole workspace, or all of it but the shell. Every build of a verb names the same packages: another choice would
/// resolve other features and build the dependencies again.
pub(crate) fn scope(desktop: bool) -> &'static [&'static str] {
    if desktop {
        &["--workspace"]
    } else {
        &["--workspace", "--exclude", SHELL]
    }
}

/// Where a binary of the workspace is built to.
pub(crate) fn binary(name: &str, profile: &str) -> Result<PathBuf> {
    let folder = metadata::read(&["--no-deps"])?.target_directory.join(profile);
    Ok(folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// Makes sure that `cargo VERB` exists, from the package `cargo-VERB`.
pub(crate) fn ensure_tool(verb: &str) -> Result<()> {
    if program::succeeds(cargo(verb).arg("--version")) {
        return Ok(());
    }
    let package = format!("cargo-{verb}");
    eprintln!("    {package} is missing; installing it takes some minutes");
    program::run(cargo("install").args(["--locked", &package])).with_context(|| {
        format!("{package} could not be installed; see https://crates.io/crates/{package} for other ways to get it")
    })
}
