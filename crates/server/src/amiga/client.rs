//! One client: what it wants, what it got, and what it is owed. Little is kept for it: figures are written when they can be sent.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign_dialects::amiga::{self, Command, Namespace, Refused, Room, Subscription, packet};
use countersign_model::metrics::{Group, Versions};
use countersign_model::{Json, Millis, Seq};
use engineioxide::Str;
use serde_json::value::RawValue;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

use super::Engine;
use crate::auth::Access;
use crate::metrics::{Board, PATIENCE, Written};

/// What a client may be owed; one that does not read and goes on asking is let go.
const MAX_OWED: usize = 256;
/// Points of one chunk of a series.
const CHUNK: i64 = 120;
/// Changes of tasks that are fetched at once.
const TASKS: usize = 64;

/// Something owed.
enum Owed {
    /// An event, written already.
    Event(&'static str, Json),
    /// The figures, as they are when they can be sent, but not from before the event of that number.
    Snapshot {
        hours: u32,
        binary: bool,
        /// Given when it was asked for.
        after: Option<Seq>,
        by: Instant,
    },
    /// A room's group of figures.
    Group(Room, Group),
    /// A receipt.
    Receipt(u64),
}

/// A seat in a group's room.
#[derive(Clone, Copy)]
struct Seat {
    hours: Option<u32>,
    sent: Option<u64>,
}

/// A series that is being sent.
struct Series {
    hours: u32,
    step: u32,
    binary: bool,
    from: i64,
    points: i64,
    done: i64,
    chunks: u32,
}

/// How writing to a client ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// All is written.
    Clear,
    /// The rest has to wait.
    Stuck,
    /// The client is gone, or is let go.
    Gone,
}

pub(super) struct Client {
    engine: Arc<Engine>,
    namespace: Namespace,
    /// When its right to be told anything ends.
    expires: Option<Millis>,
    wants: Subscription,
    subscribed: bool,
    sent: Option<Versions>,
    seats: [Option<Seat>; Room::ALL.len()],
    /// The next change of a task to be told.
    follows: Option<u64>,
    series: Option<Series>,
    owed: VecDeque<Owed>,
    overrun: bool,
    /// Its turns come at whole intervals from here.
    base: Instant,
    /// Its next turn, while it is in the line.
    pub(super) turn_at: Option<Instant>,
}

impl Client {
    /// A client that is told that it is connected, before anything else.
    pub(super) fn new(engine: Arc<Engine>, namespace: Namespace, access: &Access, now: Instant) -> Self {
        let connected = amiga::connected(&engine.id.to_string());
        Self {
            engine,
            namespace,
            expires: access.expires,
            wants: Subscription::default(),
            subscribed: false,
            sent: None,
            seats: [None; Room::ALL.len()],
            follows: None,
            series: None,
            owed: VecDeque::from([Owed::Event("connected", connected)]),
            overrun: false,
            base: now,
            turn_at: None,
        }
    }

    pub(super) fn engine(&self) -> Arc<Engine> {
        self.engine.clone()
    }

    pub(super) fn has_expired(&self, now: Millis) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// It wants a receipt of what it said last.
    pub(super) fn owe_receipt(&mut self, ack: u64) {
        self.owe(Owed::Receipt(ack));
    }

    pub(super) fn follows_tasks(&self) -> bool {
        self.follows.is_some()
    }

    /// Whether turns come to it at all.
    pub(super) fn has_turns(&self) -> bool {
        self.subscribed || self.seats.iter().any(Option::is_some)
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(u64::from(self.wants.interval))
    }

    /// Its next turn after `now`.
    pub(super) fn next_turn(&self, now: Instant) -> Instant {
        let interval = self.interval();
        let passed = now.saturating_duration_since(self.base).as_nanos() / interval.as_nanos() + 1;
        self.base + interval * u32::try_from(passed).unwrap_or(u32::MAX)
    }

    fn owe(&mut self, owed: Owed) {
        if self.owed.len() < MAX_OWED {
            self.owed.push_back(owed);
        } else {
            self.overrun = true;
        }
    }

