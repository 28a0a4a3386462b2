//! The hub: the only door to the log. Everything that is published, asked, answered or stopped goes through it, in one order.

mod batch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_model::{
    Answer, Approval, Ask, Delivery, Epoch, Event, Millis, NewEvent, Origin, Rule, Seq, SessionKey, Since, Status,
    Surface, kind, to_json,
};
use futures_util::future::{Either, select};
use tokio::sync::watch;

use crate::Cursor;
use crate::archive::{Archive, ArchiveError, Find, Restored};
use crate::clock::{Clock, random_hex};
use crate::entry::{Change, Entry, Place, Stop};
use crate::log::Log;
use crate::registry::{Limits, Outbox, Record, Refusal, Registry, Rejection};
use crate::sessions::Sessions;

pub use batch::{BatchError, Item};

/// How a hub is set up.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The ring's bound in bytes, encoded frames included.
    pub ring_bytes: usize,
    /// What the registry holds at most.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ring_bytes: 64 * 1024 * 1024,
            limits: Limits::default(),
        }
    }
}

/// Places that a publish got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The first event.
    pub first: Seq,
    /// The last event.
    pub last: Seq,
}

/// Why nothing was published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// A kind that only the hub makes, or that has a door of its own.
    #[error("events of type {0:?} are made by Countersign alone")]
    HubOnly(String),
    /// Nothing was given.
    #[error("there is no event to publish")]
    Empty,
}

/// The store has not committed what was to be acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store is failing ({0}); the events are kept in memory and are written once it recovers")]
pub struct CommitError(pub String);

/// Why a question was not taken in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AskError {
    /// The question itself.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// Why an answer changed nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AnswerError {
    /// No such approval.
    #[error("there is no such approval")]
    NotFound,
    /// A request id that several agents used.
    #[error("several agents used this request_id; use the approval's own id")]
    Ambiguous,
    /// Somebody or something was first.
    #[error("already {}", .0.status.as_str())]
    Resolved(Box<Approval>),
    /// The agent cannot carry it out.
    #[error("{0}")]
    Unsupported(String),
    /// The store.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// Why a session was not found.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SessionError {
    /// Never seen.
    #[error("there is no such session")]
    NotFound,
    /// Several agents have one of that id.
    #[error("several agents have a session of this id; say which agent")]
    Ambiguous,
    /// The store.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// A resume point that cannot be honoured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the events after this place are not kept")]
pub struct HistoryLost {
    /// The current epoch.
    pub epoch: Epoch,
    /// The oldest event that is kept.
    pub oldest: Seq,
    /// The newest event.
    pub head: Seq,
    /// The last event that was kept of the epoch that the place names, where that one is known.
    pub last: Option<Seq>,
}

/// A question that was taken in.
pub struct Asked {
    /// The place of its `approval_request` in the log.
    pub seq: Seq,
    /// Whoever carries the answer to the agent holds this.
    pub waiter: Waiter,
}

/// One log, one registry, any number of readers.
pub struct Hub {
    log: Arc<Log>,
    /// Whoever holds it may append; so the registry's order is the log's.
    state: Mutex<Registry>,
    sessions: Mutex<Sessions>,
    archive: Arc<dyn Archive>,
    clock: Arc<dyn Clock>,
    epoch: Epoch,
    start: Seq,
    oldest: Seq,
    epochs: Vec<(Epoch, Seq)>,
    answers: watch::Sender<u64>,
    deadline: watch::Sender<Option<Millis>>,
    failing: watch::Sender<Option<String>>,
    attached: Mutex<Vec<Arc<str>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether it is a peer's to publish.
fn publishable(event: &NewEvent) -> Result<(), PublishError> {
    let own_door = matches!(&*event.kind, kind::APPROVAL_REQUEST | kind::APPROVAL_RESPONSE);
    if kind::is_hub_only(&event.kind) || own_door {
        return Err(PublishError::HubOnly(event.kind.to_string()));
    }
    Ok(())
}

impl Hub {
    /// A hub that goes on where the store left off.
    pub fn new(config: Config, restored: Restored, archive: Arc<dyn Archive>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let hub = Arc::new(Self {
            log: Arc::new(Log::new(restored.last, config.ring_bytes)),
            state: Mutex::new(Registry::new(config.limits)),
            sessions: Mutex::new(Sessions::default()),
            archive,
            clock,
            epoch: restored.epoch.clone(),
            start: restored.last,
            oldest: restored.oldest,
            epochs: restored.epochs.clone(),
            answers: watch::Sender::new(0),
            deadline: watch::Sender::new(None),
            failing: watch::Sender::new(None),
            attached: Mutex::default(),
        });
        let now = hub.clock.now();
        hub.change(|registry, out| registry.restore(restored, now, out));
        hub
    }

