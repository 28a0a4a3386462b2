//! The tray: how many wait, the window, stop all, quit. A desktop without a tray host shows none, and nothing else changes.

use std::sync::Arc;

use countersign_model::{Activity, SessionKey, SessionView, Surface};
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Runtime};

use crate::dialogs::{Confirmation, Confirmer};
use crate::link::Link;
use crate::window;

const CALM: tauri::image::Image<'static> = tauri::include_image!("icons/tray.png");
const ATTENTION: tauri::image::Image<'static> = tauri::include_image!("icons/tray-attention.png");

/// Makes the tray and keeps its count.
///
/// # Errors
/// When the system has no trays at all.
pub(crate) fn start<R: Runtime>(app: &AppHandle<R>, link: Arc<Link>, confirmer: Confirmer) -> tauri::Result<()> {
    let waiting = MenuItem::with_id(app, "waiting", words(0), false, None::<&str>)?;
    let show = MenuItem::with_id(app, "show", "Show Countersign", true, None::<&str>)?;
    let stop = MenuItem::with_id(app, "stop", "Stop all sessions…", true, None::<&str>)?;
    let quit = MenuItem::with_id(app, "quit", "Quit", true, None::<&str>)?;
    let menu = Menu::with_items(
        app,
        &[
            &waiting,
            &PredefinedMenuItem::separator(app)?,
            &show,
            &stop,
            &PredefinedMenuItem::separator(app)?,
            &quit,
        ],
    )?;
    let clicked = link.clone();
    let tray = TrayIconBuilder::with_id("main")
        .icon(CALM)
        .tooltip("Countersign")
        .menu(&menu)
        .on_menu_event(move |app, event| match event.id().as_ref() {
            "show" => window::show(app),
            "stop" => drop(tauri::async_runtime::spawn(stop_all(
                clicked.clone(),
                confirmer.clone(),
            ))),
            "quit" => app.exit(0),
            _ => {}
        })
        .build(app)?;
    tauri::async_runtime::spawn(keep_count(link, tray, waiting));
    Ok(())
}

async fn keep_count<R: Runtime>(link: Arc<Link>, tray: TrayIcon<R>, label: MenuItem<R>) {
    let Ok(hub) = link.hub() else { return };
    let mut answers = hub.answers();
    let mut shown = 0;
    loop {
        answers.borrow_and_update();
        let count = hub.waiting_count();
        if count != shown {
            if let Err(error) = tell(&tray, &label, shown, count) {
                tracing::warn!(%error, "the tray could not be changed");
            }
            shown = count;
        }
        if answers.changed().await.is_err() {
            return;
        }
    }
}

fn tell<R: Runtime>(tray: &TrayIcon<R>, label: &MenuItem<R>, before: usize, count: usize) -> tauri::Result<()> {
    label.set_text(words(count))?;
    tray.set_tooltip(Some(format!("Countersign: {}", words(count))))?;
    tray.set_title((count > 0).then(|| count.to_string()))?;
    // Changing an icon writes a file on Linux: only when it becomes another.
    if (before == 0) != (count == 0) {
        tray.set_icon(Some(if count == 0 { CALM } else { ATTENTION }))?;
    }
    Ok(())
}

fn words(count: usize) -> String {
    match count {
        0 => "Nothing waits for you".into(),
        1 => "1 waiting for you".into(),
        _ => format!("{count} waiting for you"),
    }
}

/// Stops what the person was shown, and nothing that came since.
async fn stop_all(link: Arc<Link>, confirmer: Confirmer) {
    let Ok(hub) = link.hub() else { return };
    let (running, left): (Vec<_>, Vec<_>) = hub.sessions().into_iter().filter(runs).partition(|view| view.stops);
    if !confirmer.ask(Confirmation::of_stop_all(&running, left.len())).await {
        return;
    }
    for SessionView { agent, session, .. } in running {
        hub.stop(&SessionKey { agent, session }, Surface::Tray, None);
    }
}

fn runs(view: &SessionView) -> bool {
    view.activity != Activity::Gone && !view.stopped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::view;

    #[test]
    fn the_count_is_said_in_words() {
        assert_eq!(
            [0, 1, 12].map(words),
            ["Nothing waits for you", "1 waiting for you", "12 waiting for you"]
        );
    }

    #[test]
    fn what_is_gone_or_stopped_already_is_left_alone() {
        let mut gone = view("sam", "s1");
        gone.activity = Activity::Gone;
        let mut stopped = view("sam", "s2");
        stopped.stopped = true;
        assert_eq!(
            [gone, stopped, view("sam", "s3")].map(|view| runs(&view)),
            [false, false, true]
        );
    }
}
