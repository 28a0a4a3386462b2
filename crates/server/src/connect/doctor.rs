//! What a connection is worth, end to end: each check says what it found and what to do. It changes nothing unless told to fix.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use countersign_agents::hook::Agent;
use countersign_agents::settings::{self, Entry, our_arguments, registered};
use countersign_agents::versions::{Known, known, tried};
use countersign_hub::random_hex;
use countersign_model::{ConnectionState, Finding, Outcome};
use serde_json::json;

use super::{ConnectError, Files, Plan, Scope, Surroundings, Wanted, child, place, trust, unreadable};

/// How long a probe may take to the log.
const PROBE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);

/// The hub, as whoever examines reaches it.
pub trait HubSide {
    /// Its address, if it answers.
    ///
    /// # Errors
    /// Why not, and what to do about it.
    fn reach(&self) -> Result<String, String>;

    /// Whether its log has an event of this agent and session.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn has(&self, agent: &str, session: &str) -> Result<bool, String>;
}

/// An examination.
pub struct Doctor<'a> {
    /// Where things are.
    pub around: &'a Surroundings,
    /// Whose settings.
    pub scope: &'a Scope,
    /// The hub.
    pub hub: &'a dyn HubSide,
    /// The time, as RFC 3339 has it, when what can be fixed is to be fixed.
    pub fix: Option<String>,
}

/// Looks at everything.
#[must_use]
pub fn examine(doctor: &Doctor<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let agent = doctor.scope.agent;
    let program = doctor.around.agent(agent);
    found.extend(installed(doctor, program.as_deref()));
    let mut connected = settings_of(doctor, &mut found);
    if connected.as_ref().is_some_and(|connected| connected.fixable)
        && let Some(now) = &doctor.fix
    {
        match fix(doctor, connected.as_ref(), now) {
            Ok(done) => {
                found.retain(|finding| {
                    !matches!(finding.check.as_str(), "settings" | "events" | "other-path" | "program")
                });
                found.push(done);
                connected = settings_of(doctor, &mut found);
            }
            Err(error) => found.push(unreadable(&error)),
        }
    }
    let hub = match doctor.hub.reach() {
        Ok(url) => {
            found.push(Finding::ok("hub", format!("the hub answers at {url}")));
            found.extend(usage(doctor, &url));
            true
        }
        Err(why) => {
            found.push(Finding::fail(
                "hub",
                why.lines().next().unwrap_or_default(),
                "Open the Countersign app, or run `countersign serve`. What agents do meanwhile is kept and shown later.",
            ));
            false
        }
    };
    let Some(connected) = connected else { return found };
    if let (true, Some(entry)) = (hub, &connected.first) {
        found.push(probe(doctor, entry));
    }
    if let (Agent::Codex, true, Some(codex)) = (agent, connected.first.is_some(), &program) {
        let folder = doctor
            .scope
            .project
            .clone()
            .unwrap_or_else(|| doctor.around.home.clone());
        found.push(trust::ask(codex, &folder));
    }
    found
}

fn installed(doctor: &Doctor<'_>, program: Option<&Path>) -> Vec<Finding> {
    let agent = doctor.scope.agent;
    let Some(program) = program else {
        let what = format!("`{}` is not on the path", agent.program());
        return vec![Finding::warn(
            "agent",
            what,
            format!("Install {}, or look whether the path leads to it.", agent.title()),
        )];
    };
    let mut found = vec![Finding::ok(
        "agent",
        format!("{} is {}", agent.title(), program.display()),
    )];
    let Some(version) = doctor.around.version(program) else {
        let advice = format!("Run `{} --version` and see what it says.", agent.program());
        found.push(Finding::warn(
            "version",
            format!("{} does not say its version", agent.title()),
            advice,
        ));
        return found;
    };
    let title = agent.title();
    found.push(match known(agent, &version) {
        Known::Works => Finding::ok(
            "version",
            format!("{title} {version} is among the versions that were tried"),
        ),
        Known::TooOld(first) => Finding::fail(
            "version",
            format!("{title} {version} has no hooks for permissions; they came with {first}"),
            format!("Update {title}."),
        ),
        Known::Untried | Known::Odd => Finding::warn(
            "version",
            format!("{title} {version} was not tried; {}.x was", tried(agent)),
            "It will most likely work. If something is missing, say so to the makers of Countersign.",
        ),
    });
    found
}

