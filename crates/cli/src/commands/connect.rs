//! `countersign connect`: writes Countersign's hooks into an agent's settings, or shows what it would write. What is written, and how
//! safely, is the server's `connect`.

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use clap::Args;
use countersign_agents::absent::WhenAbsent;
use countersign_agents::hook::Agent;
use countersign_hub::{Clock, SystemClock};
use countersign_model::{ConnectionChange, Finding, Outcome};
use countersign_server::connect::{Http, Plan, Scope, Surroundings, Wanted};

use super::hook::agent;
use crate::failure::{Exit, Failure};
use crate::hub::{Address, Place};
use crate::output::{Out, say};
use crate::show::visible;

const EXAMPLES: &str = "\
Examples:
  countersign connect claude-code --dry-run      show what would change, as a diff
  countersign connect claude-code
  countersign connect codex --project . --when-absent deny

Only Countersign's own entries are written: the rest of the file stays byte for byte, and the file as it was is kept beside it. A second
time changes nothing; `countersign disconnect` gives the file back. `countersign doctor` says whether it all works.

Exit code: 0 when the agent is connected, 1 when its settings were left alone.";

/// Connect Claude Code or Codex: their sessions are shown, their questions asked here
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The agent
    #[arg(value_parser = agent())]
    agent: Agent,
    /// Connect it in this project only, instead of in all
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// What the agent is told while no hub runs: ask (in its own way), deny or allow
    #[arg(long, value_name = "POLICY")]
    when_absent: Option<WhenAbsent>,
    /// Tell Countersign usage and cost, too (OpenTelemetry)
    #[arg(long)]
    telemetry: bool,
    /// Do not, or no longer
    #[arg(long, conflicts_with = "telemetry")]
    no_telemetry: bool,
    /// Use HTTP hooks where the agent has them (Claude Code), instead of running a program
    #[arg(long)]
    http: bool,
    /// Do not, or no longer
    #[arg(long, conflicts_with = "http")]
    no_http: bool,
}

/// Where nobody says where the hub is, and none runs.
const USUAL: &str = "http://127.0.0.1:8765";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: &Place) -> Result<Exit, Failure> {
    let around = surroundings()?;
    let scope = scope(arguments.agent, arguments.project.as_ref())?;
    let url = place.find().ok().map(|found| found.url);
    let address = url.as_ref().map_or_else(|| USUAL.to_owned(), ToString::to_string);
    let wanted = Wanted {
        when_absent: arguments.when_absent,
        more: whereabouts(place)?,
        telemetry: telemetry(arguments, scope.agent).map(|on| on.then(|| address.clone())),
        http: (arguments.http || arguments.no_http)
            .then(|| arguments.http.then(|| http(place, url.as_ref(), &address, scope.agent))),
    };
    let token = wanted
        .http
        .iter()
        .flatten()
        .find_map(|http| http.token_variable.clone());
    let plan = Plan::connect(&around, &scope, &wanted).map_err(|error| Failure::Other(error.to_string()))?;
    if arguments.dry_run {
        return show(&plan.show());
    }
    let now = SystemClock.now().to_rfc3339();
    let change = plan
        .carry_out(&now)
        .map_err(|error| Failure::Other(error.to_string()))?;
    report(&change, &format!("{} is connected", scope.agent.title()))?;
    if let Some(variable) = token {
        say(&format!(
            "The hub wants a token: start claude with one, `export {variable}=$(countersign token create --role agent --ttl 30d | tail -n 1)`."
        ));
    }
    next(scope.agent, arguments.project.is_some(), url.is_some());
    Ok(Exit::Ok)
}

/// Where the person's things are.
pub(super) fn surroundings() -> Result<Surroundings, Failure> {
    let here = Surroundings::here().map(Surroundings::from_here);
    here.ok_or_else(|| Failure::Other("there is no home folder: HOME is not set".to_owned()))
}

