//! What a Hive monitor asked to see.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use countersign_dialects::hive::{self, Subscription};
use countersign_dialects::sam::Switches;
use countersign_hub::Dialect;
use countersign_model::{Event, Seq, kind};

use crate::socket::{View, binary, text};

/// Earlier subscriptions that are remembered for events that are still on their way.
const MAX_EARLIER: usize = 64;

/// What one subscription wants.
#[derive(Debug, PartialEq, Eq)]
struct Wants {
    stream_id: Option<String>,
    execution_id: Option<String>,
    /// In lower case; the hub's own kinds come only when named, or with `*`.
    types: Option<HashSet<String>>,
    every: bool,
    switches: Switches,
}

impl Wants {
    fn new(subscription: &Subscription, switches: Switches) -> Self {
        let types = subscription.event_types.as_ref();
        Self {
            stream_id: subscription.stream_id.clone(),
            execution_id: subscription.execution_id.clone(),
            every: types.is_some_and(|types| types.iter().any(|name| name == "*")),
            types: types.map(|types| types.iter().cloned().collect()),
            switches,
        }
    }

    fn passes(&self, event: &Event) -> bool {
        let wanted = match &self.types {
            _ if self.every => true,
            Some(types) => types.contains(&*lower(&event.kind)),
            None => !kind::is_hub_only(&event.kind),
        };
        // As the monitor reads them in the event, not as the log has them.
        let same = |wanted: &Option<String>, told: Option<&str>| wanted.is_none() || wanted.as_deref() == told;
        wanted
            && same(&self.stream_id, Some(hive::stream_id(event)))
            && same(&self.execution_id, hive::execution_id(event))
            && self.switches.allow(&event.kind)
    }
}

fn lower(kind: &str) -> Cow<'_, str> {
    if kind.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(kind.to_ascii_lowercase())
    } else {
        Cow::Borrowed(kind)
    }
}

/// Which events a Hive monitor gets. A subscription holds from a place in the log on: what was there before it belongs to the
/// one before, however late it is read.
#[derive(Clone, Debug)]
pub(crate) struct HiveView {
    /// Earlier subscriptions, each with the last event that is its own.
    earlier: Vec<(Seq, Arc<Wants>)>,
    /// The first event of the newest one comes after it.
    after: Seq,
    wants: Arc<Wants>,
    binary: bool,
}

impl HiveView {
    /// A subscription that is the first, for what comes after `seq`.
    pub(crate) fn new(seq: Seq, subscription: &Subscription, switches: Switches) -> Self {
        Self {
            earlier: Vec::new(),
            after: seq,
            wants: Arc::new(Wants::new(subscription, switches)),
            binary: subscription.binary,
        }
    }

    /// A subscription for what comes after `seq`, and this view for what came before.
    pub(crate) fn replaced(&self, seq: Seq, subscription: &Subscription, switches: Switches) -> Self {
        let mut next = Self::new(seq, subscription, switches);
        next.earlier.clone_from(&self.earlier);
        if seq > self.after {
            next.earlier.push((seq, self.wants.clone()));
        }
        // Whoever has so many on the way is far behind, or long past the oldest.
        let surplus = next.earlier.len().saturating_sub(MAX_EARLIER);
        next.earlier.drain(..surplus);
        next
    }
}

impl View for HiveView {
    fn dialect(&self) -> Dialect {
        if self.binary {
            Dialect::HiveBinary
        } else {
            Dialect::Hive
        }
    }

    fn passes(&self, event: &Event) -> bool {
        let earlier = self.earlier.iter().find(|(until, _)| event.seq <= *until);
        earlier.map_or(&self.wants, |(_, wants)| wants).passes(event)
    }

    fn frame(&self, event: &Event) -> Bytes {
        let event = hive::event(event);
        if self.binary {
            binary(event.as_bytes())
        } else {
            text(&event)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::{Epoch, Millis, Origin, empty_object};

    fn subscription(stream: &str) -> Subscription {
        Subscription {
            stream_id: Some(stream.to_owned()),
            ..Subscription::default()
        }
    }

    fn event(seq: Seq, stream: &str, kind: &str) -> Event {
        Event {
            seq,
            epoch: Epoch::new("e1"),
            time: Millis(0),
            via: Vec::new(),
            origin: Origin::Hive,
            agent: stream.into(),
            session: Some("exec-1".into()),
            stream: Some(stream.into()),
            kind: kind.into(),
            timestamp: None,
            data: empty_object(),
            extra: countersign_model::Extra::default(),
        }
    }

    #[test]
    fn a_subscription_holds_from_its_place_on() {
        let all = Switches::default();
        let view = HiveView::new(0, &subscription("a"), all);
        let view = view.replaced(5, &subscription("b"), all);
        let view = view.replaced(5, &subscription("c"), all);
        let view = view.replaced(9, &subscription("d"), all);
        let streams = |seq| -> Vec<_> {
            ["a", "b", "c", "d"]
                .into_iter()
                .filter(|stream| view.passes(&event(seq, stream, "x")))
                .collect()
        };
        assert_eq!(
            (streams(5), streams(6), streams(9), streams(10)),
            (vec!["a"], vec!["c"], vec!["c"], vec!["d"])
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let all = Switches::default();
        let mut view = HiveView::new(0, &subscription("a"), all);
        for seq in 1..1_000 {
            view = view.replaced(seq, &subscription("a"), all);
        }
        assert_eq!(view.earlier.len(), MAX_EARLIER);
    }

    #[test]
    fn the_hubs_own_kinds_come_only_when_named() {
        let wanting = |types: &[&str]| {
            let types = (!types.is_empty()).then(|| types.iter().map(ToString::to_string).collect());
            let subscription = Subscription {
                event_types: types,
                ..Subscription::default()
            };
            HiveView::new(0, &subscription, Switches::default())
        };
        let resolved = event(1, "a", "approval_resolved");
        assert!(!wanting(&[]).passes(&resolved));
        assert!(!wanting(&["goal_progress"]).passes(&resolved));
        assert!(wanting(&["approval_resolved"]).passes(&resolved));
        assert!(wanting(&["*"]).passes(&resolved));
        assert!(wanting(&["system_ready"]).passes(&event(1, "a", "System_Ready")));
    }
}
