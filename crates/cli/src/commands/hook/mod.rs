//! `countersign hook`: what agents run at their hooks. It hands the hook's JSON to the hub and prints the hub's answer; without an
//! async runtime, for it runs at every tool call. What an event means, and who decides, is the hub's affair.

mod absent;
mod input;
mod options;
mod waiting;
pub(crate) mod wire;

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use countersign_agents::absent::WhenAbsent;
use countersign_hub::random_hex;
use countersign_store::spool;

pub(crate) use options::{Arguments, Options, agent};

use crate::failure::Exit;
use crate::hub::{Address, Backoff};
use crate::output::say;
use absent::{Absence, Gate, Said, Settings};
use input::Input;
use waiting::{Parent, Waiting, keep_alive};
use wire::{Lost, Patience, Reply, Request, Until, connect, exchange};

/// How long the hub may take to take an event in.
const OBSERVING: Duration = Duration::from_secs(2);
/// How long it may take to take a question in, which it shows with the head of its answer.
const TAKING: Duration = Duration::from_secs(10);
/// How long a question outlives its connection to the hub.
const RECONNECT: Duration = Duration::from_secs(30);

/// Whether a person may decide about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    No,
    /// Where a rule of the hub's says so; the hub shows that it waits with the head of its answer.
    Perhaps,
    Yes,
}

impl Waits {
    fn of(event: Option<&str>) -> Self {
        match event {
            Some("PermissionRequest") => Self::Yes,
            Some("PreToolUse") => Self::Perhaps,
            _ => Self::No,
        }
    }
}

/// Why one try brought no answer.
#[derive(Debug, thiserror::Error)]
enum Failed {
    /// There is no hub.
    #[error("{0}")]
    Absent(String),
    /// It may get better: the connection broke, or the hub is in trouble.
    #[error("{0}")]
    Trouble(String),
    /// It took too long.
    #[error("no answer came in time")]
    Late,
    /// The hub does not take this.
    #[error("{0}")]
    Refused(String),
    /// Nobody waits for the answer any more.
    #[error("the agent is gone")]
    Orphaned,
}

/// Runs the command. It never fails its agent.
pub(crate) fn run(options: Options) -> Exit {
    let begun = Instant::now();
    let parent = Parent::now();
    let micros = now_micros();
    let input = match &options.notify {
        Some(json) => Ok(Input::of(json.clone().into_bytes())),
        None => {
            if io::stdin().is_terminal() {
                say("countersign hook: agents run this; it waits for a hook's JSON on standard input");
            }
            Input::read(io::stdin().lock())
        }
    };
    let hook = Hook {
        input: match input {
            Ok(input) => input,
            Err(error) => {
                say(&format!("countersign hook: standard input: {error}"));
                return Exit::Ok;
            }
        },
        options,
        begun,
        parent,
        micros,
        id: random_hex(16),
    };
    hook.run();
    Exit::Ok
}

#[expect(
    clippy::disallowed_methods,
    reason = "the order of hooks within one millisecond, which the hub's clock does not tell"
)]
fn now_micros() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}

/// One hook on its way.
struct Hook {
    options: Options,
    input: Input,
    begun: Instant,
    parent: Parent,
    micros: u64,
    id: String,
}

impl Hook {
    fn run(&self) {
        let waits = Waits::of(self.input.event.as_deref());
        if self.input.too_large {
            let most = input::MOST_BYTES / 1024 / 1024;
            say(&format!(
                "countersign hook: more than {most} MiB on standard input, which the hub does not take: nothing was sent"
            ));
            let settings = Settings::read(&self.options.place.data_dir);
            self.answer_absent(waits == Waits::Yes, &Gate::Open, Absence::Refused, &settings);
            return;
        }
        match waits {
            Waits::No => self.observe(),
            Waits::Perhaps | Waits::Yes => self.ask(waits),
        }
    }

    /// Tells the hub, and prints what it has to say at once.
    fn observe(&self) {
        match self.attempt(&Until(self.begun + OBSERVING), |_| ()) {
            Ok(answer) => print(&answer),
            Err(error) => self.undelivered(&error, None),
        }
    }

    /// Keeps what did not reach the hub for later, unless the hub does not want it; with it, what was said in the hub's place.
    fn undelivered(&self, error: &Failed, said: Option<&Said>) {
        self.note(&error.to_string());
        if matches!(error, Failed::Refused(_) | Failed::Orphaned) || !self.input.is_object {
            return;
        }
        let letter = spool::Letter {
            id: &self.id,
            micros: self.micros,
            agent: self.options.agent.name(),
            body: &said.map_or(Cow::Borrowed(&self.input.body[..]), |said| {
                said.beside(&self.input.body)
            }),
        };
        if let Err(error) = spool::put(&spool::folder(&self.options.place.data_dir), &letter) {
            self.note(&format!("the event is lost, it cannot be kept for later: {error}"));
        }
    }

