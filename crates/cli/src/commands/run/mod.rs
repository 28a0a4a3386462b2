//! `countersign run`: wraps any program. Its start, the tail of what it says, and its end are events; a stop from the window ends it.
//! The program is in `child`, what it says in `ears` and `tail`, the way to the hub in `link`.

mod child;
mod ears;
mod link;
mod tail;

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use countersign_hub::random_hex;
use countersign_model::kind;
use serde_json::{Value, json};
use tokio::signal::unix::{Signal as Heard, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use crate::failure::{Exit, Failure};
use crate::hub::Place;
use crate::output::say;
use crate::show::visible;
use child::{Child, End, Signal};
use link::Link;
use tail::Tail;

/// How long a program has to heed a signal before a harder one follows.
const HEED: Duration = Duration::from_secs(5);
/// How often what it says is told.
const TELL: Duration = Duration::from_millis(250);
/// How often it is seen whether something is left of it.
const LOOK: Duration = Duration::from_millis(50);
/// How long what it left running may keep its output open.
const LINGER: Duration = Duration::from_secs(2);

const HELP: &str = "\
The program runs as if it had been started by itself: its input, output and exit code are its own (128 and the signal's number when
one ended it, 127 when there is no such program), and signals are passed on. Its start and its end are events, and the last 64 KiB of
what it says, a few kilobytes a second of it as it comes. What goes to a terminal stays on the terminal and is not told.

A stop in the window, or wherever a session is stopped, sends SIGINT to the program and what it started, after 5 seconds SIGTERM,
after 5 more SIGKILL. Without a hub the program runs all the same.

The program finds COUNTERSIGN_AGENT and COUNTERSIGN_SESSION in its environment, so that `countersign ask` and `emit` in it belong to its
run.

Examples:
  countersign run -- make test
  countersign run --name nightly --session \"$BUILD_ID\" -- ./build.sh --all";

/// Run any program, show it in the window, and let it be stopped from there
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// What it is called [default: the program's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Its run; without it, a new one
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// A label to filter by
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
    /// The program and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    command: Vec<OsString>,
}

