//! Putting the shell together, and taking it apart: hub, window, dialogs, notifications, tray, signals, the clean end.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use countersign_model::Problem;
use countersign_server::{Approver, Config, Setup, StartError, Ui};
use tauri::{App, AppHandle, Builder, Manager, RunEvent, Runtime};
use tauri_plugin_window_state::StateFlags;

use crate::dialogs::{self, At, Confirmer};
use crate::link::Link;
use crate::{Options, ipc, notices, tray, window};

/// Quitting does not wait longer than this for the store.
const CLOSING: Duration = Duration::from_secs(10);

/// Runs the shell until it is quit.
///
/// # Errors
/// When the configuration that was named cannot be used, or the desktop makes no window.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut config = Config::load(options.config.as_deref());
    match (&mut config, options.port) {
        // What was named on the command line is answered there; what lies in its usual place, in the window.
        (Err(error), _) if options.config.is_some() => return Err(error.to_string().into()),
        (Ok(config), Some(port)) => config.set_port(port),
        _ => {}
    }
    let context = tauri::generate_context!();
    let instance = options.instance(&context.config().identifier);
    let folder = options.folder();
    let hidden = options.hidden;
    let app = builder(Builder::default(), instance)
        .setup(move |app| {
            let (confirmer, confirms) = Confirmer::new();
            let started = match config {
                Ok(config) => tauri::async_runtime::block_on(countersign_server::start(Setup {
                    data_dir: folder.clone(),
                    config,
                    approver: Approver::InMemory,
                    confirm: Some(Arc::new(confirmer.clone())),
                    ui: Ui::Embedded,
                }))
                .map_err(|error| problem_of(&error)),
                Err(error) => Err(Problem {
                    code: "config".into(),
                    message: sentence(&error.to_string()),
                }),
            };
            let link = match started {
                Ok(running) => Link::to(running),
                Err(problem) => Link::without(problem, &folder),
            };
            let link = Arc::new(link);
            for problem in link.status().problems {
                tracing::warn!(code = problem.code, "{}", problem.message);
            }
            app.manage(link.clone());
            window::create(app.handle(), hidden)?;
            attach(app, link, confirmer, confirms);
            Ok(())
        })
        .build(context)?;
    let code = app.run_return(on_run_event);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// The parts that need no hub: plugins, commands, the window's habits.
fn builder<R: Runtime>(builder: Builder<R>, instance: String) -> Builder<R> {
    let first = tauri_plugin_single_instance::Builder::new()
        .dbus_id(instance)
        .callback(|app, arguments, _| {
            if !arguments.iter().any(|argument| argument == "--hidden") {
                window::show(app);
            }
        })
        .build();
    let state = tauri_plugin_window_state::Builder::default()
        .with_state_flags(StateFlags::all() - StateFlags::VISIBLE - StateFlags::DECORATIONS)
        .build();
    let builder = builder
        .plugin(first)
        .plugin(state)
        .plugin(tauri_plugin_notification::init());
    #[cfg(not(target_os = "linux"))]
    let builder = builder.plugin(tauri_plugin_dialog::init());
    ipc::install(builder).on_window_event(window::on_event)
}

/// The parts that read the hub.
fn attach<R: Runtime>(
    app: &App<R>,
    link: Arc<Link>,
    confirmer: Confirmer,
    confirms: tokio::sync::mpsc::Receiver<dialogs::Confirming>,
) {
    let handle = app.handle();
    tauri::async_runtime::spawn(quit_on_signal(handle.clone()));
    tauri::async_runtime::spawn(ipc::push_status(handle.clone(), link.clone()));
    if let Ok(hub) = link.hub() {
        let at = handle.clone();
        dialogs::start(handle, hub.clone(), confirms, move |id, what| {
            show_at(&at, Some((id, what)))
        });
        let at = handle.clone();
        notices::start(handle, hub, move |id| show_at(&at, id.map(|id| (id, At::Request))));
    }
    if let Err(error) = tray::start(handle, link, confirmer) {
        tracing::warn!(%error, "there is no tray");
    }
}

fn show_at<R: Runtime>(app: &AppHandle<R>, approval: Option<(&str, At)>) {
    window::show(app);
    if let Some((id, at)) = approval {
        ipc::show_approval(app, id, at);
    }
}

fn problem_of(error: &StartError) -> Problem {
    Problem {
        code: "hub_not_started".into(),
        message: sentence(&error.to_string()),
    }
}

/// An error's words, as a person reads them.
fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).chain(['.']).collect()
}

fn on_run_event<R: Runtime>(app: &AppHandle<R>, event: RunEvent) {
    match event {
        // Without a code nobody asked to quit: the last window went away, and the hub goes on.
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::show(app),
        RunEvent::Exit => {
            let link = app.state::<Arc<Link>>().inner().clone();
            let closed = tauri::async_runtime::block_on(async { tokio::time::timeout(CLOSING, link.shutdown()).await });
            if closed.is_err() {
                tracing::error!("the hub did not close in time; what was acknowledged is safe");
            }
        }
        _ => {}
    }
}

#[cfg(unix)]
async fn quit_on_signal<R: Runtime>(app: AppHandle<R>) {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
        tracing::warn!("signals end the program without closing the hub first");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    app.exit(0);
}

#[cfg(not(unix))]
async fn quit_on_signal<R: Runtime>(app: AppHandle<R>) {
    if tokio::signal::ctrl_c().await.is_ok() {
        app.exit(0);
    }
}