    fn owe_snapshot(&mut self, hours: u32, binary: bool, board: &Board) {
        let after = Some(board.head());
        let by = Instant::now() + PATIENCE;
        self.owe(Owed::Snapshot {
            hours,
            binary,
            after,
            by,
        });
    }

    /// Does what it asks for. The flag says that its turns have changed.
    pub(super) fn take(&mut self, command: Result<Command, Refused>, board: &Board, now: Instant) -> bool {
        match command {
            Err(refused) => {
                self.owe(Owed::Event("error", amiga::error(&refused.to_string(), board.now())));
                return false;
            }
            Ok(Command::Subscribe(wants)) => {
                self.wants = wants;
                self.subscribed = true;
                self.base = now;
                self.owe(Owed::Event("subscribed", amiga::subscribed(wants)));
                self.owe_snapshot(wants.hours, wants.binary, board);
            }
            Ok(Command::Unsubscribe) => {
                self.subscribed = false;
                self.sent = None;
                self.owe(Owed::Event("unsubscribed", amiga::unsubscribed()));
            }
            Ok(Command::Refresh { hours, binary }) => {
                let (hours, binary) = (hours.unwrap_or(self.wants.hours), binary.unwrap_or(self.wants.binary));
                self.owe_snapshot(hours, binary, board);
                return false;
            }
            Ok(Command::SetInterval(interval)) => {
                self.wants.interval = interval;
                self.base = now;
                self.owe(Owed::Event("interval_updated", amiga::interval_updated(interval)));
            }
            Ok(Command::Join(room, hours)) => {
                let wants = Subscription {
                    hours: hours.unwrap_or(self.wants.hours),
                    ..self.wants
                };
                self.owe(Owed::Event("subscribed", amiga::joined(room, wants)));
                match room {
                    Room::Tasks => self.follows = self.follows.or(Some(board.next_change())),
                    Room::Group(group) => {
                        self.seats[seat(room)] = Some(Seat { hours, sent: None });
                        self.owe(Owed::Group(room, group));
                    }
                }
            }
            Ok(Command::Leave(room)) => {
                if room == Room::Tasks {
                    self.follows = None;
                }
                self.seats[seat(room)] = None;
                self.owe(Owed::Event("unsubscribed", amiga::left(room)));
            }
            Ok(Command::History { hours, step, binary }) => {
                let points = i64::from((hours * 60).div_ceil(step));
                self.series = Some(Series {
                    hours,
                    step,
                    binary: binary.unwrap_or(self.wants.binary),
                    from: board.minute() + 1 - points * i64::from(step),
                    points,
                    done: 0,
                    chunks: 0,
                });
                return false;
            }
        }
        true
    }

    /// Whether something that it wants has changed since it got it.
    pub(super) fn is_stale(&self, versions: &mut impl FnMut(u32) -> Versions) -> bool {
        (self.subscribed && self.sent != Some(versions(self.wants.hours)))
            || self.stale_rooms(versions).next().is_some()
    }