/// What the settings say of the connection.
struct Connected {
    first: Option<Entry>,
    fixable: bool,
}

fn settings_of(doctor: &Doctor<'_>, found: &mut Vec<Finding>) -> Option<Connected> {
    let agent = doctor.scope.agent;
    let connect = format!("countersign connect {}", agent.name());
    let looked = Files::read(doctor.around, doctor.scope).and_then(|files| {
        let own = doctor.around.own().map(|own| own.display().to_string());
        let (state, _) = state(&files, own.as_deref())?;
        let conflicts = files.conflicts(files.hooks.text.as_deref(), own.as_deref())?;
        Ok((ours(&files)?, state, conflicts, files))
    });
    let (ours, state, conflicts, files) = match looked {
        Ok(looked) => looked,
        Err(error) => {
            found.push(unreadable(&error));
            return None;
        }
    };
    let file = files.hooks.path.display();
    let missing: Vec<&str> = registered(agent)
        .filter(|event| !ours.iter().any(|entry| entry.event == *event))
        .collect();
    if ours.is_empty() {
        found.push(Finding::fail(
            "settings",
            format!("{} is not connected: {file} has no hook of Countersign", agent.title()),
            format!("Run `{connect}`."),
        ));
    } else if !missing.is_empty() {
        found.push(Finding::fail(
            "settings",
            format!("{file} lacks hooks for {}", missing.join(", ")),
            format!("Run `{connect}` again."),
        ));
    } else {
        match touched(doctor, &ours) {
            Some(true) => found.push(Finding::warn(
                "settings",
                format!("Countersign's hooks in {file} are not as `{connect}` writes them"),
                format!("Leave them if that is your wish; else run `{connect}` again."),
            )),
            _ => found.push(Finding::ok(
                "settings",
                format!("{file} has all {} hooks", registered(agent).count()),
            )),
        }
    }
    let mut programs: Vec<&str> = ours.iter().filter_map(|entry| entry.program.as_deref()).collect();
    programs.sort_unstable();
    programs.dedup();
    for program in &programs {
        found.push(runs(doctor, program, &connect));
    }
    found.extend(conflicts);
    Some(Connected {
        fixable: state != ConnectionState::Connected || touched(doctor, &ours) == Some(true),
        first: ours.into_iter().next(),
    })
}

