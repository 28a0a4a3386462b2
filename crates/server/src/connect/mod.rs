//! Connecting agents of this machine: which settings files change, and how, in steps that first show and then do. The files' inside is
//! `countersign_agents::settings`; what a connection is worth is `doctor`'s.

mod child;
mod connector;
mod doctor;
mod files;
mod place;
mod settings_files;
mod trust;

use std::io;
use std::path::{Path, PathBuf};

use countersign_agents::absent::WhenAbsent;
use countersign_agents::hook::Agent;
use countersign_agents::settings::{self, Entry, Shell, Trouble, Wish, command_line, our_arguments};
use countersign_model::{Connection, ConnectionChange, ConnectionState, FileChange, Finding};

pub use connector::{ConnectWish, Connector, ConnectorError};
pub use countersign_agents::settings::Http;
pub use doctor::{Doctor, HubSide, examine, is_well};
pub use place::Surroundings;

use files::{AsRead, left_alone};
use settings_files::Files;

/// Lines around a change in a diff.
const CONTEXT: usize = 3;

/// Whose settings, and which.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The agent.
    pub agent: Agent,
    /// A project's settings instead of the person's own.
    pub project: Option<PathBuf>,
}

/// What a connection is to be like.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// What the agent is told while no hub is there; nothing leaves it as it was chosen before, or to the hub's configuration.
    pub when_absent: Option<WhenAbsent>,
    /// Further arguments of `countersign hook`, such as `--data-dir DIR`.
    pub more: Vec<String>,
    /// Usage and cost: `Some(Some(URL))` tells them to the hub there, `Some(None)` stops that, `None` leaves it.
    pub telemetry: Option<Option<String>>,
    /// HTTP hooks instead of a program: `Some(Some(WHERE))` uses them, `Some(None)` does not, `None` leaves it as it was chosen before.
    pub http: Option<Option<Http>>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A file that cannot be used.
    #[error("{} {what}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What cannot be done.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Something else is in the file's place.
    #[error("{} is not a file", .0.display())]
    NoFile(PathBuf),
    /// A file that is left as it is.
    #[error("{} was left alone. {trouble}", .path.display())]
    LeftAlone {
        /// The file.
        path: PathBuf,
        /// Why.
        trouble: Trouble,
    },
    /// Somebody wrote it while it was being changed.
    #[error("{} was changed by another program just now; nothing was written. Try again", .0.display())]
    Changed(PathBuf),
    /// A folder that is no project.
    #[error("{} is not a folder", .0.display())]
    NoProject(PathBuf),
    /// No program for the hooks to run.
    #[error(
        "the `countersign` program was not found beside this one or on the path, and the agent's hooks have to run it"
    )]
    NoProgram,
    /// What can only be had otherwise.
    #[error("{0}")]
    Impossible(&'static str),
}

impl ConnectError {
    fn io(path: &Path, what: &'static str, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            what,
            source,
        }
    }
}

/// What would be done, and then is.
pub struct Plan {
    agent: Agent,
    steps: Vec<(AsRead, Option<String>)>,
    findings: Vec<Finding>,
}

impl Plan {
    /// What connecting does.
    ///
    /// # Errors
    /// When a file is to be left alone; then all of them are.
    pub fn connect(around: &Surroundings, scope: &Scope, wanted: &Wanted) -> Result<Self, ConnectError> {
        if matches!(wanted.http, Some(Some(_))) && scope.agent == Agent::Codex {
            return Err(ConnectError::Impossible("Codex has no HTTP hooks; leave --http out"));
        }
        let files = Files::read(around, scope)?;
        let program = around.own().ok_or(ConnectError::NoProgram)?;
        let mut findings = Vec::new();
        let wanted = as_before(&files, wanted, &mut findings)?;
        let version = around.agent_version(scope.agent);
        let wish = wish(scope.agent, &program, &wanted, version.clone())?;
        let mut steps = Vec::new();
        for (kind, file) in files.all() {
            let mut wish = wish.clone();
            let edited = match settings::connect(kind, file.text.as_deref(), &wish) {
                Err(Trouble::OtherTelemetry(names)) => {
                    findings.push(Finding::warn(
                        "telemetry",
                        format!("{}: {}", file.path.display(), Trouble::OtherTelemetry(names)),
                        "Take those settings out and connect again with --telemetry, or let that collector forward to Countersign.",
                    ));
                    wish.telemetry = None;
                    settings::connect(kind, file.text.as_deref(), &wish)
                }
                edited => edited,
            };
            let edited = edited.map_err(|trouble| left_alone(&file.path, trouble))?;
            if kind == files.kind {
                findings.extend(files.conflicts(
                    edited.as_deref(),
                    Some(&program.to_string_lossy()),
                    version.as_deref(),
                )?);
            }
            steps.push((file.clone(), edited));
        }
        if scope.project.is_some() && scope.agent == Agent::Codex {
            findings.push(Finding::warn(
                "shared",
                format!(
                    "{} has the path of a program on this machine, and a project's files are shared through its repository",
                    files.hooks.path.display()
                ),
                "Keep that file out of the repository, or connect Codex for all projects instead.",
            ));
        }
        findings.extend(around.not_installed(scope.agent, version.as_deref()));
        findings.extend(around.other_name(&program));
        if let Some(why) = place::short_lived(&program) {
            findings.push(Finding::warn(
                "program",
                format!("the hooks run {}, but {why}", program.display()),
                "Install Countersign where it stays, and connect again with that one.",
            ));
        }
        let text = steps
            .first()
            .and_then(|(_, text): &(AsRead, Option<String>)| text.clone());
        let ours = text
            .and_then(|text| settings::entries(files.kind, &text).ok())
            .unwrap_or_default();
        let ours: Vec<Entry> = ours.into_iter().filter(|entry| entry.ours).collect();
        findings.extend(elsewhere(around, scope, &ours));
        Ok(Self {
            agent: scope.agent,
            steps,
            findings,
        })
    }

