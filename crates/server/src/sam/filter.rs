//! What a monitor asked to see.

use std::collections::HashSet;

use bytes::Bytes;
use countersign_dialects::sam::{self, Switches};
use countersign_hub::Dialect;
use countersign_model::{Event, kind};

use crate::socket::{View, text};

/// Names in one list at most.
const MAX_NAMES: usize = 256;

/// Which events a SAM monitor gets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only these kinds; the hub's own come only when named, or with `*`.
    types: Option<HashSet<String>>,
    every: bool,
    agents: Option<HashSet<String>>,
    /// Whether frames say where an event came in.
    origin: bool,
    switches: Switches,
}

/// Splits `a,b,c`; empty parts do not count.
pub(crate) fn names(list: &str) -> Result<Vec<String>, String> {
    let names: Vec<_> = list
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if names.len() > MAX_NAMES {
        return Err(format!("more than {MAX_NAMES} names in one list"));
    }
    Ok(names)
}

impl Filter {
    pub(crate) fn new(
        types: Option<Vec<String>>,
        agents: Option<Vec<String>>,
        origin: bool,
        switches: Switches,
    ) -> Self {
        let every = types.as_ref().is_some_and(|types| types.iter().any(|name| name == "*"));
        Self {
            types: types.map(|types| types.into_iter().collect()),
            every,
            agents: agents.map(|agents| agents.into_iter().collect()),
            origin,
            switches,
        }
    }
}

impl View for Filter {
    fn dialect(&self) -> Dialect {
        if self.origin { Dialect::SamOrigin } else { Dialect::Sam }
    }

    fn frame(&self, event: &Event) -> Bytes {
        text(&if self.origin {
            sam::event_with_origin(event)
        } else {
            sam::event(event)
        })
    }

    fn passes(&self, event: &Event) -> bool {
        let wanted = match &self.types {
            _ if self.every => true,
            Some(types) => types.contains(&*event.kind),
            None => !kind::is_hub_only(&event.kind),
        };
        wanted
            && self.agents.as_ref().is_none_or(|agents| agents.contains(&*event.agent))
            && self.switches.allow(&event.kind)
    }
}
