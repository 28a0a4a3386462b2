//! `countersign tail`: events as they happen, one line each, through breaks of the connection; or what is there, once.

use std::time::Duration;

use clap::Args;
use countersign_model::HubStatus;
use futures_util::{SinkExt, StreamExt};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::export::{Filter, Range, rows};
use super::parse;
use crate::failure::{Exit, Failure};
use crate::hub::{Backoff, Client, HubError, Place, Socket, connect, query};
use crate::output::{Out, say};
use crate::show::{Paint, event_line};

/// A hub that says nothing for so long is asked whether it is there.
const QUIET: Duration = Duration::from_secs(30);

const HELP: &str = "\
A line has the time, agent/session, the type and what it is about. Characters that would not be seen, or that would steer the
terminal, are spelled out. --json prints each event as the hub sends it: large data is cut (`truncated`), and the whole is what
`countersign export --since SEQ-1 --until SEQ` gives.

When the hub goes away it is waited for, and reading goes on at the last event seen. `history_lost` says that some in between are
not kept.

Examples:
  countersign tail
  countersign tail --types approval_request,approval_resolved
  countersign tail --since 0 --json | jq 'select(.data.success == false)'
  countersign tail --no-follow                    the last 20 events";

/// Show events as they happen
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Begin after this place, SEQ or EPOCH:SEQ; without it, now
    #[arg(long, value_name = "PLACE", value_parser = parse::since, allow_hyphen_values = true)]
    since: Option<String>,
    #[command(flatten)]
    filter: Filter,
    /// Print events as NDJSON, as they came
    #[arg(long)]
    json: bool,
    /// Print what is there and end; without --since, the last 20 events
    #[arg(long)]
    no_follow: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: &Place) -> Result<Exit, Failure> {
    let out = Out::open();
    let mut view = View {
        paint: out.paint(),
        out,
        zone: TimeZone::system(),
        json: arguments.json,
    };
    if arguments.no_follow {
        return once(arguments, place, &mut view);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(format!("no runtime: {error}")))?;
    runtime.block_on(follow(arguments, place, &mut view))
}

/// How events are printed.
struct View {
    out: Out,
    paint: Paint,
    zone: TimeZone,
    json: bool,
}

impl View {
    fn event(&mut self, text: &str) -> Result<(), Failure> {
        if self.json {
            return self.out.line(text);
        }
        let frame: Value = serde_json::from_str(text).unwrap_or_default();
        self.out.line(&event_line(&frame, &self.zone, self.paint))
    }
}

fn once(arguments: &Arguments, place: &Place, view: &mut View) -> Result<Exit, Failure> {
    let client = Client::find(place)?;
    let since = match &arguments.since {
        Some(since) => since.clone(),
        None => {
            let status: HubStatus = client.get("/api/status", &[])?;
            status.head.saturating_sub(20).to_string()
        }
    };
    let range = Range {
        since: Some(since),
        types: arguments.filter.types.clone(),
        agents: arguments.filter.agents.clone(),
        ..Range::default()
    };
    rows(&client, range, |row| view.event(row))?;
    view.out.flush()?;
    Ok(Exit::Ok)
}

/// What `tail` needs of a frame beside its text.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    r#type: String,
    seq: Option<u64>,
    #[serde(default)]
    data: Value,
}

/// Where to go on after a break.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cursor {
    since: Option<String>,
    epoch: String,
    last: Option<u64>,
    /// The epoch of the connection, until an event shows that it took our place for good.
    greeted: Option<String>,
}

/// What a frame is to a reader.
#[derive(Debug, PartialEq, Eq)]
enum Frame {
    Event,
    Hello,
    Lost,
    Other,
}

impl Cursor {
    /// Takes a frame into account.
    fn frame(&mut self, text: &str) -> Frame {
        let Ok(head) = serde_json::from_str::<Head>(text) else {
            return Frame::Other;
        };
        if let Some(seq) = head.seq {
            self.last = Some(seq);
            if let Some(epoch) = self.greeted.take() {
                self.epoch = epoch;
            }
            return Frame::Event;
        }
        let epoch = head
            .data
            .get("epoch")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let place = head.data.get("head").and_then(Value::as_u64);
        match head.r#type.as_str() {
            "hello" => {
                // A reader from now on has all that was before.
                if self.since.is_none() && self.last.is_none() {
                    self.last = place;
                    self.epoch = epoch;
                } else {
                    self.greeted = Some(epoch);
                }
                Frame::Hello
            }
            "history_lost" => {
                self.last = place;
                self.epoch = epoch;
                self.greeted = None;
                Frame::Lost
            }
            _ => Frame::Other,
        }
    }

    /// The query's `since`.
    fn place(&self) -> Option<String> {
        match self.last {
            Some(last) if self.epoch.is_empty() => Some(last.to_string()),
            Some(last) => Some(format!("{}:{last}", self.epoch)),
            None => self.since.clone(),
        }
    }
}