/// Who an event is about.
#[derive(Clone)]
struct Labels {
    agent: String,
    session: String,
    stream: Option<String>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: Place) -> Result<Exit, Failure> {
    let program = Path::new(&arguments.command[0]);
    let name = || program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let labels = Labels {
        agent: arguments.name.clone().unwrap_or_else(|| name().into_owned()),
        session: arguments
            .session
            .clone()
            .unwrap_or_else(|| format!("run-{}", random_hex(6))),
        stream: arguments.stream.clone(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(format!("no runtime: {error}")))?;
    let code = runtime.block_on(accompany(&arguments.command, &labels, place))?;
    // Its threads may still wait for a hub that says nothing.
    runtime.shutdown_background();
    Ok(Exit::Of(code))
}

/// Signals that are passed on; the program decides what they mean.
struct Signals(Vec<(Signal, Heard)>);

impl Signals {
    fn listen() -> std::io::Result<Self> {
        let kinds = [
            (Signal::INT, SignalKind::interrupt()),
            (Signal::TERM, SignalKind::terminate()),
            (Signal::HUP, SignalKind::hangup()),
            (Signal::QUIT, SignalKind::quit()),
            (Signal::USR1, SignalKind::user_defined1()),
            (Signal::USR2, SignalKind::user_defined2()),
        ];
        let heard = kinds.map(|(passed, kind)| Ok((passed, signal(kind)?)));
        heard.into_iter().collect::<std::io::Result<_>>().map(Self)
    }

    async fn next(&mut self) -> Signal {
        std::future::poll_fn(|context| {
            for (passed, heard) in &mut self.0 {
                if heard.poll_recv(context).is_ready() {
                    return std::task::Poll::Ready(*passed);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

async fn accompany(command: &[OsString], labels: &Labels, place: Place) -> Result<u8, Failure> {
    // Before it starts: a signal that comes now is for it, too.
    let mut signals = Signals::listen().map_err(|error| Failure::Other(format!("no signals to be heard: {error}")))?;
    let mut link = Link::open(labels.clone(), place);
    let begun = Instant::now();
    let started = |pid: Option<u32>| {
        let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
        let cwd = std::env::current_dir().unwrap_or_default();
        json!({
            "command": words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
            "argv": words,
            "cwd": cwd.to_string_lossy(),
            "pid": pid,
        })
    };
    let tail = Tail::new();
    let mut child = match Child::start(command, labels, &tail) {
        Ok(child) => child,
        Err(error) => {
            let (code, what) = match error.kind() {
                std::io::ErrorKind::NotFound => (127, "no such program".to_owned()),
                _ => (126, error.to_string()),
            };
            let name = visible(&command[0].to_string_lossy());
            say(&format!("countersign run: {name}: {what}"));
            link.tell(kind::EXECUTION_STARTED, &started(None));
            link.tell(
                kind::EXECUTION_FAILED,
                &json!({ "exit_code": code, "error": what, "duration": 0.0 }),
            );
            link.close().await;
            return Ok(code);
        }
    };
    link.tell(kind::EXECUTION_STARTED, &started(Some(child.pid())));
    let mut tick = interval(TELL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The signals of a stop, hardest last, and when the next one is due.
    let mut stop: Option<(&[Signal], tokio::time::Instant)> = None;
    let mut stopped: Option<Option<String>> = None;
    let end = loop {
        let due = stop.map(|(_, due)| due);
        tokio::select! {
            end = child.ended() => break end,
            signal = signals.next() => child.pass_on(signal),
            _ = tick.tick() => tail.due(TELL).into_iter().for_each(|said| link.tell("output", &said)),
            message = link.stopped(), if stopped.is_none() => {
                say("countersign run: stopped from Countersign");
                stopped = Some(message);
                stop = Some((&[Signal::INT, Signal::TERM, Signal::KILL], tokio::time::Instant::now()));
            }
            () = async { sleep_until(due.unwrap_or_else(tokio::time::Instant::now)).await }, if due.is_some() => {
                stop = match stop {
                    Some(([signal, harder @ ..], due)) => {
                        child.end(*signal);
                        Some((harder, due + HEED)).filter(|(harder, _)| !harder.is_empty())
                    }
                    _ => None,
                };
            }
        }
    };
    // A stop is for what it started, too, where that has outlived it.
    while let Some(([signal, harder @ ..], due)) = stop.filter(|_| child.left_any()) {
        let now = tokio::time::Instant::now();
        if now < due {
            sleep_until(due.min(now + LOOK)).await;
            continue;
        }
        child.end(*signal);
        stop = Some((harder, due + HEED));
    }
    // What it said last may still be on its way through the pipes.
    let lingering = Instant::now();
    while !tail.is_closed() && lingering.elapsed() < LINGER {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let lost = child.let_go();
    tail.rest().into_iter().for_each(|said| link.tell("output", &said));
    let (kind, data) = outcome(&end, begun.elapsed(), stopped.as_ref());
    link.tell(kind, &data);
    link.close().await;
    Ok(match (end.code(), lost) {
        (0, Some(error)) => {
            say(&format!(
                "countersign run: what the program said could not be written: {error}"
            ));
            1
        }
        (code, _) => code,
    })
}

fn outcome(end: &End, took: Duration, stopped: Option<&Option<String>>) -> (&'static str, Value) {
    let duration = (took.as_secs_f64() * 1000.0).round() / 1000.0;
    let mut data = match end {
        End::Exit(code) => json!({ "exit_code": code, "duration": duration }),
        End::Signal(signal) => json!({ "exit_code": null, "signal": signal, "duration": duration }),
    };
    let mut error = match end {
        End::Exit(0) => None,
        End::Exit(code) => Some(format!("exit code {code}")),
        End::Signal(signal) => Some(format!("ended by signal {signal}")),
    };
    if let Some(message) = stopped {
        data["stopped"] = true.into();
        error = Some(match message {
            Some(message) => format!("stopped by a person: {message}"),
            None => "stopped by a person".to_owned(),
        });
    }
    let kind = if error.is_some() {
        kind::EXECUTION_FAILED
    } else {
        kind::EXECUTION_COMPLETED
    };
    if let Some(error) = error {
        data["error"] = error.into();
    }
    (kind, data)
}

/// A word as a shell would have to be given it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_as_a_person_would_type_it() {
        for (word, expect) in [
            ("make", "make"),
            ("a b", "'a b'"),
            ("", "''"),
            ("it's", r"'it'\''s'"),
            ("--x=1", "--x=1"),
            ("$HOME", "'$HOME'"),
        ] {
            assert_eq!(quoted(word), expect);
        }
    }

    #[test]
    fn an_end_is_good_only_with_exit_code_0_and_unstopped() {
        let took = Duration::from_millis(1500);
        let check = |end, stopped: Option<Option<String>>, kind: &str, expect: Value| {
            assert_eq!(outcome(&end, took, stopped.as_ref()), (kind_of(kind), expect));
        };
        fn kind_of(name: &str) -> &'static str {
            match name {
                "completed" => kind::EXECUTION_COMPLETED,
                _ => kind::EXECUTION_FAILED,
            }
        }
        check(
            End::Exit(0),
            None,
            "completed",
            json!({"exit_code": 0, "duration": 1.5}),
        );
        check(
            End::Exit(3),
            None,
            "failed",
            json!({"exit_code": 3, "duration": 1.5, "error": "exit code 3"}),
        );
        check(
            End::Signal("SIGKILL".into()),
            None,
            "failed",
            json!({"exit_code": null, "signal": "SIGKILL", "duration": 1.5, "error": "ended by signal SIGKILL"}),
        );
        check(
            End::Exit(0),
            Some(Some("enough".into())),
            "failed",
            json!({"exit_code": 0, "duration": 1.5, "stopped": true, "error": "stopped by a person: enough"}),
        );
    }
}
