//! Codex AgentLoop: JSON text messages, `id`, `type` and `payload` (seed 003), the lines of its session logs, and what its
//! response items say in the hub's kinds.

mod decode;
mod encode;
mod facts;
mod log;
#[cfg(test)]
mod tests;

pub use decode::{Input, Message, Response, Review, Said, WireError, decode};
pub use encode::{
    Question, agent_finished, approval_request, approval_resolved, error, loading_state, refused, response_item,
    system_message,
};
pub use facts::{Facts, ask, facts, failed, finished, input, loading, started, stopped, troubled};
pub use log::{Direction, SESSION_ENDED, SESSION_STARTED, line};
