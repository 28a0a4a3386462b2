//! SAM's doors: `/`, where monitors listen and agents may publish, and `/publish`.

mod conversation;
mod door;
mod filter;

pub(crate) use conversation::SamConversation;
pub(crate) use door::{Role, open};
pub(crate) use filter::names;
