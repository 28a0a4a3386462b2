//! `cargo xtask lint`: what can be said of the code without running it.

use anyhow::{Context, Result};
use clap::Args;

use crate::cargo::{self, cargo, scope};
use crate::packages::Need;
use crate::step::Steps;
use crate::{layering, program, setup};

#[derive(Args)]
pub(crate) struct Options {
    /// Leave out the desktop app: nothing of WebKit is installed or compiled
    #[arg(long)]
    no_desktop: bool,
    /// Also look for known vulnerabilities; fetches the RustSec database from GitHub
    #[arg(long)]
    advisories: bool,
}

/// The verb `lint`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let desktop = !options.no_desktop;
    let mut steps = Steps::new("lint");
    steps.step("Format", "cargo fmt --all --check", || {
        program::run(cargo("fmt").args(["--all", "--check"])).context("`cargo fmt --all` puts it right")
    })?;
    steps.step("Dependency directions", "cargo xtask lint", layering::check)?;
    setup::build(&mut steps, if desktop { Need::Desktop } else { Need::Headless })?;
    steps.step("Lints", "cargo clippy --workspace --all-targets -- -D warnings", || {
        program::run(
            cargo("clippy")
                .args(scope(desktop))
                .args(["--all-targets", "--", "-D", "warnings"]),
        )
    })?;
    steps.step("cargo-deny", "cargo install --locked cargo-deny", || {
        cargo::ensure_tool("deny")
    })?;
    steps.step(
        "Licences, sources and banned crates",
        "cargo deny --workspace check bans licenses sources",
        || program::run(cargo("deny").args(["--workspace", "check", "bans", "licenses", "sources"])),
    )?;
    let advisories = "Known vulnerabilities (RustSec)";
    if options.advisories {
        steps.step(advisories, "cargo deny --workspace check advisories", || {
            program::run(cargo("deny").args(["--workspace", "check", "advisories"]))
        })?;
    } else {
        steps.skip(
            advisories,
            "it fetches a database from GitHub; `cargo xtask lint --advisories` does it",
        );
    }
    steps.finish();
    Ok(())
}
