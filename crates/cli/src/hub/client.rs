//! REST to the hub: one blocking request at a time. What it refuses comes back as its RFC 9457 problem document.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::address::segment;
use super::{Found, Place, query};

/// Beyond what the hub was asked to wait.
const ALLOWANCE: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(5);
/// A page of events carries results of up to 8 MiB each.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// Why the hub did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HubError {
    #[error(
        "no hub is running: there is no {}\n\
         Start one with `countersign serve`, or open the Countersign app. One that uses another data folder is found with --data-dir or --url.",
        .file.display()
    )]
    NotRunning { file: PathBuf },
    #[error(
        "the hub that wrote {} listens nowhere: its config switches listeners off, or its port is in use (the app's window says which)",
        .file.display()
    )]
    NoListener { file: PathBuf },
    #[error("{}: {reason}", .file.display())]
    Unreadable { file: PathBuf, reason: String },
    #[error("{}", unreachable(.found, .reason))]
    Unreachable { found: Found, reason: String },
    #[error("{0}")]
    Refused(Box<Problem>),
    #[error("{url} does not answer as a Countersign hub does: {what}")]
    Nonsense { url: String, what: String },
}

/// The reason when somebody listens and says nothing.
const LATE: &str = "it did not answer in time";

fn unreachable(found: &Found, reason: &str) -> String {
    match &found.file {
        Some(_) if reason == LATE => format!(
            "the hub at {} does not answer: it hangs, or another program has its address\n\
             End it and start it again; `countersign serve` says whether it still has its data folder.",
            found.url
        ),
        Some(file) => format!(
            "no hub answers at {} ({reason}), the address in {}, which a hub that is gone left behind\n\
             Start one with `countersign serve`, or open the Countersign app.",
            found.url,
            file.display()
        ),
        None => format!(
            "no hub answers at {} ({reason})\n\
             Start one with `countersign serve`, or open the Countersign app; --url or COUNTERSIGN_URL gave this address.",
            found.url
        ),
    }
}

impl HubError {
    /// Whether trying again may help: the hub is away or in trouble, rather than of another opinion.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::NotRunning { .. } | Self::NoListener { .. } | Self::Unreachable { .. } => true,
            // A file that is being written, or an address that another program has for the moment.
            Self::Unreadable { .. } | Self::Nonsense { .. } => true,
            Self::Refused(problem) => matches!(problem.status, 408 | 425 | 429 | 500..),
        }
    }
}

/// RFC 9457: what was wrong with a request, in the hub's words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// `detail`, or else `title`.
    pub(crate) says: String,
    /// The whole document; null when there was none.
    pub(crate) document: Value,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.says)
    }
}

