//! REST, for those without a socket: publishing, reading, asking, waiting, answering.

mod approvals;
mod history;
mod publishing;

use crate::wire::pending;
use countersign_tests::{Hub, Peer, frames, rest, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn event(n: u64) -> Value {
    json!({"type": "note", "agent": "a", "session": "s", "timestamp": "2026-01-17T10:30:00.000Z", "data": {"n": n}})
}