async fn follow(arguments: &Arguments, place: &Place, view: &mut View) -> Result<Exit, Failure> {
    let mut cursor = Cursor {
        since: arguments.since.clone(),
        ..Cursor::default()
    };
    let mut backoff = Backoff::new();
    let mut connected_before = false;
    loop {
        let end = match open(arguments, place, &cursor).await {
            Ok(socket) => {
                if connected_before {
                    say("connected again");
                }
                connected_before = true;
                read(socket, &mut cursor, &mut backoff, view).await?
            }
            // A hub that never was there is a mistake to be told at once; one that was will come back.
            Err(error) if !connected_before || !error.may_pass() => return Err(error.into()),
            Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        let pause = backoff.pause();
        say(&format!("{end}; trying again in {} s", pause.as_secs_f64()));
        tokio::time::sleep(pause).await;
    }
}

async fn open(arguments: &Arguments, place: &Place, cursor: &Cursor) -> Result<Socket, HubError> {
    let since = cursor.place();
    // Without `types` the hub's own kinds do not come; naming any makes it greet.
    let types = arguments.filter.types.as_deref().unwrap_or("*");
    let pairs: Vec<(&str, &str)> = [
        ("since", since.as_deref()),
        ("types", Some(types)),
        ("agents", arguments.filter.agents.as_deref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
    .collect();
    let found = place.find()?;
    let token = place.token(&found.url);
    connect(&found, &format!("/{}", query(&pairs)), token.as_deref()).await
}

/// Prints what comes until the connection ends; says why it did.
async fn read(
    mut socket: Socket,
    cursor: &mut Cursor,
    backoff: &mut Backoff,
    view: &mut View,
) -> Result<String, Failure> {
    let mut asked = false;
    loop {
        let next = match futures_util::FutureExt::now_or_never(socket.next()) {
            Some(next) => next,
            None => {
                // Everything that came is shown before waiting for more.
                view.out.flush()?;
                match tokio::time::timeout(QUIET, socket.next()).await {
                    Ok(next) => next,
                    Err(_) if asked => return Ok("the hub does not answer any more".to_owned()),
                    Err(_) => {
                        asked = true;
                        let _ = socket.send(Message::Ping(Vec::new().into())).await;
                        continue;
                    }
                }
            }
        };
        asked = false;
        match next {
            Some(Ok(Message::Text(text))) => match cursor.frame(&text) {
                Frame::Event => view.event(&text)?,
                Frame::Hello => backoff.reset(),
                Frame::Lost => {
                    if view.json {
                        view.out.line(&text)?;
                    }
                    say("some events in between are not kept any more; going on with what happens now");
                }
                Frame::Other => {}
            },
            Some(Ok(Message::Close(close))) => {
                let why = close
                    .map(|close| crate::show::visible(close.reason.as_str()))
                    .filter(|why| !why.is_empty());
                return Ok(why.unwrap_or_else(|| "the hub closed the connection".to_owned()));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Ok(format!("the connection to the hub is lost ({error})")),
            None => return Ok("the connection to the hub is lost".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(since: Option<&str>, frames: &[&str]) -> Cursor {
        let mut cursor = Cursor {
            since: since.map(str::to_owned),
            ..Cursor::default()
        };
        for frame in frames {
            cursor.frame(frame);
        }
        cursor
    }

    const HELLO: &str = r#"{"type":"hello","timestamp":"x","data":{"epoch":"e1","head":7,"version":"0"}}"#;
    const HELLO_2: &str = r#"{"type":"hello","timestamp":"x","data":{"epoch":"e2","head":9,"version":"0"}}"#;
    const EVENT: &str = r#"{"type":"note","timestamp":"x","data":{},"seq":12}"#;
    const EVENT_2: &str = r#"{"type":"note","timestamp":"x","data":{},"seq":13}"#;
    const LOST: &str = r#"{"type":"history_lost","timestamp":"x","data":{"epoch":"e2","oldest":3,"head":9}}"#;

    #[test]
    fn reading_goes_on_after_the_last_event_seen() {
        for (since, frames, expect) in [
            (None, [].as_slice(), None),
            (None, &[HELLO], Some("e1:7")),
            (None, &[HELLO, EVENT], Some("e1:12")),
            (Some("4"), &[HELLO], Some("4")),
            (Some("4"), &[HELLO, EVENT], Some("e1:12")),
            (Some("e0:4"), &[], Some("e0:4")),
            (Some("e0:4"), &[HELLO, LOST], Some("e2:9")),
            (None, &[HELLO, EVENT, HELLO_2], Some("e1:12")),
            (None, &[HELLO, EVENT, HELLO_2, EVENT_2], Some("e2:13")),
            (None, &[HELLO, EVENT, HELLO_2, LOST], Some("e2:9")),
            (None, &["nonsense", "[]", "7"], None),
        ] {
            assert_eq!(cursor(since, frames).place().as_deref(), expect, "{since:?} {frames:?}");
        }
    }

    #[test]
    fn an_agent_cannot_pose_as_the_hub() {
        let posing = r#"{"type":"hello","timestamp":"x","data":{"epoch":"bad","head":1},"seq":13}"#;
        assert_eq!(cursor(None, &[HELLO, posing]).place().as_deref(), Some("e1:13"));
    }
}