    /// Runs one step of the registry and appends what it recorded.
    fn change<T>(&self, step: impl FnOnce(&mut Registry, &mut Outbox) -> T) -> T {
        let mut registry = lock(&self.state);
        let mut out = Outbox::after(self.log.tail());
        let result = step(&mut registry, &mut out);
        self.append(out.records);
        self.signal_deadline(&registry);
        result
    }

    fn signal_deadline(&self, registry: &Registry) {
        self.deadline.send_if_modified(|deadline| {
            let next = registry.deadline();
            let changed = *deadline != next;
            *deadline = next;
            changed
        });
    }

    fn append(&self, records: Vec<Record>) {
        if records.is_empty() {
            return;
        }
        let now = self.clock.now();
        let mut records = records.into_iter();
        self.log.append(records.len(), |seq| {
            let record = records.next().expect("as many as counted");
            self.entry_of(record, seq, now)
        });
    }

    fn entry_of(&self, record: Record, seq: Seq, now: Millis) -> Entry {
        let event = Event {
            seq,
            epoch: self.epoch.clone(),
            time: now,
            origin: record.origin,
            agent: record.agent,
            session: record.session,
            stream: record.stream,
            kind: record.kind.into(),
            timestamp: record.timestamp,
            data: record.data,
            via: record.via,
        };
        Entry::new(event, record.changes)
    }

    /// Publishes events in order. Waits for no monitor, and for the store only while a whole ring is not persisted.
    ///
    /// # Errors
    /// When a kind is not a peer's to publish; then none of the events is.
    pub async fn publish(&self, events: Vec<NewEvent>) -> Result<Published, PublishError> {
        events.iter().try_for_each(publishable)?;
        if events.is_empty() {
            return Err(PublishError::Empty);
        }
        self.room().await;
        let _order = lock(&self.state);
        Ok(self.append_events(events))
    }

    /// Publishes events of another server in order, each with the hubs that it came through. `place`, where the last of them
    /// stands there, is recorded in the same commit: after a crash they are there with it, or come again.
    ///
    /// # Errors
    /// As [`Hub::publish`].
    pub async fn merge(
        &self,
        events: Vec<(NewEvent, Vec<Arc<str>>)>,
        place: Option<Place>,
    ) -> Result<Published, PublishError> {
        events.iter().try_for_each(|(event, _)| publishable(event))?;
        let count = events.len();
        if count == 0 {
            return Err(PublishError::Empty);
        }
        self.room().await;
        let _order = lock(&self.state);
        let now = self.clock.now();
        let mut place = place.map(Change::Place);
        let mut events = events.into_iter().enumerate();
        let last = self.log.append(count, |seq| {
            let (index, (new, via)) = events.next().expect("as many as counted");
            let changes = place.take_if(|_| index + 1 == count).into_iter().collect();
            let mut event = self.event_of(new, seq, now);
            event.via = via;
            Entry::new(event, changes)
        });
        Ok(Published {
            first: last + 1 - count as Seq,
            last,
        })
    }

    fn append_events(&self, events: Vec<NewEvent>) -> Published {
        let now = self.clock.now();
        let count = events.len();
        let mut events = events.into_iter();
        let last = self.log.append(count, |seq| {
            let new = events.next().expect("as many as counted");
            Entry::new(self.event_of(new, seq, now), Vec::new())
        });
        Published {
            first: last + 1 - count as Seq,
            last,
        }
    }

    fn event_of(&self, new: NewEvent, seq: Seq, now: Millis) -> Event {
        Event {
            seq,
            epoch: self.epoch.clone(),
            time: now,
            origin: new.origin,
            agent: new.agent,
            session: new.session,
            stream: new.stream,
            kind: new.kind,
            timestamp: new.timestamp,
            data: new.data,
            via: Vec::new(),
        }
    }

    /// Waits until the ring has room for what is not persisted.
    async fn room(&self) {
        if !self.log.is_full() {
            return;
        }
        let mut durable = self.log.watch_durable();
        loop {
            durable.borrow_and_update();
            if !self.log.is_full() {
                return;
            }
            if durable.changed().await.is_err() {
                return;
            }
        }
    }

