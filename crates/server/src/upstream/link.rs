//! One upstream's task: connect, take its events in, carry answers back, and try again when the connection ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{Method, Request, Uri};
use bytes::Bytes;
use countersign_hub::{Hub, Place};
use countersign_model::{Epoch, Millis, NewEvent, Seq, Since, Upstream, UpstreamState, kind};
use countersign_store::Notes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use http_body_util::Full;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Trail;
use super::asks::Asks;
use super::settings::{Speaks, UpstreamSettings};
use super::tongue::{Heard, Resume, Tongue, their_people};
use super::wire::{Remote, Socket, connect};
use super::{amiga, cloud, codex, hive, sam};
use crate::outward::{Patience, jitter, origin, shown};
use crate::webhook::Http;

/// Events that go into the log together, at most.
const MAX_BATCH: usize = 256;
/// How often we show that we are there, and how long the other side may say nothing.
const ALIVE: Duration = Duration::from_secs(20);
const SILENT: Duration = Duration::from_secs(60);
/// How long one frame may take to be written.
const WRITE: Duration = Duration::from_secs(30);
/// A connection that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(30);
/// How long a loop is left alone.
const LOOP: Duration = Duration::from_secs(30);
/// How long the second look at a hub's attachments may take.
const LOOK: Duration = Duration::from_secs(5);

pub(crate) struct Status {
    pub(crate) state: UpstreamState,
    pub(crate) since: Millis,
    pub(crate) last_error: Option<String>,
    pub(crate) events: u64,
}

/// Why a connection ended.
enum End {
    Error(String),
    Loop(String),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Error(error.to_string())
    }
}

pub(crate) struct Link {
    pub(crate) settings: UpstreamSettings,
    pub(crate) configured: bool,
    pub(crate) hub: Arc<Hub>,
    pub(crate) notes: Notes,
    pub(crate) http: Http,
    pub(crate) trail: Trail,
    pub(crate) timeout: Option<i64>,
    /// Signalled when its state changes.
    pub(crate) changes: watch::Sender<u64>,
    pub(crate) reader: Arc<str>,
    pub(crate) status: Mutex<Status>,
}

impl Link {
    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn view(&self) -> Upstream {
        let status = self.status();
        Upstream {
            name: self.settings.name.clone(),
            dialect: self.settings.speaks.origin().as_str().to_owned(),
            url: shown(&self.settings.url),
            state: status.state,
            since: status.since,
            last_error: status.last_error.clone(),
            events: status.events,
            configured: self.configured,
        }
    }

    fn set(&self, state: UpstreamState, error: Option<String>) {
        let mut status = self.status();
        let news = status.state != state;
        if news {
            status.state = state;
            status.since = self.hub.now();
            let (name, error) = (&self.settings.name, error.as_deref());
            tracing::info!(upstream = name, ?state, error, "the upstream's state");
        }
        // What kept it from being attached is over once it is.
        if error.is_some() || (news && state == UpstreamState::Connected) {
            status.last_error = error;
        }
        drop(status);
        if news {
            self.changes.send_modify(|count| *count += 1);
        }
    }

    fn tongue(&self) -> Box<dyn Tongue> {
        let name = &self.settings.name;
        match self.settings.speaks {
            Speaks::Sam => Box::new(sam::Sam::new(name)),
            Speaks::Hive => Box::new(hive::Hive::new(name)),
            Speaks::Amiga => Box::new(amiga::Amiga::new(name)),
            Speaks::Cloud => Box::new(cloud::Cloud::new(name)),
            Speaks::Codex => Box::new(codex::Codex::new(name)),
        }
    }

