//! `countersign dashboard`: an address of the web monitor with a one-time code that gives its page the right to answer.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::failure::{Exit, Failure};
use crate::hub::{Client, HubError, Place};
use crate::output::{Out, say};

/// How long the person at the desktop may think about it.
pub(super) const PERSON: Duration = Duration::from_secs(15 * 60);

const HELP: &str = "\
The address holds a code that works once, for a minute. The page that opens it may answer approvals until its tab is closed;
without the code the same page can only watch.

With a headless hub the code comes at once, to whoever can read the data folder. While the desktop app runs, it asks the
person at it first.

Examples:
  countersign dashboard
  xdg-open \"$(countersign dashboard | tail -n 1)\"";

/// Print an address of the web monitor that may answer approvals
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {}

#[derive(Deserialize)]
struct Grant {
    code: String,
    #[serde(default)]
    page: Option<String>,
}

/// Runs the command.
pub(crate) fn run(_: &Arguments, place: &Place) -> Result<Exit, Failure> {
    let client = Client::find(place)?;
    let token = (place.token.clone()).or_else(|| place.approver_token(&client.found.url));
    if token.is_none() {
        say("asking the person at the Countersign app: allow it in the dialog there");
    }
    let client = client.with_token(token);
    let grant: Grant = client.post("/api/grants", &json!({ "for": "dashboard" }), PERSON)?;
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let page = grant.page.unwrap_or_default();
    if grant.code.is_empty() || !grant.code.bytes().chain(page.bytes()).all(harmless) {
        return Err(Failure::Hub(HubError::Nonsense {
            url: client.found.url.to_string(),
            what: "its code is none".to_owned(),
        }));
    }
    say("open this address within a minute; it works once");
    let mut out = Out::open();
    // Where everything needs a token, the page itself does, too; this one opens the page and nothing else.
    let query = if page.is_empty() {
        page
    } else {
        format!("?token={page}")
    };
    out.line(&format!("{}{query}#code={}", client.found.url.http("/"), grant.code))?;
    out.flush()?;
    Ok(Exit::Ok)
}
