//! Hive's doors: `/stream`, `/` from the first message with an `action`, and the root of listeners that speak it.

mod conversation;
mod door;
mod root;
mod view;

pub(crate) use conversation::Setting;
pub(crate) use door::open;
pub(crate) use root::Root;
