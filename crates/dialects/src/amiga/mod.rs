//! AMIGA: Socket.IO 5 packets, events whose argument is one JSON object, and figures in its structure (seed 001). Engine.IO's
//! sessions and transports are the server's.

mod decode;
mod encode;
pub mod packet;
mod parts;
#[cfg(test)]
mod tests;

pub use decode::{Command, Refused, Room, Subscription, decode, query_hours};
pub use encode::{
    connected, error, history_chunk, history_complete, interval_updated, joined, left, missed, subscribed, task_update,
    unsubscribed,
};
pub use packet::{Namespace, Packet};
pub use parts::{Parts, group_update, metrics_update, overview};