    /// An agent's connection published its first event in this session.
    pub fn agent_connected(&self, key: &SessionKey, connection: &str) {
        lock(&self.sessions).connected(key, self.clock.now());
        self.note(key, kind::AGENT_CONNECTED, connection);
    }

    /// An agent's connection is gone.
    pub fn agent_disconnected(&self, key: &SessionKey, connection: &str) {
        lock(&self.sessions).disconnected(key, self.clock.now());
        self.note(key, kind::AGENT_DISCONNECTED, connection);
    }

    fn note(&self, key: &SessionKey, kind: &str, connection: &str) {
        let _order = lock(&self.state);
        self.append_events(vec![NewEvent {
            origin: Origin::Hub,
            agent: key.agent.clone(),
            session: Some(key.session.clone()),
            stream: None,
            kind: kind.into(),
            timestamp: None,
            data: to_json(&serde_json::json!({ "connection": connection })),
        }]);
    }

    /// A person's first connection came, or their last one went: recorded at once, in the caller's order, whatever the store is at.
    pub fn person(&self, presence: NewEvent) {
        let _order = lock(&self.state);
        self.append_events(vec![presence]);
    }

    /// Waits until the store has committed everything up to `seq`.
    ///
    /// # Errors
    /// While the store is failing.
    pub async fn committed(&self, seq: Seq) -> Result<(), CommitError> {
        let mut durable = self.log.watch_durable();
        if *durable.borrow() >= seq {
            return Ok(());
        }
        let mut failing = self.failing.subscribe();
        let done = std::pin::pin!(durable.wait_for(|durable| *durable >= seq));
        let failed = std::pin::pin!(failing.wait_for(Option::is_some));
        match select(done, failed).await {
            Either::Left((done, _)) => done.map(drop).map_err(|_| CommitError("the hub is closing".into())),
            Either::Right((why, _)) => Err(CommitError(why.ok().and_then(|why| why.clone()).unwrap_or_default())),
        }
    }

    /// Takes a question in, or recognises one that was asked before.
    ///
    /// # Errors
    /// When the question is refused; nothing is recorded then.
    pub async fn ask(self: &Arc<Self>, ask: Ask) -> Result<Asked, AskError> {
        self.ask_via(ask, &[]).await
    }

    /// Takes a question in that came through other hubs.
    ///
    /// # Errors
    /// As [`Hub::ask`].
    pub async fn ask_via(self: &Arc<Self>, ask: Ask, via: &[Arc<str>]) -> Result<Asked, AskError> {
        self.room().await;
        let (agent, request) = (ask.agent.clone(), ask.request_id.clone());
        let now = self.clock.now();
        let id: Arc<str> = format!("apr-{}", random_hex(12)).into();
        let mut ask = Some(ask);
        // What is not at hand may be in the store. Whether it is at hand is decided with the step itself, or an approval that
        // is forgotten in between would be asked anew under a second id.
        let mut looked = None;
        let (id, seq) = loop {
            let taken = self.change(|registry, out| {
                if looked.is_none() && registry.by_key(&agent, &request).is_none() {
                    return None;
                }
                let taken = registry.ask(ask.take()?, looked.take().flatten(), id.clone(), now, out);
                for record in out.records.iter_mut().filter(|record| record.origin != Origin::Hub) {
                    record.via = via.to_vec();
                }
                Some(taken.map(|id| {
                    registry.attach(&id);
                    let seq = registry.get(&id).map_or(0, |approval| approval.seq);
                    (id, seq)
                }))
            });
            if let Some(taken) = taken {
                break taken?;
            }
            let find = Find::Key(agent.clone(), request.clone());
            looked = Some(self.archive.find(find).await?.into_iter().next());
        };
        let waiter = Waiter {
            hub: Arc::clone(self),
            id,
            claimed: false,
        };
        Ok(Asked { seq, waiter })
    }

    /// Waits for the answer to an approval that was asked before, if it is still at hand.
    pub fn wait_for(self: &Arc<Self>, id: &str) -> Option<Waiter> {
        let id = self.change(|registry, _| {
            let id = registry.get(id)?.id.clone();
            registry.attach(&id);
            Some(id)
        })?;
        Some(Waiter {
            hub: Arc::clone(self),
            id,
            claimed: false,
        })
    }

