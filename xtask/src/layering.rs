//! The directions of dependencies, as the design draws them: a member knows only the layers below it, and the window, HTTP and
//! SQL each have one home. `rules` says what is allowed; this file compares it with what cargo resolved.

mod rules;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context, Result, bail};

use crate::metadata::{self, Kind, Metadata, Package};
use rules::{BANS, Ban, FEATURES, SHELL, may_depend};

/// Fails, naming each dependency that goes against the design.
pub(crate) fn check() -> Result<()> {
    let violations = violations(&metadata::read(&["--locked"]).context(
        "cargo did not say who depends on whom; if it says that the lock file needs an update, `cargo check` makes it: commit it",
    )?);
    if violations.is_empty() {
        return Ok(());
    }
    bail!("dependencies go against the design:\n  {}", violations.join("\n  "))
}

/// Each dependency that goes against the rules, in words. Development dependencies are free: tests may use anything.
fn violations(metadata: &Metadata) -> Vec<String> {
    let graph = Graph::new(metadata);
    let mut found = Vec::new();
    for member in graph.members() {
        found.extend(between_members(&graph, member));
        found.extend(foreign(&graph, member));
        found.extend(features(member));
    }
    found.sort();
    found
}

/// Members that `member` knows although it is not above them.
fn between_members(graph: &Graph<'_>, member: &Package) -> Vec<String> {
    let others = graph.ships_with(member).filter(|other| graph.is_member(other));
    others
        .filter_map(|other| may_depend(&member.name, &other.name).err())
        .collect()
}

/// Crates that `member` reaches, itself or through other foreign crates, although they have their home elsewhere. What a
/// member brings in is that member's matter.
fn foreign(graph: &Graph<'_>, member: &Package) -> Vec<String> {
    let banned: Vec<&Ban> = BANS.iter().filter(|ban| ban.applies_to(&member.name)).collect();
    let mut seen = BTreeSet::from([member.id.as_str()]);
    let mut found = Vec::new();
    let mut queue = VecDeque::from([(member, member.name.clone())]);
    while let Some((package, path)) = queue.pop_front() {
        for next in graph.ships_with(package).filter(|next| !graph.is_member(next)) {
            if !seen.insert(&next.id) {
                continue;
            }
            let path = format!("{path} -> {}", next.name);
            match banned.iter().find(|ban| ban.crates.contains(&next.name.as_str())) {
                Some(ban) => found.push(format!("{path}: {}", ban.reason)),
                // Tauri brings a world of its own; of the shell only what it names itself is judged.
                None if member.name == SHELL => {}
                None => queue.push_back((next, path)),
            }
        }
    }
    found
}

/// Features that `member` turns on although it may not.
fn features(member: &Package) -> Vec<String> {
    let rules = FEATURES.iter().filter(|rule| rule.member == member.name);
    rules
        .flat_map(|rule| {
            let declared = member
                .dependencies
                .iter()
                .filter(|one| one.name == rule.of && one.kind != Some(Kind::Dev));
            let extra = declared
                .flat_map(|one| &one.features)
                .filter(|feature| !rule.allowed.contains(&feature.as_str()));
            extra.map(|feature| format!("{} turns on {}/{feature}: {}", member.name, rule.of, rule.reason))
        })
        .collect()
}

/// Who depends on whom outside of tests.
struct Graph<'a> {
    packages: BTreeMap<&'a str, &'a Package>,
    members: BTreeSet<&'a str>,
    edges: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Self {
        let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
        Self {
            packages: metadata
                .packages
                .iter()
                .map(|package| (package.id.as_str(), package))
                .collect(),
            members: metadata.workspace_members.iter().map(String::as_str).collect(),
            edges: nodes
                .map(|node| {
                    let ships = node.deps.iter().filter(|edge| edge.ships());
                    (node.id.as_str(), ships.map(|edge| edge.pkg.as_str()).collect())
                })
                .collect(),
        }
    }

    fn members(&self) -> impl Iterator<Item = &'a Package> {
        self.members.iter().filter_map(|id| self.packages.get(id).copied())
    }

    fn is_member(&self, package: &Package) -> bool {
        self.members.contains(package.id.as_str())
    }

    fn ships_with(&self, package: &Package) -> impl Iterator<Item = &'a Package> {
        self.edges
            .get(package.id.as_str())
            .into_iter()
            .flatten()
            .filter_map(|id| self.packages.get(id).copied())
    }
}