impl Problem {
    pub(super) fn new(status: u16, body: &str) -> Self {
        let document: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let text = |name: &str| {
            document
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let says = match text("detail").or_else(|| text("title")) {
            Some(text) => crate::show::visible(text),
            None => format!("the hub answered with HTTP status {status}"),
        };
        Self { status, says, document }
    }
}

/// What a POST carries.
#[derive(Clone, Copy)]
pub(crate) enum Body<'a> {
    /// One JSON value, as text.
    Json(&'a str),
    /// One JSON value a line.
    Lines(&'a [u8]),
}

/// One hub, spoken to by HTTP.
pub(crate) struct Client {
    agent: ureq::Agent,
    /// Where it is.
    pub(crate) found: Found,
    token: Option<String>,
}

impl Client {
    /// Finds the hub; whether it is there shows with the first request.
    pub(crate) fn find(place: &Place) -> Result<Self, HubError> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // The hub is on this machine: a proxy from the environment is not the way to it.
            .proxy(None)
            // A redirect would take tokens and answers elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .build();
        let found = place.find()?;
        Ok(Self {
            agent: config.into(),
            token: place.token(&found.url),
            found,
        })
    }

    /// The same with the approver's right, or another's; without one, with what it has.
    pub(crate) fn with_token(mut self, token: Option<String>) -> Self {
        self.token = token.or(self.token);
        self
    }

    /// The path of one thing in a collection: `/api/approvals/ID`.
    pub(crate) fn path(collection: &str, id: &str, rest: &str) -> String {
        format!("{collection}/{}{rest}", segment(id))
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str, pairs: &[(&str, &str)]) -> Result<T, HubError> {
        self.read(&self.get_text(path, pairs, Duration::ZERO)?)
    }

    /// The body as it came. `wait` is what the hub was asked to wait at most.
    pub(crate) fn get_text(&self, path: &str, pairs: &[(&str, &str)], wait: Duration) -> Result<String, HubError> {
        let url = self.found.url.http(&format!("{path}{}", query(pairs)));
        let mut request = self.agent.get(url).header("Accept", "application/json");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let request = request.config().timeout_global(Some(wait + ALLOWANCE)).build();
        self.text(request.call())
    }

    /// The answer's body as it came.
    pub(crate) fn post_text(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
        body: Body<'_>,
        wait: Duration,
    ) -> Result<String, HubError> {
        let url = self.found.url.http(&format!("{path}{}", query(pairs)));
        let mut request = self.agent.post(url).header("Accept", "application/json");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let request = request.config().timeout_global(Some(wait + ALLOWANCE)).build();
        self.text(match body {
            Body::Json(value) => {
                let text = value.to_string();
                request.header("Content-Type", "application/json").send(text.as_bytes())
            }
            Body::Lines(lines) => request.header("Content-Type", "application/x-ndjson").send(lines),
        })
    }

    /// As [`Client::post_text`], read.
    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &Value, wait: Duration) -> Result<T, HubError> {
        self.read(&self.post_text(path, &[], Body::Json(&body.to_string()), wait)?)
    }

    /// Reads what the hub answered.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&self, text: &'a str) -> Result<T, HubError> {
        serde_json::from_str(text).map_err(|error| HubError::Nonsense {
            url: self.found.url.to_string(),
            what: error.to_string(),
        })
    }

    fn text(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<String, HubError> {
        let mut response = answer.map_err(|error| self.failed(error))?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MOST_BYTES).read_to_string();
        let body = body.map_err(|error| self.failed(error))?;
        if (200..300).contains(&status) {
            Ok(body)
        } else {
            Err(HubError::Refused(Box::new(Problem::new(status, &body))))
        }
    }

    fn failed(&self, error: ureq::Error) -> HubError {
        let reason = match error {
            ureq::Error::Io(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
                _ => error.to_string(),
            },
            ureq::Error::Timeout(_) => LATE.to_owned(),
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            ureq::Error::Protocol(error) => {
                return HubError::Nonsense {
                    url: self.found.url.to_string(),
                    what: error.to_string(),
                };
            }
            error => error.to_string(),
        };
        HubError::Unreachable {
            found: self.found.clone(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_said_in_the_hubs_own_words() {
        for (body, expect) in [
            (r#"{"title":"Conflict","detail":"already denied"}"#, "already denied"),
            (r#"{"title":"Conflict"}"#, "Conflict"),
            (r#"{"detail":7}"#, "the hub answered with HTTP status 409"),
            ("<html>", "the hub answered with HTTP status 409"),
            ("{\"detail\":\"a\\u001b[2Jb\"}", "a⟨U+001B⟩[2Jb"),
        ] {
            assert_eq!(Problem::new(409, body).to_string(), expect, "{body}");
        }
    }

    #[test]
    fn only_trouble_is_worth_another_try() {
        let refused = |status| HubError::Refused(Box::new(Problem::new(status, "")));
        for status in [400, 401, 403, 404, 409, 413, 421] {
            assert!(!refused(status).may_pass(), "{status}");
        }
        for status in [408, 429, 500, 503] {
            assert!(refused(status).may_pass(), "{status}");
        }
    }

    #[test]
    fn a_hub_that_is_gone_is_named_with_its_file_and_the_way_to_start_one() {
        let error = HubError::Unreachable {
            found: Found {
                url: "http://127.0.0.1:8765".parse().expect("an address"),
                file: Some("/data/hub.json".into()),
            },
            reason: "connection refused".to_owned(),
        };
        let text = error.to_string();
        for part in [
            "http://127.0.0.1:8765",
            "/data/hub.json",
            "connection refused",
            "countersign serve",
            "app",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