    fn stale_rooms<'a>(
        &'a self,
        versions: &'a mut impl FnMut(u32) -> Versions,
    ) -> impl Iterator<Item = (Room, Group)> + 'a {
        Room::ALL.into_iter().zip(self.seats).filter_map(move |(room, seat)| {
            let (seat, Room::Group(group)) = (seat?, room) else {
                return None;
            };
            let version = versions(seat.hours.unwrap_or(self.wants.hours))[group as usize];
            (seat.sent != Some(version)).then_some((room, group))
        })
    }

    /// Its turn: what has changed is owed, unless it is owed something already.
    pub(super) fn turn(&mut self, versions: &mut impl FnMut(u32) -> Versions) {
        if !self.owed.is_empty() {
            return;
        }
        if self.subscribed && self.sent != Some(versions(self.wants.hours)) {
            let (hours, binary) = (self.wants.hours, self.wants.binary);
            self.owe(Owed::Snapshot {
                hours,
                binary,
                after: None,
                by: self.base,
            });
        }
        let stale: Vec<_> = self.stale_rooms(versions).collect();
        for (room, group) in stale {
            self.owe(Owed::Group(room, group));
        }
    }

    /// Writes what it is owed, as far as that goes.
    pub(super) fn write(&mut self, board: &Board) -> Flow {
        if self.overrun || self.has_expired(board.now()) {
            return Flow::Gone;
        }
        match self.write_all(board) {
            Ok(flow) => flow,
            Err(TrySendError::Full(())) => Flow::Stuck,
            Err(TrySendError::Closed(())) => Flow::Gone,
        }
    }

    fn write_all(&mut self, board: &Board) -> Result<Flow, TrySendError<()>> {
        while let Some(owed) = self.owed.front() {
            match *owed {
                Owed::Event(name, ref json) => self.tell(name, json, false)?,
                Owed::Receipt(ack) => self.engine.reserve()?.emit(packet::receipt(self.namespace, ack).into()),
                Owed::Snapshot {
                    hours,
                    binary,
                    after,
                    by,
                } => {
                    if after.is_some_and(|after| !board.has_seen(after)) && Instant::now() < by {
                        return Ok(Flow::Stuck);
                    }
                    let written = board.snapshot(hours, after.is_some());
                    self.tell_shared(&written, binary)?;
                    if hours == self.wants.hours {
                        self.sent = Some(written.versions);
                    }
                }
                Owed::Group(room, group) => {
                    if let Some(place) = self.seats[seat(room)] {
                        let written = board.group(group, place.hours.unwrap_or(self.wants.hours));
                        self.tell_shared(&written, self.wants.binary)?;
                        self.seats[seat(room)] = Some(Seat {
                            sent: Some(written.versions[group as usize]),
                            ..place
                        });
                    }
                }
            }
            self.owed.pop_front();
        }
        self.write_series(board)?;
        self.write_tasks(board)?;
        Ok(Flow::Clear)
    }

    fn write_series(&mut self, board: &Board) -> Result<(), TrySendError<()>> {
        while let Some(series) = &self.series {
            let step = i64::from(series.step);
            if series.done >= series.points {
                let points = u32::try_from(series.points).unwrap_or(u32::MAX);
                let complete = amiga::history_complete(series.hours, series.step, series.chunks, points);
                self.tell("history_complete", &complete, false)?;
                self.series = None;
                break;
            }
            let count = CHUNK.min(series.points - series.done);
            let points = board.series(series.from + series.done * step, step, count);
            let chunk = amiga::history_chunk(series.hours, series.step, series.chunks, &points);
            self.tell("history_chunk", &chunk, series.binary)?;
            if let Some(series) = &mut self.series {
                series.done += count;
                series.chunks += 1;
            }
        }
        Ok(())
    }

    fn write_tasks(&mut self, board: &Board) -> Result<(), TrySendError<()>> {
        while let Some(next) = self.follows {
            let changes = board.task_changes(next, TASKS);
            if changes.lost > 0 {
                self.tell("error", &amiga::missed(changes.lost, board.now()), false)?;
                self.follows = Some(next + changes.lost);
            }
            if changes.tasks.is_empty() {
                break;
            }
            for task in &changes.tasks {
                let update = amiga::task_update(task, board.now());
                self.tell("task_update", &update, self.wants.binary)?;
                self.follows = self.follows.map(|next| next + 1);
            }
        }
        Ok(())
    }

    /// Something for this client alone.
    fn tell(&self, name: &str, json: &RawValue, binary: bool) -> Result<(), TrySendError<()>> {
        let place = self.engine.reserve()?;
        if binary {
            let payload = Bytes::copy_from_slice(json.get().as_bytes());
            let head = packet::binary_event(self.namespace, name);
            place.emit_many(head.into(), VecDeque::from([payload]));
        } else {
            place.emit(packet::event(self.namespace, name, json.get()).into());
        }
        Ok(())
    }

    /// Something that many are told: written once, and shared however long it waits.
    fn tell_shared(&self, written: &Written, binary: bool) -> Result<(), TrySendError<()>> {
        let place = self.engine.reserve()?;
        if binary {
            let head: Str = packet::binary_event(self.namespace, written.name).into();
            place.emit_many(head, VecDeque::from([written.bytes().clone()]));
        } else {
            place.emit(written.packet(self.namespace).clone());
        }
        Ok(())
    }
}

fn seat(room: Room) -> usize {
    Room::ALL.iter().position(|known| *known == room).unwrap_or(0)
}
