//! What settings say of a connection, and connecting again with the same choices.

use std::path::PathBuf;

use countersign_agents::hook::Agent;
use countersign_agents::settings::{Entry, our_arguments, registered};
use countersign_model::{ConnectionState, Finding, Outcome};

use super::super::{ConnectError, Files, Plan, Wanted, elsewhere, place, unreadable, value_of};
use super::Doctor;

/// What is found about settings, and found anew once they have changed.
const CHECKS: [&str; 12] = [
    "twice",
    "version-events",
    "settings",
    "events",
    "other-path",
    "other-hook",
    "program",
    "hooks-off",
    "managed",
    "asks-nobody",
    "http-hooks",
    "two-places",
];

/// A connection as settings have it.
pub(super) struct Connected {
    files: Files,
    ours: Vec<Entry>,
    /// Whether connecting again would put something right.
    pub(super) fixable: bool,
    /// Whether somebody has changed our entries.
    changed: bool,
    /// The arguments of our hooks' program, as they were chosen.
    pub(super) arguments: Option<Vec<String>>,
    /// The agent's version.
    version: Option<String>,
    /// Whether the program runs.
    runs: bool,
}

impl Connected {
    /// Whether there is a hook of ours at all.
    pub(super) fn is_some(&self) -> bool {
        !self.ours.is_empty()
    }

    /// An entry that runs a program that runs.
    pub(super) fn run(&self) -> Option<(&str, &Entry)> {
        let mut entries = self.ours.iter().filter(|_| self.runs);
        entries.find_map(|entry| Some((entry.program.as_deref()?, entry)))
    }

    /// An entry that is posted.
    pub(super) fn posted(&self) -> Option<&Entry> {
        self.ours.iter().find(|entry| entry.program.is_none())
    }

    /// A variable that the settings set.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.files.variable(name)
    }

    /// Where usage and cost go, and whether that is our doing.
    pub(super) fn telemetry(&self) -> Option<(String, bool)> {
        self.files.telemetry()
    }

    /// The choices that led to it.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted {
            more: self.arguments.clone().unwrap_or_default(),
            ..Wanted::default()
        }
    }
}

/// Reads the settings and says what is found; nothing when they cannot be read.
pub(super) fn look(doctor: &Doctor<'_>, found: &mut Vec<Finding>) -> Option<Connected> {
    let connected = read(doctor).map_err(|error| found.push(unreadable(&error))).ok()?;
    let own = doctor.around.own().map(|own| own.display().to_string());
    let mut conflicts = match connected.files.conflicts(
        connected.files.hooks.text.as_deref(),
        own.as_deref(),
        connected.version.as_deref(),
    ) {
        Ok(conflicts) => conflicts,
        Err(error) => {
            found.push(unreadable(&error));
            return None;
        }
    };
    let connect = format!("countersign connect {}", doctor.scope.agent.name());
    let mut programs: Vec<&str> = connected
        .ours
        .iter()
        .filter_map(|entry| entry.program.as_deref())
        .collect();
    programs.sort_unstable();
    programs.dedup();
    let programs: Vec<Finding> = programs.iter().map(|program| runs(doctor, program, &connect)).collect();
    // One fact is told once, by the check that says most about it.
    if programs.iter().any(|finding| finding.state == Outcome::Fail) {
        conflicts.retain(|finding| finding.check != "other-path");
    }
    let told = conflicts.iter().chain(&programs).any(|finding| {
        matches!(finding.check.as_str(), "other-path" | "events" | "version-events")
            || (finding.check == "program" && finding.state == Outcome::Fail)
    });
    found.push(settings(doctor, &connected, told, &connect));
    let runs = programs.iter().all(|finding| finding.state != Outcome::Fail);
    found.extend(programs);
    found.extend(conflicts);
    found.extend(elsewhere(doctor.around, doctor.scope, &connected.ours));
    Some(Connected { runs, ..connected })
}

fn read(doctor: &Doctor<'_>) -> Result<Connected, ConnectError> {
    let files = Files::read(doctor.around, doctor.scope)?;
    let own = doctor.around.own().map(|own| own.display().to_string());
    let version = doctor.around.agent_version(doctor.scope.agent);
    let (state, _) = state(&files, own.as_deref(), version.as_deref())?;
    let ours = files.ours()?;
    let arguments = ours.iter().find_map(|entry| chosen(entry, doctor.scope.agent));
    let mut connected = Connected {
        files,
        ours,
        fixable: false,
        changed: false,
        arguments,
        version,
        runs: true,
    };
    let again = Plan::connect(doctor.around, doctor.scope, &connected.wanted());
    connected.changed = connected.is_some() && again.is_ok_and(|plan| !plan.show().files.is_empty());
    connected.fixable = connected.is_some() && (state != ConnectionState::Connected || connected.changed);
    Ok(connected)
}

