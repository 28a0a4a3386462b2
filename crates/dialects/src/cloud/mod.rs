//! Cloud Agents: JSON text frames of `type`, `data` and `timestamp` (seed 004). What the log says is told in its four kinds:
//! `agent_status`, `chat_message`, `notification`, `user_presence`.

mod about;
mod address;
mod decode;
mod encode;
mod project;
#[cfg(test)]
mod tests;

pub(crate) use about::about;
pub use address::{Address, address};
pub use decode::{Inbound, Presence, WireError, decode};
pub use encode::{auth, error, messages, ping, pong};
