//! `countersign demo`: a scripted agent, with a second one at its side, that publishes as any agent does and waits for real answers.
//! What happens is told in `story` and `aside`, in the words of `script`; `player` plays it over `link`.

mod aside;
mod link;
mod player;
mod script;
mod story;

use clap::Args;
use countersign_hub::random_hex;

use super::Signals;
use crate::failure::{Exit, Failure};
use crate::hub::Place;
use crate::output::say;
use crate::show::one_line;
use player::{End, Pace, Player, Tally};

const HELP: &str = "\
The run takes about four minutes at speed 1, and the time that you take to answer. An agent looks for the cause of a test that
fails now and then: it reads, searches and runs commands, some of which fail; it goes round in circles until system 2 breaks the
loop; system 3 keeps it from a protected file. It asks for your consent several times and waits for as long as it takes: approved,
it does the thing; denied, it goes another way; stopped, it ends. A second agent reviews the tests meanwhile and can be stopped by
itself.

Examples:
  countersign demo
  countersign demo --speed 50 --no-approvals --repeat forever     a lively stream, all by itself

Exit code: 0 when the run finished or was stopped, 1 when the hub is gone.";

/// Play a scripted agent, to see what Countersign does
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// How much faster than life; approvals still wait for a person
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed, allow_hyphen_values = true)]
    speed: f64,
    /// The agent's name
    #[arg(long, value_name = "NAME", default_value = "demo")]
    agent: String,
    /// Go on as if every request had been approved, without asking
    #[arg(long)]
    no_approvals: bool,
    /// Play it so often, or `forever`; each time is a session of its own
    #[arg(long, value_name = "TIMES", default_value = "1", value_parser = times)]
    repeat: Times,
}

/// How often a run is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    Count(u32),
    Forever,
}

fn times(text: &str) -> Result<Times, String> {
    match text {
        "forever" => Ok(Times::Forever),
        text => match text.parse() {
            Ok(count) if count > 0 => Ok(Times::Count(count)),
            _ => Err("a number of times, or `forever`".to_owned()),
        },
    }
}

fn speed(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|speed| (0.01..=10_000.0).contains(speed))
        .ok_or_else(|| "a number from 0.01 to 10000".to_owned())
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: &Place) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(format!("no runtime: {error}")))?;
    let pace = Pace {
        speed: arguments.speed,
        asks: !arguments.no_approvals,
    };
    runtime.block_on(async {
        let mut played = 0;
        while match arguments.repeat {
            Times::Forever => true,
            Times::Count(count) => played < count,
        } {
            played += 1;
            let session = format!("run-{}", random_hex(2));
            let player = Player::open(place, &arguments.agent, &session, pace).await?;
            if played == 1 {
                say(&format!(
                    "playing as {}/{session} at {}{}",
                    arguments.agent,
                    player.url(),
                    if pace.asks { "; it waits for your answers" } else { "" }
                ));
            }
            let signals = Signals::listen().map_err(|error| Failure::Other(error.to_string()))?;
            let (end, tally) = tokio::select! {
                ended = player.play(story::steps()) => ended,
                () = signals.wait() => return Ok(Exit::Ok),
            };
            tell(&session, &end, tally);
            if let End::Lost(error) = end {
                return Err(error.into());
            }
        }
        Ok(Exit::Ok)
    })
}

fn tell(session: &str, end: &End, tally: Tally) {
    let how = match end {
        End::Finished => "finished".to_owned(),
        End::Stopped(None) => "stopped".to_owned(),
        End::Stopped(Some(message)) => format!("stopped ({})", one_line(message, 200)),
        End::Lost(_) => "ended".to_owned(),
    };
    say(&format!(
        "{session} {how}: {} tool calls, {} failed; {} approved, {} denied",
        tally.calls, tally.failed, tally.approved, tally.denied
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_or_endless() {
        assert_eq!(times("3"), Ok(Times::Count(3)));
        assert_eq!(times("forever"), Ok(Times::Forever));
        for bad in ["0", "-1", "often", ""] {
            assert!(times(bad).is_err(), "{bad}");
        }
    }
}
