//! Settings files on disk: read with bounds, written whole or not at all, the old one kept. What is in them is others' business.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use countersign_agents::settings::{MAX_BYTES, Trouble, text_of};
use countersign_hub::random_hex;

use super::ConnectError;

/// Backups of one file that are kept.
const BACKUPS: usize = 5;

/// A settings file as it was read; `None` when there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AsRead {
    pub(super) path: PathBuf,
    pub(super) text: Option<String>,
}

/// Reads a settings file.
pub(super) fn read(path: &Path) -> Result<AsRead, ConnectError> {
    Ok(AsRead {
        path: path.to_owned(),
        text: content(path)?,
    })
}

fn content(path: &Path) -> Result<Option<String>, ConnectError> {
    let io = |source| ConnectError::io(path, "cannot be read", source);
    // Before it is opened: that of a pipe waits for somebody at its other end.
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => return Err(ConnectError::NoFile(path.to_owned())),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // `.claude` is a file, for one.
        Err(error) => return Err(io(error)),
    }
    let file = File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
    let text = text_of(&bytes).map_err(|trouble| left_alone(path, trouble))?;
    Ok(Some(text.to_owned()))
}

pub(super) fn left_alone(path: &Path, trouble: Trouble) -> ConnectError {
    ConnectError::LeftAlone {
        path: path.to_owned(),
        trouble,
    }
}

/// Replaces the file by another text, or removes it; returns where the old one is kept. Nothing happens when it is no longer as it
/// was read.
///
/// `now` is the time for the backup's name, as RFC 3339 has it.
pub(super) fn replace(was: &AsRead, text: Option<&str>, now: &str) -> Result<Option<PathBuf>, ConnectError> {
    let path = &was.path;
    let io = |source| ConnectError::io(path, "cannot be written", source);
    let unchanged = || match content(path)? == was.text {
        true => Ok(()),
        false => Err(ConnectError::Changed(path.clone())),
    };
    unchanged()?;
    let place = place(path).map_err(io)?;
    let Some(text) = text else {
        // It was made by us, and has nothing of anybody else.
        fs::remove_file(&place).map_err(io)?;
        return Ok(None);
    };
    let folder = place.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(io)?;
    let old = match fs::metadata(&place) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(io(error)),
    };
    if old.as_ref().is_some_and(|old| old.permissions().readonly()) {
        return Err(ConnectError::io(
            path,
            "is read-only",
            io::ErrorKind::PermissionDenied.into(),
        ));
    }
    let backup = match &was.text {
        Some(text) => Some(keep(path, text, now)?),
        None => None,
    };
    let written = match &old {
        Some(_) if is_more_than_text(&place) => unchanged().and_then(|()| write_over(&place, text).map_err(io)),
        _ => {
            let name = place.file_name().unwrap_or_default().to_string_lossy();
            let draft = folder.join(format!(".{name}.countersign-{}", random_hex(4)));
            let written = write_private(&draft, text).map_err(io).and_then(|()| {
                match old.as_ref().map(|old| keep_owner(&draft, old)) {
                    None => unchanged().and_then(|()| fs::rename(&draft, &place).map_err(io)),
                    Some(Ok(())) => unchanged().and_then(|()| fs::rename(&draft, &place).map_err(io)),
                    // Another's file that this person may write to stays that one's.
                    Some(Err(_)) => unchanged().and_then(|()| write_over(&place, text).map_err(io)),
                }
            });
            let _ = fs::remove_file(&draft);
            written
        }
    };
    if let Err(error) = written {
        if let Some(backup) = backup.filter(|_| content(path).is_ok_and(|now| now == was.text)) {
            let _ = fs::remove_file(backup);
        }
        return Err(error);
    }
    #[cfg(unix)]
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(backup)
}

/// Gives a draft the owner and the rights of what it replaces.
fn keep_owner(draft: &Path, old: &fs::Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, chown};
        let new = fs::metadata(draft)?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            chown(draft, Some(old.uid()), Some(old.gid()))?;
        }
    }
    fs::set_permissions(draft, old.permissions())
}

/// Whether a file has what a new one in its place would not: other names, or attributes such as access lists.
fn is_more_than_text(place: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(place).is_ok_and(|file| file.nlink() > 1) || has_attributes(place)
    }
    #[cfg(not(unix))]
    {
        let _ = place;
        false
    }
}

/// Attributes that the system gives each file by itself are none.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn has_attributes(place: &Path) -> bool {
    let mut names = vec![0_u8; 64 * 1024];
    let length = rustix::fs::listxattr(place, &mut names[..]).unwrap_or_default();
    let mut names = names[..length].split(|byte| *byte == 0);
    names.any(|name| !matches!(name, b"" | b"security.selinux" | b"com.apple.provenance"))
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn has_attributes(_: &Path) -> bool {
    false
}

