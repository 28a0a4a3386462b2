//! WebSocket connections, whatever is said on them: handshake, reading, writing, events for monitors, debts to agents.

mod answering;
mod connection;
mod conversation;
mod feed;
mod frame;
mod handshake;
mod publisher;
mod query;
mod wire;
mod writer;

pub(crate) use answering::answer;
pub(crate) use connection::{Intake, run};
pub(crate) use conversation::{Conversation, End, Message};
pub(crate) use feed::{Feed, Tune, View};
pub(crate) use frame::{binary, push_text, text};
pub(crate) use handshake::{Place, Settings, is_upgrade, upgrade};
pub(crate) use publisher::{Incoming, Publisher, Tongue};
pub(crate) use query::{bearer, bearers, query};
pub(crate) use writer::Direct;
