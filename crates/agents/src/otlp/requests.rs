//! Requests to models that several instrumentations tell of: an SDK's own span lies within that of a library around it, or beside it with
//! the same response. One of them tells of the tokens. Children end first, so mostly it is the innermost.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::gen_ai;
use super::memory::{Key, Memory};
use super::records::Span;

/// Spans between a request and the one within which it lies.
const MOST_BETWEEN: usize = 64;

/// What is known of spans that tell of requests, by trace and span.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// Told of their request; they do so again when they are sent again.
    told: Memory<()>,
    /// A request is told of within them.
    above: Memory<()>,
    /// They lie within one that told of its request.
    below: Memory<()>,
    /// Responses that were told of, by agent.
    responses: Memory<()>,
}

fn key(trace: &str, span: &str) -> Key {
    (trace.into(), span.into())
}

impl Requests {
    /// Looks at how the spans of a batch lie within each other, before any of them is told.
    pub(super) fn learn(&mut self, spans: &[Span]) {
        let batch: HashMap<Key, &str> = spans
            .iter()
            .map(|span| (key(&span.trace, &span.id), span.parent.as_str()))
            .collect();
        let mut walked = HashSet::new();
        for span in spans {
            let own = key(&span.trace, &span.id);
            if self.told.get(&own).is_none() && self.is_within(&own, span, &batch) {
                self.below.put(own.clone(), ());
            }
            if !gen_ai::is_request(span) && self.above.get(&own).is_none() {
                continue;
            }
            let mut parent = span.parent.as_str();
            while !parent.is_empty() {
                let outer = key(&span.trace, parent);
                if !walked.insert(outer.clone()) {
                    break;
                }
                parent = batch.get(&outer).copied().unwrap_or_default();
                self.above.put(outer, ());
            }
        }
    }

    fn is_within(&self, own: &Key, span: &Span, batch: &HashMap<Key, &str>) -> bool {
        let mut parent = span.parent.as_str();
        for _ in 0..MOST_BETWEEN {
            if parent.is_empty() {
                return false;
            }
            let outer = (own.0.clone(), Arc::from(parent));
            if self.told.get(&outer).is_some() || self.below.get(&outer).is_some() {
                return true;
            }
            parent = batch.get(&outer).copied().unwrap_or_default();
        }
        false
    }

    /// Whether this span tells of its request's tokens.
    pub(super) fn tells(&mut self, agent: &Arc<str>, span: &Span) -> bool {
        let own = key(&span.trace, &span.id);
        if self.told.get(&own).is_some() {
            return true;
        }
        if self.above.get(&own).is_some() || self.below.get(&own).is_some() {
            return false;
        }
        if let Some(response) = gen_ai::response(span) {
            let response = (agent.clone(), response.into());
            if self.responses.get(&response).is_some() {
                return false;
            }
            self.responses.put(response, ());
        }
        self.told.put(own, ());
        true
    }
}
