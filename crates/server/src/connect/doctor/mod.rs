//! What a connection is worth, end to end: each check says what it found and what to do. It changes nothing unless told to fix.

mod connected;
mod posting;
mod probe;
mod start;

use std::path::Path;

use countersign_agents::hook::Agent;
use countersign_agents::versions::{Known, known, tried};
use countersign_model::{Finding, Outcome};

use super::{Scope, Surroundings, Wanted, trust, unreadable};
use connected::Connected;
pub(super) use connected::state;

/// The hub, as whoever examines reaches it.
pub trait HubSide {
    /// Its address, if it answers.
    ///
    /// # Errors
    /// What is wrong, and what to do about it.
    fn reach(&self) -> Result<String, Finding>;

    /// Whether its log has an event of this agent and session.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn has(&self, agent: &str, session: &str) -> Result<bool, String>;

    /// The hub that hooks with these arguments speak to, where that is another one than this.
    fn named(&self, _arguments: &[String]) -> Option<Box<dyn HubSide>> {
        None
    }
}

/// An examination.
pub struct Doctor<'a> {
    /// Where things are.
    pub around: &'a Surroundings,
    /// Whose settings.
    pub scope: &'a Scope,
    /// Whether somebody wants to know of this very agent, who counts as unwell when it is not connected.
    pub asked: bool,
    /// The hub.
    pub hub: &'a dyn HubSide,
    /// The time, as RFC 3339 has it, when what can be fixed is to be fixed.
    pub fix: Option<String>,
}

/// Checks that say why an agent runs no hooks at all: there is no use in trying.
const REASONS: [&str; 5] = ["hooks-off", "managed", "strict-json", "refused", "version-events"];

/// Looks at everything.
#[must_use]
pub fn examine(doctor: &Doctor<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let program = doctor.around.agent(doctor.scope.agent);
    found.extend(installed(doctor, program.as_deref()));
    let Some(mut connected) = connected::look(doctor, &mut found) else {
        found.extend(doctor.hub.reach().err());
        return found;
    };
    if connected.fixable && doctor.fix.is_some() {
        connected = connected::connect_again(doctor, connected, &mut found);
    }
    let named = connected
        .arguments
        .as_deref()
        .and_then(|arguments| doctor.hub.named(arguments));
    let hub = named.as_deref().unwrap_or(doctor.hub);
    match hub.reach() {
        Ok(url) => {
            found.push(Finding::ok("hub", format!("the hub answers at {url}")));
            let examined = Examined { doctor, hub, url: &url };
            found.extend(examined.usage(&connected));
            examined.arrivals(&connected, program.as_deref(), &mut found);
        }
        Err(why) => found.push(why),
    }
    if let (Agent::Codex, true, Some(codex)) = (doctor.scope.agent, connected.is_some(), &program) {
        found.extend(trusted(doctor, codex, &found));
    }
    found
}

/// What Codex says of the hooks; that it sees none is no news where the reason is known.
fn trusted(doctor: &Doctor<'_>, codex: &Path, found: &[Finding]) -> Vec<Finding> {
    let project = doctor.scope.project.as_deref();
    let told = trust::ask(codex, project.unwrap_or(&doctor.around.home), project.is_some());
    if has_reason(found) {
        return told.into_iter().filter(|finding| finding.check != "trust").collect();
    }
    told
}

fn has_reason(found: &[Finding]) -> bool {
    found
        .iter()
        .any(|finding| finding.state == Outcome::Fail && REASONS.contains(&finding.check.as_str()))
}

/// An examination with a hub that answers.
struct Examined<'a> {
    doctor: &'a Doctor<'a>,
    hub: &'a dyn HubSide,
    url: &'a str,
}

impl Examined<'_> {
    /// Whether what hooks tell arrives.
    fn arrivals(&self, connected: &Connected, program: Option<&Path>, found: &mut Vec<Finding>) {
        if !connected.is_some() {
            return;
        }
        let before = found.len();
        if let Some((program, entry)) = connected.run() {
            found.push(self.probe(program, entry));
        }
        if let Some(entry) = connected.posted() {
            self.posts(connected, entry, found);
        }
        let arrive = found[before..].iter().all(|finding| finding.state != Outcome::Fail);
        if let (Agent::ClaudeCode, true, false, Some(claude)) =
            (self.doctor.scope.agent, arrive, has_reason(found), program)
        {
            found.push(self.start(claude));
        }
    }

    /// Whether usage and cost go to the hub that runs, where they are told at all.
    fn usage(&self, connected: &Connected) -> Option<Finding> {
        let (to, ours) = connected.telemetry()?;
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
        if port(&to) == port(self.url) {
            return Some(Finding::ok("telemetry", "usage and cost are told to the hub"));
        }
        if let Some(now) = &self.doctor.fix {
            let wanted = Wanted {
                telemetry: Some(Some(self.url.to_owned())),
                ..connected.wanted()
            };
            return Some(match connected::connect_with(self.doctor, &wanted, now) {
                Ok(_) => Finding::ok(
                    "telemetry",
                    format!("usage and cost are told to the hub at {} now", self.url),
                ),
                Err(error) => unreadable(&error),
            });
        }
        Some(Finding::fail(
            "telemetry",
            format!("usage and cost are told to {to}, but the hub is at {}", self.url),
            format!(
                "Run `countersign connect {} --telemetry` while the hub runs.",
                self.doctor.scope.agent.name()
            ),
        ))
    }
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
            format!("{title} {version} is among the versions that are known to work"),
        ),
        Known::TooOld(first) => Finding::fail(
            "version",
            format!("{title} {version} has no hooks for permissions; they came with {first}"),
            format!("Update {title}."),
        ),
        Known::Untried | Known::Odd => Finding::warn(
            "version",
            format!("{title} {version} was not tried; {}", tried(agent)),
            "It will most likely work. If something is missing, say so to the makers of Countersign.",
        ),
    });
    found
}

/// Whether all is well.
#[must_use]
pub fn is_well(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.state != Outcome::Fail)
}
