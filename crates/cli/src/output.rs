//! The one place that writes to standard output and standard error. Neither ever panics on a closed pipe.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use crate::failure::Failure;
use crate::show::Paint;

/// Standard output, locked for as long as a command runs. What is written shows after [`Out::flush`], or when it is dropped.
pub(crate) struct Out {
    inner: BufWriter<StdoutLock<'static>>,
}

impl Out {
    pub(crate) fn open() -> Self {
        Self {
            inner: BufWriter::with_capacity(64 * 1024, io::stdout().lock()),
        }
    }

    /// Colours on a terminal, unless `NO_COLOR` asks for none.
    pub(crate) fn paint(&self) -> Paint {
        Paint::new(io::stdout().is_terminal() && wants_colour())
    }

    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.inner
            .write_all(text.as_bytes())
            .and_then(|()| self.inner.write_all(b"\n"))
            .map_err(failure)
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.inner.flush().map_err(failure)
    }
}

fn failure(error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Failure::Closed
    } else {
        Failure::Output(error)
    }
}

/// Lines for a person on standard error; programs read standard output.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// <https://no-color.org>: any value but an empty one means no.
pub(crate) fn wants_colour() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
