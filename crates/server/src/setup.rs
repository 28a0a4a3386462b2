//! What a server is made of, and why one could not start.

use std::path::PathBuf;
use std::sync::Arc;

use countersign_store::{FolderError, StoreError};

use crate::auth::{Confirm, SecretError};
use crate::codex::ScriptProblem;
use crate::config::Config;

/// Who keeps the approver key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approver {
    /// The process alone: the desktop, where the person answers in the window.
    InMemory,
    /// `approver.token` in the data folder, for those who can read it: the headless hub.
    File,
}

/// What `/` serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ui {
    /// The window's files, built in.
    Embedded,
}

/// What a server is made of.
pub struct Setup {
    /// Where data is kept.
    pub data_dir: PathBuf,
    /// Addresses, limits, switches.
    pub config: Config,
    /// Who keeps the approver key.
    pub approver: Approver,
    /// Asks the person at the desktop, if there is one.
    pub confirm: Option<Arc<dyn Confirm>>,
    /// What `/` serves.
    pub ui: Ui,
}

impl Setup {
    /// A hub without a desktop.
    pub fn headless(data_dir: PathBuf, config: Config) -> Self {
        Self {
            data_dir,
            config,
            approver: Approver::File,
            confirm: None,
            ui: Ui::Embedded,
        }
    }
}

/// Why a server could not start. A port in use is no reason: the hub runs, and its status says so.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The history.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The script of the agent.
    #[error(transparent)]
    Script(#[from] ScriptProblem),
    /// What tokens are signed with.
    #[error(transparent)]
    Secret(#[from] SecretError),
}
