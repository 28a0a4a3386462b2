//! Lines of a session's log (seed 003, "Session Event Structure"): one JSON object a line.

use countersign_model::Millis;
use serde::Serialize;
use serde_json::value::RawValue;

/// Data of a log's first line.
pub const SESSION_STARTED: &str = r#"{"event":"session_started"}"#;
/// Data of a log's last line.
pub const SESSION_ENDED: &str = r#"{"event":"session_ended"}"#;

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client. The session's start and end count as such, as the seed has it.
    Incoming,
    /// To the client.
    Outgoing,
}

/// A line, its end included. `message` is a message as it stands; one that is no JSON is kept as a string.
pub fn line(time: Millis, direction: Direction, message: &str) -> String {
    #[derive(Serialize)]
    struct Line<'a, T> {
        timestamp: Millis,
        event_type: &'a str,
        direction: &'a str,
        message_data: T,
    }
    fn write<T: Serialize>(time: Millis, direction: Direction, message_data: T) -> String {
        let (event_type, direction) = match direction {
            Direction::Incoming => ("websocket_message_received", "incoming"),
            Direction::Outgoing => ("websocket_message_sent", "outgoing"),
        };
        let line = Line {
            timestamp: time,
            event_type,
            direction,
            message_data,
        };
        serde_json::to_string(&line).expect("a line serialises")
    }
    let mut line = match serde_json::from_str::<&RawValue>(message) {
        // Between its tokens a message may have line breaks; within strings they are always escaped.
        Ok(json) => write(time, direction, json).replace(['\n', '\r'], " "),
        Err(_) => write(time, direction, message),
    };
    line.push('\n');
    line
}
