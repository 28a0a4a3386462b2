//! `countersign ingest`: what an agent writes on its standard output, line by line, as events. What a line means is the codec's
//! affair; here lines are read, and delivered until the hub has committed them.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use countersign_agents::codex::exec::{EventDraft, Exec};
use countersign_hub::random_hex;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::emit::{COMMIT, Source};
use crate::failure::{Exit, Failure};
use crate::hub::{Backoff, Body, Client, HubError, Place};
use crate::output::say;

/// How long a hub may be away.
const AWAY: Duration = Duration::from_secs(30);
/// A batch is sent once it has so many events or bytes, or when no more is waiting.
const BATCH_EVENTS: usize = 500;
const BATCH_BYTES: usize = 1024 * 1024;

const HELP: &str = "\
For runs of Codex without hooks: each line of `codex exec --json` becomes the event that it tells of, in the session that is named like
its thread. A line that is no JSON is passed over with a word on standard error. A hub that is away is waited for, up to 30 seconds;
what comes after that is still read, so that Codex goes on.

Exit code: 0 when every event was committed, 1 when not.

Examples:
  codex exec --json 'fix the tests' | countersign ingest codex
  codex exec --json 'fix the tests' | countersign ingest codex --tee | jq .
  countersign ingest codex run.jsonl";

/// Whose output it is.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Writer {
    /// codex exec --json
    Codex,
}

impl Writer {
    fn agent(self) -> &'static str {
        match self {
            Self::Codex => "codex",
        }
    }
}

/// Publish what an agent writes as JSON lines: codex exec --json
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Whose output it is
    writer: Writer,
    /// Where it is; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    from: PathBuf,
    /// Its session, until the run names its own [env: COUNTERSIGN_SESSION]
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// A label to filter by
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
    /// Write everything on to standard output as it comes
    #[arg(long)]
    tee: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: Place) -> Result<Exit, Failure> {
    let from: Box<dyn Read> = if arguments.from == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(&arguments.from);
        Box::new(file.map_err(|error| Failure::Other(format!("{}: {error}", arguments.from.display())))?)
    };
    let session = super::session(arguments.session.as_ref()).unwrap_or_else(|| format!("exec-{}", random_hex(6)));
    let courier = Courier {
        place,
        agent: arguments.writer.agent(),
        stream: arguments.stream.clone(),
        away: AWAY,
    };
    let from = Tee {
        from,
        to: arguments.tee.then(io::stdout),
    };
    ingest(Source::new(from), Exec::new(session), &courier)
}

/// A reader whose words go on as they come.
struct Tee<R> {
    from: R,
    to: Option<io::Stdout>,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        if let Some(to) = &mut self.to
            && to.write_all(&buffer[..count]).and_then(|()| to.flush()).is_err()
        {
            // Whoever read it has had enough; the hub has not.
            self.to = None;
        }
        Ok(count)
    }
}

fn ingest(mut source: Source<impl Read>, mut run: Exec, courier: &Courier) -> Result<Exit, Failure> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    // What cannot be delivered any more is still read: a pipe that breaks would end the run.
    let mut given_up = false;
    let mut all = true;
    loop {
        let full = batch.len() >= BATCH_EVENTS || bytes >= BATCH_BYTES;
        if !batch.is_empty() && (full || !source.has_more()) {
            bytes = 0;
            match courier.deliver(std::mem::take(&mut batch)) {
                Ok(delivered) => all &= delivered,
                Err(error) => {
                    say(&format!(
                        "countersign ingest: what comes from here on is not in the log: {error}"
                    ));
                    given_up = true;
                }
            }
        }
        let line = match source.next().map_err(Failure::Input)? {
            Some(Ok(line)) => line,
            Some(Err(_)) => {
                say(&format!("line {}: too long", source.number));
                all = false;
                continue;
            }
            None => break,
        };
        if given_up {
            continue;
        }
        match run.line(&line) {
            Ok(drafts) => {
                bytes += line.len();
                for draft in drafts {
                    batch.push((source.number, courier.event(&draft)));
                }
            }
            Err(error) => say(&format!(
                "line {}: {}",
                source.number,
                crate::show::visible(&error.error)
            )),
        }
    }
    if !given_up && !batch.is_empty() {
        all &= courier.deliver(batch)?;
    }
    Ok(if all && !given_up { Exit::Ok } else { Exit::Failed })
}

/// Brings events to the hub.
struct Courier {
    place: Place,
    agent: &'static str,
    stream: Option<String>,
    away: Duration,
}

#[derive(Serialize)]
struct Event<'a> {
    r#type: &'a str,
    agent: &'a str,
    session: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<&'a str>,
    data: &'a RawValue,
}

