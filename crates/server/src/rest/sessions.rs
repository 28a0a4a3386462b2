//! Sessions and rules: what runs, stop and lift the stop, what is answered by itself.

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use countersign_dialects::limits::MAX_MESSAGE;
use countersign_hub::SessionError;
use countersign_model::{SessionKey, SessionView, Surface};
use serde::Deserialize;
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
    let keys = keys(&app, &access, &session, text).await?;
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

async fn settled(app: &App, keys: &[SessionKey]) -> Result<Response, Problem> {
    app.door.hub.committed(app.door.hub.tail()).await?;
    match keys {
        [key] => Ok(json(StatusCode::OK, &view(app, key))),
        keys => {
            let views: Vec<_> = keys.iter().map(|key| view(app, key)).collect();
            Ok(json(StatusCode::OK, &value!({ "sessions": views })))
        }
    }
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
