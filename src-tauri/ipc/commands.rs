//! The commands that the page may call, each a narrow door to the hub. A new one needs its name in `permissions/hub.toml`.

use std::sync::Arc;

use countersign_hub::{EventQuery, Hub};
use countersign_model::metrics::HOURS;
use countersign_model::{
    Answer, Approval, HubStatus, Rule, Scope, Seq, SessionKey, SessionView, Since, Status, Surface, Verdict, to_json,
};
use tauri::ipc::{Channel, InvokeResponseBody, Response};
use tauri::{Runtime, State, Webview};

use super::failure::Failure;
use super::follow::{Followers, Started};
use super::rows;
use crate::link::Link;

/// Approvals that are listed at most; the pending ones are always all there.
const MOST_APPROVALS: usize = 1_000;
/// Rows in a page of history.
const MOST_ROWS: usize = 1_000;
/// Bytes of data in a page of history.
const MOST_BYTES: usize = 4 << 20;

#[tauri::command]
pub(super) async fn status(link: State<'_, Arc<Link>>) -> Result<HubStatus, Failure> {
    Ok(link.status())
}

#[tauri::command]
pub(super) async fn sessions(link: State<'_, Arc<Link>>) -> Result<Vec<SessionView>, Failure> {
    Ok(link.hub()?.sessions())
}

#[tauri::command]
pub(super) async fn approvals(link: State<'_, Arc<Link>>, status: Option<Status>) -> Result<Vec<Approval>, Failure> {
    Ok(link.hub()?.approvals(status, MOST_APPROVALS).await?)
}

#[tauri::command]
pub(super) async fn approval(link: State<'_, Arc<Link>>, id: String) -> Result<Approval, Failure> {
    Ok(link.hub()?.find(&id).await?)
}

/// Answers, and waits for the store: what is returned is what was recorded.
#[tauri::command]
pub(super) async fn decide(
    link: State<'_, Arc<Link>>,
    id: String,
    decision: Verdict,
    scope: Option<Scope>,
    message: Option<String>,
    arguments: Option<serde_json::Value>,
    grants: Option<Vec<u32>>,
) -> Result<Approval, Failure> {
    let hub = link.hub()?;
    let answer = Answer {
        verdict: decision,
        scope: scope.unwrap_or_default(),
        message,
        arguments: arguments.as_ref().map(to_json),
        grants: grants.unwrap_or_default(),
        by: Surface::Window,
    };
    let answered = hub.answer(&id, answer).await?;
    hub.flush().await;
    Ok(hub.find(&answered.id).await.unwrap_or(answered))
}

#[tauri::command]
pub(super) async fn stop_session(
    link: State<'_, Arc<Link>>,
    agent: String,
    session: String,
    message: Option<String>,
) -> Result<SessionView, Failure> {
    let hub = link.hub()?;
    let key = known(&hub, &agent, &session).await?;
    hub.stop(&key, Surface::Window, message);
    hub.flush().await;
    Ok(hub.session(&key))
}

#[tauri::command]
pub(super) async fn resume_session(
    link: State<'_, Arc<Link>>,
    agent: String,
    session: String,
) -> Result<SessionView, Failure> {
    let hub = link.hub()?;
    let key = known(&hub, &agent, &session).await?;
    hub.resume_session(&key, Surface::Window);
    hub.flush().await;
    Ok(hub.session(&key))
}

#[tauri::command]
pub(super) async fn rules(link: State<'_, Arc<Link>>) -> Result<Vec<Rule>, Failure> {
    Ok(link.hub()?.rules())
}

#[tauri::command]
pub(super) async fn revoke_rule(link: State<'_, Arc<Link>>, id: String) -> Result<(), Failure> {
    let hub = link.hub()?;
    if hub.revoke(&id).is_none() {
        return Err(Failure::new("not_found", "there is no such rule"));
    }
    hub.flush().await;
    Ok(())
}

#[tauri::command]
pub(super) async fn history(
    link: State<'_, Arc<Link>>,
    since: Option<Seq>,
    until: Option<Seq>,
    limit: usize,
) -> Result<Response, Failure> {
    let hub = link.hub()?;
    // What was shown live must be in the page, too.
    hub.flush().await;
    let query = EventQuery {
        since: since.unwrap_or_default(),
        until,
        limit: limit.min(MOST_ROWS),
        max_bytes: MOST_BYTES,
        ..EventQuery::default()
    };
    let page = hub.archive().events(query).await?;
    Ok(Response::new(rows::page(&page.events, page.next)))
}

/// What agents did in the last hours: AMIGA's `metrics_update`, the very text that its clients get.
#[tauri::command]
pub(super) async fn metrics(link: State<'_, Arc<Link>>, hours: u32) -> Result<Response, Failure> {
    if !HOURS.contains(&hours) {
        return Err(Failure::new("bad_request", "hours are a whole number from 1 to 168"));
    }
    let update = link.figures()?.update(hours).await;
    Ok(Response::new(update.get().to_owned()))
}

#[tauri::command]
pub(super) async fn follow<R: Runtime>(
    webview: Webview<R>,
    link: State<'_, Arc<Link>>,
    followers: State<'_, Followers>,
    since: Option<String>,
    channel: Channel<InvokeResponseBody>,
) -> Result<Started, Failure> {
    let hub = link.hub()?;
    let since = since.map(|since| since.parse::<Since>()).transpose();
    let since = since.map_err(|error| Failure::new("bad_request", error.to_string()))?;
    let send = move |text| channel.send(InvokeResponseBody::Json(text)).is_ok();
    Ok(followers.start(&hub, webview.label(), since.as_ref(), send))
}

#[tauri::command]
pub(super) async fn pulled<R: Runtime>(
    webview: Webview<R>,
    followers: State<'_, Followers>,
    id: u32,
    to: Seq,
) -> Result<(), Failure> {
    followers.pulled(webview.label(), id, to)
}

#[tauri::command]
pub(super) async fn unfollow<R: Runtime>(
    webview: Webview<R>,
    followers: State<'_, Followers>,
    id: u32,
) -> Result<(), Failure> {
    followers.end(webview.label(), id);
    Ok(())
}

/// A session that exists: a stop for a mistyped one must not look like a stop.
async fn known(hub: &Hub, agent: &str, session: &str) -> Result<SessionKey, Failure> {
    let key = SessionKey {
        agent: agent.into(),
        session: session.into(),
    };
    let seen = hub.sessions();
    if seen
        .iter()
        .any(|view| view.agent == key.agent && view.session == key.session)
    {
        return Ok(key);
    }
    hub.session_keys(session, Some(agent)).await?;
    Ok(key)
}
