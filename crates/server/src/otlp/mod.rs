//! `/v1/logs`, `/v1/metrics`, `/v1/traces`: what OpenTelemetry's exporters send. Answered once it is committed, in the encoding in
//! which it came; what is sent again adds nothing. What the records say is decided in `agents::otlp`.

mod body;
mod reader;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_agents::otlp::{self, Answer, Claims, Encoding, Signal, Telemetry, Told};
use countersign_hub::Mark;
use countersign_model::Seq;
use tokio::sync::{Semaphore, watch};

use crate::app::App;
use crate::auth::Access;
use crate::problem::Problem;

pub(crate) use reader::read;

/// Bodies that are unpacked and decoded at once: each may take many times its size on the wire.
const AT_ONCE: usize = 2;
/// Bytes of one record's event that are kept.
const MAX_EVENT: usize = 8 * 1024 * 1024;
/// Exporters give up after ten seconds unless told otherwise, and come again when they are asked to.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long to wait for the log's readers before records are looked at.
const CATCH_UP: Duration = Duration::from_secs(1);
/// How long to wait, after a start, for what hooks left to the hub.
const SPOOL: Duration = Duration::from_secs(4);
/// `Retry-After`, in seconds.
const RETRY: HeaderValue = HeaderValue::from_static("2");

/// `google.rpc.Code`
mod code {
    pub(super) const INVALID_ARGUMENT: i32 = 3;
    pub(super) const RESOURCE_EXHAUSTED: i32 = 8;
    pub(super) const UNAVAILABLE: i32 = 14;
}

/// What is known of the agents whose telemetry comes in.
pub(crate) struct Receiver {
    telemetry: Mutex<Telemetry>,
    /// The last event of the log that is known.
    seen: watch::Sender<Seq>,
    slots: Semaphore,
}

impl Receiver {
    /// Knows nothing; [`read`] tells it.
    pub(crate) fn new(claims: Arc<Claims>) -> Arc<Self> {
        Arc::new(Self {
            telemetry: Mutex::new(Telemetry::new(claims)),
            seen: watch::Sender::new(0),
            slots: Semaphore::new(AT_ONCE),
        })
    }

    fn telemetry(&self) -> std::sync::MutexGuard<'_, Telemetry> {
        self.telemetry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, not for long, until what is in the log now is known.
    async fn catch_up(&self, head: Seq) {
        let mut seen = self.seen.subscribe();
        let _ = tokio::time::timeout(CATCH_UP, seen.wait_for(|seen| *seen >= head)).await;
    }
}

/// Why nothing was taken in.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    code: i32,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, code: i32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::INVALID_ARGUMENT, message)
    }

    /// It may be sent again, and is asked to be.
    fn later(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::UNAVAILABLE, message)
    }

    fn into_response(self, encoding: Encoding) -> Response {
        let mut response = reply(self.status, otlp::failure(encoding, self.code, &self.message));
        let headers = response.headers_mut();
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => drop(headers.insert(header::RETRY_AFTER, RETRY)),
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

fn reply(status: StatusCode, answer: Answer) -> Response {
    let kind = HeaderValue::from_static(answer.content_type);
    (status, [(header::CONTENT_TYPE, kind)], answer.body).into_response()
}

/// `POST /v1/logs`
pub(crate) async fn logs(State(app): State<App>, access: Extension<Access>, request: Request) -> Response {
    take(Signal::Logs, &app, &access, request).await
}

/// `POST /v1/metrics`
pub(crate) async fn metrics(State(app): State<App>, access: Extension<Access>, request: Request) -> Response {
    take(Signal::Metrics, &app, &access, request).await
}

/// `POST /v1/traces`
pub(crate) async fn traces(State(app): State<App>, access: Extension<Access>, request: Request) -> Response {
    take(Signal::Traces, &app, &access, request).await
}

async fn take(signal: Signal, app: &App, access: &Access, request: Request) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let Some(encoding) = kind.and_then(|kind| kind.to_str().ok()).and_then(Encoding::of) else {
        let message = "OTLP comes as application/x-protobuf or application/json";
        let refusal = Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::INVALID_ARGUMENT, message);
        return refusal.into_response(Encoding::Json);
    };
    let stream = match access.stream(None) {
        Ok(stream) => stream,
        Err(error) => return Problem::from(error).into_response(),
    };
    let packed = match body::read(request).await {
        Ok(packed) => packed,
        Err(refusal) => return refusal.into_response(encoding),
    };
    let took = take_in(signal, encoding, app, stream, packed);
    let rejected = match tokio::time::timeout(PATIENCE, took).await {
        Ok(Ok(rejected)) => rejected,
        Ok(Err(refusal)) => return refusal.into_response(encoding),
        Err(_) => {
            return Refusal::later("the store is behind; send it again, nothing is counted twice")
                .into_response(encoding);
        }
    };
    let why = if rejected == 0 {
        ""
    } else {
        "records of more than 8 MiB are not kept"
    };
    reply(StatusCode::OK, otlp::success(signal, encoding, rejected, why))
}

/// The number of records that are not taken in, now or later.
async fn take_in(
    signal: Signal,
    encoding: Encoding,
    app: &App,
    stream: Option<Arc<str>>,
    packed: body::Packed,
) -> Result<usize, Refusal> {
    let (hub, receiver) = (&app.door.hub, app.otlp.clone());
    app.hooks.taken_up(SPOOL).await;
    receiver.catch_up(hub.head()).await;
    let told = {
        let Ok(_slot) = receiver.slots.acquire().await else {
            return Err(Refusal::later("the hub is closing"));
        };
        let body = packed.unpack().await?;
        let receiver = receiver.clone();
        let told = tokio::task::spawn_blocking(move || {
            let records = otlp::decode(signal, encoding, &body)?;
            Ok::<_, otlp::Unreadable>(receiver.telemetry().tell(&records, stream.as_ref()))
        });
        told.await
            .map_err(|error| Refusal::later(error.to_string()))?
            .map_err(|error| Refusal::bad_request(error.to_string()))?
    };
    let all = told.len();
    let mut events = told;
    events.retain(|told| told.event.data.get().len() <= MAX_EVENT);
    let rejected = all - events.len();
    if events.is_empty() {
        return Ok(rejected);
    }
    let answered: Vec<_> = events.iter().filter_map(Told::answered).collect();
    let events = events.into_iter().map(|Told { event, mark }| (event, Mark(mark)));
    let once = hub.publish_once(events.collect()).await;
    let once = once.map_err(|error| Refusal::bad_request(error.to_string()))?;
    for told in answered {
        app.hooks.answered_elsewhere(hub, &told.call, told.allowed);
    }
    let committed = hub.committed(once.last).await;
    committed.map_err(|error| Refusal::later(error.to_string()))?;
    Ok(rejected)
}