fn runs(doctor: &Doctor<'_>, program: &str, connect: &str) -> Finding {
    let path = if program.contains(['/', '\\']) {
        PathBuf::from(program)
    } else {
        // Found on the path, as a shell does.
        match doctor.around.own() {
            Some(own) => own,
            None => PathBuf::from(program),
        }
    };
    if !place::is_program(&path) {
        return Finding::fail(
            "program",
            format!("the hooks run {program}, which is not there"),
            format!("Run `{connect}` with the Countersign that you use."),
        );
    }
    match doctor.around.version(&path) {
        None => Finding::fail(
            "program",
            format!("{program} does not run"),
            "Install Countersign again, and connect again.",
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

fn ours(files: &Files) -> Result<Vec<Entry>, ConnectError> {
    let entries = match &files.hooks.text {
        Some(text) => {
            settings::entries(files.kind, text).map_err(|error| super::left_alone(&files.hooks.path, error.into()))?
        }
        None => Vec::new(),
    };
    Ok(entries.into_iter().filter(|entry| entry.ours).collect())
}

/// How much of a connection the hooks' file has, and what is said while no hub is there.
pub(super) fn state(files: &Files, own: Option<&str>) -> Result<(ConnectionState, Option<String>), ConnectError> {
    let ours = ours(files)?;
    let whole = registered(files.kind.agent()).all(|event| ours.iter().any(|entry| entry.event == event));
    let here = ours
        .iter()
        .all(|entry| entry.program.is_none() || own.is_none() || entry.program.as_deref() == own);
    let state = match ours.first() {
        None => ConnectionState::None,
        Some(_) if whole && here => ConnectionState::Connected,
        Some(_) => ConnectionState::Partly,
    };
    let words = ours
        .first()
        .and_then(|entry| chosen(entry, files.kind.agent()))
        .unwrap_or_default();
    let mut words = words.into_iter().skip_while(|word| word != "--when-absent");
    let policy = words.nth(1);
    Ok((state, policy))
}

/// The arguments behind `hook AGENT` as they were chosen when it was connected.
fn chosen(entry: &Entry, agent: Agent) -> Option<Vec<String>> {
    our_arguments(&entry.runs, agent)
}

fn as_connected(doctor: &Doctor<'_>, ours: &[Entry]) -> Option<Plan> {
    let first = ours.first()?;
    let wanted = Wanted {
        more: chosen(first, doctor.scope.agent)?,
        ..Wanted::default()
    };
    Plan::connect(doctor.around, doctor.scope, &wanted).ok()
}

/// Whether connecting again with the same choices would change the settings; nothing when that cannot be told.
fn touched(doctor: &Doctor<'_>, ours: &[Entry]) -> Option<bool> {
    Some(!as_connected(doctor, ours)?.show().files.is_empty())
}

fn fix(doctor: &Doctor<'_>, connected: Option<&Connected>, now: &str) -> Result<Finding, ConnectError> {
    let first: Vec<Entry> = connected
        .and_then(|connected| connected.first.clone())
        .into_iter()
        .collect();
    let plan = match as_connected(doctor, &first) {
        Some(plan) => plan,
        None => Plan::connect(doctor.around, doctor.scope, &Wanted::default())?,
    };
    let change = plan.carry_out(now)?;
    let files: Vec<&str> = change.files.iter().map(|file| file.file.as_str()).collect();
    Ok(Finding::ok("fixed", format!("connected again: {}", files.join(", "))))
}

/// Whether usage and cost go to the hub that runs, where they are told at all.
fn usage(doctor: &Doctor<'_>, url: &str) -> Option<Finding> {
    let (to, ours) = Files::read(doctor.around, doctor.scope).ok()?.telemetry()?;
    let port = |url: &str| url.split('/').nth(2)?.rsplit(':').next()?.parse::<u16>().ok();
    if !ours {
        let what = if to.is_empty() {
            "elsewhere".to_owned()
        } else {
            format!("to {to}")
        };
        return Some(Finding::warn(
            "telemetry",
            format!("usage and cost are told {what}, not to Countersign"),
            "Nothing to do, unless Countersign should have them.",
        ));
    }
    Some(if port(&to) == port(url) {
        Finding::ok("telemetry", "usage and cost are told to the hub")
    } else {
        Finding::fail(
            "telemetry",
            format!("usage and cost are told to {to}, but the hub is at {url}"),
            format!(
                "Run `countersign connect {} --telemetry` while the hub runs.",
                doctor.scope.agent.name()
            ),
        )
    })
}

/// Sends an event through the program that the hooks run, and waits to see it in the log.
fn probe(doctor: &Doctor<'_>, entry: &Entry) -> Finding {
    let agent = doctor.scope.agent;
    let fail = |what: String| {
        let advice = format!("Run `echo '{{}}' | {} --verbose` and see what it says.", entry.runs);
        Finding::fail("probe", what, advice)
    };
    let Some(program) = &entry.program else {
        return Finding::ok("probe", "HTTP hooks run no program; the hub's own address takes them");
    };
    let session = format!("countersign-probe-{}", random_hex(8));
    let hook = json!({ "hook_event_name": "Probe", "session_id": session, "cwd": doctor.around.home });
    let mut command = Command::new(program);
    command.args(["hook", agent.name()]);
    match chosen(entry, agent) {
        Some(more) => command.args(more),
        None => {
            return Finding::warn(
                "probe",
                "the hooks' command was changed by hand, so it is not tried",
                "Connect again if events do not arrive.",
            );
        }
    };
    if let Err(error) = child::output(command, hook.to_string().as_bytes(), PROBE) {
        return fail(format!("{program} could not be run: {error}"));
    }
    let until = Instant::now() + PROBE;
    loop {
        match doctor.hub.has(agent.name(), &session) {
            Ok(true) => return Finding::ok("probe", "a probe event arrived in the hub's log"),
            Err(why) => return fail(format!("the hub did not say whether a probe event arrived: {why}")),
            Ok(false) if Instant::now() >= until => {
                return fail("a probe event did not arrive; the hooks may speak to another hub".to_owned());
            }
            Ok(false) => thread::sleep(LOOK),
        }
    }
}

/// Whether all is well.
#[must_use]
pub fn is_well(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.state != Outcome::Fail)
}