    /// What disconnecting does.
    ///
    /// # Errors
    /// When a file is to be left alone; then all of them are.
    pub fn disconnect(around: &Surroundings, scope: &Scope) -> Result<Self, ConnectError> {
        let files = Files::read(around, scope)?;
        let mut steps = Vec::new();
        for (kind, file) in files.all() {
            let edited =
                settings::disconnect(kind, file.text.as_deref()).map_err(|trouble| left_alone(&file.path, trouble))?;
            steps.push((file.clone(), edited));
        }
        Ok(Self {
            agent: scope.agent,
            steps,
            findings: Vec::new(),
        })
    }

    /// What it changes; nothing is done.
    #[must_use]
    pub fn show(&self) -> ConnectionChange {
        let files = self.changes().map(|(was, text)| change(was, text, None)).collect();
        self.report(false, files)
    }

    /// Does it. `now` is the time, as RFC 3339 has it.
    ///
    /// # Errors
    /// When a file cannot be written, or has changed since; what was written before stays.
    pub fn carry_out(&self, now: &str) -> Result<ConnectionChange, ConnectError> {
        let mut done = Vec::new();
        for (was, text) in self.changes() {
            let backup = files::replace(was, text, now)?;
            done.push(change(was, text, backup.as_deref()));
        }
        Ok(self.report(true, done))
    }

    fn changes(&self) -> impl Iterator<Item = (&AsRead, Option<&str>)> {
        self.steps
            .iter()
            .filter(|(was, text)| was.text != *text)
            .map(|(was, text)| (was, text.as_deref()))
    }

    fn report(&self, done: bool, files: Vec<FileChange>) -> ConnectionChange {
        ConnectionChange {
            agent: self.agent.name().to_owned(),
            done,
            files,
            findings: self.findings.clone(),
        }
    }
}

/// What was chosen before holds until another choice is made; a choice that sends sessions to another hub is told.
fn as_before(files: &Files, wanted: &Wanted, findings: &mut Vec<Finding>) -> Result<Wanted, ConnectError> {
    let ours = files.ours()?;
    let before: Vec<String> = ours
        .iter()
        .find_map(|entry| our_arguments(&entry.runs, files.agent()))
        .unwrap_or_default();
    let mut wanted = wanted.clone();
    if wanted.when_absent.is_none() && !wanted.more.iter().any(|word| word == "--when-absent") {
        wanted.when_absent = value_of(&before, "--when-absent").and_then(|policy| policy.parse().ok());
    }
    if wanted.http.is_none() {
        wanted.http = Some(ours.iter().find_map(Entry::http));
    }
    let (was, is) = (hub_of(&before), hub_of(&wanted.more));
    if !ours.is_empty() && was != is {
        let words = |hub: Option<&str>| hub.map_or_else(|| "the usual place".to_owned(), str::to_owned);
        findings.push(Finding::warn(
            "other-hub",
            format!(
                "the hooks spoke to the hub at {} so far, and now to the one at {}",
                words(was),
                words(is)
            ),
            "Connect again with the other --data-dir or --url if that is not what you want.",
        ));
    }
    Ok(wanted)
}

/// The hub that hooks' arguments name.
fn hub_of(words: &[String]) -> Option<&str> {
    let mut names = ["--url", "--hub", "--data-dir"].into_iter();
    names.find_map(|name| value_of(words, name))
}

/// What stands behind an option.
fn value_of<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    words
        .iter()
        .enumerate()
        .find_map(|(place, word)| match word.strip_prefix(name) {
            Some("") => words.get(place + 1).map(String::as_str),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        })
}

fn wish(agent: Agent, program: &Path, wanted: &Wanted, version: Option<String>) -> Result<Wish, ConnectError> {
    let mut more = wanted.more.clone();
    if let Some(policy) = wanted.when_absent {
        more.extend(["--when-absent".to_owned(), policy.to_string()]);
    }
    let program = program.to_str().ok_or(ConnectError::NoProgram)?;
    Ok(Wish {
        command: command_line(Shell::here(), program, agent, &more),
        http: wanted.http.clone().flatten(),
        telemetry: wanted.telemetry.clone(),
        version,
    })
}