/// Whose settings, by full paths.
pub(super) fn scope(agent: Agent, project: Option<&PathBuf>) -> Result<Scope, Failure> {
    let full =
        |path: &PathBuf| std::path::absolute(path).map_err(|error| Failure::Usage(format!("--project: {error}")));
    Ok(Scope {
        agent,
        project: project.map(full).transpose()?,
    })
}

/// What hooks have to be told of the hub, when it is not where they look by themselves.
fn whereabouts(place: &Place) -> Result<Vec<String>, Failure> {
    let mut more = Vec::new();
    if place.data_dir_given {
        let folder =
            std::path::absolute(&place.data_dir).map_err(|error| Failure::Usage(format!("--data-dir: {error}")))?;
        let folder = folder
            .to_str()
            .ok_or_else(|| Failure::Usage("--data-dir: not a path that settings can name".to_owned()))?;
        more.extend(["--data-dir".to_owned(), folder.to_owned()]);
    }
    if let Some(url) = &place.url {
        more.extend(["--url".to_owned(), url.to_string()]);
    }
    Ok(more)
}

fn http(place: &Place, url: Option<&Address>, address: &str, agent: Agent) -> Http {
    Http {
        url: format!("{address}/hooks/{}", agent.name()),
        token_variable: url
            .is_some_and(|url| place.requires_token(url))
            .then(|| "COUNTERSIGN_TOKEN".to_owned()),
    }
}

/// Whether telemetry goes on (`true`) or off; nothing leaves it. On a terminal the person is asked.
fn telemetry(arguments: &Arguments, agent: Agent) -> Option<bool> {
    if arguments.telemetry || arguments.no_telemetry {
        return Some(arguments.telemetry);
    }
    let asks =
        !arguments.dry_run && arguments.project.is_none() && io::stdin().is_terminal() && io::stderr().is_terminal();
    if !asks {
        return None;
    }
    say(&format!(
        "Shall {} also tell Countersign tokens and cost (OpenTelemetry, on this machine only)? [y/N]",
        agent.title()
    ));
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).ok()?;
    matches!(line.trim(), "y" | "Y" | "yes").then_some(true)
}

/// Prints a plan as a diff.
pub(super) fn show(change: &ConnectionChange) -> Result<Exit, Failure> {
    let mut out = Out::open();
    for file in &change.files {
        for line in file.diff.split_terminator('\n') {
            // A line's own end stays, so that the difference can be applied.
            match line.strip_suffix('\r') {
                Some(line) => out.line(&format!("{}\r", visible(line)))?,
                None => out.line(&visible(line))?,
            }
        }
    }
    out.flush()?;
    if change.files.is_empty() {
        say("Nothing would change.");
    }
    notes(&change.findings);
    Ok(Exit::Ok)
}

/// Says what was done.
pub(super) fn report(change: &ConnectionChange, done: &str) -> Result<(), Failure> {
    let mut out = Out::open();
    if change.files.is_empty() {
        out.line(&format!("{done} already; nothing was changed."))?;
    }
    for file in &change.files {
        out.line(&format!("{done}: {}", visible(&file.file)))?;
        if let Some(backup) = &file.backup {
            out.line(&format!("  as it was: {}", visible(backup)))?;
        }
    }
    out.flush()?;
    notes(&change.findings);
    Ok(())
}

fn notes(findings: &[Finding]) {
    for finding in findings {
        let word = if finding.state == Outcome::Fail {
            "Problem"
        } else {
            "Note"
        };
        say(&format!(
            "{word}: {}. {}",
            visible(&finding.what),
            visible(finding.advice.as_deref().unwrap_or_default())
        ));
    }
}

fn next(agent: Agent, project: bool, hub: bool) {
    match agent {
        Agent::Codex => say(
            "Codex skips hooks that you have not trusted: start codex, which asks, or type /hooks there, and trust Countersign's.",
        ),
        Agent::ClaudeCode if project => say("settings.local.json is yours alone: keep it out of the repository."),
        Agent::ClaudeCode => {}
    }
    if !hub {
        say("No hub runs: open the Countersign app, or run `countersign serve`.");
    }
    say(
        "Sessions that run already may not take it up; start new ones. `countersign doctor` says whether it all works.",
    );
}
