//! The main window: made hidden from `tauri.conf.json`, put back where it was, hidden rather than closed. The hub goes on
//! without it.

use tauri::{AppHandle, Manager, Runtime, WebviewWindow, WebviewWindowBuilder, Window, WindowEvent};

/// Its label, in `tauri.conf.json` and in `capabilities/`.
pub(crate) const MAIN: &str = "main";

/// Makes the window. Where it was and how large is put back before it is shown.
///
/// # Errors
/// When the system makes none.
pub(crate) fn create<R: Runtime>(app: &AppHandle<R>, hidden: bool) -> tauri::Result<()> {
    let windows = &app.config().app.windows;
    let config = windows.iter().find(|window| window.label == MAIN);
    let config = config.expect("tauri.conf.json has the main window");
    WebviewWindowBuilder::from_config(app, config)?
        .on_navigation(|url| is_ours(url.scheme(), url.host_str()))
        .build()?;
    if !hidden {
        show(app);
    }
    Ok(())
}

/// The page never leaves the files that came with the program.
fn is_ours(scheme: &str, host: Option<&str>) -> bool {
    scheme == "tauri" || (matches!(scheme, "http" | "https") && host == Some("tauri.localhost"))
}

fn main<R: Runtime>(app: &AppHandle<R>) -> Option<WebviewWindow<R>> {
    app.get_webview_window(MAIN)
}

/// Brings the window up, wherever it was; makes it anew if the system took it away.
pub(crate) fn show<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = main(app) else {
        if let Err(error) = create(app, false) {
            tracing::error!(%error, "there is no window");
        }
        return;
    };
    let shown = window
        .unminimize()
        .and_then(|()| window.show())
        .and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window could not be shown");
    }
}

/// Whether a person is looking at the window.
pub(crate) fn is_watched<R: Runtime>(app: &AppHandle<R>) -> bool {
    main(app).is_some_and(|window| window.is_visible().unwrap_or(false) && window.is_focused().unwrap_or(false))
}

/// Closing hides.
pub(crate) fn on_event<R: Runtime>(window: &Window<R>, event: &WindowEvent) {
    if let WindowEvent::CloseRequested { api, .. } = event
        && window.label() == MAIN
    {
        api.prevent_close();
        if let Err(error) = window.hide() {
            tracing::warn!(%error, "the window could not be hidden");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn the_page_goes_nowhere_else() {
        assert!(is_ours("tauri", Some("localhost")));
        assert!(is_ours("http", Some("tauri.localhost")));
        for (scheme, host) in [
            ("http", Some("localhost")),
            ("https", Some("example.org")),
            ("file", None),
            ("data", None),
        ] {
            assert!(!is_ours(scheme, host));
        }
    }
}
