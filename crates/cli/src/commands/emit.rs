//! `countersign emit`: publishes one event, or NDJSON from standard input in batches, with as much in memory as one batch.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use std::time::Duration;

use clap::Args;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::parse;
use crate::failure::{Exit, Failure};
use crate::hub::{Body, Client, HubError, Place};
use crate::output::{Out, say};

/// A batch is sent once it has so many lines or bytes, or when no more is waiting.
const BATCH_LINES: usize = 1000;
const BATCH_BYTES: usize = 1024 * 1024;
/// What the hub takes in one request.
const LINE_BYTES: usize = 12 * 1024 * 1024;
/// How long the hub may take to commit a batch.
pub(super) const COMMIT: Duration = Duration::from_secs(60);

const HELP: &str = "\
For each batch it prints where the events are in the log, once they are committed: {\"epoch\":\"5f0c1d2e\",\"first\":17,\"last\":20}.
A line that the hub does not take is reported on standard error with its number and the reason; the others are published.

Examples:
  countersign emit --type note --data '{\"message\":\"backup finished\"}' --agent backup
  my-agent | countersign emit --agent my-agent --session \"$RUN_ID\"
  countersign export --url http://127.0.0.1:9000 | countersign emit

A question (approval_request) that comes from an export is not asked again.

A line is an object with `type` and `data`, and optionally `timestamp`, `agent`, `session`, `stream`. --agent, --session and
--stream stand in where a line has none.

Exit code: 0 when all was taken, 1 when not.";

/// Publish one event, or NDJSON from standard input
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Publish one event of this type instead of reading standard input
    #[arg(long = "type", value_name = "TYPE", allow_hyphen_values = true)]
    kind: Option<String>,
    /// Its data, a JSON object
    #[arg(long, value_name = "JSON", value_parser = parse::object, requires = "kind", allow_hyphen_values = true)]
    data: Option<Box<RawValue>>,
    /// The agent it is about [default: shell] [env: COUNTERSIGN_AGENT]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    agent: Option<String>,
    /// The agent's session [env: COUNTERSIGN_SESSION]
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    session: Option<String>,
    /// A label to filter by
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    stream: Option<String>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: &Place) -> Result<Exit, Failure> {
    let labels = Labels::new(arguments);
    let client = Client::find(place)?;
    let mut out = Out::open();
    let Some(kind) = &arguments.kind else {
        return publish(Source::new(io::stdin().lock()), &labels, &client, |receipt| {
            out.line(receipt)?;
            out.flush()
        });
    };
    let data = arguments.data.as_ref().map_or("{}", |data| data.get());
    let line = labels.apply(&format!("{{\"type\":{},\"data\":{data}}}", json!(kind)));
    let body = client.post_text("/api/events", &[], Body::Lines(line.text.as_bytes()), COMMIT)?;
    out.line(body.trim_end())?;
    out.flush()?;
    Ok(Exit::Ok)
}

/// What stands in where an event does not say.
struct Labels {
    fields: Vec<(&'static str, Box<RawValue>)>,
}

/// A line on its way.
struct Line {
    number: usize,
    text: String,
    /// A question is taken or not by itself, so it travels by itself.
    asks: bool,
    /// It comes from an export: what it asks was asked once already.
    recorded: bool,
}

impl Labels {
    fn new(arguments: &Arguments) -> Self {
        let given = [
            ("agent", Some(super::agent(arguments.agent.as_ref()))),
            ("session", super::session(arguments.session.as_ref())),
            ("stream", arguments.stream.clone()),
        ];
        let fields = given
            .into_iter()
            .filter_map(|(name, value)| Some((name, to_raw_value(&value?).ok()?)))
            .collect();
        Self { fields }
    }

    /// The line with what it does not say. What cannot be read is left to the hub to judge.
    fn apply(&self, text: &str) -> Line {
        let whole = |text: &str| Line {
            number: 0,
            text: text.to_owned(),
            asks: false,
            recorded: false,
        };
        // Sorted keys are fine for an envelope; its values stay as they came.
        let Ok(mut object) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) else {
            return whole(text);
        };
        let asks = object
            .get("type")
            .is_some_and(|kind| kind.get() == "\"approval_request\"");
        let recorded = ["seq", "id", "origin", "kind"]
            .iter()
            .all(|name| object.contains_key(*name));
        let complete = self.fields.iter().all(|(name, _)| object.contains_key(*name));
        for (name, value) in &self.fields {
            object.entry((*name).to_owned()).or_insert(value);
        }
        let labelled = if complete {
            None
        } else {
            serde_json::to_string(&object).ok()
        };
        Line {
            asks,
            recorded,
            ..whole(labelled.as_deref().unwrap_or(text))
        }
    }
}