    /// Answers an approval; the first answer wins.
    ///
    /// # Errors
    /// When the answer changes nothing.
    pub async fn answer(&self, id: &str, answer: Answer) -> Result<Approval, AnswerError> {
        let now = self.clock.now();
        match self.change(|registry, out| registry.answer(id, answer, now, out)) {
            Ok(approval) => Ok(approval),
            Err(Rejection::Resolved(approval)) => Err(AnswerError::Resolved(approval)),
            Err(Rejection::NotFound) => match self.archive.find(Find::Id(id.to_owned())).await?.pop() {
                Some(approval) if approval.status != Status::Pending => Err(AnswerError::Resolved(Box::new(approval))),
                _ => Err(AnswerError::NotFound),
            },
            Err(refused) => Err(AnswerError::Unsupported(refused.to_string())),
        }
    }

    /// Takes a question back that was settled elsewhere, or is no more; it is never approved by that. `false` when it does not
    /// wait any longer.
    pub fn cancel(&self, id: &str, why: &str) -> bool {
        let now = self.clock.now();
        self.change(|registry, out| registry.cancel(id, why, now, out))
    }

    /// Approvals of these agents that wait, or whose decision has not reached its agent; oldest first.
    pub fn open_of(&self, agent: impl Fn(&str) -> bool) -> Vec<Approval> {
        lock(&self.state).open_of(agent)
    }

    /// Names this hub for good, over restarts: the first epoch of its history.
    pub fn id(&self) -> &str {
        self.epochs
            .first()
            .map_or(self.epoch.as_str(), |(first, _)| first.as_str())
    }

    /// The hubs whose events come in here now, directly or through others.
    pub fn attached(&self) -> Vec<Arc<str>> {
        lock(&self.attached).clone()
    }

    /// Says whose events come in here from now on.
    pub fn set_attached(&self, hubs: Vec<Arc<str>>) {
        *lock(&self.attached) = hubs;
    }

    /// An approval by the hub's id, or by its request's id while only one agent used it.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub async fn find(&self, name: &str) -> Result<Approval, AnswerError> {
        {
            let registry = lock(&self.state);
            if let Some(approval) = registry.shown(name) {
                return Ok(approval.clone());
            }
        }
        if let Some(approval) = self.archive.find(Find::Id(name.to_owned())).await?.pop() {
            return Ok(approval);
        }
        let mut found = self.archive.find(Find::Request(name.to_owned())).await?;
        let registry = lock(&self.state);
        for at_hand in registry.by_request(name) {
            match found.iter_mut().find(|approval| approval.id == at_hand.id) {
                Some(stored) => stored.clone_from(at_hand),
                None if registry.shown(&at_hand.id).is_some() => found.push(at_hand.clone()),
                None => {}
            }
        }
        match found.len() {
            0 => Err(AnswerError::NotFound),
            1 => Ok(found.remove(0)),
            _ => Err(AnswerError::Ambiguous),
        }
    }

    /// The approval of that agent and request id, if it is at hand.
    pub fn find_key(&self, agent: &str, request_id: &str) -> Option<Approval> {
        lock(&self.state).by_key(&agent.into(), &request_id.into()).cloned()
    }

    /// The sessions that an approval at hand was asked from, the first one first.
    pub fn asked_in(&self, id: &str) -> Vec<SessionKey> {
        lock(&self.state).asked_in(id)
    }

    /// Pending approvals, oldest first.
    pub fn waiting(&self) -> Vec<Approval> {
        lock(&self.state).waiting()
    }

    /// How many approvals wait.
    pub fn waiting_count(&self) -> usize {
        lock(&self.state).waiting_count()
    }