/// Writes another text into a file, which stays the same one; its backup has been written.
fn write_over(place: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(place)?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}

/// The file behind symbolic links, so that a link stays a link; the last one may lead to a file that is not there yet.
fn place(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(place) => Ok(place),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(match fs::read_link(path) {
            Ok(target) => path.parent().unwrap_or(Path::new(".")).join(target),
            Err(_) => path.to_owned(),
        }),
        Err(error) => Err(error),
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Keeps a file as it was, beside it, and lets the oldest of those go.
fn keep(path: &Path, text: &str, now: &str) -> Result<PathBuf, ConnectError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let io = |source| {
        ConnectError::io(
            folder,
            "takes no backup of the settings, so nothing was changed",
            source,
        )
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!("{name}.countersign-backup-");
    let stamp: String = now.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    let mut backup = folder.join(format!("{prefix}{stamp}"));
    let mut count = 1;
    loop {
        match write_private(&backup, text) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && count < 100 => {
                count += 1;
                backup = folder.join(format!("{prefix}{stamp}-{count:02}"));
            }
            Err(error) => return Err(io(error)),
        }
    }
    let mut all: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(io)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
        })
        .collect();
    all.sort();
    let surplus = all.len().saturating_sub(BACKUPS);
    for old in all.into_iter().take(surplus) {
        let _ = fs::remove_file(old);
    }
    Ok(backup)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_old_file_is_kept_and_the_last_five_of_them() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("settings.json");
        for round in 0..7 {
            let was = read(&path).expect("read");
            replace(
                &was,
                Some(&format!("{{\"round\": {round}}}")),
                "2026-01-17T10:30:00.000Z",
            )
            .expect("written");
        }
        let names = names(home.path());
        assert_eq!(names.len(), 6, "{names:?}");
        let newest = home
            .path()
            .join("settings.json.countersign-backup-20260117T103000.000Z-06");
        assert_eq!(fs::read_to_string(&newest).expect("kept"), "{\"round\": 5}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(newest).expect("there").permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("settings.json");
        fs::write(&path, "{}").expect("written");
        let was = read(&path).expect("read");
        fs::write(&path, "{\"theirs\": 1}").expect("written");
        assert!(matches!(
            replace(&was, Some("{}"), "now"),
            Err(ConnectError::Changed(_))
        ));
        assert_eq!(fs::read_to_string(&path).expect("there"), "{\"theirs\": 1}");
        assert_eq!(names(home.path()), ["settings.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_mode_stays_as_it_is() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let home = tempfile::tempdir().expect("a folder");
        let dotfiles = home.path().join("dotfiles");
        fs::create_dir(&dotfiles).expect("a folder");
        let real = dotfiles.join("claude.json");
        fs::write(&real, "{}").expect("written");
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("a mode");
        let path = home.path().join("settings.json");
        symlink("dotfiles/claude.json", &path).expect("a link");
        let was = read(&path).expect("read");
        replace(&was, Some("{\"a\": 1}"), "now").expect("written");
        assert!(fs::symlink_metadata(&path).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(&real).expect("there"), "{\"a\": 1}");
        assert_eq!(fs::metadata(&real).expect("there").permissions().mode() & 0o777, 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_of_several_names_stays_one_file() {
        use std::os::unix::fs::MetadataExt;
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("settings.json");
        fs::write(&path, "{\"much\": \"more text than before\"}").expect("written");
        fs::hard_link(&path, home.path().join("other.json")).expect("a link");
        replace(&read(&path).expect("read"), Some("{}"), "now").expect("written");
        let other = home.path().join("other.json");
        assert_eq!(fs::read_to_string(&other).expect("there"), "{}");
        assert_eq!(fs::metadata(&other).expect("there").nlink(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_no_file_and_nobody_waits_for_it() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("settings.json");
        let made = std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .expect("mkfifo");
        assert!(made.success());
        assert!(matches!(read(&path), Err(ConnectError::NoFile(_))));
    }

    #[test]
    fn what_is_no_text_and_no_file_is_said() {
        let home = tempfile::tempdir().expect("a folder");
        assert!(matches!(
            read(home.path()),
            Err(ConnectError::NoFile(_) | ConnectError::Io { .. })
        ));
        let path = home.path().join("settings.json");
        fs::write(&path, [0xff, 0xfe]).expect("written");
        assert!(matches!(read(&path), Err(ConnectError::LeftAlone { .. })));
    }
}
