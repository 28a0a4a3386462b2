//! One entry point for people: `cargo xtask <verb>`. This file owns the list of verbs and their options; each verb's work
//! is in the module of its name.

mod apt;
mod bench;
mod cargo;
mod codegen;
mod layering;
mod lint;
mod metadata;
mod node;
mod npm;
mod package;
mod packages;
mod place;
mod program;
mod python;
mod run;
mod setup;
mod step;
mod test;
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sets up, runs, tests and packages Countersign. Every verb installs what it needs and says so first.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Sets up what is missing, builds, and launches the desktop app; without a display, the headless hub
    Run(run::Options),
    /// Sets up what is missing and runs every test, the desktop ones under a display of their own
    Test(test::Options),
    /// Checks format, lints, dependency directions, licences and sources
    Lint(lint::Options),
    /// Writes the window's TypeScript types from the Rust types
    Codegen(codegen::Options),
    /// Measures the hub against servers written with Python's websockets and Node's ws
    Bench(bench::Options),
    /// Builds the packages that people install (deb and rpm)
    Package(package::Options),
    /// Only sets up: everything that `run`, `lint` and `test` would install
    Setup(setup::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Run(options) => run::run(&options),
        Verb::Test(options) => test::run(&options),
        Verb::Lint(options) => lint::run(&options),
        Verb::Codegen(options) => codegen::run(&options),
        Verb::Bench(options) => bench::run(&options),
        Verb::Package(options) => package::run(&options),
        Verb::Setup(options) => setup::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}
