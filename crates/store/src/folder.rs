//! The data folder: private to its owner, locked by one hub at a time, and the place where others find that hub.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another hub has it.
    #[error("another Countersign is using the data folder {0}; close it, or choose another folder with --data-dir")]
    InUse(PathBuf),
    /// The system says no.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
}

/// A data folder that this process holds. Its lock ends with the process, however it ends.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if need be (mode 0700) and locks it.
    ///
    /// # Errors
    /// When another hub holds it, or it cannot be made.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let failed = |path: &Path, source| FolderError::Io {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(path).map_err(|error| failed(path, error))?;
        private(path, 0o700).map_err(|error| failed(path, error))?;
        let lock_path = path.join("hub.lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|error| failed(&lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(&lock_path, error)),
        }
        let folder = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        // What an earlier hub left behind says nothing any more.
        folder.remove("hub.json");
        folder.remove("approver.token");
        Ok(folder)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that only its owner can read, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_private(&self, name: &str, text: &str) -> Result<PathBuf, FolderError> {
        let path = self.path.join(name);
        let draft = self.path.join(format!(".{name}.draft"));
        let write = || -> std::io::Result<()> {
            let _ = std::fs::remove_file(&draft);
            let mut options = OpenOptions::new();
            options.create_new(true).write(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&draft)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)
        };
        write().map_err(|source| FolderError::Io {
            path: path.clone(),
            source,
        })?;
        Ok(path)
    }

    /// Removes a file of the folder, if it is there.
    pub fn remove(&self, name: &str) {
        let path = self.path.join(name);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(path = %path.display(), %error, "could not be removed"),
        }
    }
}

/// The content of a file that only its owner can read, made with `fresh` content if it is not there; the folder too
/// (mode 0700). Whether a hub holds the folder does not matter, and of several that make the file one wins.
///
/// # Errors
/// When it can be neither read nor made.
pub fn private_file(folder: &Path, name: &str, fresh: impl FnOnce() -> String) -> Result<String, FolderError> {
    let path = folder.join(name);
    let draft = folder.join(format!(".{name}.{}.draft", countersign_hub::random_hex(4)));
    let read = || match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let made = || -> std::io::Result<String> {
        if let Some(text) = read()? {
            return Ok(text);
        }
        if !folder.is_dir() {
            std::fs::create_dir_all(folder)?;
            private(folder, 0o700)?;
        }
        let _ = std::fs::remove_file(&draft);
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        file.write_all(fresh().as_bytes())?;
        file.sync_all()?;
        // A link, unlike a rename, takes nobody's place.
        let linked = std::fs::hard_link(&draft, &path);
        let _ = std::fs::remove_file(&draft);
        match linked {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
            _ => read()?.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound)),
        }
    };
    made().map_err(|source| FolderError::Io {
        path: path.clone(),
        source,
    })
}

#[cfg(unix)]
fn private(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn private(_path: &Path, _mode: u32) -> std::io::Result<()> {
    // Elsewhere an application's data folder is the user's own by default.
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_hub_is_refused_until_the_first_is_gone() {
        let home = tempfile::tempdir().expect("a folder");
        let first = DataFolder::open(home.path()).expect("free");
        assert!(matches!(DataFolder::open(home.path()), Err(FolderError::InUse(_))));
        drop(first);
        DataFolder::open(home.path()).expect("free again");
    }

    #[test]
    fn a_private_file_is_made_once_whoever_is_first() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("data");
        let made: Vec<String> = std::thread::scope(|scope| {
            let one = |n: usize| {
                let folder = &folder;
                scope.spawn(move || private_file(folder, "secret", || n.to_string()))
            };
            let threads: Vec<_> = (0..2).map(one).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("ended").expect("made"))
                .collect()
        });
        let kept = private_file(&folder, "secret", || unreachable!()).expect("kept");
        assert!(made.iter().all(|text| *text == kept), "{made:?} {kept}");
    }

    #[cfg(unix)]
    #[test]
    fn folder_and_files_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("data");
        let folder = DataFolder::open(&path).expect("made");
        let file = folder.write_private("hub.json", "{}").expect("written");
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&file)), (0o700, 0o600));
    }
}
