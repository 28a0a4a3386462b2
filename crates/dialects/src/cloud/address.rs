//! Whom a notification is for.

use countersign_model::{Event, fields, kind};
use serde_json::Value;

/// Whom an event is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Everybody.
    All,
    /// This user alone.
    User(String),
    /// Whoever was meant, it cannot be told: two users are named, or something that is no name.
    Nobody,
}

impl Address {
    /// Whether it is for `user`, or, without one, for somebody who is not known.
    pub fn includes(&self, user: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::User(name) => user == Some(name),
            Self::Nobody => false,
        }
    }
}

/// Whom the event is for: a notification for the user whom its `data.userId` names (`user_id` is taken for the same), all else
/// for everybody. Of keys given twice, readers disagree on which one counts: so what is not one name is for nobody.
pub fn address(event: &Event) -> Address {
    if &*event.kind != kind::NOTIFICATION {
        return Address::All;
    }
    let text = event.data.get();
    // Most are for everybody, and each connection asks. A name may be spelled with escapes.
    if !text.contains("user") && !text.contains('\\') {
        return Address::All;
    }
    let Ok(fields) = fields::read(text) else {
        return Address::Nobody;
    };
    let mut names = fields
        .iter()
        .filter(|(name, value)| matches!(&**name, "userId" | "user_id") && value != "null")
        .map(|(_, value)| name(value));
    let Some(first) = names.next() else {
        return Address::All;
    };
    match first {
        Some(user) if names.all(|other| other.as_deref() == Some(&*user)) => Address::User(user),
        _ => Address::Nobody,
    }
}

fn name(value: &str) -> Option<String> {
    match serde_json::from_str(value).ok()? {
        Value::String(name) => Some(name),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
