//! One file a command: its arguments, its help, and what it does.

pub(crate) mod answer;
pub(crate) mod ask;
pub(crate) mod connect;
pub(crate) mod dashboard;
pub(crate) mod demo;
pub(crate) mod disconnect;
pub(crate) mod doctor;
pub(crate) mod emit;
pub(crate) mod export;
pub(crate) mod hook;
pub(crate) mod ingest;
pub(crate) mod mcp;
mod parse;
#[cfg(unix)]
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod tail;
pub(crate) mod token;

use std::io;

use countersign_model::Surface;

use crate::environment::from_env;

/// Who asks and publishes from here, when nobody says.
const AGENT: &str = "shell";

/// `--agent`, or else the environment.
fn agent(given: Option<&String>) -> String {
    let named = given.cloned().or_else(|| from_env("COUNTERSIGN_AGENT"));
    named.unwrap_or_else(|| AGENT.to_owned())
}

/// `--session`, or else the environment; without one the hub takes the agent's name.
fn session(given: Option<&String>) -> Option<String> {
    given.cloned().or_else(|| from_env("COUNTERSIGN_SESSION"))
}

/// Where a decision was made, as a person says it.
fn surface(surface: Surface) -> &'static str {
    match surface {
        Surface::Dialog => "the dialog",
        Surface::Window => "the window",
        Surface::Tray => "the tray",
        Surface::Rest => "the command line or the web monitor",
        Surface::Socket => "a connected approver",
        Surface::Hub => "the hub",
    }
}

/// SIGINT and SIGTERM, heard from when this is made.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Needs a runtime.
    fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one of them.
    #[cfg(unix)]
    async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits for Ctrl-C.
    #[cfg(not(unix))]
    async fn wait(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
