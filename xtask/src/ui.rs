//! The window's page: built when a source is newer than what was built last.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::{npm, place};

/// What the page is built from, beside `src`.
const SOURCES: &[&str] = &["src", "public", "index.html", "package-lock.json", "package.json"];

/// Whether there is a built page, of whatever age.
pub(crate) fn is_built() -> bool {
    built_at(&place::ui()).is_some()
}

/// Installs the page's packages and builds it, each only when needed. Asks for a usable Node first: see `node`.
pub(crate) fn ensure_built() -> Result<()> {
    let folder = place::ui();
    npm::install(&folder)?;
    if is_fresh(&folder) {
        eprintln!("    ui/dist is newer than its sources; `npm --prefix ui run build` builds it anyway");
        return Ok(());
    }
    crate::program::run(npm::npm(&folder).args(["run", "build"])).context(
        "the window's page was not built; the lines above say where. If they name a missing package, remove ui/node_modules \
         and run this again; `cargo xtask run --headless` does without the page",
    )
}

fn is_fresh(folder: &Path) -> bool {
    match (built_at(folder), changed_at(folder)) {
        (Some(built), Some(changed)) => built >= changed,
        _ => false,
    }
}

fn built_at(folder: &Path) -> Option<SystemTime> {
    folder
        .join("dist/index.html")
        .metadata()
        .and_then(|file| file.modified())
        .ok()
}

/// The latest change of a source. Configuration files count by their place, at the top of the folder.
fn changed_at(folder: &Path) -> Option<SystemTime> {
    let top = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let configuration = top.filter(|path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.contains(".config.") || name.contains("tsconfig"))
    });
    SOURCES
        .iter()
        .map(|name| folder.join(name))
        .chain(configuration)
        .filter_map(|path| newest(&path))
        .max()
}

/// The latest time in a file or a tree; a folder's own time tells of files that went away.
fn newest(path: &Path) -> Option<SystemTime> {
    let metadata = path.metadata().ok()?;
    let own = metadata.modified().ok();
    if !metadata.is_dir() {
        return own;
    }
    let inside = std::fs::read_dir(path)
        .ok()?
        .flatten()
        .filter_map(|entry| newest(&entry.path()))
        .max();
    own.max(inside)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;

    fn write(folder: &Path, name: &str, seconds: u64) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = File::create(&path).unwrap();
        file.set_modified(at(seconds)).unwrap();
        for parent in path.ancestors().skip(1).take_while(|parent| *parent != folder) {
            File::open(parent).unwrap().set_modified(at(seconds)).unwrap();
        }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_page_newer_than_all_its_sources_is_fresh() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "src/stream/ring.ts", 10);
        write(folder.path(), "dist/index.html", 20);
        assert!(is_fresh(folder.path()));
    }

    #[test]
    fn a_changed_source_a_changed_configuration_and_a_missing_page_are_not() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "src/stream/ring.ts", 10);
        assert!(!is_fresh(folder.path()));
        write(folder.path(), "dist/index.html", 20);
        write(folder.path(), "vite.config.ts", 30);
        assert!(!is_fresh(folder.path()));
        write(folder.path(), "vite.config.ts", 10);
        write(folder.path(), "src/deep/down/new.svelte", 30);
        assert!(!is_fresh(folder.path()));
    }
}
