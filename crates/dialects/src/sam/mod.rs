//! SAM: JSON text frames, an envelope of `type`, `timestamp` and `data` (seed 000).

mod decode;
mod encode;
mod switches;
#[cfg(test)]
mod tests;

pub use decode::{Decoded, Inbound, Peer, Reply, WireError, decode, decode_ask, decode_value};
pub(crate) use decode::{name, own, request, scalar, string, wrong};
pub use encode::{ack, answer, error, event, event_with_origin, hello, history_lost, stop};
pub use switches::Switches;
