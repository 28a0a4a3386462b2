//! Whose turn it is: one task for all clients. Its work grows with what changes and with who is told, not with who is there.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use countersign_dialects::amiga::{Command, Namespace, Refused};
use countersign_model::metrics::Versions;
use engineioxide::DisconnectReason;
use tokio::sync::watch;
use tokio::time::Instant;

use super::client::{Client, Flow};
use super::{Amiga, Clients, Engine};
use crate::auth::Access;
use crate::metrics::Board;

/// Changes that come within so long are looked at together.
const GATHER: Duration = Duration::from_millis(50);
/// What could not be written is tried again after so long.
const RETRY: Duration = Duration::from_millis(30);
/// A session that is in no namespace after so long is closed: as long as Socket.IO's own server waits.
const DOOR: Duration = Duration::from_secs(45);
/// The same where tokens are required: who has none yet is nobody.
const STRICT_DOOR: Duration = Duration::from_secs(8);
/// Who has to go is looked for each time so much has passed.
const SWEEP: Duration = Duration::from_secs(2);

impl Amiga {
    /// A session that is in no namespace yet.
    pub(super) fn arrive(&self, engine: Arc<Engine>) {
        self.clients().arriving.insert(engine.id, (Instant::now(), engine));
    }

    /// It is in a namespace, or gone.
    pub(super) fn depart(&self, engine: &Engine) {
        self.clients().arriving.remove(&engine.id);
    }

    /// A client in a namespace.
    pub(super) fn enter(&self, engine: &Arc<Engine>, namespace: Namespace, access: &Access) -> u64 {
        let mut clients = self.clients();
        let id = clients.next;
        clients.next += 1;
        let client = Client::new(engine.clone(), namespace, access, Instant::now());
        clients.all.insert(id, client);
        clients.write(id, &self.board);
        self.wake.notify_one();
        id
    }

    /// It says something, and may want a receipt.
    pub(super) fn hear(&self, id: u64, command: Result<Command, Refused>, ack: Option<u64>) {
        let now = Instant::now();
        let mut clients = self.clients();
        let Some(client) = clients.all.get_mut(&id) else { return };
        let turns = client.take(command, &self.board, now);
        if let Some(ack) = ack {
            client.owe_receipt(ack);
        }
        if turns {
            clients.schedule(id, now);
        }
        clients.write(id, &self.board);
        self.wake.notify_one();
    }

    /// It is gone.
    pub(super) fn leave(&self, id: u64) {
        self.clients().remove(id);
    }

    /// Does what is due; says when to look again.
    fn step(&self, now: Instant) -> Instant {
        self.board.advance();
        let mut clients = self.clients();
        if clients.all.is_empty() {
            return now + SWEEP;
        }
        let mut known = HashMap::new();
        let mut versions = |hours: u32| *known.entry(hours).or_insert_with(|| self.board.versions(hours));
        let newest = self.board.version();
        let changed = clients.looked != newest;
        clients.looked = newest;
        if changed {
            clients.unpark(now, &mut versions);
        }
        let mut waiting: Vec<u64> = clients.stuck.iter().copied().collect();
        if changed {
            waiting.extend(clients.followers.difference(&clients.stuck));
        }
        for id in waiting {
            clients.write(id, &self.board);
        }
        while let Some((at, id)) = clients.due.first().copied()
            && at <= now
        {
            clients.due.pop_first();
            clients.turn(id, now, &mut versions, &self.board);
        }
        // With the minute, figures leave the stretches that they were in.
        let in_minute = u64::try_from(self.board.now().0.rem_euclid(60_000)).unwrap_or(0);
        let minute = now + Duration::from_millis(60_001 - in_minute);
        let due = clients.due.first().map_or(minute, |(at, _)| (*at).min(minute));
        if clients.stuck.is_empty() {
            due
        } else {
            due.min(now + RETRY)
        }
    }

