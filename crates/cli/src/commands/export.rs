//! `countersign export`: the history as NDJSON on standard output, page by page, each row as the hub gave it.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::parse;
use crate::failure::{Exit, Failure};
use crate::hub::{Client, HubError, Place};
use crate::output::Out;

const EXAMPLES: &str = "\
Examples:
  countersign export > history.ndjson
  countersign export --types approval_resolved     who decided what, when, from where
  countersign export --agents sam --sessions s1 | jq .data
  countersign export --since 5f0c1d2e:120          what came after a place in the log

A row has seq, id, time, origin, agent, session, stream, kind and the whole data. It is also an envelope that can be published
again: `countersign emit` reads it.";

/// Write the history to standard output as NDJSON, oldest first
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Only what came after this place: SEQ or EPOCH:SEQ
    #[arg(long, value_name = "PLACE", value_parser = parse::since, allow_hyphen_values = true)]
    since: Option<String>,
    /// Only up to this place, itself included
    #[arg(long, value_name = "SEQ")]
    until: Option<u64>,
    #[command(flatten)]
    filter: Filter,
    /// Only these sessions, comma-separated
    #[arg(long, value_name = "LIST")]
    sessions: Option<String>,
}

/// What `tail` and `export` choose by.
#[derive(Args)]
pub(super) struct Filter {
    /// Only these types, comma-separated, such as tool_call_end,approval_request
    #[arg(long, value_name = "LIST")]
    pub(super) types: Option<String>,
    /// Only these agents, comma-separated
    #[arg(long, value_name = "LIST")]
    pub(super) agents: Option<String>,
}

/// A read of the history.
#[derive(Clone, Debug, Default)]
pub(super) struct Range {
    pub(super) since: Option<String>,
    pub(super) until: Option<String>,
    pub(super) types: Option<String>,
    pub(super) agents: Option<String>,
    pub(super) sessions: Option<String>,
}

/// `GET /api/events`. Rows are passed on as they came.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    #[serde(default)]
    next: Option<Value>,
}

/// A page is held in memory, and a row may carry a result of some megabytes.
const ROWS: &str = "200";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: &Place) -> Result<Exit, Failure> {
    let client = Client::find(place)?;
    let mut out = Out::open();
    let range = Range {
        since: arguments.since.clone(),
        until: arguments.until.map(|seq| seq.to_string()),
        types: arguments.filter.types.clone(),
        agents: arguments.filter.agents.clone(),
        sessions: arguments.sessions.clone(),
    };
    rows(&client, range, |row| out.line(row))?;
    out.flush()?;
    Ok(Exit::Ok)
}

/// Gives each row of a range to `take`, oldest first.
pub(super) fn rows(
    client: &Client,
    mut range: Range,
    mut take: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    loop {
        let pairs: Vec<(&str, &str)> = [
            ("since", &range.since),
            ("until", &range.until),
            ("types", &range.types),
            ("agents", &range.agents),
            ("sessions", &range.sessions),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
        .chain([("limit", ROWS)])
        .collect();
        let text = client.get_text("/api/events", &pairs, Duration::from_secs(60))?;
        let page: Page<'_> = client.read(&text)?;
        for row in &page.events {
            take(row.get())?;
        }
        let next = match page.next {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::String(next)) => next,
            Some(next) => next.to_string(),
        };
        if range.since.as_deref() == Some(&next) {
            return Err(Failure::Hub(HubError::Nonsense {
                url: client.found.url.to_string(),
                what: format!("the page after {next} is itself"),
            }));
        }
        range.since = Some(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeHub, Reply};

    #[test]
    fn pages_are_followed_and_rows_stay_as_they_came() {
        let hub = FakeHub::start(|request| {
            assert!(request.path.starts_with("/api/events?"), "{}", request.path);
            if request.path.contains("since=2") {
                Reply::json(200, r#"{"events":[{"seq":3,"data":{"b":1.50, "a":2}}],"next":null}"#)
            } else {
                assert!(request.path.contains("types=a%2Cb"), "{}", request.path);
                Reply::json(200, r#"{"events":[{"seq":1},{"seq":2}],"next":"2"}"#)
            }
        });
        let client = Client::find(&hub.place()).expect("found");
        let mut seen = Vec::new();
        let range = Range {
            types: Some("a,b".to_owned()),
            ..Range::default()
        };
        rows(&client, range, |row| {
            seen.push(row.to_owned());
            Ok(())
        })
        .expect("read");
        assert_eq!(
            seen,
            [r#"{"seq":1}"#, r#"{"seq":2}"#, r#"{"seq":3,"data":{"b":1.50, "a":2}}"#]
        );
    }

    #[test]
    fn a_hub_that_gives_the_same_page_for_ever_is_left() {
        let hub = FakeHub::start(|_| Reply::json(200, r#"{"events":[],"next":"2"}"#));
        let client = Client::find(&hub.place()).expect("found");
        let end = rows(&client, Range::default(), |_| Ok(()));
        assert!(matches!(end, Err(Failure::Hub(HubError::Nonsense { .. }))), "{end:?}");
    }
}
