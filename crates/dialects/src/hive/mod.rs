//! Hive: JSON frames that ask with `action` and tell with `type` (seed 002).

mod decode;
mod encode;
mod events;
#[cfg(test)]
mod tests;

pub(crate) use decode::said;
pub use decode::{Action, Subscription, decode, is_hive};
pub use encode::{
    ack, answer, authenticated, error, event, event_object, execution_id, history_lost, stop, stream_id, subscribed,
    unsubscribed,
};
pub use events::{
    ConstraintViolation, EventType, ExecutionCompleted, ExecutionFailed, ExecutionPaused, ExecutionResumed,
    ExecutionStarted, GoalAchieved, GoalProgress, NodeExecuted, Payload, StateChanged,
};