    /// Those who may be told nothing any longer, or never came further than the door, are closed.
    fn sweep(&self, now: Instant) {
        let wall = self.board.now();
        let door = if self.door.keys.required() { STRICT_DOOR } else { DOOR };
        let mut clients = self.clients();
        let over: Vec<_> = clients
            .all
            .iter()
            .filter(|(_, client)| client.has_expired(wall) || client.engine().is_closed())
            .map(|(id, client)| (*id, client.engine()))
            .collect();
        for (id, engine) in over {
            clients.remove(id);
            clients.gone.push(engine);
        }
        let late: Vec<_> = clients
            .arriving
            .extract_if(|_, (since, _)| now.saturating_duration_since(*since) > door)
            .map(|(_, (_, engine))| engine)
            .collect();
        clients.gone.extend(late);
    }

    /// All sessions.
    pub(super) fn sessions(&self) -> Vec<Arc<Engine>> {
        let clients = self.clients();
        let arriving = clients.arriving.values().map(|(_, engine)| engine.clone());
        clients.all.values().map(Client::engine).chain(arriving).collect()
    }
}

impl Clients {
    fn remove(&mut self, id: u64) {
        if let Some(client) = self.all.remove(&id)
            && let Some(at) = client.turn_at
        {
            self.due.remove(&(at, id));
        }
        self.parked.remove(&id);
        self.stuck.remove(&id);
        self.followers.remove(&id);
    }

    /// Its turns have changed.
    fn schedule(&mut self, id: u64, now: Instant) {
        let Some(client) = self.all.get_mut(&id) else { return };
        if let Some(at) = client.turn_at.take() {
            self.due.remove(&(at, id));
        }
        self.parked.remove(&id);
        if client.has_turns() {
            let at = client.next_turn(now);
            client.turn_at = Some(at);
            self.due.insert((at, id));
        }
        if client.follows_tasks() {
            self.followers.insert(id);
        } else {
            self.followers.remove(&id);
        }
    }

    fn write(&mut self, id: u64, board: &Board) {
        let Some(client) = self.all.get_mut(&id) else { return };
        match client.write(board) {
            Flow::Clear => drop(self.stuck.remove(&id)),
            Flow::Stuck => drop(self.stuck.insert(id)),
            Flow::Gone => {
                self.gone.push(client.engine());
                self.remove(id);
            }
        }
    }

    fn turn(&mut self, id: u64, now: Instant, versions: &mut impl FnMut(u32) -> Versions, board: &Board) {
        let Some(client) = self.all.get_mut(&id) else { return };
        client.turn_at = None;
        if client.is_stale(versions) {
            client.turn(versions);
            let at = client.next_turn(now);
            client.turn_at = Some(at);
            self.due.insert((at, id));
            self.write(id, board);
        } else {
            self.parked.insert(id);
        }
    }

    /// Those for whom something has changed get turns again.
    fn unpark(&mut self, now: Instant, versions: &mut impl FnMut(u32) -> Versions) {
        let (all, due) = (&mut self.all, &mut self.due);
        self.parked.retain(|id| {
            let Some(client) = all.get_mut(id) else { return false };
            if !client.is_stale(versions) {
                return true;
            }
            let at = client.next_turn(now);
            client.turn_at = Some(at);
            due.insert((at, *id));
            false
        });
    }
}

/// Gives each client its turn, until it is time to close.
pub(crate) async fn pace(amiga: Arc<Amiga>, mut closing: watch::Receiver<bool>) {
    let mut changes = amiga.board.changes();
    let mut swept = Instant::now();
    loop {
        changes.borrow_and_update();
        let now = Instant::now();
        if now.saturating_duration_since(swept) >= SWEEP {
            amiga.sweep(now);
            swept = now;
        }
        let next = amiga.step(now).min(swept + SWEEP);
        // Their closing calls back into here, so it is done with nothing locked.
        let gone = std::mem::take(&mut amiga.clients().gone);
        for engine in gone {
            engine.close(DisconnectReason::TransportClose);
        }
        let gather = tokio::select! {
            () = tokio::time::sleep_until(next) => false,
            () = amiga.wake.notified() => false,
            changed = changes.changed() => changed.is_ok(),
            _ = closing.wait_for(|closing| *closing) => return,
        };
        if gather {
            tokio::time::sleep(GATHER).await;
        }
    }
}
