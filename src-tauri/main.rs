//! The desktop program: reads its command line and runs the shell.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    countersign_desktop::run(&countersign_desktop::Options::parse())
}