    /// The newest approvals of one status or of all, newest first; the pending ones are all given.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn approvals(&self, status: Option<Status>, limit: usize) -> Result<Vec<Approval>, ArchiveError> {
        if status == Some(Status::Pending) {
            return Ok(self.waiting());
        }
        self.flush().await;
        let mut approvals = self.archive.approvals(status, limit).await?;
        let registry = lock(&self.state);
        for approval in &mut approvals {
            if let Some(at_hand) = registry.shown(&approval.id) {
                approval.clone_from(at_hand);
            }
        }
        approvals.retain(|approval| status.is_none_or(|status| status == approval.status));
        Ok(approvals)
    }

    /// Waits until the store has what is in the log now, or is failing.
    pub async fn flush(&self) {
        let _ = self.committed(self.log.tail()).await;
    }

    /// Waits until an approval and its answer, if there is one, are recorded, or have become a "no" because they could not be.
    pub async fn settled(&self, id: &str) {
        let mut answers = self.answers();
        loop {
            answers.borrow_and_update();
            if lock(&self.state).is_settled(id) || answers.changed().await.is_err() {
                return;
            }
        }
    }

    /// Stops a session. `false` when it was stopped before.
    pub fn stop(&self, key: &SessionKey, by: Surface, message: Option<String>) -> bool {
        let now = self.clock.now();
        self.change(|registry, out| registry.stop(key, by, message, now, out))
    }

    /// Lifts the stop on a session. `false` when there was none.
    pub fn resume_session(&self, key: &SessionKey, by: Surface) -> bool {
        self.change(|registry, out| registry.resume(key, by, out))
    }

    /// The stop on a session, once it may be told to the agent.
    pub fn stopped(&self, key: &SessionKey) -> Option<Stop> {
        let registry = lock(&self.state);
        registry
            .stopped(key)
            .filter(|(_, sent)| *sent)
            .map(|(stop, _)| stop.clone())
    }

    /// All stops.
    pub fn stops(&self) -> Vec<Stop> {
        lock(&self.state).stops().cloned().collect()
    }

    /// The agents that had a session of this id, narrowed to `agent` when given.
    ///
    /// # Errors
    /// When there is none.
    pub async fn session_keys(&self, session: &str, agent: Option<&str>) -> Result<Vec<SessionKey>, SessionError> {
        self.flush().await;
        let mut agents = self.archive.session_agents(session.to_owned()).await?;
        for stop in self.stops() {
            if *stop.key.session == *session && !agents.contains(&stop.key.agent) {
                agents.push(stop.key.agent);
            }
        }
        agents.retain(|known| agent.is_none_or(|agent| *agent == **known));
        if agents.is_empty() {
            return Err(SessionError::NotFound);
        }
        Ok(agents
            .into_iter()
            .map(|agent| SessionKey {
                agent,
                session: session.into(),
            })
            .collect())
    }

    /// Rules in force, oldest first.
    pub fn rules(&self) -> Vec<Rule> {
        lock(&self.state).rules().to_vec()
    }

    /// Revokes a rule.
    pub fn revoke(&self, id: &str) -> Option<Rule> {
        self.change(|registry, out| registry.revoke(id, out))
    }

    /// Resolves what has run out of time. Call it at [`Hub::deadline`].
    pub fn expire(&self) {
        let now = self.clock.now();
        self.change(|registry, out| registry.expire(now, out));
    }

    /// When [`Hub::expire`] has something to do next; changes are signalled.
    pub fn deadline(&self) -> watch::Receiver<Option<Millis>> {
        self.deadline.subscribe()
    }

    /// Signals whenever requests, answers or stops have been committed.
    pub fn answers(&self) -> watch::Receiver<u64> {
        self.answers.subscribe()
    }

    /// A cursor at `since`, or at the newest event.
    ///
    /// # Errors
    /// When the log does not hold what came after `since`; see [`Hub::from_head`] for where to go on.
    pub fn cursor(&self, since: Option<&Since>) -> Result<Cursor, HistoryLost> {
        let Some(since) = since else {
            return Ok(self.from_head());
        };
        let before = since.epoch.as_ref().filter(|epoch| **epoch != self.epoch);
        let last = before.and_then(|epoch| self.epochs.iter().find(|(known, _)| known == epoch));
        let last = last.map(|(_, last)| *last);
        let end = if before.is_some() { last } else { Some(self.log.tail()) };
        match end {
            Some(end) if since.seq <= end && since.seq + 1 >= self.oldest => {
                Ok(Cursor::after(since.seq, self.log.clone(), self.archive.clone()))
            }
            _ => Err(HistoryLost {
                epoch: self.epoch.clone(),
                oldest: self.oldest,
                head: self.log.head(),
                last,
            }),
        }
    }

    /// A cursor at the newest event.
    pub fn from_head(&self) -> Cursor {
        Cursor::after(self.log.head(), self.log.clone(), self.archive.clone())
    }

    /// The store's cursor: it sees what is not committed yet.
    pub fn store_cursor(&self) -> Cursor {
        Cursor::of_store(self.start, self.log.clone(), self.archive.clone())
    }

    /// For the store: everything up to `seq` is committed.
    pub fn mark_durable(&self, seq: Seq) {
        self.failing.send_if_modified(|failing| failing.take().is_some());
        // In one step: whoever sees a request in the log, or its acknowledgement, can answer it.
        let ready = self.change(|registry, out| {
            let ready = registry.committed(seq, out);
            self.log.mark_durable(seq);
            ready
        });
        if ready {
            self.answers.send_modify(|count| *count += 1);
        }
    }

    /// For the store: it could not commit. What waited for it is answered "no"; the store reads again from where it was.
    pub fn mark_failing(&self, why: &str) {
        let now = self.clock.now();
        {
            let mut registry = lock(&self.state);
            let mut out = Outbox::after(self.log.tail());
            let replaced = registry.failed(now, &mut out);
            for (seq, record) in replaced {
                let entry = self.entry_of(record, seq, now);
                if !self.log.replace_unseen(seq, entry) {
                    tracing::error!(seq, "a decision could not be taken back: it had been seen");
                }
            }
            self.append(out.records);
            self.signal_deadline(&registry);
            self.log.lift_barriers();
        }
        self.failing.send_replace(Some(why.to_owned()));
        self.answers.send_modify(|count| *count += 1);
    }

    /// Why the store cannot commit, while it cannot; changes are signalled.
    pub fn failing(&self) -> watch::Receiver<Option<String>> {
        self.failing.subscribe()
    }

    /// The store, as a reader of the past.
    pub fn archive(&self) -> &Arc<dyn Archive> {
        &self.archive
    }

    /// This run of the hub.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The newest event that readers may see.
    pub fn head(&self) -> Seq {
        self.log.head()
    }

    /// The newest event of all.
    pub fn tail(&self) -> Seq {
        self.log.tail()
    }

    /// The newest committed event.
    pub fn durable(&self) -> Seq {
        self.log.durable()
    }

    /// The oldest event that is kept.
    pub fn oldest(&self) -> Seq {
        self.oldest
    }

    /// Bytes that the ring holds.
    pub fn ring_bytes(&self) -> usize {
        self.log.bytes()
    }

    /// Now, by the hub's clock.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// What each session is doing. [`Hub::observe`] feeds it.
    pub fn sessions(&self) -> Vec<countersign_model::SessionView> {
        let waiting = self.waiting();
        let stops = self.stops();
        lock(&self.sessions).view(&waiting, &stops)
    }

    /// What one session is doing.
    pub fn session(&self, key: &SessionKey) -> countersign_model::SessionView {
        let (waiting, stops, now) = (self.waiting(), self.stops(), self.now());
        lock(&self.sessions).one(key, &waiting, &stops, now)
    }

    /// Feeds the view of sessions: its reader's step.
    pub fn observe(&self, batch: &[Arc<Entry>]) {
        let mut sessions = lock(&self.sessions);
        for entry in batch {
            sessions.apply(&entry.event);
        }
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("epoch", &self.epoch)
            .field("tail", &self.tail())
            .finish_non_exhaustive()
    }
}

