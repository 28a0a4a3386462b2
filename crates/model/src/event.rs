//! Events: immutable facts in the log, and what a publisher gives to make one.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Beside, Epoch, Extra, Json, Millis};

/// An event's place in the log. The first event is 1.
pub type Seq = u64;

/// Which dialect, or which part of the hub, made an event. Set by the hub, never by a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The SAM dialect.
    Sam,
    /// The Hive dialect.
    Hive,
    /// The AMIGA dialect.
    Amiga,
    /// The Cloud Agents dialect.
    Cloud,
    /// The Codex AgentLoop dialect.
    Codex,
    /// The hooks of Claude Code and Codex.
    Hook,
    /// OpenTelemetry.
    Otlp,
    /// The Model Context Protocol.
    Mcp,
    /// `countersign run`, of the program that it runs.
    Run,
    /// The REST interface.
    Rest,
    /// The hub itself.
    Hub,
}

impl Origin {
    const ALL: [Self; 11] = [
        Self::Sam,
        Self::Hive,
        Self::Amiga,
        Self::Cloud,
        Self::Codex,
        Self::Hook,
        Self::Otlp,
        Self::Mcp,
        Self::Run,
        Self::Rest,
        Self::Hub,
    ];

    /// The name it has on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sam => "sam",
            Self::Hive => "hive",
            Self::Amiga => "amiga",
            Self::Cloud => "cloud",
            Self::Codex => "codex",
            Self::Hook => "hook",
            Self::Otlp => "otlp",
            Self::Mcp => "mcp",
            Self::Run => "run",
            Self::Rest => "rest",
            Self::Hub => "hub",
        }
    }

    /// The origin of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == name)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One immutable fact in the log.
#[derive(Debug)]
pub struct Event {
    /// The place in the log.
    pub seq: Seq,
    /// The run of the hub that took it in; `EPOCH:SEQ` is the event's id.
    pub epoch: Epoch,
    /// When the hub took it in.
    pub time: Millis,
    /// Who made it.
    pub origin: Origin,
    /// The agent it is about.
    pub agent: Arc<str>,
    /// The agent's session.
    pub session: Option<Arc<str>>,
    /// The stream it was labelled with.
    pub stream: Option<Arc<str>>,
    /// What happened: see [`crate::kind`].
    pub kind: Arc<str>,
    /// The publisher's own timestamp, as it came; without one the hub's time stands for it.
    pub timestamp: Option<Json>,
    /// The payload, an object, as it came.
    pub data: Json,
    /// What its envelope said beside all this.
    pub extra: Extra,
    /// The hubs that it came through, the first one first; empty for what was published here.
    pub via: Vec<Arc<str>>,
}

impl Event {
    /// `EPOCH:SEQ`, unique over all runs of the hub, and a resume point.
    pub fn id(&self) -> String {
        format!("{}:{}", self.epoch, self.seq)
    }

    /// A rough size in memory, in bytes.
    pub fn weight(&self) -> usize {
        256 + self.data.get().len() + self.extra.weight() + self.timestamp.as_ref().map_or(0, |t| t.get().len())
    }
}

/// What a publisher gives; the hub adds place, epoch and time.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Who makes it.
    pub origin: Origin,
    /// The agent it is about.
    pub agent: Arc<str>,
    /// The agent's session.
    pub session: Option<Arc<str>>,
    /// A label to filter and authorise by.
    pub stream: Option<Arc<str>>,
    /// What happened.
    pub kind: Arc<str>,
    /// The publisher's own timestamp, any JSON scalar.
    pub timestamp: Option<Json>,
    /// The payload, an object.
    pub data: Json,
    /// What its envelope says beside all this; it goes out with the event.
    pub extra: Extra,
}

impl NewEvent {
    /// The event in its place in the log, published at this hub.
    pub fn placed(self, seq: Seq, epoch: Epoch, time: Millis) -> Event {
        Event {
            seq,
            epoch,
            time,
            origin: self.origin,
            agent: self.agent,
            session: self.session,
            stream: self.stream,
            kind: self.kind,
            timestamp: self.timestamp,
            data: self.data,
            extra: self.extra,
            via: Vec::new(),
        }
    }
}

/// An event as REST, `export` and the window show it. It is also a SAM envelope (`type`, `timestamp`, `data`), so what was
/// exported can be published again.
#[derive(Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct EventRow<'a> {
    /// The place in the log.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: Seq,
    /// `EPOCH:SEQ`.
    pub id: String,
    /// When the hub took it in, RFC 3339.
    #[cfg_attr(test, ts(type = "string"))]
    pub time: Millis,
    /// Which dialect or part of the hub made it.
    pub origin: Origin,
    /// The agent it is about.
    pub agent: &'a str,
    /// The agent's session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub session: Option<&'a str>,
    /// The stream it was labelled with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub stream: Option<&'a str>,
    /// What happened, in the hub's word.
    pub kind: &'a str,
    /// The same, in the envelope's word.
    pub r#type: &'a str,
    /// The publisher's timestamp as it came, or the hub's time.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub timestamp: Timestamp<'a>,
    /// The whole payload.
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub data: &'a RawValue,
    /// The hubs that it came through, when it was published at another one.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[cfg_attr(test, ts(optional, type = "string[]"))]
    pub via: &'a [Arc<str>],
    /// What the publisher's envelope said beside all this.
    #[serde(flatten)]
    #[cfg_attr(test, ts(skip))]
    pub extra: Beside<'a>,
}

/// The fields of a row itself.
const ROW: [&str; 12] = [
    "seq",
    "id",
    "time",
    "origin",
    "agent",
    "session",
    "stream",
    "kind",
    "type",
    "timestamp",
    "data",
    "via",
];

/// A timestamp as it came, or the hub's.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Timestamp<'a> {
    /// As the publisher wrote it.
    Given(&'a RawValue),
    /// The hub's time.
    Hub(Millis),
}

impl<'a> From<&'a Event> for EventRow<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            seq: event.seq,
            id: event.id(),
            time: event.time,
            origin: event.origin,
            agent: &event.agent,
            session: event.session.as_deref(),
            stream: event.stream.as_deref(),
            kind: &event.kind,
            r#type: &event.kind,
            timestamp: match &event.timestamp {
                Some(given) => Timestamp::Given(given),
                None => Timestamp::Hub(event.time),
            },
            data: &event.data,
            via: &event.via,
            extra: event.extra.without(&ROW),
        }
    }
}