/// Lines with something in them, and their numbers.
pub(super) struct Source<R> {
    reader: BufReader<R>,
    pub(super) number: usize,
}

pub(super) struct TooLong;

impl<R: Read> Source<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            reader: BufReader::with_capacity(BATCH_BYTES, input),
            number: 0,
        }
    }

    /// Whether a line can be had without waiting.
    pub(super) fn has_more(&self) -> bool {
        self.reader.buffer().contains(&b'\n')
    }

    /// The next line; waits for it.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<String, TooLong>>> {
        loop {
            self.number += 1;
            let mut bytes = Vec::new();
            let limit = LINE_BYTES as u64 + 1;
            if self.reader.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
                return Ok(None);
            }
            if bytes.last() != Some(&b'\n') && bytes.len() > LINE_BYTES {
                self.pass_over()?;
                return Ok(Some(Err(TooLong)));
            }
            // Bytes that are no text cannot be JSON: the hub says so.
            let text = String::from_utf8_lossy(&bytes);
            if !text.trim().is_empty() {
                return Ok(Some(Ok(text.trim().to_owned())));
            }
        }
    }

    /// Reads the rest of a line in pieces.
    fn pass_over(&mut self) -> io::Result<()> {
        let mut piece = Vec::new();
        loop {
            piece.clear();
            let read = self.reader.by_ref().take(64 * 1024).read_until(b'\n', &mut piece)?;
            if read == 0 || piece.last() == Some(&b'\n') {
                return Ok(());
            }
        }
    }
}

fn publish(
    mut source: Source<impl Read>,
    labels: &Labels,
    client: &Client,
    mut receipt: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let mut refused = false;
    let mut batch: Vec<Line> = Vec::new();
    let mut bytes = 0;
    loop {
        let full = batch.len() >= BATCH_LINES || bytes >= BATCH_BYTES;
        if !batch.is_empty() && (full || !source.has_more()) {
            refused |= send(std::mem::take(&mut batch), client, &mut receipt)?;
            bytes = 0;
        }
        let text = match source.next().map_err(Failure::Input)? {
            Some(Ok(text)) => text,
            Some(Err(TooLong)) => {
                refused = true;
                say(&format!(
                    "line {}: longer than {} MiB",
                    source.number,
                    LINE_BYTES / 1024 / 1024
                ));
                continue;
            }
            None => break,
        };
        let line = Line {
            number: source.number,
            ..labels.apply(&text)
        };
        if line.asks && line.recorded {
            refused = true;
            say(&format!(
                "line {}: a question from an export is not asked again",
                line.number
            ));
            continue;
        }
        // A question goes alone; so does what would make a body too large.
        let alone = line.asks || bytes + line.text.len() > BATCH_BYTES;
        if alone && !batch.is_empty() {
            refused |= send(std::mem::take(&mut batch), client, &mut receipt)?;
            bytes = 0;
        }
        bytes += line.text.len();
        if line.asks {
            refused |= send(vec![line], client, &mut receipt)?;
            bytes = 0;
        } else {
            batch.push(line);
        }
    }
    refused |= send(batch, client, &mut receipt)?;
    Ok(if refused { Exit::Failed } else { Exit::Ok })
}

