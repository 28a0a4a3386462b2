//! The words of the project as pure values: events, sessions, approvals, decisions.
//! No IO, no async, no clock: whoever makes a value says when it was made.

pub mod approval;
pub mod canonical;
pub mod connection;
pub mod cursor;
pub mod dialect;
pub mod edits;
mod event;
mod extra;
pub mod fact;
pub mod fields;
pub mod kind;
pub mod metrics;
pub mod session;
pub mod status;
pub mod time;
pub mod visible;

pub use approval::{Answer, Approval, Ask, Decision, Delivery, Grant, Rule, Scope, Status, Surface, Verdict};
pub use connection::{Connection, ConnectionChange, ConnectionState, FileChange, Finding, Outcome};
pub use cursor::{Epoch, Since};
pub use dialect::{Dialect, DialectError};
pub use event::{Event, EventRow, NewEvent, Origin, Seq};
pub use extra::{Beside, Extra};
pub use fact::{Busy, Fact, Usage};
pub use session::{Activity, SessionKey, SessionView, carries_stop};
pub use status::{HubStatus, Listener, Person, Presence, Problem, Upstream, UpstreamState, Webhook, WebhookState};
pub use time::Millis;

/// JSON text kept as it came.
pub type Json = Box<serde_json::value::RawValue>;

/// An empty JSON object.
pub fn empty_object() -> Json {
    serde_json::value::RawValue::from_string("{}".to_owned()).expect("{} is JSON")
}

/// Any serialisable value as JSON text.
///
/// # Panics
/// When the value's own `Serialize` fails, which none of this project's does.
pub fn to_json<T: serde::Serialize>(value: &T) -> Json {
    serde_json::value::to_raw_value(value).expect("the project's values serialise")
}

/// What a flag is that an older record does not name.
fn yes() -> bool {
    true
}
