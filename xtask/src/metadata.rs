//! The part of `cargo metadata`'s answer that this program reads.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{cargo, program};

/// The workspace and, when asked for with dependencies, all that it builds on.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: Vec<String>,
    pub(crate) resolve: Option<Resolve>,
    pub(crate) target_directory: PathBuf,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency as the manifest declares it.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Option<Kind>,
    #[serde(default)]
    pub(crate) features: Vec<String>,
}

/// What a dependency is for; cargo gives `null` for the ordinary kind.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Dev,
    Build,
}

/// What was chosen for every declared dependency.
#[derive(Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<Edge>,
}

#[derive(Deserialize)]
pub(crate) struct Edge {
    pub(crate) pkg: String,
    pub(crate) dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
pub(crate) struct EdgeKind {
    pub(crate) kind: Option<Kind>,
}

impl Edge {
    /// Whether the dependency is there outside of tests.
    pub(crate) fn ships(&self) -> bool {
        self.dep_kinds.iter().any(|edge| edge.kind != Some(Kind::Dev))
    }
}

/// Asks cargo.
pub(crate) fn read(arguments: &[&str]) -> Result<Metadata> {
    let text = program::output(
        cargo::cargo("metadata")
            .args(["--format-version", "1", "--quiet"])
            .args(arguments),
    )?;
    serde_json::from_str(&text).context("cargo metadata answered in an unknown shape")
}
