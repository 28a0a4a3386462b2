//! Sessions and rules: what runs, stop and lift the stop, what is answered by itself.

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use countersign_dialects::limits::MAX_MESSAGE;
use countersign_hub::SessionError;
use countersign_model::{Origin, SessionKey, SessionView, Surface};
use serde::{Deserialize, Serialize};
use serde_json::json as value;

use super::{Text, json};
use crate::app::App;
use crate::auth::Access;
use crate::problem::Problem;
use crate::socket::query;

/// Sessions with what they are doing.
pub(crate) async fn list(State(app): State<App>, Extension(access): Extension<Access>) -> Response {
    let mut sessions = app.door.hub.sessions();
    sessions.retain(|session| access.sees(session.stream.as_deref()));
    json(StatusCode::OK, &value!({ "sessions": sessions }))
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Word {
    message: Option<String>,
}

fn word(body: &str) -> Result<Word, Problem> {
    if body.trim().is_empty() {
        return Ok(Word::default());
    }
    let word: Word = serde_json::from_str(body)
        .map_err(|error| Problem::bad_request(format!("the body is {{\"message\": …}} or empty: {error}")))?;
    match &word.message {
        Some(message) if message.len() > MAX_MESSAGE => Err(Problem::bad_request(format!(
            "`message` is longer than {MAX_MESSAGE} bytes"
        ))),
        _ => Ok(word),
    }
}

async fn keys(app: &App, access: &Access, session: &str, text: Option<String>) -> Result<Vec<SessionKey>, Problem> {
    let agent = query(text.as_deref().unwrap_or_default())
        .into_iter()
        .find_map(|(name, value)| (name == "agent").then_some(value));
    let mut keys = app.door.hub.session_keys(session, agent.as_deref()).await?;
    keys.retain(|key| access.sees(view(app, key).stream.as_deref()));
    if keys.is_empty() {
        return Err(SessionError::NotFound.into());
    }
    Ok(keys)
}

fn view(app: &App, key: &SessionKey) -> SessionView {
    app.door.hub.session(key)
}

/// Stops a session. Several agents' sessions of that id are all stopped, unless `?agent=` names one.
pub(crate) async fn stop(
    State(app): State<App>,
    Path(session): Path<String>,
    RawQuery(text): RawQuery,
    Extension(access): Extension<Access>,
    Text(body): Text,
) -> Result<Response, Problem> {
    let word = word(&body)?;
    let mut keys = keys(&app, &access, &session, text).await?;
    // Nothing that they are told could reach them.
    keys.retain(|key| view(&app, key).origin != Some(Origin::Otlp));
    if keys.is_empty() {
        let why = "only telemetry tells of this session, and telemetry goes one way: it cannot be stopped from here";
        return Err(Problem::new(StatusCode::CONFLICT, why));
    }
    for key in &keys {
        app.door.hub.stop(key, Surface::Rest, word.message.clone());
    }
    settled(&app, &keys).await
}

/// Lifts a stop. Where several agents have a session of that id, `?agent=` must name one.
pub(crate) async fn resume(
    State(app): State<App>,
    Path(session): Path<String>,
    RawQuery(text): RawQuery,
    Extension(access): Extension<Access>,
    Text(_): Text,
) -> Result<Response, Problem> {
    let keys = keys(&app, &access, &session, text).await?;
    if keys.len() > 1 {
        return Err(SessionError::Ambiguous.into());
    }
    for key in &keys {
        app.door.hub.resume_session(key, Surface::Rest);
    }
    settled(&app, &keys).await
}

/// A session that was stopped or goes on, and what a stop of it does not do.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    view: SessionView,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Told {
    fn of(view: SessionView) -> Self {
        let note = (view.stopped && !view.stops).then(|| {
            format!(
                "{} has no way to have its run ended from here: what waited was denied, and all that this session runs, asks or is told \
                 is denied until the stop is lifted; its model may go on talking",
                view.agent
            )
        });
        Self { view, note }
    }
}

async fn settled(app: &App, keys: &[SessionKey]) -> Result<Response, Problem> {
    app.door.hub.committed(app.door.hub.tail()).await?;
    let told = |key| Told::of(view(app, key));
    Ok(match keys {
        [key] => json(StatusCode::OK, &told(key)),
        _ => {
            let sessions: Vec<_> = keys.iter().map(told).collect();
            json(StatusCode::OK, &value!({ "sessions": sessions }))
        }
    })
}

/// Rules in force.
pub(crate) async fn rules(State(app): State<App>) -> Response {
    json(StatusCode::OK, &value!({ "rules": app.door.hub.rules() }))
}

/// Revokes a rule.
pub(crate) async fn revoke(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let rule = app
        .door
        .hub
        .revoke(&id)
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such rule"))?;
    Ok(json(StatusCode::OK, &rule))
}
