//! One HTTP request at a time, each on a connection of its own.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// This status, or the test fails with what came instead.
    ///
    /// # Panics
    /// When it is another one.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// A problem document (RFC 9457) of this status.
    ///
    /// # Panics
    /// When it is something else.
    pub fn problem(self, status: u16) -> Value {
        let problem = self.expect(status);
        assert_eq!(
            problem.header("content-type"),
            "application/problem+json",
            "{}",
            problem.text
        );
        let body = problem.json();
        assert_eq!(body["status"], status, "{body}");
        for member in ["type", "title", "detail"] {
            assert!(
                body[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member} in {body}"
            );
        }
        body
    }
}

fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into()
    })
}

/// A request, and its reply if one came.
///
/// # Errors
/// When none came: the hub was killed, say.
pub fn try_call(
    method: &str,
    base: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Result<Reply, ureq::Error> {
    let mut request = Request::builder().method(method).uri(format!("{base}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = match body {
        Some(body) => agent().run(request.body(body.to_owned()).expect("a request"))?,
        None => agent().run(request.body(()).expect("a request"))?,
    };
    Ok(Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response
            .body_mut()
            .with_config()
            .limit(256 * 1024 * 1024)
            .read_to_string()?,
    })
}

/// A request that must be replied to.
///
/// # Panics
/// When it is not.
pub fn call(method: &str, base: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Reply {
    try_call(method, base, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}
