//! What makes a record the same one when its batch is sent again: a digest of all that it says, times, ids and source included.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::attributes::Attributes;
use super::records::{Log, Point, Source, Span};

/// The digest of a record; each event that is made of it has a mark of its own.
#[derive(Clone)]
pub(super) struct Record(Sha256);

impl Record {
    fn new(signal: &str, source: &Source) -> Self {
        let mut record = Self(Sha256::new());
        record.text(signal).attributes(&source.resource).text(&source.scope);
        record
    }

    pub(super) fn log(log: &Log) -> Self {
        let mut record = Self::new("log", &log.source);
        record
            .number(log.time)
            .number(log.observed)
            .number(log.severity.unsigned_abs());
        record.text(&log.event_name).text(&log.trace).text(&log.span);
        record.value(&log.body).attributes(&log.attributes);
        record
    }

    pub(super) fn span(span: &Span) -> Self {
        let mut record = Self::new("span", &span.source);
        record.text(&span.trace).text(&span.id).text(&span.name);
        record.number(span.start).number(span.end).attributes(&span.attributes);
        record
    }

    /// `points` are those that one event is made of.
    pub(super) fn points(points: &[&Point]) -> Self {
        let mut record = Self(Sha256::new());
        for point in points {
            let mut each = Self::new("point", &point.source);
            each.text(&point.metric).attributes(&point.attributes);
            each.number(point.start).number(point.time);
            each.number(point.value.to_bits()).number(point.count.unwrap_or(0));
            record.0.update(each.0.finalize());
        }
        record
    }

    /// Something said in a conversation, which exporters repeat with each request.
    pub(super) fn said(agent: &str, session: &str, sender: &str, content: &str) -> Self {
        let mut record = Self(Sha256::new());
        record.text("said").text(agent).text(session).text(sender).text(content);
        record
    }

    /// The mark of the event that is the `place`th of the record.
    pub(super) fn mark(&self, place: u32) -> [u8; 16] {
        let mut digest = self.0.clone();
        digest.update(place.to_le_bytes());
        let mut mark = [0; 16];
        mark.copy_from_slice(&digest.finalize()[..16]);
        mark
    }

    fn number(&mut self, number: u64) -> &mut Self {
        self.0.update(number.to_le_bytes());
        self
    }

    /// With its length, so that what follows cannot be taken for its end.
    fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64);
        self.0.update(text);
        self
    }

    fn value(&mut self, value: &Value) -> &mut Self {
        self.text(&value.to_string())
    }

    /// In whatever order they come: attributes are a set.
    fn attributes(&mut self, attributes: &Attributes) -> &mut Self {
        let mut sorted: Vec<_> = attributes.0.iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        self.number(sorted.len() as u64);
        for (name, value) in sorted {
            self.text(name).value(value);
        }
        self
    }
}
