//! AMIGA: Socket.IO events whose argument is one JSON object, and figures in its structure (seed 001). Socket.IO's own framing
//! is the server's; what stands here is what is said in it.

mod decode;
mod encode;
mod parts;
#[cfg(test)]
mod tests;

pub use decode::{Command, Refused, Room, Subscription, decode, query_hours};
pub use encode::{
    connected, error, history_chunk, history_complete, interval_updated, joined, left, missed, subscribed, task_update,
    unsubscribed,
};
pub use parts::{Parts, group_update, metrics_update, overview};
