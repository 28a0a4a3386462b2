//! Programs that run to their end: `countersign` itself, curl, scripts. Each has a time limit and is killed with its test.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use crate::hub::{Hub, countersign};
use crate::wait::PATIENCE;

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Output {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Output {
    /// This exit code, or the test fails with what was said.
    ///
    /// # Panics
    /// When it is another one.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "out:\n{}\nerr:\n{}", self.out, self.err);
        self
    }
}

/// A program that runs.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts it, with `input` on its standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(mut command: Command, input: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.to_owned();
        // A program may end, or talk, before it has read everything.
        std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let (out, mut err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        // Full, it makes the program wait until the test takes its lines.
        let (line, lines) = sync_channel(1024);
        std::thread::spawn(move || {
            for text in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = line.send(text);
            }
        });
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = err.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        Self {
            child,
            lines,
            errors: Some(errors),
        }
    }

    /// The next line on its standard output.
    ///
    /// # Panics
    /// When none comes.
    pub fn line(&mut self) -> String {
        self.lines
            .recv_timeout(PATIENCE)
            .expect("a line on its standard output")
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
    }

    /// Interrupts it, as Ctrl-C does.
    pub fn interrupt(&self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not come in time.
    pub fn finish(mut self) -> Output {
        let begun = Instant::now();
        let mut out = Vec::new();
        let status = loop {
            out.extend(self.lines.try_iter());
            if let Some(status) = self.child.try_wait().expect("it was started") {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE * 2, "it did not end");
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        out.extend(self.lines.iter());
        let err = self
            .errors
            .take()
            .map_or_else(String::new, |errors| errors.join().unwrap_or_default());
        Output {
            code: status.code(),
            out: out.join("\n"),
            err,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end.
pub fn run(command: Command) -> Output {
    Running::start(command, "").finish()
}

/// `countersign` on this data folder.
pub fn at(data: &Path, arguments: &[&str]) -> Command {
    let mut command = countersign();
    command.args(arguments).arg("--data-dir").arg(data);
    command
}

/// Runs `countersign` against this hub to its end.
pub fn cli(hub: &Hub, arguments: &[&str]) -> Output {
    run(at(&hub.folder.data(), arguments))
}

/// Runs `countersign` against this hub to its end, with `input`.
pub fn cli_with(hub: &Hub, arguments: &[&str], input: &str) -> Output {
    Running::start(at(&hub.folder.data(), arguments), input).finish()
}

/// Starts `countersign` against this hub.
pub fn start_cli(hub: &Hub, arguments: &[&str]) -> Running {
    Running::start(at(&hub.folder.data(), arguments), "")
}

/// Runs curl without a person's own settings; the status code is the last line.
pub fn curl(arguments: &[&str]) -> (u16, String) {
    let mut command = Command::new("curl");
    command
        .args([
            "-q",
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--max-time",
            "30",
            "--write-out",
            "\n%{http_code}",
        ])
        .args(arguments);
    let output = run(command).expect(0);
    let (body, code) = output.out.rsplit_once('\n').expect("a status");
    (code.parse().expect("a status"), body.to_owned())
}
