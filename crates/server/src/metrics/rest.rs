//! The figures over HTTP (seed 001, "HTTP Endpoints"): the overview once, or a stream of server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use countersign_dialects::amiga;
use countersign_hub::Hub;
use countersign_model::Seq;
use countersign_model::metrics::Versions;
use futures_util::stream;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Board;
use crate::app::App;
use crate::auth::Access;
use crate::census::{Present, Speaks};
use crate::problem::Problem;
use crate::rest::reply;
use crate::socket::query;

/// No more than one event in so long.
const PACE: Duration = Duration::from_secs(2);
/// A comment comes when there has been nothing else for so long, so that proxies and clients know the stream alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The last `hours` of a query counts, as everywhere.
fn hours(text: Option<&str>) -> Result<u32, Problem> {
    let asked = query(text.unwrap_or_default());
    let asked = asked.iter().rev().find(|(name, _)| name == "hours");
    amiga::query_hours(asked.map(|(_, hours)| &**hours))
        .map_err(|refused| Problem::bad_request(refused.to_string()).with("field", json!("hours")))
}

/// `GET /api/metrics/overview?hours=`.
pub(crate) async fn overview(State(app): State<App>, RawQuery(asked): RawQuery) -> Result<Response, Problem> {
    let hours = hours(asked.as_deref())?;
    app.board.catch_up().await;
    let overview = app.board.overview(hours);
    Ok(reply(StatusCode::OK, "application/json", overview.get().to_owned()))
}

/// `GET /api/stream/metrics?hours=`: unnamed events, each a whole `metrics_update`; the first at once, unless the client has it.
pub(crate) async fn events(
    State(app): State<App>,
    RawQuery(asked): RawQuery,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let hours = hours(asked.as_deref())?;
    let board = app.board.clone();
    board.catch_up().await;
    board.advance();
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let current = board.versions(hours);
    let sent = last.filter(|last| *last == board.id(hours, &current)).map(|_| current);
    let feed = Feed {
        changes: board.changes(),
        closing: app.settings.closing.clone(),
        hub: app.door.hub.clone(),
        access,
        board,
        hours,
        sent,
        said: None,
        opening: true,
        _present: app.settings.census.enter(Speaks::Amiga),
    };
    let frames = stream::unfold(feed, |mut feed| async move {
        let frame = feed.next().await?;
        Some((Ok::<_, Infallible>(frame), feed))
    });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

struct Feed {
    board: Arc<Board>,
    changes: watch::Receiver<Seq>,
    closing: watch::Receiver<bool>,
    hub: Arc<Hub>,
    access: Access,
    hours: u32,
    sent: Option<Versions>,
    /// When something was last said.
    said: Option<Instant>,
    opening: bool,
    /// Counts the stream until it ends.
    _present: Present,
}

impl Feed {
    /// The next frame; `None` when the hub closes, or the right to read is over.
    async fn next(&mut self) -> Option<Bytes> {
        self.opening = self.said.is_none();
        let Some(said) = self.said else {
            self.said = Some(Instant::now());
            // A client that has the current figures hears at once that it is connected.
            return Some(match self.sent {
                Some(_) => Bytes::from_static(b"retry: 2000\n: connected\n\n"),
                None => self.update("retry: 2000\n"),
            });
        };
        loop {
            if *self.closing.borrow() {
                return None;
            }
            self.changes.borrow_and_update();
            self.board.advance();
            let stale = self.sent != Some(self.board.versions(self.hours));
            if stale && said.elapsed() >= PACE {
                self.said = Some(Instant::now());
                return Some(self.update(""));
            }
            let wake = said + if stale { PACE } else { HEARTBEAT };
            tokio::select! {
                () = tokio::time::sleep_until(wake) => {
                    if !stale {
                        self.said = Some(Instant::now());
                        return Some(Bytes::from_static(b": \n\n"));
                    }
                }
                changed = self.changes.changed(), if !stale => changed.ok()?,
                () = self.access.expired(&self.hub) => return None,
                closing = self.closing.wait_for(|closing| *closing) => {
                    drop(closing);
                    return None;
                }
            }
        }
    }

    fn update(&mut self, before: &str) -> Bytes {
        let written = self.board.snapshot(self.hours, self.opening);
        self.sent = Some(written.versions);
        let id = self.board.id(self.hours, &written.versions);
        format!("{before}id: {id}\ndata: {}\n\n", written.json.get()).into()
    }
}
