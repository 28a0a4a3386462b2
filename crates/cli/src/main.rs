//! The `countersign` command: reads the command line, runs one command, and turns how it ended into an exit code.
//! What the commands do lives in `commands`, how they reach a hub in `hub`, how they show things in `show`.

mod cli;
mod commands;
mod environment;
mod failure;
mod hub;
mod output;
mod show;

#[cfg(test)]
mod testing;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::Cli;
use crate::commands::hook;
use crate::failure::{Exit, Failure};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Agents run it at every tool call: nothing is built up for it that it does not need.
    if let [_, word, rest @ ..] = &*arguments
        && word == "hook"
        && let Some(options) = hook::Options::quick(rest)
    {
        return ExitCode::from(hook::run(options).code());
    }
    let exit = match Cli::try_parse_from(&arguments) {
        Ok(cli) => settle(cli.run()),
        Err(error) => {
            // Nothing is left to be done when even this cannot be written.
            let _ = error.print();
            unread(&error, &arguments)
        }
    };
    ExitCode::from(exit.code())
}

fn settle(result: Result<Exit, Failure>) -> Exit {
    match result {
        Ok(exit) => exit,
        // Whoever read our output has had enough, `head` for one.
        Err(Failure::Closed) => Exit::Ok,
        Err(failure) => {
            output::say(&format!("countersign: {failure}"));
            failure.exit()
        }
    }
}

/// How a command line ends that was not run: help is fine, anything else is a usage error.
///
/// `ask` says 0 for an approval and for nothing else, so help that slipped in between its arguments is no success.
fn unread(error: &clap::Error, arguments: &[OsString]) -> Exit {
    let shown = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let asks = arguments.iter().any(|argument| argument == "ask");
    if shown && (!asks || arguments.len() == 3) {
        Exit::Ok
    } else {
        Exit::Usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: Exit) {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = Cli::try_parse_from(&arguments).err().expect("not run");
        assert_eq!(unread(&error, &arguments), expect, "{line}");
    }

    #[test]
    fn help_is_a_success_and_a_mistake_is_64() {
        check("countersign --help", Exit::Ok);
        check("countersign --version", Exit::Ok);
        check("countersign tail --help", Exit::Ok);
        check("countersign help ask", Exit::Ok);
        check("countersign", Exit::Usage);
        check("countersign nonsense", Exit::Usage);
        check("countersign tail --nonsense", Exit::Usage);
    }

    #[test]
    fn ask_never_says_0_for_help_among_arguments() {
        check("countersign ask --help", Exit::Ok);
        check("countersign ask --tool bash --command ls extra --help", Exit::Usage);
        check("countersign ask --tool bash --help", Exit::Usage);
        check("countersign ask", Exit::Usage);
    }
}
