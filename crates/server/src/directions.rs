//! What the data folder tells other programs: where it is, where the hub is, and what holds while there is none.

use std::path::{Path, PathBuf};

use countersign_model::HubStatus;
use countersign_store::{DataFolder, FolderError};
use serde_json::json;

use crate::hooks::HooksConfig;

/// The file of the data folder that tells `countersign hook` what holds while no hub is there; it stays when the hub ends.
pub const HOOKS_FILE: &str = "hooks.json";

/// The file that tells the command line where the hub is; it goes when the hub ends.
const HUB_FILE: &str = "hub.json";

/// The file that holds the approver's key of a hub without a desktop; it goes when the hub ends.
const APPROVER_FILE: &str = "approver.token";

/// Where each desktop keeps an application's data; `COUNTERSIGN_DATA_DIR` says otherwise.
pub fn default_data_dir() -> PathBuf {
    if let Some(path) = std::env::var_os("COUNTERSIGN_DATA_DIR").filter(|path| !path.is_empty()) {
        return path.into();
    }
    usual_data_dir()
}

fn usual_data_dir() -> PathBuf {
    directories::ProjectDirs::from("dev", "countersign", "countersign")
        .map_or_else(|| PathBuf::from(".countersign"), |dirs| dirs.data_dir().to_owned())
}

/// What hooks must be told to find a hub on this data folder; nothing where they look by themselves.
pub(crate) fn whereabouts(folder: &Path) -> Vec<String> {
    let full = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match full(folder) {
        folder if folder == full(&usual_data_dir()) => Vec::new(),
        folder => vec!["--data-dir".to_owned(), folder.display().to_string()],
    }
}

/// Before anybody can hear of this hub: what holds while there is none.
pub(crate) fn tell_hooks(folder: &DataFolder, hooks: &HooksConfig) -> Result<(), FolderError> {
    let absent = json!({ "when_absent": hooks.when_absent, "gate": hooks.gate });
    folder.write_private(HOOKS_FILE, &format!("{absent:#}\n")).map(drop)
}

/// Gives the approver's key to those who can read the folder.
pub(crate) fn hand_over(folder: &DataFolder, approver: &str) -> Result<(), FolderError> {
    folder.write_private(APPROVER_FILE, &format!("{approver}\n")).map(drop)
}

/// Where the hub is.
pub(crate) fn tell_others(folder: &DataFolder, status: &HubStatus, required: bool) -> Result<(), FolderError> {
    let urls: Vec<_> = status.listeners.iter().map(|listener| &listener.url).collect();
    let directions = json!({
        "url": urls.first(),
        "listeners": urls,
        "pid": std::process::id(),
        "epoch": status.epoch,
        "version": status.version,
        "auth": if required { "required" } else { "optional" },
    });
    folder.write_private(HUB_FILE, &format!("{directions:#}\n")).map(drop)
}

/// Takes back what holds only while the hub runs.
pub(crate) fn take_back(folder: &DataFolder) {
    folder.remove(HUB_FILE);
    folder.remove(APPROVER_FILE);
}
