//! `cargo xtask codegen`: the window's TypeScript types, as ts-rs derives them from the model. They are made in a scratch
//! folder first and compared, so that files that did not change keep their time and files of types that went away go too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::cargo::cargo;
use crate::metadata;
use crate::step::Steps;
use crate::{place, program};

#[derive(Args)]
pub(crate) struct Options {
    /// Change nothing; fail if the committed types are not those of the core
    #[arg(long)]
    check: bool,
}

/// The verb `codegen`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::new("codegen");
    let (what, again) = if options.check {
        (
            "The window's types are those of the core",
            "cargo xtask codegen --check",
        )
    } else {
        ("The window's types", "cargo xtask codegen")
    };
    steps.step(what, again, || generate(options.check))?;
    steps.finish();
    Ok(())
}

/// Writes the types into the window's sources, or only compares them.
pub(crate) fn generate(check: bool) -> Result<()> {
    let made = scratch("generated")?;
    // The model alone, so that the types can be had while a crate above it does not compile. In one process, since ts-rs
    // guards its files within a process only.
    let mut command = cargo("test");
    command.args(["--package", "countersign-model", "--lib", "--quiet", "export_bindings"]);
    program::run(command.env("TS_RS_EXPORT_DIR", &made)).context("the types were not made; the lines above say why")?;

    let committed = place::ui().join("src/generated");
    let changes = changes(&read_tree(&committed)?, &read_tree(&made)?);
    if changes.is_empty() {
        eprintln!("    nothing to change");
        return Ok(());
    }
    for change in &changes {
        eprintln!("    {}", change.shown());
    }
    if check {
        bail!(
            "ui/src/generated is not what the core's types give; `cargo xtask codegen` puts it right, then commit it"
        );
    }
    changes.iter().try_for_each(|change| change.apply(&committed))
}

/// An empty folder of that name under `target`, for what is made on the way.
pub(crate) fn scratch(name: &str) -> Result<PathBuf> {
    let folder = metadata::read(&["--no-deps"])?
        .target_directory
        .join("xtask")
        .join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// Files by their path within a tree.
type Tree = BTreeMap<PathBuf, String>;

#[derive(Debug, PartialEq, Eq)]
enum Change {
    Add(PathBuf, String),
    Replace(PathBuf, String),
    Remove(PathBuf),
}

impl Change {
    fn shown(&self) -> String {
        match self {
            Self::Add(path, _) => format!("missing: {}", path.display()),
            Self::Replace(path, _) => format!("stale:   {}", path.display()),
            Self::Remove(path) => format!("extra:   {}", path.display()),
        }
    }

    fn apply(&self, folder: &Path) -> Result<()> {
        match self {
            Self::Add(path, text) | Self::Replace(path, text) => {
                let path = folder.join(path);
                std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
                std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
            }
            Self::Remove(path) => {
                let path = folder.join(path);
                std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
            }
        }
    }
}

/// What turns `old` into `new`.
fn changes(old: &Tree, new: &Tree) -> Vec<Change> {
    let written = new.iter().filter_map(|(path, text)| match old.get(path) {
        None => Some(Change::Add(path.clone(), text.clone())),
        Some(before) if before != text => Some(Change::Replace(path.clone(), text.clone())),
        Some(_) => None,
    });
    let removed = old
        .keys()
        .filter(|path| !new.contains_key(*path))
        .cloned()
        .map(Change::Remove);
    written.chain(removed).collect()
}

fn read_tree(root: &Path) -> Result<Tree> {
    let mut tree = Tree::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop().filter(|folder| folder.is_dir()) {
        for entry in std::fs::read_dir(&folder)?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ts") {
                let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                tree.insert(path.strip_prefix(root).unwrap_or(&path).to_path_buf(), text);
            }
        }
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn missing_stale_and_left_over_files_are_told_apart() {
        let old = tree(&[("Same.ts", "a"), ("Stale.ts", "a"), ("Gone.ts", "a")]);
        let new = tree(&[("Same.ts", "a"), ("Stale.ts", "b"), ("inner/New.ts", "a")]);
        let shown: Vec<_> = changes(&old, &new).iter().map(Change::shown).collect();
        assert_eq!(
            shown,
            ["stale:   Stale.ts", "missing: inner/New.ts", "extra:   Gone.ts"]
        );
    }

    #[test]
    fn applied_changes_leave_nothing_to_change() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Gone.ts"), "a").unwrap();
        let new = tree(&[("inner/New.ts", "a"), ("New.ts", "b")]);
        for change in changes(&read_tree(folder.path()).unwrap(), &new) {
            change.apply(folder.path()).unwrap();
        }
        assert_eq!(read_tree(folder.path()).unwrap(), new);
    }
}
