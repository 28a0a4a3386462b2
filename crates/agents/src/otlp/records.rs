//! What an export request holds, whatever it was encoded in: records with the resource and the scope that they came from.

use std::sync::Arc;

use serde_json::Value;

use super::attributes::Attributes;

/// The records of a request; those of one signal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    /// Log records, events included.
    pub(super) logs: Vec<Log>,
    /// Spans.
    pub(super) spans: Vec<Span>,
    /// Data points of metrics.
    pub(super) points: Vec<Point>,
}

/// Where records came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Source {
    /// The resource: `service.name` and the like.
    pub(super) resource: Attributes,
    /// The instrumentation scope's name.
    pub(super) scope: String,
}

/// A log record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Log {
    pub(super) source: Arc<Source>,
    /// Nanoseconds since 1970; 0 when unknown.
    pub(super) time: u64,
    /// When the exporter saw it.
    pub(super) observed: u64,
    pub(super) severity: i64,
    pub(super) severity_text: String,
    pub(super) body: Value,
    pub(super) event_name: String,
    pub(super) attributes: Attributes,
    /// Hex.
    pub(super) trace: String,
    /// Hex.
    pub(super) span: String,
}

/// A span, which is over.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Span {
    pub(super) source: Arc<Source>,
    pub(super) name: String,
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: String,
    /// Nanoseconds since 1970.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) attributes: Attributes,
    /// 0 unset, 1 ok, 2 error.
    pub(super) status: i64,
    pub(super) message: String,
    /// Names and attributes of what happened within.
    pub(super) events: Vec<(String, Attributes)>,
}

/// A data point of a sum or a histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) source: Arc<Source>,
    pub(super) metric: Arc<str>,
    pub(super) attributes: Attributes,
    /// Nanoseconds since 1970: the stretch of time that it is about.
    pub(super) start: u64,
    pub(super) time: u64,
    /// The sum.
    pub(super) value: f64,
    /// Measurements, of a histogram.
    pub(super) count: Option<u64>,
    /// Since `start` (and sent again with more), rather than since the point before.
    pub(super) cumulative: bool,
}

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`
pub(super) const CUMULATIVE: i64 = 2;

impl Records {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.logs.len() + self.spans.len() + self.points.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
