//! `countersign token`: makes tokens, signed with the secret in the data folder; those that may answer beside the desktop app
//! are made by the app, once the person at it allows it.

use clap::{Args, Subcommand, ValueEnum};
use countersign_hub::{Clock, SystemClock};
use countersign_server::{MAX_TTL, Role, TokenWish, sign_in_folder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::dashboard::PERSON;
use crate::failure::{Exit, Failure};
use crate::hub::{Client, HubError, Place};
use crate::output::{Out, say};

const HELP: &str = "\
A token is a JSON Web Token (HS256) with the claims sub, roles, streams, iat and exp. It is signed with the file jwt.secret in the
data folder, which is made at its first use; whether a hub runs does not matter. Give it as `Authorization: Bearer TOKEN`,
`?token=TOKEN`, in Hive's auth message or Socket.IO's auth payload.

  agent     publishes and asks
  monitor   reads
  approver  answers, stops, writes rules

A token for named streams never sees events without a stream. While the desktop app runs, a token that may answer is made by the app,
after the person at it has allowed it, and ends with the app at the latest.

Examples:
  countersign token create
  countersign token create --role agent --stream build --subject ci --ttl 30d
  curl -H \"Authorization: Bearer $(countersign token create | tail -n 1)\" http://127.0.0.1:8765/api/events";

/// Make tokens for agents, monitors and approvers
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Create(Create),
}

/// Print one signed token, the last line on standard output
#[derive(Args)]
#[command(after_help = HELP)]
struct Create {
    /// What it may do; several by commas or by giving it again
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',', default_value = "monitor")]
    roles: Vec<RoleName>,
    /// A stream that it is for; may be given again [default: all streams]
    #[arg(long = "stream", value_name = "STREAM", value_parser = name)]
    streams: Vec<String>,
    /// Whose it is
    #[arg(long, value_name = "NAME", value_parser = name)]
    subject: Option<String>,
    /// How long it lasts: 90s, 30m, 24h, 7d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = ttl)]
    ttl: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleName {
    Agent,
    Monitor,
    Approver,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Agent => Self::Agent,
            RoleName::Monitor => Self::Monitor,
            RoleName::Approver => Self::Approver,
        }
    }
}

/// Bytes of a subject or of a stream's name.
const MAX_NAME: usize = 256;

/// A name as the hub takes names.
fn name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > MAX_NAME || text.chars().any(char::is_control) {
        return Err(format!("a name has 1 to {MAX_NAME} bytes and no control characters"));
    }
    Ok(text.to_owned())
}

/// A time in seconds, with or without a unit.
fn ttl(text: &str) -> Result<i64, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let each = match unit {
        "d" => 86_400,
        "h" => 3600,
        "m" => 60,
        _ => 1,
    };
    let seconds = number.parse::<i64>().ok().and_then(|number| number.checked_mul(each));
    match seconds {
        Some(seconds) if (1..=MAX_TTL).contains(&seconds) => Ok(seconds),
        _ => Err("a time is 90s, 30m, 24h or 7d, and ten years at most".to_owned()),
    }
}

#[derive(Deserialize)]
struct Grant {
    token: String,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: &Place) -> Result<Exit, Failure> {
    let Command::Create(create) = &arguments.command;
    let mut roles: Vec<Role> = Vec::new();
    for role in create.roles.iter().map(|name| Role::from(*name)) {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    let wish = TokenWish {
        roles,
        streams: create.streams.clone(),
        subject: create.subject.clone(),
        ttl: create.ttl,
    };
    let desktop = match wish.roles.contains(&Role::Approver) {
        true => desktop(place)?,
        false => None,
    };
    let token = match desktop {
        Some(client) => {
            say("asking the person at the Countersign app: allow it in the dialog there");
            let mut body = serde_json::to_value(&wish).map_err(|error| Failure::Other(error.to_string()))?;
            body["for"] = json!("token");
            client.post::<Grant>("/api/grants", &body, PERSON)?.token
        }
        None => sign_in_folder(&place.data_dir, &wish, SystemClock.now())
            .map_err(|error| Failure::Other(error.to_string()))?,
    };
    let mut out = Out::open();
    out.line(&token)?;
    out.flush()?;
    Ok(Exit::Ok)
}

/// The app that runs on this data folder, if one does: there the secret in the folder makes nobody an approver.
fn desktop(place: &Place) -> Result<Option<Client>, Failure> {
    let client = match Client::find(place) {
        Ok(client) => client,
        Err(HubError::NotRunning { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if place.approver_token(&client.found.url).is_some() {
        return Ok(None);
    }
    match client.get::<Value>("/healthz", &[]) {
        // What a hub that was killed left behind.
        Err(HubError::Unreachable { .. }) if place.url.is_none() => Ok(None),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(Some(client)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, expect) in [
            ("24h", Some(86_400)),
            ("90s", Some(90)),
            ("90", Some(90)),
            ("30m", Some(1800)),
            ("7d", Some(604_800)),
            ("0", None),
            ("-1h", None),
            ("h", None),
            ("", None),
            ("1.5h", None),
            ("5y", None),
            ("9999999999999999d", None),
        ] {
            assert_eq!(ttl(text).ok(), expect, "{text}");
        }
    }
}