    /// Connects again and again; does not end.
    pub(crate) async fn run(&self) {
        let mut patience = Patience::default();
        loop {
            self.set(UpstreamState::Connecting, None);
            let mut begun = None;
            let end = self.attach(&mut begun).await;
            self.trail.leave(&self.settings.name, &self.hub);
            if begun.is_some_and(|begun: Instant| begun.elapsed() >= GOOD) {
                patience.reset();
            }
            let wait = match end {
                End::Error(error) => {
                    self.set(UpstreamState::Waiting, Some(error));
                    patience.next()
                }
                End::Loop(error) => {
                    self.set(UpstreamState::Loop, Some(error));
                    jitter(LOOP)
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    async fn attach(&self, begun: &mut Option<Instant>) -> End {
        match self.talk(begun).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn talk(&self, begun: &mut Option<Instant>) -> Result<std::convert::Infallible, End> {
        let mut tongue = self.tongue();
        let place = self.notes.place(&self.reader).await;
        let place = place.map_err(|error| End::Error(error.to_string()))?;
        let mut resume = Resume {
            since: place.filter(|place| !place.is_empty()),
            countersign: false,
        };
        let address = tongue.address(&self.settings, &resume);
        let token = self.settings.token.as_deref();
        let (mut socket, headers) = connect(&address, token).await.map_err(End::Error)?;
        let remote = Remote::of(&headers);
        if let Some(remote) = &remote {
            self.no_loop(&remote.all())?;
            // Said before the second look: of two hubs that attach to each other at once, one at least sees it.
            self.trail.enter(&self.settings.name, remote.all(), &self.hub);
            self.look_again().await?;
        }
        resume.countersign = remote.is_some();
        for frame in tongue.open(&self.settings, &resume) {
            write(&mut socket, Message::text(frame)).await?;
        }
        *begun = Some(Instant::now());
        self.set(UpstreamState::Connected, None);
        let mut conversation = Conversation {
            link: self,
            tongue,
            asks: Asks::take_up(&self.hub, &self.settings.name),
            epoch: remote.as_ref().and_then(|remote| remote.epoch.clone()),
            remote,
            seen: resume.since.as_ref().and_then(|since| since.parse().ok()),
            events: Vec::new(),
        };
        let end = conversation.run(&mut socket).await;
        conversation.close();
        let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
        end
    }

    fn no_loop(&self, hubs: &[Arc<str>]) -> Result<(), End> {
        let own = self.hub.id();
        match hubs.iter().position(|hub| **hub == *own) {
            None => Ok(()),
            Some(0) => Err(End::Loop("it is this Countersign itself".into())),
            Some(_) => Err(End::Loop(
                "it is attached to this Countersign, directly or through others: events would go round in a circle"
                    .into(),
            )),
        }
    }

    /// Asks a Countersign once more what it is attached to.
    async fn look_again(&self) -> Result<(), End> {
        let base = origin(&self.settings.url).replacen("ws", "http", 1);
        let Ok(uri) = format!("{base}/healthz").parse::<Uri>() else {
            return Ok(());
        };
        let request = Request::builder().method(Method::GET).uri(uri);
        let Ok(request) = request.body(Full::new(Bytes::new())) else {
            return Ok(());
        };
        match timeout(LOOK, self.http.request(request)).await {
            Ok(Ok(response)) => match Remote::of(response.headers()) {
                Some(remote) => self.no_loop(&remote.all()),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

async fn write(socket: &mut Socket, message: Message) -> Result<(), End> {
    match timeout(WRITE, socket.send(message)).await {
        Ok(sent) => Ok(sent?),
        Err(_) => Err(End::Error("it does not read what it is sent".into())),
    }
}

/// One connection's talk.
struct Conversation<'a> {
    link: &'a Link,
    tongue: Box<dyn Tongue>,
    asks: Asks,
    remote: Option<Remote>,
    epoch: Option<Epoch>,
    /// How far the upstream's log has been read.
    seen: Option<Since>,
    /// Heard, and not in the log yet, with their places there.
    events: Vec<(NewEvent, Vec<Arc<str>>, Option<Seq>)>,
}

impl Conversation<'_> {
    async fn run(&mut self, socket: &mut Socket) -> Result<std::convert::Infallible, End> {
        let hub = self.link.hub.clone();
        let mut answers = hub.answers();
        let mut alive = interval(ALIVE);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        self.answer(socket).await?;
        loop {
            tokio::select! {
                message = socket.next() => {
                    heard = Instant::now();
                    self.take(socket, message).await?;
                    // What has arrived already belongs together.
                    while self.events.len() < MAX_BATCH
                        && let Some(message) = socket.next().now_or_never()
                    {
                        self.take(socket, message).await?;
                    }
                    self.publish().await?;
                    self.answer(socket).await?;
                }
                changed = answers.changed() => {
                    if changed.is_err() {
                        return Err(End::Error("the hub is closing".into()));
                    }
                    self.answer(socket).await?;
                }
                _ = alive.tick() => {
                    if heard.elapsed() > SILENT {
                        return Err(End::Error(format!("it has said nothing for {} s", SILENT.as_secs())));
                    }
                    write(socket, Message::Ping(Bytes::new())).await?;
                    if let Some(frame) = self.tongue.alive() {
                        write(socket, Message::text(frame)).await?;
                    }
                }
            }
        }
    }

    async fn take(&mut self, socket: &mut Socket, message: Option<Result<Message, Error>>) -> Result<(), End> {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(bytes))) => match std::str::from_utf8(&bytes) {
                Ok(text) => text.into(),
                Err(_) => return Ok(()),
            },
            Some(Ok(Message::Close(close))) => {
                self.publish().await?;
                return Err(End::Error(match close {
                    Some(close) => format!("it closed the connection: {} {}", u16::from(close.code), close.reason),
                    None => "it closed the connection".into(),
                }));
            }
            Some(Ok(_)) => return Ok(()),
            Some(Err(error)) => {
                self.publish().await?;
                return Err(error.into());
            }
            None => {
                self.publish().await?;
                return Err(End::Error("the connection ended".into()));
            }
        };
        for heard in self.tongue.hear(&text) {
            self.heard(socket, heard).await?;
        }
        Ok(())
    }

    async fn heard(&mut self, socket: &mut Socket, heard: Heard) -> Result<(), End> {
        match heard {
            Heard::Event { mut event, via, seq } => {
                if !self.is_news(seq) || !is_ours(&event) {
                    return Ok(());
                }
                their_people(&self.link.settings.name, &mut event);
                let via = self.through(via)?;
                self.events.push((event, via, seq));
            }
            Heard::Ask { mut ask, via, seq } => {
                if !self.is_news(seq) {
                    return Ok(());
                }
                let via = self.through(via)?;
                // In the order in which they came.
                self.publish().await?;
                ask.timeout = ask.timeout.or(self.link.timeout);
                match self.asks.ask(*ask, &via).await {
                    Ok(()) => self.passed(seq),
                    Err(error) => self.trouble(error),
                }
            }
            Heard::Settled { request_id, agent, how } => self.asks.settle(&request_id, agent.as_ref(), &how),
            Heard::Place { epoch, head } => {
                if epoch == *self.link.hub.epoch() {
                    return Err(End::Loop("it is this Countersign itself".into()));
                }
                if self.seen.is_none() {
                    let at = format!("{epoch}:{head}");
                    self.link.notes.keep_place(&self.link.reader, at).await;
                }
                self.epoch = Some(epoch);
            }
            Heard::Lost { last, oldest } => self.lost(last, oldest).await?,
            Heard::Say(frame) => write(socket, Message::text(frame)).await?,
            Heard::Trouble { error, refused } => {
                if refused {
                    self.asks.refused();
                }
                self.trouble(error);
            }
            Heard::End(error) => return Err(End::Error(error)),
        }
        Ok(())
    }

    /// Goes on where the upstream's history still does.
    async fn lost(&mut self, last: Option<Seq>, oldest: Seq) -> Result<(), End> {
        let seen = self.seen.take();
        let epoch = seen.as_ref().and_then(|seen| seen.epoch.clone());
        // It forgot in a crash what we have seen: what it made of those numbers since is news.
        let at = match (epoch, last) {
            (Some(epoch), Some(last)) if last + 1 >= oldest => format!("{epoch}:{last}"),
            _ => String::new(),
        };
        let why = if at.is_empty() {
            "its history no longer reaches back to where this hub was: what happened in between is missing here"
        } else {
            "it lost what it had not yet written when it crashed, and goes on from there"
        };
        self.link.notes.keep_place(&self.link.reader, at).await;
        Err(End::Error(why.into()))
    }

    /// Whether an event has not been seen: its place there comes after the last one.
    fn is_news(&self, seq: Option<Seq>) -> bool {
        match (&self.seen, seq) {
            (Some(seen), Some(seq)) => seq > seen.seq,
            _ => true,
        }
    }

    /// The hubs that an event came through, the upstream's own included.
    fn through(&self, mut via: Vec<Arc<str>>) -> Result<Vec<Arc<str>>, End> {
        let Some(remote) = &self.remote else { return Ok(via) };
        if via.iter().any(|hub| **hub == *self.link.hub.id()) {
            return Err(End::Loop(
                "one of its events has come from this Countersign: they would go round in a circle".into(),
            ));
        }
        if !via.contains(&remote.hub) {
            via.push(remote.hub.clone());
        }
        self.link.trail.learn(&self.link.settings.name, &via, &self.link.hub);
        Ok(via)
    }

    /// Everything up to `seq` is in our log, or needs not be.
    fn passed(&mut self, seq: Option<Seq>) {
        if let (Some(epoch), Some(seq)) = (&self.epoch, seq) {
            self.seen = Some(Since {
                epoch: Some(epoch.clone()),
                seq,
            });
        }
    }

    async fn publish(&mut self) -> Result<(), End> {
        if self.events.is_empty() {
            return Ok(());
        }
        let events = std::mem::take(&mut self.events);
        let seq = events.iter().rev().find_map(|(_, _, seq)| *seq);
        let place = self.epoch.as_ref().zip(seq).map(|(epoch, seq)| Place {
            reader: self.link.reader.clone(),
            at: format!("{epoch}:{seq}"),
        });
        let count = events.len() as u64;
        let events = events.into_iter().map(|(event, via, _)| (event, via)).collect();
        let merged = self.link.hub.merge(events, place).await;
        merged.map_err(|error| End::Error(error.to_string()))?;
        self.passed(seq);
        self.link.status().events += count;
        Ok(())
    }

    async fn answer(&mut self, socket: &mut Socket) -> Result<(), End> {
        while let Some((frame, approval, waiter)) = self.asks.next(&mut *self.tongue) {
            write(socket, Message::text(frame)).await?;
            let confirmed = self.remote.is_some() && matches!(self.link.settings.speaks, Speaks::Sam | Speaks::Hive);
            self.asks.written(approval, waiter, confirmed);
        }
        Ok(())
    }

    fn trouble(&self, error: String) {
        tracing::debug!(upstream = self.link.settings.name, error, "said by the upstream");
        self.link.status().last_error = Some(error);
    }

    fn close(&mut self) {
        if self.tongue.questions_end() {
            self.asks.over("the connection to the upstream ended");
        }
    }
}

/// Whether a peer may publish it: the upstream's hub has kinds of its own, and those are not ours.
fn is_ours(event: &NewEvent) -> bool {
    !kind::is_reserved(&event.kind)
}
