//! Everything that can be missing on a new machine, in the order in which it is set up. Each thing is left alone when it is
//! there already.

use anyhow::Result;
use clap::Args;

use crate::packages::{self, Need};
use crate::step::Steps;
use crate::{cargo, node, npm, place, python, ui};

#[derive(Args)]
pub(crate) struct Options {
    /// Leave out what only the desktop app and its tests need
    #[arg(long)]
    no_desktop: bool,
}

/// The verb `setup`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::new("setup");
    build(
        &mut steps,
        if options.no_desktop {
            Need::Clients
        } else {
            Need::Screen
        },
    )?;
    clients(&mut steps)?;
    steps.step(
        "Tools of cargo: nextest, deny",
        "cargo install --locked cargo-nextest cargo-deny",
        || {
            cargo::ensure_tool("nextest")?;
            cargo::ensure_tool("deny")
        },
    )?;
    steps.finish();
    Ok(())
}

/// What compiling needs: Node, system packages, and the window's page, which the programs carry in them. Node goes first because a
/// person must get it, which is better known before a long download.
pub(crate) fn build(steps: &mut Steps, need: Need) -> Result<()> {
    steps.step("Node.js", "node --version", || Ok(node::check()?))?;
    steps.step("System packages", "cargo xtask setup", || packages::ensure(need))?;
    steps.step("The window's page", "npm --prefix ui run build", ui::ensure_built)
}

/// The foreign clients of the whole-program tests and the benchmark.
pub(crate) fn clients(steps: &mut Steps) -> Result<()> {
    let clients = place::tests().join("clients");
    let requirements = clients.join("requirements.txt");
    if requirements.exists() {
        steps.step("Python clients of the tests", "cargo xtask setup", || {
            python::install(&requirements)
        })?;
    } else {
        steps.skip(
            "Python clients of the tests",
            "tests/clients/requirements.txt is not there",
        );
    }
    for (what, folder) in [
        ("Node clients of the tests", "node"),
        ("Real agents of the tests", "agents"),
    ] {
        let folder_there = clients.join(folder);
        if folder_there.join("package.json").exists() {
            let again = format!("npm --prefix tests/clients/{folder} ci");
            steps.step(what, &again, || npm::install(&folder_there))?;
        } else {
            steps.skip(what, &format!("tests/clients/{folder}/package.json is not there"));
        }
    }
    Ok(())
}
