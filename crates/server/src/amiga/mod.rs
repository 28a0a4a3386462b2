//! AMIGA over Socket.IO (seed 001): who is connected, what they asked for, and when each is told. Transports and heartbeats are
//! engineioxide's; packets and what is said in them are the dialect's; the figures are the board's.

mod client;
mod door;
mod pacer;
pub(crate) mod page;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use countersign_dialects::limits::MAX_FRAME;
use engineioxide::config::EngineIoConfig;
use engineioxide::service::EngineIoService;
use engineioxide::sid::Sid;
use engineioxide::{DisconnectReason, Socket};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::app::App;
use crate::auth::Door;
use crate::census::Census;
use crate::metrics::Board;
use crate::problem::Problem;
use client::Client;

pub(crate) use pacer::pace;

/// A session of Engine.IO.
pub(crate) type Engine = Socket<door::Link>;
/// What answers its requests.
pub(crate) type Service = EngineIoService<Amiga>;

/// Packets that wait for a client that does not read; what else it is owed waits as a note of what to write then.
const WAITING: usize = 16;
/// A request may take so long: a poll waits for the next packet, which is the ping of each 25 s if nothing else.
const REQUEST: Duration = Duration::from_secs(90);
/// Bytes that one read of a WebSocket takes in: clients say little.
const READ_BUFFER: usize = 4 * 1024;
/// How long closing waits for clients that do not read.
const LINGER: Duration = Duration::from_secs(2);

/// All clients of this dialect.
pub(crate) struct Amiga {
    board: Arc<Board>,
    door: Door,
    census: Arc<Census>,
    clients: Mutex<Clients>,
    wake: Notify,
}

/// Who is connected, and who has to be looked at when.
#[derive(Default)]
struct Clients {
    next: u64,
    all: HashMap<u64, Client>,
    /// Sessions that are in no namespace yet.
    arriving: HashMap<Sid, (Instant, Arc<Engine>)>,
    /// Whose turn comes when. Each is in it once at most.
    due: BTreeSet<(Instant, u64)>,
    /// Those whose turn came while nothing had changed: they cost nothing until something does.
    parked: BTreeSet<u64>,
    /// Those who are owed something that could not be written.
    stuck: BTreeSet<u64>,
    /// Those who follow tasks.
    followers: BTreeSet<u64>,
    /// Sessions that are to be closed.
    gone: Vec<Arc<Engine>>,
    /// The state of the figures that parked clients and followers were last looked at for.
    looked: u64,
}

impl Amiga {
    pub(crate) fn new(board: Arc<Board>, door: Door, census: Arc<Census>) -> Arc<Self> {
        Arc::new(Self {
            board,
            door,
            census,
            clients: Mutex::default(),
            wake: Notify::new(),
        })
    }

    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What answers requests to `/socket.io`.
    pub(crate) fn service(self: &Arc<Self>) -> Service {
        let config = EngineIoConfig::builder()
            .req_path("/socket.io")
            .max_payload(MAX_FRAME as u64)
            .ws_max_message_size(MAX_FRAME)
            .ws_max_frame_size(MAX_FRAME)
            .ws_read_buffer_size(READ_BUFFER)
            .max_buffer_size(WAITING)
            .build();
        EngineIoService::with_config(self.clone(), config)
    }
}

/// `/socket.io/`: polls, posts and upgrades.
pub(crate) async fn engine(State(app): State<App>, request: Request) -> Response {
    match tokio::time::timeout(REQUEST, app.engine.oneshot(request)).await {
        Ok(Ok(response)) => response.map(Body::new),
        Ok(Err(never)) => match never {},
        Err(_) => Problem::new(StatusCode::REQUEST_TIMEOUT, "the request took too long").into_response(),
    }
}

/// Says goodbye to all when it is time to close.
pub(crate) async fn close(amiga: Arc<Amiga>, mut closing: watch::Receiver<bool>, alive: mpsc::Sender<()>) {
    let _ = closing.wait_for(|closing| *closing).await;
    let sessions = amiga.sessions();
    for session in &sessions {
        session.close(DisconnectReason::ClosingServer);
    }
    let all_closed = async {
        for session in &sessions {
            session.closed().await;
        }
    };
    let _ = tokio::time::timeout(LINGER, all_closed).await;
    drop(alive);
}