    /// Asks until there is an answer, the hub is given up on, or nobody waits any more.
    fn ask(&self, waits: Waits) {
        let settings = Settings::read(&self.options.place.data_dir);
        let gate = match waits {
            Waits::Perhaps => settings.gate(self.options.agent, &self.input.body),
            Waits::No | Waits::Yes => Gate::Open,
        };
        let mut asks = waits == Waits::Yes || gate == Gate::Asks;
        let mut backoff = Backoff::between(Duration::from_millis(50), Duration::from_secs(1));
        // Since when the question has no connection, once it had one.
        let mut lost: Option<Instant> = None;
        loop {
            let begun = Instant::now();
            // The head of the answer: a person's decision may take a day.
            let head = if asks { TAKING } else { OBSERVING };
            let waiting = Waiting::new(self.parent, Some(begun + head));
            let error = match self.attempt(&waiting, keep_alive) {
                Ok(answer) => return print(&answer),
                Err(error) => error,
            };
            // A hub that held the line has put it before a person.
            asks |= waiting.was_held();
            match &error {
                Failed::Orphaned => return,
                Failed::Refused(_) => {
                    self.note(&error.to_string());
                    self.answer_absent(asks, &gate, Absence::Refused, &settings);
                    return;
                }
                Failed::Trouble(_) if asks => {}
                Failed::Absent(_) | Failed::Late if lost.is_some() => {}
                // There is no hub; or it has trouble with what is not a question to anybody, as far as is known, and the agent is
                // not kept waiting for that.
                Failed::Absent(_) | Failed::Late | Failed::Trouble(_) => {
                    let said = self.answer_absent(asks, &gate, Absence::Gone, &settings);
                    return self.undelivered(&error, said.as_ref());
                }
            }
            // A connection that held is no part of the time without one.
            if begun.elapsed() > Duration::from_secs(5) {
                lost = None;
                backoff.reset();
            }
            let since = *lost.get_or_insert_with(Instant::now);
            if since.elapsed() >= RECONNECT {
                // The next hub has the question still, and hears that nobody waits for its answer.
                let said = self.answer_absent(asks, &gate, Absence::Gone, &settings);
                return self.undelivered(&error, said.as_ref());
            }
            if self.parent.sleep(backoff.pause()).is_err() {
                return;
            }
        }
    }

    /// What the agent is told in the hub's place; gives what that was.
    fn answer_absent(&self, asks: bool, gate: &Gate, absence: Absence, settings: &Settings) -> Option<Said> {
        let agent = self.options.agent;
        if let Gate::Denies(reason) = gate {
            let answer = absent::denied(agent, reason)?;
            print(answer.as_bytes());
            return Some(Said {
                decision: WhenAbsent::Deny,
                by: "gate",
            });
        }
        let event = self.input.event.as_deref().filter(|_| asks)?;
        let policy = self.options.when_absent.unwrap_or(settings.when_absent);
        let (answer, words) = absent::answer(agent, event, policy, absence);
        say(&format!("countersign: {words}"));
        if let Some(answer) = answer {
            print(answer.as_bytes());
        }
        Some(Said {
            decision: policy,
            by: "when_absent",
        })
    }

    /// One try: finds the hub, connects, asks.
    fn attempt(&self, patience: &impl Patience, connected: impl FnOnce(&TcpStream)) -> Result<Vec<u8>, Failed> {
        let place = &self.options.place;
        let found = place.find().map_err(|error| Failed::Absent(error.to_string()))?;
        let token = match &self.options.token_file {
            Some(file) => {
                let text = std::fs::read_to_string(file);
                Some(text.map_err(|error| Failed::Refused(format!("{}: {error}", file.display())))?)
            }
            None => place.token(&found.url),
        };
        let bearer = token.map(|token| format!("Bearer {}", token.trim()));
        let mut headers = vec![("X-Countersign-Request", self.id.as_str())];
        headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        let path = format!("/hooks/{}", self.options.agent.name());
        let request = Request {
            path: &path,
            headers: &headers,
            body: &self.input.body,
        };
        let lost = |lost| failed(lost, &found.url);
        let mut stream = connect(&found.url).map_err(lost)?;
        connected(&stream);
        let reply = exchange(&mut stream, &found.url, &request, patience).map_err(lost)?;
        judge(&reply, &found.url)
    }

    /// Says what happened to those who want to know.
    fn note(&self, text: &str) {
        if self.options.verbose {
            say(&format!("countersign hook: {text}"));
        }
    }
}

fn failed(lost: Lost, url: &Address) -> Failed {
    match lost {
        Lost::Unreachable(error) => Failed::Absent(format!("no hub answers at {url}: {error}")),
        Lost::Nonsense => Failed::Absent(format!("another program answers at {url}")),
        Lost::Broken(_) => Failed::Trouble(format!("{url}: {lost}")),
        Lost::Late => Failed::Late,
        Lost::Orphaned => Failed::Orphaned,
    }
}

/// What the agent is to be told; nothing but the hub's own words.
fn judge(reply: &Reply, url: &Address) -> Result<Vec<u8>, Failed> {
    if !reply.hub {
        return Err(Failed::Absent(format!("another program answers at {url}")));
    }
    match reply.status {
        200..=299 => {
            let body = reply.body.trim_ascii();
            let object = || serde_json::from_slice::<serde_json::Map<_, _>>(body).is_ok();
            if body.is_empty() || object() {
                Ok(body.to_vec())
            } else {
                Err(Failed::Trouble(format!("{url}: the hub's answer is no JSON object")))
            }
        }
        408 | 429 | 500..=599 => Err(Failed::Trouble(format!(
            "{url}: the hub answers with HTTP status {}",
            reply.status
        ))),
        status => {
            let document: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            let says = document.get("detail").and_then(serde_json::Value::as_str);
            let says = crate::show::visible(says.unwrap_or("no reason given"));
            Err(Failed::Refused(format!(
                "{url}: the hub refused it with HTTP status {status}: {says}"
            )))
        }
    }
}

fn print(answer: &[u8]) {
    if answer.is_empty() {
        return;
    }
    let mut out = io::stdout().lock();
    // Whoever closed it wants no answer.
    let _ = out
        .write_all(answer)
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
}
