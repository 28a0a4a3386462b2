//! `cargo xtask bench`: builds the optimised programs, sets up the servers to compare with, and hands over to the benchmark in
//! the tests' package.

use anyhow::Result;
use clap::Args;

use crate::cargo::{binary, cargo};
use crate::packages::{self, Need};
use crate::step::Steps;
use crate::{program, setup};

#[derive(Args)]
pub(crate) struct Options {
    /// Passed on to the benchmark; `cargo xtask bench -- --help` tells what it takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// The verb `bench`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::new("bench");
    steps.step("System packages", "cargo xtask setup", || {
        packages::ensure(Need::Clients)
    })?;
    steps.step("Node.js", "node --version", || Ok(crate::node::check()?))?;
    setup::clients(&mut steps)?;
    steps.step(
        "Building the hub and the benchmark, optimised",
        "cargo build --release --bin countersign",
        || {
            program::run(cargo("build").args(["--release", "--bin", "countersign"]))?;
            program::run(cargo("build").args(["--release", "--package", "countersign-tests", "--bin", "bench"]))
        },
    )?;
    steps.step("Measuring", "cargo xtask bench", || {
        let mut bench = program::command(binary("bench", "release")?);
        bench.env("COUNTERSIGN_BIN", binary("countersign", "release")?);
        program::run(bench.args(&options.arguments))
    })?;
    steps.finish();
    Ok(())
}
