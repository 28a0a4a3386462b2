//! From a request to a session, and the two routes that show the logs of sessions.

use std::convert::Infallible;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde_json::json as value;
use tokio::sync::mpsc;

use super::conversation::CodexConversation;
use super::session::Session;
use super::shelf::Shelf;
use crate::app::App;
use crate::auth::{Access, Lack, Roles, Standing};
use crate::census::Speaks;
use crate::problem::Problem;
use crate::rest::{json, reply};
use crate::sam::names;
use crate::socket::{Intake, Settings, query, run, upgrade};

/// Messages of one client that may wait for its session; then it is not read from.
const WAITING: usize = 16;
/// Bytes of a log that are read and sent at a time, and how many such pieces may wait for a client that reads slowly.
const PIECE: usize = 64 * 1024;
const PIECES: usize = 4;

/// Upgrades the request: a new session. It drives an agent, so it needs that right; `?stream=` labels what it does.
pub(crate) fn open(request: Request, app: &App) -> Result<Response, Problem> {
    let stream = stream(&request)?;
    let (hub, room) = (app.door.hub.clone(), app.codex.clone());
    let Settings {
        closing,
        alive,
        approval_timeout,
        census,
        ..
    } = app.settings.clone();
    upgrade(request, &app.settings, async move |line| {
        let _present = census.enter(Speaks::Codex);
        let theirs = hub.clone();
        run(line, Intake::MONITOR, None, &hub, closing, |direct| {
            let (heard, hears) = mpsc::channel(WAITING);
            let session = Session::new(theirs, stream, approval_timeout, &room, direct);
            tokio::spawn(async move {
                session.live(hears).await;
                // Closing waits for the last line of the log.
                drop(alive);
            });
            CodexConversation::new(heard)
        })
        .await;
    })
}

/// The stream that the session belongs to: the one it names, else the token's only one.
fn stream(request: &Request) -> Result<Option<Arc<str>>, Problem> {
    let access = request.extensions().get::<Access>().cloned();
    let access = access.unwrap_or_else(|| Access::of(Roles::NONE, Standing::Refused));
    if !access.may_publish() {
        return Err(access.lacks(Lack::Publish));
    }
    let given = query(request.uri().query().unwrap_or_default());
    let said = match given.into_iter().find(|(name, _)| name == "stream") {
        Some((_, value)) => match &names(&value).map_err(Problem::bad_request)?[..] {
            [name] => Some(Arc::from(name.as_str())),
            _ => return Err(Problem::bad_request("`stream` is one name")),
        },
        None => None,
    };
    Ok(access.stream(said)?)
}

/// The sessions that are logged (seed 003, `GET /sessions`).
pub(crate) async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let rows = match app.codex.shelf {
        Some(shelf) => blocking(&shelf, Shelf::list).await?,
        None => Vec::new(),
    };
    Ok(json(StatusCode::OK, &value!({ "sessions": rows })))
}

/// One session's log, as NDJSON.
pub(crate) async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let shelf = app.codex.shelf.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "sessions are not logged: set SESSION_STORE_PATH, or `session_store` under `[codex]` in the configuration",
        )
    })?;
    let Some((file, length)) = blocking(&shelf, move |shelf| shelf.log(&id)).await? else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "there is no log of such a session"));
    };
    let mut response = reply(StatusCode::OK, "application/x-ndjson", String::new());
    *response.body_mut() = pieces(file, length);
    Ok(response)
}

/// Does work on the shelf where it may block.
async fn blocking<T: Send + 'static>(
    shelf: &Arc<Shelf>,
    work: impl FnOnce(&Shelf) -> std::io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let shelf = shelf.clone();
    let failed = |error: String| {
        let detail = format!("the session logs cannot be read: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    };
    match tokio::task::spawn_blocking(move || work(&shelf)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// The file up to `length`, piece by piece: it may be large, and it may be growing.
fn pieces(file: File, length: u64) -> Body {
    let (sender, read) = mpsc::channel::<Bytes>(PIECES);
    tokio::task::spawn_blocking(move || {
        let mut file = file.take(length);
        loop {
            let mut piece = vec![0; PIECE];
            match file.read(&mut piece) {
                Ok(count @ 1..) => piece.truncate(count),
                Ok(0) => return,
                Err(error) => return tracing::warn!(%error, "a session log could not be read to its end"),
            }
            if sender.blocking_send(piece.into()).is_err() {
                return;
            }
        }
    });
    Body::from_stream(futures_util::stream::unfold(read, |mut read| async {
        let piece = read.recv().await?;
        Some((Ok::<_, Infallible>(piece), read))
    }))
}