fn settings(doctor: &Doctor<'_>, connected: &Connected, told: bool, connect: &str) -> Finding {
    let agent = doctor.scope.agent;
    let file = connected.files.hooks.path.display();
    let missing: Vec<&str> = registered(agent, connected.version.as_deref())
        .filter(|event| !connected.ours.iter().any(|entry| entry.event == *event))
        .collect();
    if !connected.is_some() {
        let what = format!("{} is not connected: {file} has no hook of Countersign", agent.title());
        let advice = format!("Run `{connect}`.");
        if doctor.asked {
            Finding::fail("settings", what, advice)
        } else {
            Finding::warn("settings", what, advice)
        }
    } else if !missing.is_empty() {
        let what = format!("{file} lacks hooks for {}", missing.join(", "));
        Finding::fail("settings", what, format!("Run `{connect}` again."))
    } else if connected.changed && !told {
        Finding::warn(
            "settings",
            format!("Countersign's hooks in {file} are not as `{connect}` writes them"),
            format!("If the change is yours, leave it; else run `{connect}` again. `--fix` writes them anew."),
        )
    } else {
        Finding::ok(
            "settings",
            format!(
                "{file} has all {} hooks",
                registered(agent, connected.version.as_deref()).count()
            ),
        )
    }
}

fn runs(doctor: &Doctor<'_>, program: &str, connect: &str) -> Finding {
    let path = if program.contains(['/', '\\']) {
        PathBuf::from(program)
    } else {
        // Found on the path, as a shell does.
        doctor.around.own().unwrap_or_else(|| PathBuf::from(program))
    };
    let again = format!("Run `{connect}` with the Countersign that you use.");
    if !place::is_program(&path) {
        let why = if path.exists() {
            "cannot be run: it is no program, or nobody may run it"
        } else {
            "is not there"
        };
        return Finding::fail("program", format!("the hooks run {program}, which {why}"), again);
    }
    match doctor.around.version(&path) {
        None => Finding::fail(
            "program",
            format!("the hooks run {program}, which does not say a version, as Countersign does"),
            again,
        ),
        Some(version) if version != crate::VERSION => Finding::warn(
            "program",
            format!(
                "the hooks run Countersign {version} at {program}, this is {}",
                crate::VERSION
            ),
            format!("Run `{connect}` with the one that you use."),
        ),
        Some(_) => match place::short_lived(&path) {
            Some(why) => Finding::warn(
                "program",
                format!("the hooks run {program}, but {why}"),
                format!("Install Countersign where it stays, and run `{connect}` with that one."),
            ),
            None => Finding::ok("program", format!("the hooks run {program}")),
        },
    }
}

/// How much of a connection the hooks' file has, and what is said while no hub is there.
pub(in super::super) fn state(
    files: &Files,
    own: Option<&str>,
    version: Option<&str>,
) -> Result<(ConnectionState, Option<String>), ConnectError> {
    let ours = files.ours()?;
    let whole = registered(files.agent(), version).all(|event| ours.iter().any(|entry| entry.event == event));
    let here = ours
        .iter()
        .all(|entry| entry.program.is_none() || own.is_none() || entry.program.as_deref() == own);
    let state = match ours.first() {
        None => ConnectionState::None,
        Some(_) if whole && here => ConnectionState::Connected,
        Some(_) => ConnectionState::Partly,
    };
    let words = ours.iter().find_map(|entry| chosen(entry, files.agent()));
    let policy = words.and_then(|words| value_of(&words, "--when-absent").map(str::to_owned));
    Ok((state, policy))
}

/// The arguments behind `hook AGENT` as they were chosen when it was connected.
pub(super) fn chosen(entry: &Entry, agent: Agent) -> Option<Vec<String>> {
    our_arguments(&entry.runs, agent)
}

/// Connects again with the same choices, and looks again.
pub(super) fn connect_again(doctor: &Doctor<'_>, connected: Connected, found: &mut Vec<Finding>) -> Connected {
    let now = doctor.fix.as_deref().unwrap_or_default();
    match connect_with(doctor, &connected.wanted(), now) {
        Ok((fixed, _)) => {
            found.retain(|finding| !CHECKS.contains(&finding.check.as_str()));
            found.extend(fixed);
            look(doctor, found).unwrap_or(connected)
        }
        Err(error) => {
            found.push(unreadable(&error));
            connected
        }
    }
}

/// Connects anew; says what was done, and what stands there then.
pub(super) fn connect_with(
    doctor: &Doctor<'_>,
    wanted: &Wanted,
    now: &str,
) -> Result<(Option<Finding>, Connected), ConnectError> {
    let change = Plan::connect(doctor.around, doctor.scope, wanted)?.carry_out(now)?;
    let files: Vec<String> = change
        .files
        .iter()
        .map(|file| match &file.backup {
            Some(backup) => format!("{} (as it was: {backup})", file.file),
            None => file.file.clone(),
        })
        .collect();
    let done = (!files.is_empty()).then(|| Finding::ok("fixed", format!("connected again: {}", files.join(", "))));
    Ok((done, read(doctor)?))
}