fn change(was: &AsRead, text: Option<&str>, backup: Option<&Path>) -> FileChange {
    let path = was.path.display().to_string();
    let (old, new) = (was.text.as_deref().unwrap_or_default(), text.unwrap_or_default());
    let name = |there: bool| if there { path.clone() } else { "/dev/null".to_owned() };
    let diff = similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&name(was.text.is_some()), &name(text.is_some()))
        .to_string();
    FileChange {
        file: path.clone(),
        diff,
        backup: backup.map(|backup| backup.display().to_string()),
    }
}

/// Whether the same agent is connected in the other place, too, so that everything would be told twice. `ours` is what is, or will be,
/// in this one.
fn elsewhere(around: &Surroundings, scope: &Scope, ours: &[Entry]) -> Option<Finding> {
    let other = Scope {
        agent: scope.agent,
        project: match scope.project {
            Some(_) => None,
            None => Some(around.here.clone()?),
        },
    };
    let files = Files::read(around, &other).ok()?;
    let there = files.ours().ok()?;
    let ours = ours.first()?;
    // Claude Code runs equal commands once (2.1.197); Codex does not (0.169.0).
    let once = |entry: &Entry| scope.agent == Agent::ClaudeCode && entry.runs == ours.runs;
    let differs = there.iter().find(|entry| entry.event == ours.event && !once(entry))?;
    let (here, there) = match scope.project {
        Some(_) => ("for all projects, too", "countersign disconnect"),
        None => ("in this folder's project, too", "countersign disconnect --project ."),
    };
    Some(Finding::fail(
        "twice",
        format!(
            "{} is connected {here} ({}: `{}`), so that everything is told and asked twice",
            scope.agent.title(),
            files.hooks.path.display(),
            differs.runs
        ),
        format!(
            "One of the two is enough: `{there} {}` takes that one out.",
            scope.agent.name()
        ),
    ))
}

/// Whether settings have any hook of ours.
#[must_use]
pub fn is_connected(scope: &Scope, around: &Surroundings) -> bool {
    let ours = Files::read(around, scope).and_then(|files| files.ours());
    ours.is_ok_and(|ours| !ours.is_empty())
}

/// Agents of this machine, and how they are connected.
#[must_use]
pub fn connections(around: &Surroundings, project: Option<&Path>) -> Vec<Connection> {
    let one = |agent| connection(around, agent, project);
    Agent::ALL.into_iter().map(one).collect()
}

fn connection(around: &Surroundings, agent: Agent, project: Option<&Path>) -> Connection {
    let scope = Scope {
        agent,
        project: project.map(Path::to_owned),
    };
    let program = around.agent(agent);
    let mut connection = Connection {
        agent: agent.name().to_owned(),
        title: agent.title().to_owned(),
        version: around.agent_version(agent),
        program: program.map(|program| program.display().to_string()),
        state: ConnectionState::Unreadable,
        file: around.folder(agent, project).display().to_string(),
        telemetry: false,
        when_absent: None,
        findings: Vec::new(),
    };
    let files = match Files::read(around, &scope) {
        Ok(files) => files,
        Err(error) => {
            connection.findings.push(unreadable(&error));
            return connection;
        }
    };
    connection.file = files.hooks.path.display().to_string();
    connection.telemetry = files.telemetry().is_some_and(|(_, ours)| ours);
    let own = around.own().map(|own| own.display().to_string());
    match doctor::state(&files, own.as_deref(), connection.version.as_deref()) {
        Ok((state, when_absent)) => {
            connection.state = state;
            connection.when_absent = when_absent;
        }
        Err(error) => connection.findings.push(unreadable(&error)),
    }
    match files.conflicts(
        files.hooks.text.as_deref(),
        own.as_deref(),
        connection.version.as_deref(),
    ) {
        Ok(findings) => connection.findings.extend(findings),
        Err(error) if connection.state != ConnectionState::Unreadable => connection.findings.push(unreadable(&error)),
        Err(_) => {}
    }
    connection
}

fn unreadable(error: &ConnectError) -> Finding {
    let advice = match error {
        ConnectError::LeftAlone { .. } => "Put the file right, by hand or from a backup, and connect again.",
        ConnectError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            "See whose it is and who may read and write there (`ls -l`), and give yourself the right."
        }
        ConnectError::Io { .. } => "See what is in its place, and in that of the folders above it.",
        ConnectError::NoFile(_) => "Move away what is in the file's place.",
        ConnectError::Changed(_) => "Try again.",
        ConnectError::NoProject(_) => "Name the folder of a project.",
        ConnectError::NoProgram => "Install Countersign so that `countersign` is on the path.",
        ConnectError::Impossible(_) => "Choose otherwise.",
    };
    Finding::fail("settings", error.to_string(), advice)
}
