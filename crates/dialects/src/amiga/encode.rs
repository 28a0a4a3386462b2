//! What clients are told, beside the figures: confirmations, errors, tasks, series.

use countersign_model::metrics::{Point, Task, TaskKind, TaskStatus};
use countersign_model::{Json, Millis, to_json};
use serde::Serialize;

use super::decode::{Room, Subscription};
use super::parts::{dollars, seconds};

/// `connected`: seed 001, "Server Events".
pub fn connected(client_id: &str) -> Json {
    #[derive(Serialize)]
    struct Connected<'a> {
        status: &'static str,
        client_id: &'a str,
    }
    to_json(&Connected {
        status: "connected",
        client_id,
    })
}

#[derive(Serialize)]
struct Config {
    hours: u32,
    update_interval: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    binary: bool,
}

impl From<Subscription> for Config {
    fn from(subscription: Subscription) -> Self {
        Self {
            hours: subscription.hours,
            update_interval: subscription.interval,
            binary: subscription.binary,
        }
    }
}

#[derive(Serialize)]
struct Subscribed {
    status: &'static str,
    config: Config,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<&'static str>,
}

/// `subscribed`: seed 001, "Server Events"; `config` is what counts, after clamping.
pub fn subscribed(subscription: Subscription) -> Json {
    to_json(&Subscribed {
        status: "subscribed",
        config: subscription.into(),
        room: None,
    })
}

/// `subscribed` to a room.
pub fn joined(room: Room, subscription: Subscription) -> Json {
    to_json(&Subscribed {
        status: "subscribed",
        config: subscription.into(),
        room: Some(room.as_str()),
    })
}

#[derive(Serialize)]
struct Unsubscribed {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<&'static str>,
}

/// `unsubscribed`: seed 001, "Client Events".
pub fn unsubscribed() -> Json {
    to_json(&Unsubscribed {
        status: "unsubscribed",
        room: None,
    })
}

/// `unsubscribed` from a room.
pub fn left(room: Room) -> Json {
    to_json(&Unsubscribed {
        status: "unsubscribed",
        room: Some(room.as_str()),
    })
}

/// `interval_updated`: seed 001, "Client Events".
pub fn interval_updated(interval: u32) -> Json {
    #[derive(Serialize)]
    struct Updated {
        interval: u32,
    }
    to_json(&Updated { interval })
}

/// `error`: seed 001, "Server Events".
pub fn error(error: &str, now: Millis) -> Json {
    #[derive(Serialize)]
    struct Error<'a> {
        error: &'a str,
        timestamp: f64,
    }
    to_json(&Error {
        error,
        timestamp: seconds(now),
    })
}

/// `error`: a client that follows tasks was too slow, and so many changes are gone.
pub fn missed(lost: u64, now: Millis) -> Json {
    error(
        &format!("{lost} changes of tasks were missed: they came faster than they were read"),
        now,
    )
}

/// `task_update`: a task after a change (additive; seed 001 names the event and not its fields).
pub fn task_update(task: &Task, now: Millis) -> Json {
    #[derive(Serialize)]
    struct Update<'a> {
        id: String,
        kind: &'static str,
        name: &'a str,
        agent: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<&'a str>,
        status: &'static str,
        started_at: Option<f64>,
        ended_at: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        duration: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        progress: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
        timestamp: f64,
    }
    let duration = task
        .started
        .zip(task.ended)
        .map(|(from, to)| seconds(Millis(to.0 - from.0)));
    to_json(&Update {
        id: format!("task-{}", task.id),
        kind: match task.kind {
            TaskKind::Execution => "execution",
            TaskKind::Agent => "agent",
            TaskKind::Tool => "tool",
        },
        name: &task.name,
        agent: &task.agent,
        session: task.session.as_deref(),
        status: match task.status {
            TaskStatus::Running => "running",
            TaskStatus::Completed => "completed",
            TaskStatus::Failed => "failed",
        },
        started_at: task.started.map(seconds),
        ended_at: task.ended.map(seconds),
        duration,
        progress: task.progress,
        error: task.error.as_deref(),
        timestamp: seconds(now),
    })
}

/// `history_chunk`: some of a series, `index` chunks after its first one (additive).
pub fn history_chunk(hours: u32, step: u32, index: u32, points: &[Point]) -> Json {
    #[derive(Serialize)]
    struct Tasks {
        running: u64,
        completed: u64,
        failed: u64,
    }
    #[derive(Serialize)]
    struct At {
        timestamp: f64,
        tasks: Tasks,
        tool_calls: u64,
        requests: u64,
        input_tokens: u64,
        output_tokens: u64,
        cost: f64,
    }
    #[derive(Serialize)]
    struct Chunk {
        hours: u32,
        step: u32,
        index: u32,
        points: Vec<At>,
    }
    let points = points.iter().map(|point| At {
        timestamp: seconds(point.time),
        tasks: Tasks {
            running: point.tasks.running,
            completed: point.tasks.completed,
            failed: point.tasks.failed,
        },
        tool_calls: point.tool_calls,
        requests: point.spent.requests,
        input_tokens: point.spent.input_tokens,
        output_tokens: point.spent.output_tokens,
        cost: dollars(point.spent.nanodollars),
    });
    to_json(&Chunk {
        hours,
        step,
        index,
        points: points.collect(),
    })
}

/// `history_complete`: the series has been sent, in so many chunks (additive).
pub fn history_complete(hours: u32, step: u32, chunks: u32, points: u32) -> Json {
    #[derive(Serialize)]
    struct Complete {
        hours: u32,
        step: u32,
        chunks: u32,
        points: u32,
    }
    to_json(&Complete {
        hours,
        step,
        chunks,
        points,
    })
}
