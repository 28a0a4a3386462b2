//! The Codex codec against the seed's own messages, against messages that are wrong in one place each, and what items say in
//! the hub's kinds.

mod facts;
mod malformed;
mod seed;

use super::{Message, WireError, decode};

fn read(text: &str) -> Result<Message, WireError> {
    decode(text)
}
