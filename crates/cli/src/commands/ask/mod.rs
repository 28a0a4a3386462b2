//! `countersign ask`: puts one question to a person, and says with its exit code how it was answered.
//! How the answer is waited for is in `asker`, what is said of it in `end`.

mod asker;
mod end;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::value::RawValue;

use super::{Signals, parse};
use crate::failure::{Exit, Failure};
use crate::hub::Place;
use asker::Asker;
use end::End;

const HELP: &str = "\
Exit codes:
  0   approved: go on
  1   denied: do not do it; go on with something else
  2   stopped: end the run
  3   expired, cancelled, interrupted, or the hub cannot be reached: nobody allowed it
  64  the command line, or the request, makes no sense
Only 0 is a yes. The message that came with the answer is printed on standard output.

Examples:
  countersign ask --tool bash --command 'rm -rf build' && rm -rf build
  countersign ask --tool deploy --arguments '{\"to\":\"production\"}' --agent ci --session \"$RUN_ID\" --timeout 600

  countersign ask --tool bash --command \"$CMD\" --json > answer.json
  case $? in
    0) eval \"$CMD\" ;;
    1) echo 'denied, trying another way' ;;
    *) exit 1 ;;
  esac

What was approved is what was shown: run exactly that. A request with the same --request-id and the same content is the same
request, and gets the same answer.";

/// Ask a person for consent and wait for the answer; the exit code says which
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The tool that would run
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    tool: String,
    /// What it would run with, as JSON
    #[arg(long, value_name = "JSON", value_parser = parse::json, allow_hyphen_values = true, conflicts_with = "command")]
    arguments: Option<Box<RawValue>>,
    /// A shell command that it would run: short for --arguments '{"command": CMD}'
    #[arg(long, value_name = "CMD", allow_hyphen_values = true)]
    command: Option<String>,
    /// Why, in a sentence for the person
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
    /// Who asks [default: shell] [env: COUNTERSIGN_AGENT]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    agent: Option<String>,
    /// In which run; stop ends all of it [env: COUNTERSIGN_SESSION]
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    session: Option<String>,
    /// The request's own id; without it, a new one
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    request_id: Option<String>,
    /// Where it would run; without it, the current folder
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Expire after so many seconds, which means no; without it, wait for as long as it takes
    #[arg(long, value_name = "SECONDS", value_parser = parse::seconds, allow_hyphen_values = true)]
    timeout: Option<Duration>,
    /// First wait until somebody can answer: the app runs, or an approver is connected; at most so many seconds
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, value_parser = parse::seconds)]
    wait_for_approver: Option<Option<Duration>>,
    /// Give up once the hub has been away for so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = parse::seconds)]
    unreachable_after: Duration,
    /// Print the whole approval as JSON
    #[arg(long)]
    json: bool,
    /// Let the person change the arguments: run `decision.arguments` of the printed approval instead, when it is there
    #[arg(long, requires = "json")]
    accept_edits: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: Place) -> Result<Exit, Failure> {
    let json = arguments.json;
    let asker = Asker::new(arguments, place)?;
    let end = until_signal(move || asker.ask());
    let exit = end.exit();
    // The exit code is the answer, whether or not anybody reads the words.
    let _ = end.tell(json);
    Ok(exit)
}

/// Runs `work` until it ends or a signal comes, without waiting for what it waits for.
fn until_signal(work: impl FnOnce() -> End + Send + 'static) -> End {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return work();
    };
    let end = runtime.block_on(async {
        let Ok(signals) = Signals::listen() else {
            return End::Interrupted;
        };
        let work = tokio::task::spawn_blocking(work);
        tokio::select! {
            end = work => end.unwrap_or(End::Interrupted),
            () = signals.wait() => End::Interrupted,
        }
    });
    runtime.shutdown_background();
    end
}
