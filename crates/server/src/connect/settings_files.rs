//! The settings files that matter for a scope, read once: the one with the hooks, and those that say whether hooks are run at all.

use std::path::{Path, PathBuf};

use countersign_agents::hook::Agent;
use countersign_agents::settings::{self, Beside, Entry, Kind, Level, Rank};
use countersign_model::Finding;

use super::files::{AsRead, left_alone, read};
use super::{ConnectError, Scope, Surroundings};

/// Files in a folder of an administrator's that are read.
const MOST_MANAGED: usize = 100;

pub(super) struct Files {
    pub(super) kind: Kind,
    pub(super) hooks: AsRead,
    /// Codex's `config.toml`, where that is another file.
    pub(super) config: Option<AsRead>,
    rank: Rank,
    levels: Vec<Level>,
    /// What an administrator demands of Codex.
    requirements: Option<String>,
}

impl Files {
    pub(super) fn read(around: &Surroundings, scope: &Scope) -> Result<Self, ConnectError> {
        if let Some(project) = scope.project.as_ref().filter(|project| !project.is_dir()) {
            return Err(ConnectError::NoProject(project.clone()));
        }
        let folder = around.folder(scope.agent, scope.project.as_deref());
        match scope.agent {
            Agent::ClaudeCode => claude(around, scope, &folder),
            Agent::Codex => codex(around, &folder),
        }
    }

    pub(super) fn agent(&self) -> Agent {
        self.kind.agent()
    }

    /// The files to be changed, each with how it is read.
    pub(super) fn all(&self) -> impl Iterator<Item = (Kind, &AsRead)> {
        let config = self.config.as_ref().map(|config| (Kind::CodexConfig(false), config));
        std::iter::once((self.kind, &self.hooks)).chain(config)
    }

    /// Our entries.
    pub(super) fn ours(&self) -> Result<Vec<Entry>, ConnectError> {
        let entries = match &self.hooks.text {
            Some(text) => {
                settings::entries(self.kind, text).map_err(|error| left_alone(&self.hooks.path, error.into()))?
            }
            None => Vec::new(),
        };
        Ok(entries.into_iter().filter(|entry| entry.ours).collect())
    }

    /// What stands in the way, once the hooks' file is like `text`.
    pub(super) fn conflicts(
        &self,
        text: Option<&str>,
        program: Option<&str>,
        version: Option<&str>,
    ) -> Result<Vec<Finding>, ConnectError> {
        let path = self.hooks.path.display().to_string();
        let beside = Beside {
            program,
            version,
            path: &path,
            rank: self.rank,
            levels: &self.levels,
            config: self.config.as_ref().and_then(|config| config.text.as_deref()),
            requirements: self.requirements.as_deref(),
        };
        settings::look(self.kind, text, beside).map_err(|error| {
            // Of two files, the one that is at fault is the one that cannot be read by itself.
            let config = self
                .config
                .as_ref()
                .filter(|_| settings::look(self.kind, text, Beside { config: None, ..beside }).is_ok());
            left_alone(config.map_or(&self.hooks.path, |config| &config.path), error.into())
        })
    }

    /// Where usage and cost go, and whether that is our doing.
    pub(super) fn telemetry(&self) -> Option<(String, bool)> {
        self.all()
            .find_map(|(kind, file)| settings::telemetry(kind, file.text.as_deref()?).ok()?)
    }

    /// A variable that the settings set for the agent.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let own = self.hooks.text.iter().map(String::as_str);
        let all = own.chain(self.levels.iter().rev().map(|level| level.text.as_str()));
        all.filter_map(|text| settings::variable(text, name)).next()
    }
}

fn claude(around: &Surroundings, scope: &Scope, folder: &Path) -> Result<Files, ConnectError> {
    // A project's own file is shared through its repository; the path of a program on this machine is not for sharing.
    let (name, rank) = match scope.project {
        Some(_) => ("settings.local.json", Rank::Local),
        None => ("settings.json", Rank::User),
    };
    let hooks = read(&folder.join(name))?;
    let user = around.folder(Agent::ClaudeCode, None).join("settings.json");
    let mut places = vec![(Rank::User, user)];
    if let Some(project) = scope.project.as_ref().or(around.here.as_ref()) {
        let folder = around.folder(Agent::ClaudeCode, Some(project));
        places.push((Rank::Project, folder.join("settings.json")));
        places.push((Rank::Local, folder.join("settings.local.json")));
    }
    places.extend(managed(&around.managed).into_iter().map(|path| (Rank::Managed, path)));
    let mut seen = vec![hooks.path.clone()];
    let mut levels = Vec::new();
    for (rank, path) in places {
        if seen.contains(&path) {
            continue;
        }
        // One that cannot be read says nothing, to Claude Code as well.
        if let Ok(AsRead { text: Some(text), .. }) = read(&path) {
            let path = path.display().to_string();
            levels.push(Level { rank, path, text });
        }
        seen.push(path);
    }
    Ok(Files {
        kind: Kind::ClaudeSettings,
        hooks,
        config: None,
        rank,
        levels,
        requirements: None,
    })
}

/// `managed-settings.json`, and those of `managed-settings.d` in the order of their names, which Claude Code merges in that order.
fn managed(folder: &Path) -> Vec<PathBuf> {
    let mut more: Vec<PathBuf> = std::fs::read_dir(folder.join("managed-settings.d"))
        .into_iter()
        .flatten()
        .take(MOST_MANAGED)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".json") && !name.starts_with('.')
        })
        .collect();
    more.sort();
    more.insert(0, folder.join("managed-settings.json"));
    more
}

fn codex(around: &Surroundings, folder: &Path) -> Result<Files, ConnectError> {
    let hooks = read(&folder.join("hooks.json"))?;
    let config = read(&folder.join("config.toml"))?;
    let inline = match &config.text {
        Some(text) if hooks.text.is_none() => {
            settings::has_inline_hooks(text).map_err(|error| left_alone(&config.path, error.into()))?
        }
        _ => false,
    };
    let (kind, hooks, config) = if inline {
        (Kind::CodexConfig(true), config, None)
    } else {
        (Kind::CodexHooks, hooks, Some(config))
    };
    Ok(Files {
        kind,
        hooks,
        config,
        rank: Rank::User,
        levels: Vec::new(),
        requirements: read(&around.requirements).ok().and_then(|file| file.text),
    })
}
