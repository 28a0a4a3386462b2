//! The doors: `/mcp` for clients over streamable HTTP (MCP 2025-03-26 and later), and two addresses for `countersign mcp`, which speaks
//! MCP on its own stdin and stdout and needs of the hub only that it asks and tells.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_dialects::limits::{MAX_FRAME, MAX_NAME};
use countersign_hub::Hub;
use countersign_model::canonical::too_deep;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::desk::{Note, Question};
use super::handler::Handler;
use super::here::{Here, Line, ask_of, event_of, named};
use super::message;
use super::sessions::Sessions;
use crate::app::App;
use crate::auth::Access;
use crate::hooks::{Asker, hold};
use crate::problem::Problem;
use crate::rest::{Text, json};

/// Why a question of `countersign mcp` was taken back.
const GONE: &str = "its MCP client cancelled the call, or is gone";

/// All clients over HTTP.
#[derive(Clone)]
pub(crate) struct Mcp {
    service: StreamableHttpService<Handler<Here>, Sessions>,
}

impl Mcp {
    /// The doors, and what looks after their sessions until it is time to close.
    pub(crate) fn new(
        hub: Arc<Hub>,
        timeout: Option<i64>,
        mut closing: watch::Receiver<bool>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let sessions = Arc::new(Sessions::new());
        // Host and Origin were checked for every route.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .with_max_request_body_bytes(MAX_FRAME);
        let desk = Here { hub, timeout };
        let all = config.cancellation_token.clone();
        let service = StreamableHttpService::new(move || Ok(Handler::new(desk.clone())), sessions.clone(), config);
        let care = async move {
            tokio::select! {
                () = sessions.tidy() => {}
                _ = closing.wait_for(|closing| *closing) => {}
            }
            all.cancel();
        };
        (Self { service }, care)
    }
}

/// The request, if what it says is a message. What comes as another content type is the library's to refuse.
async fn judged(request: Request) -> Result<Request, Response> {
    let is_json = |kind: &HeaderValue| kind.to_str().is_ok_and(|kind| kind.starts_with("application/json"));
    if request.method() != Method::POST || !request.headers().get(header::CONTENT_TYPE).is_some_and(is_json) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_FRAME).await else {
        let why = format!("a message has {MAX_FRAME} bytes at most");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, why).into_response());
    };
    message::judge(&body).map_err(IntoResponse::into_response)?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// `/mcp`: GET, POST and DELETE.
pub(crate) async fn serve(State(app): State<App>, request: Request) -> Response {
    let mut request = match judged(request).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    let (held, line) = watch::channel(());
    request.extensions_mut().insert(Line(line));
    let response = app.mcp.service.handle(request).await;
    let mut closing = app.settings.closing.clone();
    // The body goes with the connection, and with it whatever waits for this request.
    response.map(|body| {
        let frames = Body::new(body).into_data_stream();
        let closed = Box::pin(async move {
            let _ = closing.wait_for(|closing| *closing).await;
        });
        Body::from_stream(frames.take_until(closed).map(move |frame| {
            let _ = &held;
            frame
        }))
    })
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, Problem> {
    if too_deep(body.as_bytes()) {
        return Err(Problem::bad_request("nested too deeply"));
    }
    serde_json::from_str(body).map_err(|error| Problem::bad_request(error.to_string()))
}

fn check(names: [(&'static str, &str); 3]) -> Result<(), Problem> {
    for (field, name) in names {
        if name.len() > MAX_NAME || named(name).as_deref() != Some(name) {
            let why = format!("`{field}` is a name of 1 to {MAX_NAME} bytes without control characters");
            return Err(Problem::bad_request(why).with("field", field.into()));
        }
    }
    Ok(())
}

/// `POST /mcp/questions`: holds the request until there is a decision, which is the reply.
pub(crate) async fn question(
    State(app): State<App>,
    Extension(access): Extension<Access>,
    Text(body): Text,
) -> Result<Response, Problem> {
    let question: Question = read(&body)?;
    check([
        ("agent", &question.agent),
        ("session", &question.session),
        ("request_id", &question.request_id),
    ])?;
    check([
        ("tool_name", &question.tool_name),
        ("agent", &question.agent),
        ("session", &question.session),
    ])?;
    let ask = ask_of(question, access.stream(None)?, app.settings.approval_timeout);
    let asked = app.door.hub.ask(ask).await?;
    let asker = Asker {
        gone: GONE,
        ended: Box::new(|_| ()),
        withdrawn: None,
    };
    let reply = |approval| -> BoxFuture<'static, Option<String>> {
        Box::pin(async move { serde_json::to_string(&approval).ok() })
    };
    Ok(hold(asked.waiter, asker, app.settings.closing.clone(), reply))
}

/// `POST /mcp/notes`.
pub(crate) async fn note(
    State(app): State<App>,
    Extension(access): Extension<Access>,
    Text(body): Text,
) -> Result<Response, Problem> {
    let note: Note = read(&body)?;
    check([
        ("agent", &note.agent),
        ("session", &note.session),
        ("level", &note.level),
    ])?;
    let hub = &app.door.hub;
    let published = hub.publish(vec![event_of(note, access.stream(None)?)]).await?;
    hub.committed(published.last).await?;
    Ok(json(StatusCode::OK, &serde_json::json!({ "seq": published.last })).into_response())
}