/// Sends a batch; lines that are refused are reported and left out. Says whether there were any.
fn send(
    mut batch: Vec<Line>,
    client: &Client,
    receipt: &mut impl FnMut(&str) -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let mut refused = false;
    while !batch.is_empty() {
        let body: Vec<&str> = batch.iter().map(|line| line.text.as_str()).collect();
        match client.post_text("/api/events", &[], Body::Lines(body.join("\n").as_bytes()), COMMIT) {
            Ok(text) => {
                receipt(text.trim_end())?;
                break;
            }
            // All or nothing: the hub names the line that it does not take, and has taken none.
            Err(HubError::Refused(problem)) if (400..500).contains(&problem.status) => {
                let named = problem.document.get("index").and_then(Value::as_u64);
                let index = match (named.and_then(|index| usize::try_from(index).ok()), batch.len()) {
                    (Some(index), count) if index < count => index,
                    (_, 1) if !matches!(problem.status, 401 | 403 | 421) => 0,
                    _ => return Err(HubError::Refused(problem).into()),
                };
                refused = true;
                let line = batch.remove(index);
                say(&format!("line {}: {}", line.number, problem.says));
            }
            Err(error) => {
                let (first, last) = (batch[0].number, batch[batch.len() - 1].number);
                return Err(Failure::Other(format!(
                    "lines {first} to {last} and what follows may not be in the log: {error}"
                )));
            }
        }
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeHub, Reply};

    fn labels(agent: Option<&str>, session: Option<&str>) -> Labels {
        Labels::new(&Arguments {
            kind: None,
            data: None,
            agent: agent.map(str::to_owned),
            session: session.map(str::to_owned),
            stream: None,
        })
    }

    /// A hub that takes lines starting with `{` and refuses a batch with others, as the real one does.
    fn hub() -> FakeHub {
        FakeHub::start(|request| {
            assert_eq!(request.header("content-type"), Some("application/x-ndjson"));
            match request.body.lines().position(|line| !line.starts_with('{')) {
                Some(index) => Reply::json(400, json!({"detail": "not JSON", "index": index}).to_string()),
                None => Reply::json(200, json!({"lines": request.body.lines().count()}).to_string()),
            }
        })
    }

    fn feed(text: &str) -> (Result<Exit, Failure>, Vec<String>, FakeHub) {
        let hub = hub();
        let client = Client::find(&hub.place()).expect("found");
        let mut receipts = Vec::new();
        let source = Source::new(io::Cursor::new(text.to_owned()));
        let end = publish(source, &labels(None, None), &client, |receipt| {
            receipts.push(receipt.to_owned());
            Ok(())
        });
        (end, receipts, hub)
    }

    #[test]
    fn labels_stand_in_where_a_line_has_none_and_leave_the_rest_as_it_came() {
        let labels = labels(Some("a"), Some("s"));
        for (line, expect) in [
            (
                r#"{"type":"x","data":{"n":1.50}}"#,
                r#"{"agent":"a","data":{"n":1.50},"session":"s","type":"x"}"#,
            ),
            (
                r#"{"type":"x","agent":"b","session":"t","data":{}}"#,
                r#"{"type":"x","agent":"b","session":"t","data":{}}"#,
            ),
            ("nonsense", "nonsense"),
            ("[1]", "[1]"),
        ] {
            assert_eq!(labels.apply(line).text, expect);
        }
    }

    #[test]
    fn lines_go_out_in_batches() {
        let text = "{\"n\":1}\n".repeat(2_500);
        let (end, receipts, _hub) = feed(&text);
        assert_eq!(end.expect("published"), Exit::Ok);
        assert_eq!(receipts, [r#"{"lines":1000}"#, r#"{"lines":1000}"#, r#"{"lines":500}"#]);
    }

    #[test]
    fn a_bad_line_is_left_out_and_the_others_are_published() {
        let (end, receipts, _hub) = feed("{}\n\nbad\n{}\nworse\n{}\n");
        assert_eq!(end.expect("published"), Exit::Failed);
        assert_eq!(receipts, [r#"{"lines":3}"#]);
    }

    #[test]
    fn a_question_travels_by_itself() {
        let (end, receipts, _hub) = feed("{}\n{}\n{\"type\":\"approval_request\"}\n{}\n");
        assert_eq!(end.expect("published"), Exit::Ok);
        assert_eq!(receipts, [r#"{"lines":2}"#, r#"{"lines":1}"#, r#"{"lines":1}"#]);
    }

    #[test]
    fn a_question_from_an_export_is_not_asked_again() {
        let row =
            r#"{"seq":1,"id":"e:1","origin":"sam","kind":"approval_request","type":"approval_request","data":{}}"#;
        let (end, receipts, _hub) = feed(&format!("{{}}\n{row}\n{{}}\n"));
        assert_eq!(end.expect("published"), Exit::Failed);
        assert_eq!(receipts, [r#"{"lines":2}"#]);
    }

    #[test]
    fn a_large_batch_is_split_by_bytes() {
        let line = format!("{{\"x\":\"{}\"}}\n", "x".repeat(BATCH_BYTES / 2));
        let (end, receipts, _hub) = feed(&line.repeat(3));
        assert_eq!(end.expect("published"), Exit::Ok);
        assert_eq!(receipts.len(), 3);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let mut source = Source::new(io::Cursor::new(format!("{}\nnext\n", "x".repeat(LINE_BYTES + 5))));
        assert!(matches!(source.next(), Ok(Some(Err(TooLong)))));
        assert!(matches!(source.next(), Ok(Some(Ok(text))) if text == "next"));
        assert!(matches!(source.next(), Ok(None)));
    }

    #[test]
    fn no_right_to_publish_ends_it() {
        let hub = FakeHub::start(|_| Reply::json(421, r#"{"detail":"the Host header is not ours"}"#));
        let client = Client::find(&hub.place()).expect("found");
        let source = Source::new(io::Cursor::new("{}\n{}\n"));
        let end = publish(source, &labels(None, None), &client, |_| Ok(()));
        assert!(matches!(end, Err(Failure::Hub(HubError::Refused(_)))), "{end:?}");
    }
}