/// Held by whoever carries the answer to the agent. While it lives the agent counts as there; dropped, the grace time runs.
pub struct Waiter {
    hub: Arc<Hub>,
    id: Arc<str>,
    claimed: bool,
}

impl Waiter {
    /// The hub's id of the approval.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The answer, if it may be sent. After this it does not change: send it, then say [`Waiter::delivered`].
    pub fn claim(&mut self) -> Option<Approval> {
        let mut registry = lock(&self.hub.state);
        if self.claimed {
            return registry.get(&self.id).cloned();
        }
        let approval = registry.claim(&self.id)?;
        self.claimed = true;
        Some(approval)
    }

    /// Waits for the answer and claims it.
    pub async fn answer(&mut self) -> Approval {
        let mut answers = self.hub.answers();
        loop {
            answers.borrow_and_update();
            if let Some(approval) = self.claim() {
                return approval;
            }
            if answers.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// The answer, once claimed, was written to the agent.
    pub fn delivered(mut self) {
        if !std::mem::take(&mut self.claimed) {
            return;
        }
        self.hub
            .change(|registry, out| registry.deliver(&self.id, Delivery::Delivered, out));
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let now = self.hub.clock.now();
        let claimed = self.claimed;
        self.hub.change(|registry, out| {
            if claimed {
                registry.release(&self.id, now, out);
            }
            registry.detach(&self.id, now);
        });
    }
}
