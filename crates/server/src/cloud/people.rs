//! Who is there: a person is online from their first connection, on any listener, to the end of their last one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_hub::Hub;
use countersign_model::{Event, Extra, NewEvent, Origin, kind, to_json};
use serde_json::json;

/// Connections by user.
pub(super) struct People {
    hub: Arc<Hub>,
    here: Mutex<HashMap<Arc<str>, usize>>,
}

impl People {
    pub(super) fn new(hub: Arc<Hub>) -> Arc<Self> {
        Arc::new(Self {
            hub,
            here: Mutex::default(),
        })
    }

    fn here(&self) -> MutexGuard<'_, HashMap<Arc<str>, usize>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The person has one more connection, while the guard lives.
    pub(super) fn came(self: &Arc<Self>, user: &Arc<str>, connection: &Arc<str>) -> Here {
        let mut here = self.here();
        let connections = here.entry(user.clone()).or_default();
        *connections += 1;
        if *connections == 1 {
            // With the count locked: the order of the log is the order of coming and going.
            self.hub.person(presence(user, connection, "online"));
        }
        Here {
            people: self.clone(),
            user: user.clone(),
            connection: connection.clone(),
        }
    }
}

/// One connection of a person.
pub(super) struct Here {
    people: Arc<People>,
    user: Arc<str>,
    connection: Arc<str>,
}

impl Drop for Here {
    fn drop(&mut self) {
        let mut here = self.people.here();
        let Some(connections) = here.get_mut(&self.user) else {
            return;
        };
        *connections -= 1;
        if *connections == 0 {
            here.remove(&self.user);
            self.people
                .hub
                .person(presence(&self.user, &self.connection, "offline"));
        }
    }
}

/// How a person is. The connection stands where an agent's session does, so that it does not hear of itself.
pub(super) fn presence(user: &Arc<str>, connection: &Arc<str>, status: &str) -> NewEvent {
    NewEvent {
        origin: Origin::Cloud,
        agent: user.clone(),
        session: Some(connection.clone()),
        stream: None,
        kind: kind::USER_PRESENCE.into(),
        timestamp: None,
        data: to_json(&json!({ "userId": &**user, "status": status })),
        extra: Extra::default(),
    }
}

/// Whether the event is about this connection's own person.
pub(super) fn is_own(event: &Event, connection: &str) -> bool {
    event.origin == Origin::Cloud && event.session.as_deref() == Some(connection)
}

/// Why an agent may not publish events of this kind: people speak for themselves.
pub(crate) fn forged(kind: &str) -> Option<&'static str> {
    kind.eq_ignore_ascii_case(kind::USER_PRESENCE)
        .then_some("`user_presence` comes from the person's own connection at /ws, and from nobody else")
}
