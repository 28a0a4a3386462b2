//! `cargo xtask package`: the packages that people install, made by Tauri's own command line.

use anyhow::{Context, Result};
use clap::Args;

use crate::cargo::SHELL;
use crate::packages::Need;
use crate::step::Steps;
use crate::{metadata, program, setup};

#[derive(Args)]
pub(crate) struct Options {
    /// Kinds to build, separated by commas; each must be one that Tauri makes on this system
    #[arg(long, default_value = DEFAULT_BUNDLES)]
    bundles: String,
}

const DEFAULT_BUNDLES: &str = if cfg!(target_os = "linux") {
    "deb,rpm"
} else if cfg!(target_os = "macos") {
    "app,dmg"
} else {
    "nsis"
};

/// The verb `package`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::new("package");
    setup::build(&mut steps, Need::Desktop)?;
    let heading = format!(
        "Building {} (optimised; the first build takes ten minutes and more)",
        options.bundles
    );
    steps.step(&heading, "cargo xtask package", || {
        let mut command = program::command(if cfg!(windows) { "npx.cmd" } else { "npx" });
        command.args([
            "--yes",
            "@tauri-apps/cli@^2",
            "build",
            "--ci",
            "--bundles",
            &options.bundles,
            "--",
            "--package",
            SHELL,
        ]);
        program::run(&mut command)
            .context("no package was made; the lines above say whether the compiler or the bundler stopped")
    })?;
    eprintln!(
        "    they are in {}",
        metadata::read(&["--no-deps"])?
            .target_directory
            .join("release/bundle")
            .display()
    );
    steps.finish();
    Ok(())
}
