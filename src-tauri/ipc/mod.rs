//! The page's side of the hub: commands, and one channel that the page pulls. The page is an approver by being in the
//! process; nothing outside of the main window can call any of this.

mod attached;
mod commands;
mod connections;
mod failure;
mod follow;
mod rows;

use std::sync::Arc;

use countersign_model::HubStatus;
use serde::Serialize;
use tauri::webview::PageLoadEvent;
use tauri::{AppHandle, Builder, Emitter, Manager, Runtime};

use crate::dialogs::At;
use crate::link::Link;
use crate::window;
pub(crate) use follow::Followers;

/// Adds the commands, and the end of a page's followers with the page.
pub(crate) fn install<R: Runtime>(builder: Builder<R>) -> Builder<R> {
    builder
        .manage(Followers::default())
        .on_page_load(|webview, payload| {
            if payload.event() == PageLoadEvent::Started {
                webview.state::<Followers>().end_all(webview.label());
            }
        })
        .invoke_handler(tauri::generate_handler![
            commands::status,
            commands::sessions,
            commands::approvals,
            commands::approval,
            commands::decide,
            commands::stop_session,
            commands::resume_session,
            commands::rules,
            commands::revoke_rule,
            commands::history,
            commands::metrics,
            attached::add_upstream,
            attached::remove_upstream,
            attached::retry_webhook,
            connections::connections,
            connections::connect_agent,
            connections::disconnect_agent,
            connections::examine_agent,
            commands::follow,
            commands::pulled,
            commands::unfollow,
        ])
}

/// Tells the page whenever the hub's status changes.
pub(crate) async fn push_status<R: Runtime>(app: AppHandle<R>, link: Arc<Link>) {
    let Some(mut changes) = link.status_changes() else {
        return;
    };
    while changes.changed().await.is_ok() {
        emit::<R, HubStatus>(&app, "status", &link.status());
    }
}

#[derive(Clone, Serialize)]
struct ShowApproval<'a> {
    id: &'a str,
    edit: bool,
}

/// Asks the page to bring an approval into view, and to open its arguments for editing where that is wanted.
pub(crate) fn show_approval<R: Runtime>(app: &AppHandle<R>, id: &str, at: At) {
    let edit = at == At::Edit;
    emit(app, "show-approval", &ShowApproval { id, edit });
}

fn emit<R: Runtime, T: Serialize + Clone>(app: &AppHandle<R>, event: &str, payload: &T) {
    if let Err(error) = app.emit_to(window::MAIN, event, payload) {
        tracing::warn!(%error, event, "the window could not be told");
    }
}

#[cfg(test)]
mod tests;
