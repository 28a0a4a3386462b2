//! How a command can end: its exit codes, and the failures that lead to them.

use std::io;

use crate::hub::HubError;

/// Exit codes. 1 and 2 are answers when `ask` gives them, so that usage errors are 64 (EX_USAGE of sysexits.h) everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It worked; from `ask`: approved.
    Ok,
    /// It did not work; from `ask`: denied.
    Failed,
    /// From `ask`: a person stopped the run.
    Stopped,
    /// From `ask`: nobody answered, for whatever reason. Do not go on.
    Unanswered,
    /// The command line makes no sense.
    Usage,
    /// From `run`: how the program ended that was run.
    #[cfg(unix)]
    Of(u8),
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Stopped => 2,
            Self::Unanswered => 3,
            Self::Usage => 64,
            #[cfg(unix)]
            Self::Of(code) => code,
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The hub, or the way to it.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The command line, in a way that only the command itself can tell.
    #[error("{0}")]
    Usage(String),
    /// Standard output is closed.
    #[error("standard output is closed")]
    Closed,
    /// Standard output, a disk that is full for one.
    #[error("standard output: {0}")]
    Output(io::Error),
    /// Standard input.
    #[error("standard input: {0}")]
    Input(io::Error),
    /// Anything else that a person has to read about.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_the_documented_ones() {
        let codes = [Exit::Ok, Exit::Failed, Exit::Stopped, Exit::Unanswered, Exit::Usage].map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 64]);
    }
}
