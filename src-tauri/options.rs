//! The command line of the desktop program.

use std::path::{Path, PathBuf};

use clap::Parser;

/// See what your AI agents are doing, and countersign what they are about to do.
#[derive(Debug, Default, Parser)]
#[command(name = "countersign-desktop", version)]
pub struct Options {
    /// Keep data in this folder
    #[arg(long, value_name = "FOLDER", env = "COUNTERSIGN_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Read this configuration: SAM's config.json, or a .toml of Countersign's own
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Listen on this port, whatever the configuration says; 0 picks a free one
    #[arg(long)]
    pub port: Option<u16>,
    /// Start without showing the window
    #[arg(long)]
    pub hidden: bool,
}

impl Options {
    /// Where data is kept.
    pub(crate) fn folder(&self) -> PathBuf {
        let given = self.data_dir.clone().filter(|folder| !folder.as_os_str().is_empty());
        let folder = given.unwrap_or_else(countersign_server::default_data_dir);
        std::path::absolute(&folder).unwrap_or(folder)
    }

    /// The name by which a second launch finds the first. Each data folder has a hub, and so a window, of its own.
    pub(crate) fn instance(&self, identifier: &str) -> String {
        let folder = self.folder();
        let folder = folder.canonicalize().unwrap_or(folder);
        format!("{identifier}.f{:016x}", fingerprint(&folder))
    }
}

/// FNV-1a: the same in every build, which the standard library's hash does not promise.
fn fingerprint(folder: &Path) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    folder
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, fold)
}

/// Why no window can be shown, if none can. Tauri panics where GTK finds no display, so this is asked first.
pub(crate) fn without_display() -> Option<&'static str> {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !cfg!(target_os = "linux") {
        None
    } else if !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
        Some("there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)")
    } else {
        refused()
    }
}

/// What the environment names may be gone, or let nobody in. The shell's own start asks GTK again, which costs nothing.
#[cfg(target_os = "linux")]
fn refused() -> Option<&'static str> {
    gtk::init()
        .err()
        .map(|_| "the display that DISPLAY or WAYLAND_DISPLAY names cannot be opened")
}

#[cfg(not(target_os = "linux"))]
fn refused() -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(folder: &str) -> Options {
        Options {
            data_dir: Some(folder.into()),
            ..Options::default()
        }
    }

    #[test]
    fn each_data_folder_has_an_instance_of_its_own() {
        assert_eq!(at("").instance("dev.x"), Options::default().instance("dev.x"));
        assert_eq!(at("/a").instance("dev.x"), at("/a").instance("dev.x"));
        assert_ne!(at("/a").instance("dev.x"), at("/b").instance("dev.x"));
    }

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Options::command().debug_assert();
    }
}
