//! Tool calls that hooks and telemetry both tell of, in either order: counted once, by their ids. Calls of other agents may use
//! an id again as they like.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;

use countersign_model::{Event, Fact, Origin};

use super::Metrics;
use super::open::{Key, place};

/// Calls that are remembered; the oldest are forgotten first.
const MOST: usize = 20_000;

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    started: bool,
    ended: bool,
    /// Telemetry had a part in it.
    measured: bool,
}

#[derive(Debug, Default)]
pub(super) struct Calls {
    counted: HashMap<u64, Counted>,
    order: VecDeque<u64>,
}

impl Calls {
    fn entry(&mut self, call: u64) -> &mut Counted {
        if !self.counted.contains_key(&call) {
            self.order.push_back(call);
            if self.order.len() > MOST
                && let Some(old) = self.order.pop_front()
            {
                self.counted.remove(&old);
            }
        }
        self.counted.entry(call).or_default()
    }
}

impl Metrics {
    /// Whether the event says of a call what was counted already.
    pub(super) fn repeats(&mut self, event: &Event, fact: &Fact) -> bool {
        let measured = event.origin == Origin::Otlp;
        let call = |call: &Option<String>| {
            let name = call.as_deref()?;
            Some(self.hasher.hash_one(Key::Call(place(event), name)))
        };
        match fact {
            Fact::ToolStarted { call: id, .. } => {
                let Some(call) = call(id) else { return false };
                let known = self.calls.entry(call);
                if known.started && (known.measured || measured) {
                    return true;
                }
                *known = Counted {
                    started: true,
                    // Its end may have come first.
                    ended: known.ended && !known.started && (known.measured || measured),
                    measured: known.measured || measured,
                };
                false
            }
            Fact::ToolEnded { call: id, .. } => {
                let Some(call) = call(id) else { return false };
                let known = self.calls.entry(call);
                if known.ended && (known.measured || measured) {
                    return true;
                }
                known.ended = true;
                known.measured |= measured;
                false
            }
            // Who allowed it says nothing of how it went; and without its name or id it cannot be told from others.
            Fact::ToolMeasured {
                tool,
                call: id,
                success,
                ..
            } => {
                let whole = success.is_some() && tool.is_some();
                let Some(call) = call(id).filter(|_| whole) else {
                    return true;
                };
                let known = self.calls.entry(call);
                if known.started || known.ended {
                    return true;
                }
                *known = Counted {
                    started: true,
                    ended: true,
                    measured: true,
                };
                false
            }
            _ => false,
        }
    }
}
