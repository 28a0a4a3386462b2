//! What clients send: the text of a Socket.IO event, `["name", argument]`, to a command.

use std::ops::RangeInclusive;

use countersign_model::canonical::too_deep;
use countersign_model::metrics::{Group, HOURS};
use serde_json::{Map, Value};

/// Seconds between updates (seed 001, "Client Configuration").
const INTERVAL: RangeInclusive<u32> = 1..=60;
/// Minutes of a step of a series.
const STEP: RangeInclusive<u32> = 1..=1440;
/// The stretch of time of clients that do not say (seed 001, "Subscription Management").
const DEFAULT_HOURS: u32 = 24;
/// The interval of clients that do not say (seed 001, "Subscription Management").
const DEFAULT_INTERVAL: u32 = 2;
/// Points of a series, about, when the client does not say how long a step is.
const DEFAULT_POINTS: u32 = 120;

/// What a client wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Hours, 1 to 168.
    pub hours: u32,
    /// Seconds between updates, 1 to 60.
    pub interval: u32,
    /// Payloads as binary attachments (additive).
    pub binary: bool,
}

impl Default for Subscription {
    fn default() -> Self {
        Self {
            hours: DEFAULT_HOURS,
            interval: DEFAULT_INTERVAL,
            binary: false,
        }
    }
}

/// A room (seed 001, "Room-based subscriptions"): one for changes of tasks, one for each group of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Each task as it changes.
    Tasks,
    /// A group of figures as it changes.
    Group(Group),
}

impl Room {
    /// All rooms.
    pub const ALL: [Self; 6] = [
        Self::Tasks,
        Self::Group(Group::Costs),
        Self::Group(Group::Api),
        Self::Group(Group::Tools),
        Self::Group(Group::Sessions),
        Self::Group(Group::Activity),
    ];

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tasks | Self::Group(Group::Tasks) => "tasks",
            Self::Group(Group::Costs) => "costs",
            Self::Group(Group::Api) => "claude_api",
            Self::Group(Group::Tools) => "tools",
            Self::Group(Group::Sessions) => "sessions",
            Self::Group(Group::Activity) => "activity",
        }
    }

    /// The event that its members get.
    pub fn update(self) -> &'static str {
        match self {
            Self::Tasks | Self::Group(Group::Tasks) => "task_update",
            Self::Group(Group::Costs) => "costs_update",
            Self::Group(Group::Api) => "claude_api_update",
            Self::Group(Group::Tools) => "tools_update",
            Self::Group(Group::Sessions) => "sessions_update",
            Self::Group(Group::Activity) => "activity_update",
        }
    }
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Updates, from now on.
    Subscribe(Subscription),
    /// No more updates.
    Unsubscribe,
    /// The figures now.
    Refresh {
        /// Of so many hours; else of those subscribed to.
        hours: Option<u32>,
        /// As a binary attachment; else as subscribed to.
        binary: Option<bool>,
    },
    /// Another interval, in seconds.
    SetInterval(u32),
    /// Into a room; of so many hours, else those subscribed to.
    Join(Room, Option<u32>),
    /// Out of a room.
    Leave(Room),
    /// A series.
    History {
        /// How long.
        hours: u32,
        /// Minutes of a step.
        step: u32,
        /// As a binary attachment; else as subscribed to.
        binary: Option<bool>,
    },
}

/// Why nothing came of an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

fn refused<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(why.into()))
}

/// Reads `["name", argument]`.
///
/// # Errors
/// When it is no JSON, names no event that is known here, or has an argument that makes no sense.
pub fn decode(text: &str) -> Result<Command, Refused> {
    if too_deep(text.as_bytes()) {
        return refused("the arguments are nested too deep");
    }
    let Ok(mut event) = serde_json::from_str::<Vec<Value>>(text) else {
        return refused("the arguments are not JSON");
    };
    let Some(Value::String(name)) = event.first().cloned() else {
        return refused("the event has no name");
    };
    let argument = (event.len() > 1).then(|| event.swap_remove(1));
    let optional = || match argument.clone() {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(fields)) => Ok(fields),
        Some(other) => refused(format!("{name} takes an object, not {}", kind_of(&other))),
    };
    let required = || match argument.clone() {
        Some(Value::Object(fields)) => Ok(fields),
        Some(other) => refused(format!("{name} takes an object, not {}", kind_of(&other))),
        None => refused(format!("{name} needs an object of its parameters")),
    };
    match name.as_str() {
        "subscribe" => {
            let fields = required()?;
            Ok(Command::Subscribe(Subscription {
                hours: number(&fields, "hours", HOURS)?.unwrap_or(DEFAULT_HOURS),
                interval: number(&fields, "update_interval", INTERVAL)?.unwrap_or(DEFAULT_INTERVAL),
                binary: flag(&fields, "binary")?.unwrap_or(false),
            }))
        }
        "unsubscribe" => Ok(Command::Unsubscribe),
        "request_refresh" => {
            let fields = optional()?;
            Ok(Command::Refresh {
                hours: number(&fields, "hours", HOURS)?,
                binary: flag(&fields, "binary")?,
            })
        }
        "set_interval" => match number(&required()?, "interval", INTERVAL)? {
            Some(interval) => Ok(Command::SetInterval(interval)),
            None => refused("set_interval needs `interval`, a number of seconds"),
        },
        "request_history" => {
            let fields = optional()?;
            let hours = number(&fields, "hours", HOURS)?.unwrap_or(DEFAULT_HOURS);
            let step = number(&fields, "step", STEP)?;
            Ok(Command::History {
                hours,
                step: step.unwrap_or((hours * 60).div_ceil(DEFAULT_POINTS)),
                binary: flag(&fields, "binary")?,
            })
        }
        other => {
            let room = |prefix: &str| {
                let room = other.strip_prefix(prefix)?;
                Room::ALL.into_iter().find(|known| known.as_str() == room)
            };
            if let Some(room) = room("subscribe_") {
                let hours = number(&optional()?, "hours", HOURS)?;
                return Ok(Command::Join(room, hours));
            }
            if let Some(room) = room("unsubscribe_") {
                return Ok(Command::Leave(room));
            }
            let shown: String = other.chars().take(64).collect();
            refused(format!("there is no event {shown:?} here"))
        }
    }
}

/// Reads `?hours=` of a request.
///
/// # Errors
/// When it is not a number.
pub fn query_hours(text: Option<&str>) -> Result<u32, Refused> {
    let Some(text) = text else { return Ok(DEFAULT_HOURS) };
    match text.trim().parse::<f64>() {
        Ok(hours) if !hours.is_nan() => Ok(clamp(hours, HOURS)),
        _ => refused("hours must be a number from 1 to 168"),
    }
}

/// A number, brought into its range (seed 001, "Input validation"); a broken one counts down.
fn number(fields: &Map<String, Value>, name: &str, range: RangeInclusive<u32>) -> Result<Option<u32>, Refused> {
    match fields.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => match number.as_f64() {
            Some(value) if !value.is_nan() => Ok(Some(clamp(value, range))),
            _ => refused(format!("{name} must be a number")),
        },
        Some(other) => refused(format!(
            "{name} must be a number from {} to {}, not {}",
            range.start(),
            range.end(),
            kind_of(other)
        )),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the range, which is of whole numbers
fn clamp(value: f64, range: RangeInclusive<u32>) -> u32 {
    value.clamp(f64::from(*range.start()), f64::from(*range.end())) as u32
}

fn flag(fields: &Map<String, Value>, name: &str) -> Result<Option<bool>, Refused> {
    match fields.get(name) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => refused(format!("{name} must be true or false, not {}", kind_of(other))),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
