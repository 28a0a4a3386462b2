//! Where things are in the repository. Nothing here looks at what is in them.

use std::path::{Path, PathBuf};

/// The repository's root: the folder above this package's, as cargo gives it at run time, so that a moved clone still works.
pub(crate) fn root() -> PathBuf {
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// The window's npm project.
pub(crate) fn ui() -> PathBuf {
    root().join("ui")
}

/// The whole-program tests' package.
pub(crate) fn tests() -> PathBuf {
    root().join("tests")
}

/// `path` as a person in the root folder would type it.
pub(crate) fn from_root(path: &Path) -> String {
    let shown = path.strip_prefix(root()).unwrap_or(path).display().to_string();
    if shown.is_empty() { ".".to_owned() } else { shown }
}
