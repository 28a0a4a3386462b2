//! The tools' way to a hub over HTTP: a question holds a connection, and goes with it. A hub that restarts is asked again under the
//! same id; one that is not there approves nothing.

use std::cell::Cell;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use countersign_model::Approval;
use countersign_server::mcp::{Caller, Desk, Note, Question, Trouble, named};
use rmcp::model::Extensions;
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use crate::commands::hook::wire::{Lost, Part, Patience, Reply, Request, connect, exchange};
use crate::hub::{Backoff, Place};

/// Who calls, when nobody says.
const AGENT: &str = "mcp";
/// How long a question outlives its connection to the hub.
const RECONNECT: Duration = Duration::from_secs(30);
/// How long the hub may take to take something in.
const TAKING: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(super) struct Remote {
    place: Arc<Place>,
    agent: Option<String>,
    session: String,
    /// Ends with the client.
    ended: watch::Receiver<()>,
}

impl Remote {
    pub(super) fn new(place: Place, agent: Option<String>, session: String, ended: watch::Receiver<()>) -> Self {
        Self {
            place: Arc::new(place),
            agent,
            session,
            ended,
        }
    }
}

/// A connection that can be broken off while another thread reads from it.
#[derive(Clone, Default)]
struct Line(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    stream: Option<TcpStream>,
    over: bool,
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.state().over
    }

    /// From now on this connection ends with the line; `false` when that is over.
    fn hold(&self, stream: &TcpStream) -> bool {
        let mut state = self.state();
        state.stream = stream.try_clone().ok();
        !state.over && state.stream.is_some()
    }
}

/// Breaks the line off when nobody waits any more.
struct Caught(Line);

impl Drop for Caught {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.over = true;
        if let Some(stream) = state.stream.take() {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// As long as a person takes, once the hub has taken the question.
#[derive(Default)]
struct AsLong {
    /// Whether it has.
    held: Cell<bool>,
}

impl Patience for AsLong {
    fn wait(&self, stream: &TcpStream, part: Part) -> Result<(), Lost> {
        if part == Part::Held {
            self.held.set(true);
        }
        let time = (part == Part::Due).then_some(TAKING);
        stream.set_read_timeout(time).map_err(Lost::Broken)
    }

    fn sending(&self) -> Duration {
        TAKING
    }
}

/// Why one try brought nothing.
enum Failed {
    /// It may get better.
    Passing(String),
    For(Trouble),
}

/// One request to wherever the hub is now.
fn send(place: &Place, path: &str, body: &str, line: &Line, patience: &AsLong) -> Result<Reply, Failed> {
    let absent = |error: &dyn std::fmt::Display| Failed::Passing(error.to_string());
    let found = place.find().map_err(|error| absent(&error))?;
    let mut stream = connect(&found.url).map_err(|error| Failed::Passing(format!("at {}: {error}", found.url)))?;
    if !line.hold(&stream) {
        return Err(Failed::Passing("nobody waits any more".to_owned()));
    }
    let bearer = place.token(&found.url).map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = bearer.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
    let request = Request {
        path,
        headers: &headers,
        body: body.as_bytes(),
    };
    let reply = exchange(&mut stream, &found.url, &request, patience).map_err(|error| absent(&error))?;
    match reply.status {
        _ if !reply.hub => Err(Failed::Passing(format!("{} is not Countersign", found.url))),
        200 => Ok(reply),
        500.. => Err(Failed::Passing(detail(&reply))),
        _ => Err(Failed::For(Trouble::Refused(detail(&reply)))),
    }
}

fn detail(reply: &Reply) -> String {
    let problem: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    problem["detail"]
        .as_str()
        .map_or_else(|| format!("HTTP {}", reply.status), str::to_owned)
}

/// Tries until it is answered, or the hub stayed away for too long. A question that no hub has taken is not kept.
fn ask(place: &Place, question: &Question, line: &Line) -> Result<Approval, Trouble> {
    let body = serde_json::to_string(question).map_err(|error| Trouble::Refused(error.to_string()))?;
    let mut backoff = Backoff::new();
    let mut away: Option<Instant> = None;
    let mut taken = false;
    loop {
        let patience = AsLong::default();
        let why = match send(place, "/mcp/questions", &body, line, &patience) {
            Ok(reply) => match serde_json::from_slice::<Approval>(&reply.body) {
                Ok(approval) if *approval.request_id == *question.request_id => return Ok(approval),
                // A hub that closes breaks its reply off, and a reply that is none approves nothing.
                _ => "its answer cannot be read".to_owned(),
            },
            Err(Failed::For(trouble)) => return Err(trouble),
            Err(Failed::Passing(why)) => why,
        };
        if line.is_over() {
            return Err(Trouble::Absent(why));
        }
        if patience.held.get() {
            (taken, away) = (true, None);
            backoff.reset();
        }
        let since = *away.get_or_insert_with(Instant::now);
        if !taken || since.elapsed() >= RECONNECT {
            return Err(Trouble::Absent(why));
        }
        std::thread::sleep(backoff.pause());
    }
}

/// Does it on a thread of its own, which ends with whoever waits for it.
async fn on_thread<T: Send + 'static>(
    work: impl FnOnce(&Line) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let caught = Caught(Line::default());
    let line = caught.0.clone();
    let (done, result) = oneshot::channel();
    std::thread::spawn(move || {
        // Whoever asked may be gone.
        let _ = done.send(work(&line));
    });
    let result = result.await;
    drop(caught);
    result.unwrap_or_else(|_| Err(Trouble::Absent("the asking broke off".to_owned())))
}

impl Desk for Remote {
    fn caller(&self, client: Option<&str>, _: &Extensions) -> Caller {
        let client = || client.and_then(named);
        Caller {
            agent: self.agent.clone().or_else(client).unwrap_or_else(|| AGENT.to_owned()),
            session: self.session.clone(),
        }
    }

    async fn ask(&self, mut question: Question, _: &Extensions) -> Result<Approval, Trouble> {
        // The client starts this program where it works.
        let cwd = std::env::current_dir().ok();
        question.cwd = cwd.map(|cwd| cwd.to_string_lossy().into_owned());
        let place = self.place.clone();
        on_thread(move |line| ask(&place, &question, line)).await
    }

    async fn tell(&self, note: Note, _: &Extensions) -> Result<(), Trouble> {
        let place = self.place.clone();
        on_thread(move |line| {
            let body = serde_json::to_string(&note).map_err(|error| Trouble::Refused(error.to_string()))?;
            match send(&place, "/mcp/notes", &body, line, &AsLong::default()) {
                Ok(_) => Ok(()),
                Err(Failed::Passing(why)) => Err(Trouble::Absent(why)),
                Err(Failed::For(trouble)) => Err(trouble),
            }
        })
        .await
    }

    fn gone(&self, _: &Extensions) -> impl Future<Output = ()> + Send + 'static {
        let mut ended = self.ended.clone();
        async move { while ended.changed().await.is_ok() {} }
    }
}
