//! What a record says, before it is known in which session: a kind with its data, in the words that all dialects share.

use serde_json::{Map, Value};

use super::attributes::Attributes;

/// Data of an event in the making.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Data(pub(super) Map<String, Value>);

impl Data {
    pub(super) fn put(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    /// With the other's fields after its own.
    pub(super) fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The attributes that have no field of their own.
    pub(super) fn rest(self, attributes: &Attributes, told: &[&str]) -> Self {
        let left = attributes.rest(told);
        self.put("attributes", left)
    }
}

/// From which kind of telemetry a request's tokens are known; where several tell the same, the best one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Signaled {
    Metric,
    AgentSpan,
    Span,
    Log,
}

impl Signaled {
    /// The word in the event's `source`, which the figures read.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::AgentSpan => "agent_span",
            Self::Span => "span",
            Self::Log => "log",
        }
    }
}

/// What a record says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Saying {
    /// Tokens and cost.
    Usage(Signaled, Data),
    /// A tool call that is over.
    Call(Call),
    /// More about a tool call: who allowed it, how long it took.
    AboutCall(Call),
    /// Something was said; hooks say it, too.
    Chat {
        sender: &'static str,
        content: String,
        data: Data,
    },
    /// Something said that exporters repeat with every later request.
    Again {
        sender: &'static str,
        content: String,
        data: Data,
    },
    /// That the session begins, or that something was said without the words; hooks say it, too, and better. Nothing will say that the
    /// session ended, so it is no run.
    Hinted(Data),
    /// Anything else, under this kind.
    Other(&'static str, Data),
}

/// A tool call as telemetry knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Call {
    pub(super) tool: Option<String>,
    pub(super) id: Option<String>,
    pub(super) arguments: Option<Value>,
    pub(super) result: Option<Value>,
    pub(super) success: Option<bool>,
    pub(super) error: Option<String>,
    /// Seconds.
    pub(super) duration: Option<f64>,
    /// Nanoseconds since 1970, where they are known.
    pub(super) start: u64,
    pub(super) end: u64,
    /// Fields beside those.
    pub(super) data: Data,
}

/// Milliseconds as seconds.
pub(super) fn seconds(millis: f64) -> f64 {
    (millis * 1000.0).round() / 1_000_000.0
}