impl Courier {
    fn event(&self, draft: &EventDraft) -> String {
        let event = Event {
            r#type: &draft.kind,
            agent: self.agent,
            session: &draft.session,
            stream: self.stream.as_deref(),
            data: &draft.data,
        };
        serde_json::to_string(&event).unwrap_or_default()
    }

    /// Until they are committed; says whether all were taken.
    fn deliver(&self, mut batch: Vec<(usize, String)>) -> Result<bool, HubError> {
        let begun = Instant::now();
        let mut backoff = Backoff::new();
        let mut all = true;
        while !batch.is_empty() {
            let lines: Vec<&str> = batch.iter().map(|(_, line)| line.as_str()).collect();
            let body = lines.join("\n");
            let posted = Client::find(&self.place)
                .and_then(|client| client.post_text("/api/events", &[], Body::Lines(body.as_bytes()), COMMIT));
            match posted {
                Ok(_) => break,
                Err(error) if error.may_pass() && begun.elapsed() < self.away => std::thread::sleep(backoff.pause()),
                Err(HubError::Refused(problem)) if (400..500).contains(&problem.status) => {
                    // All or nothing: the hub names the event that it does not take, and has taken none.
                    let named = problem.document.get("index").and_then(Value::as_u64);
                    match named.and_then(|index| usize::try_from(index).ok()) {
                        Some(index) if index < batch.len() => {
                            let (number, _) = batch.remove(index);
                            say(&format!("line {number}: {}", problem.says));
                            all = false;
                        }
                        _ => return Err(HubError::Refused(problem)),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeHub, Reply};

    fn courier(hub: &FakeHub) -> Courier {
        Courier {
            place: hub.place(),
            agent: "codex",
            stream: None,
            away: Duration::from_secs(20),
        }
    }

    fn feed(hub: &FakeHub, text: &str) -> Result<Exit, Failure> {
        let source = Source::new(io::Cursor::new(text.to_owned()));
        ingest(source, Exec::new("hint"), &courier(hub))
    }

    const RUN: &str = "{\"type\":\"thread.started\",\"thread_id\":\"t-1\"}\n\
                       {\"type\":\"turn.started\"}\n\
                       {\"type\":\"something.new\",\"x\":1}\n";

    #[test]
    fn lines_are_events_in_the_session_of_their_thread() {
        let hub = FakeHub::start(|_| Reply::json(200, "{}"));
        assert_eq!(feed(&hub, RUN).expect("delivered"), Exit::Ok);
        let seen = hub.seen();
        let events: Vec<Value> = seen
            .iter()
            .flat_map(|request| request.body.lines())
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert!(
            events
                .iter()
                .all(|event| event["agent"] == "codex" && event["data"].is_object())
        );
        assert_eq!(events.last().expect("events")["session"], "t-1");
    }

    #[test]
    fn what_is_no_json_is_passed_over_and_what_is_refused_is_told() {
        let hub = FakeHub::start(|_| Reply::json(200, "{}"));
        assert_eq!(
            feed(&hub, &format!("warning: x\n{RUN}[1]\n")).expect("delivered"),
            Exit::Ok
        );
        let mut first = true;
        let hub = FakeHub::start(move |_| {
            if std::mem::take(&mut first) {
                Reply::json(400, r#"{"detail":"no","index":0}"#)
            } else {
                Reply::json(200, "{}")
            }
        });
        assert_eq!(feed(&hub, RUN).expect("delivered"), Exit::Failed);
    }

    #[test]
    fn a_hub_in_trouble_is_tried_again() {
        let mut tries = 0;
        let hub = FakeHub::start(move |_| {
            tries += 1;
            match tries {
                1 => Reply::json(503, "{}"),
                _ => Reply::json(200, "{}"),
            }
        });
        assert_eq!(feed(&hub, RUN).expect("delivered"), Exit::Ok);
        let bodies: Vec<_> = hub.seen().into_iter().map(|request| request.body).collect();
        assert!(bodies.len() >= 2 && bodies[0] == bodies[1]);
    }

    #[test]
    fn without_a_hub_everything_is_still_read() {
        let hub = FakeHub::start(|_| Reply::Nothing);
        let courier = Courier {
            away: Duration::ZERO,
            ..courier(&hub)
        };
        let mut text = io::Cursor::new(RUN.repeat(3));
        let source = Source::new(&mut text);
        assert_eq!(ingest(source, Exec::new("hint"), &courier).expect("read"), Exit::Failed);
        assert_eq!(text.position(), (RUN.len() * 3) as u64);
    }
}
