//! The desktop shell around the hub: window, dialogs, notifications, tray, and the way out. It holds no truth of its own:
//! everything it shows it reads from the hub, and every answer goes through the hub.

mod dialogs;
mod ipc;
mod link;
mod notices;
mod options;
mod start;
#[cfg(test)]
mod testing;
mod tray;
mod window;

use std::io::IsTerminal;
use std::process::ExitCode;

pub use options::Options;

/// Runs the program to its end.
pub fn run(options: &Options) -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        // It would say so on standard error itself, and panic where that cannot be written either.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("COUNTERSIGN_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,tao=error,zbus=warn")),
        )
        .init();
    if let Some(why) = options::without_display() {
        eprintln!(
            "countersign-desktop: {why}, so no window can be shown. Run it in a desktop session, or run the hub without a \
             window: countersign serve"
        );
        return ExitCode::FAILURE;
    }
    match start::run(options) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("countersign-desktop: {error}");
            ExitCode::FAILURE
        }
    }
}
