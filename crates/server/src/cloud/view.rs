//! Which events a Cloud client gets: everything that Cloud can say to those whose token was taken, to others only what is for all.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use countersign_dialects::cloud;
use countersign_dialects::sam::Switches;
use countersign_hub::Dialect;
use countersign_model::{Event, kind};

use super::people::is_own;
use crate::socket::{View, text};

pub(super) struct CloudView {
    pub(super) authenticated: bool,
    pub(super) user: Option<Arc<str>>,
    pub(super) connection: Arc<str>,
    pub(super) switches: Switches,
}

impl View for CloudView {
    fn dialect(&self) -> Dialect {
        Dialect::Cloud
    }

    fn passes(&self, event: &Event) -> bool {
        self.switches.allow(&event.kind)
            && match &*event.kind {
                kind::NOTIFICATION => cloud::address(event).includes(self.user.as_deref()),
                kind::USER_PRESENCE => !is_own(event, &self.connection),
                _ => self.authenticated,
            }
    }

    /// One frame, or two: a run that failed is a state and a notification.
    fn frame(&self, event: &Event) -> Bytes {
        let mut frames = BytesMut::new();
        for message in cloud::messages(event) {
            frames.extend_from_slice(&text(&message));
        }
        frames.freeze()
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::{Epoch, Millis, Origin, to_json};
    use serde_json::{Value, json};

    use super::*;

    fn event(kind: &str, data: &Value) -> Event {
        Event {
            seq: 1,
            epoch: Epoch::new("e"),
            via: Vec::new(),
            time: Millis(0),
            origin: Origin::Cloud,
            agent: "a".into(),
            session: Some("c-1".into()),
            stream: None,
            kind: kind.into(),
            timestamp: None,
            data: to_json(data),
            extra: countersign_model::Extra::default(),
        }
    }

    fn view(user: Option<&str>, connection: &str) -> CloudView {
        CloudView {
            authenticated: user.is_some(),
            user: user.map(Into::into),
            connection: connection.into(),
            switches: Switches {
                tool_calls: false,
                ..Switches::default()
            },
        }
    }

    #[test]
    fn strangers_get_what_is_for_all_and_each_user_what_is_theirs() {
        let (stranger, one, two) = (view(None, "c-2"), view(Some("u1"), "c-3"), view(Some("u2"), "c-1"));
        let check = |kind: &str, data: Value, expected: [bool; 3]| {
            let event = event(kind, &data);
            let got = [&stranger, &one, &two].map(|view| view.passes(&event));
            assert_eq!(got, expected, "{kind} {data}");
        };
        check("notification", json!({"message": "m"}), [true; 3]);
        check(
            "notification",
            json!({"message": "m", "userId": "u1"}),
            [false, true, false],
        );
        check(
            "user_presence",
            json!({"userId": "u2", "status": "away"}),
            [true, true, false],
        );
        check("agent_status", json!({"state": "idle"}), [false, true, true]);
        check("chat_message", json!({"content": "c"}), [false, true, true]);
        check("approval_request", json!({"tool_name": "t"}), [false, true, true]);
        // Switched off for every wire.
        check("tool_call_start", json!({"tool_name": "t"}), [false; 3]);
    }

    #[test]
    fn an_event_of_two_messages_is_two_frames() {
        let frames = view(Some("u"), "c").frame(&event("execution_failed", &json!({"error": "e"})));
        let first = 4 + usize::from(frames[2]) * 256 + usize::from(frames[3]);
        assert_eq!((frames[0], frames[first]), (0x81, 0x81));
        assert!(view(Some("u"), "c").frame(&event("made_up", &json!({}))).is_empty());
    }
}
