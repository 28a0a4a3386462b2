//! `countersign doctor`: looks at each connection end to end, in words or as JSON. The checks are the server's `connect`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use countersign_agents::hook::Agent;
use countersign_hub::{Clock, SystemClock};
use countersign_model::{ConnectionState, Finding, Outcome};
use countersign_server::connect::{Doctor, HubSide, Scope, Surroundings, connections, examine, is_connected, is_well};
use serde::Deserialize;
use serde_json::{Value, json};

use super::connect::{scope, surroundings};
use super::hook::agent;
use crate::failure::{Exit, Failure};
use crate::hub::{Client, HubError, Place};
use crate::output::Out;
use crate::show::{Paint, Tone, visible};

const EXAMPLES: &str = "\
Examples:
  countersign doctor
  countersign doctor codex --json | jq '.connections[].findings[] | select(.state != \"ok\")'
  countersign doctor claude-code --fix

For each agent: is its program there, and of a version that is known to work; are the hooks in its settings, as they were written, and do
settings of any level forbid them; does the program that they run exist and run; does the hub answer, the one that the hooks name; does a
probe event arrive in its log, by the program and by HTTP; does Claude Code, started for a moment (no model is asked), run the hooks; does
Codex trust them.

Exit code: 0 when everything works, 1 when something does not.";

/// Look whether the connections work, end to end, and say what to do
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The agent; without one, those that are installed or connected
    #[arg(value_parser = agent())]
    agent: Option<Agent>,
    /// Look at the settings of this project
    #[arg(long, value_name = "DIR", requires = "agent")]
    project: Option<PathBuf>,
    /// Put right what can be put right: write the settings again
    #[arg(long)]
    fix: bool,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Events {
    events: Vec<serde::de::IgnoredAny>,
}

/// The hub over HTTP.
struct ByHttp(Place);

impl HubSide for ByHttp {
    fn reach(&self) -> Result<String, Finding> {
        let client = Client::find(&self.0).map_err(|error| unreached(&error))?;
        client
            .get_text("/api/status", &[], Duration::ZERO)
            .map_err(|error| unreached(&error))?;
        Ok(client.found.url.to_string())
    }

    fn has(&self, agent: &str, session: &str) -> Result<bool, String> {
        let client = Client::find(&self.0).map_err(|error| error.to_string())?;
        let pairs = [("agents", agent), ("sessions", session), ("limit", "1")];
        let events: Events = client.get("/api/events", &pairs).map_err(|error| error.to_string())?;
        Ok(!events.events.is_empty())
    }

    fn named(&self, arguments: &[String]) -> Option<Box<dyn HubSide>> {
        // Whoever says which hub they mean is asked about that one.
        if self.0.data_dir_given || self.0.url.is_some() {
            return None;
        }
        let value = |name: &str| {
            let place = arguments.iter().position(|word| word == name)?;
            arguments.get(place + 1)
        };
        let mut place = self.0.clone();
        if let Some(folder) = value("--data-dir") {
            place.data_dir = folder.into();
        }
        place.url = value("--url")
            .or_else(|| value("--hub"))
            .and_then(|url| url.parse().ok());
        (place.url.is_some() || place.data_dir != self.0.data_dir).then(|| Box::new(Self(place)) as Box<dyn HubSide>)
    }
}

/// Why the hub cannot be examined with, and what to do.
fn unreached(error: &HubError) -> Finding {
    let said = error.to_string();
    let what = said.lines().next().unwrap_or_default();
    let advice = match error {
        HubError::NotRunning { .. } => {
            "Open the Countersign app, or run `countersign serve`. What agents do meanwhile is kept and shown later."
        }
        HubError::Unreachable { found, .. } if found.file.is_none() => {
            "Start the hub there, or take the address out of --url or COUNTERSIGN_URL."
        }
        HubError::Unreachable { .. } => {
            "Open the Countersign app, or run `countersign serve`; if that says that a hub runs already, it hangs: end it first."
        }
        HubError::NoListener { .. } => {
            "Free the port or choose another one in the configuration, and start the hub again."
        }
        HubError::Unreadable { .. } => "See whose that file is; a hub that starts writes it anew.",
        HubError::Refused(problem) if problem.status == 401 || problem.status == 403 => {
            "Give a token that is valid with --token or COUNTERSIGN_TOKEN, or leave it out."
        }
        HubError::Refused(_) | HubError::Nonsense { .. } => {
            "It is no hub, or one of another version: see which program has that address, and start the hub anew."
        }
    };
    Finding::fail("hub", what, advice)
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: &Place) -> Result<Exit, Failure> {
    let around = surroundings()?;
    let scopes = match arguments.agent {
        Some(agent) => vec![scope(agent, arguments.project.as_ref())?],
        None => here(&around),
    };
    let scopes: Vec<Scope> = scopes.into_iter().map(|scope| in_project(scope, &around)).collect();
    // Of two agents that are there, one may be left alone.
    let asked = arguments.agent.is_some() || !scopes.iter().any(|scope| is_connected(scope, &around));
    let hub = ByHttp(place.clone());
    let found: Vec<(Scope, Vec<Finding>)> = scopes
        .into_iter()
        .map(|scope| {
            let findings = examine(&Doctor {
                around: &around,
                scope: &scope,
                asked,
                hub: &hub,
                fix: arguments.fix.then(|| SystemClock.now().to_rfc3339()),
            });
            (scope, findings)
        })
        .collect();
    let well = !found.is_empty() && found.iter().all(|(_, findings)| is_well(findings));
    let mut out = Out::open();
    if arguments.json {
        let connections: Vec<Value> = found
            .iter()
            .map(|(scope, findings)| json!({ "agent": scope.agent.name(), "findings": findings }))
            .collect();
        out.line(&json!({ "ok": well, "connections": connections }).to_string())?;
    } else {
        let paint = out.paint();
        for line in lines(&found, paint) {
            out.line(&line)?;
        }
    }
    out.flush()?;
    Ok(if well { Exit::Ok } else { Exit::Failed })
}

/// The project of this folder, where the agent is connected there and nowhere else.
fn in_project(scope: Scope, around: &Surroundings) -> Scope {
    let here = Scope {
        agent: scope.agent,
        project: around.here.clone(),
    };
    let alone = scope.project.is_none() && !is_connected(&scope, around) && is_connected(&here, around);
    if alone { here } else { scope }
}

/// The agents that somebody may wonder about.
fn here(around: &Surroundings) -> Vec<Scope> {
    let present = connections(around, None)
        .into_iter()
        .filter(|connection| connection.program.is_some() || connection.state != ConnectionState::None);
    present
        .filter_map(|connection| Agent::parse(&connection.agent))
        .map(|agent| Scope { agent, project: None })
        .collect()
}

fn lines(found: &[(Scope, Vec<Finding>)], paint: Paint) -> Vec<String> {
    if found.is_empty() {
        return vec!["No agent was found on this machine: neither `claude` nor `codex` is on the path, and neither is connected.".to_owned()];
    }
    let mut lines = Vec::new();
    for (scope, findings) in found {
        lines.push(scope.agent.title().to_owned());
        for finding in findings {
            let (mark, tone) = match finding.state {
                Outcome::Ok => ("ok  ", Tone::Dim),
                Outcome::Warn => ("note", Tone::NeedsYou),
                Outcome::Fail => ("FAIL", Tone::Bad),
            };
            lines.push(format!(
                "  {}  {}",
                paint.apply(tone, mark),
                visible(&finding.what).replace('\n', " ")
            ));
            if let Some(advice) = &finding.advice {
                lines.push(format!("        {}", visible(advice)));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_read_like_words_with_what_to_do_below() {
        let scope = Scope {
            agent: Agent::Codex,
            project: None,
        };
        let findings = vec![
            Finding::ok("hub", "the hub answers"),
            Finding::fail("trust", "not trusted", "Type /hooks."),
        ];
        assert_eq!(
            lines(&[(scope, findings)], Paint::new(false)),
            [
                "Codex",
                "  ok    the hub answers",
                "  FAIL  not trusted",
                "        Type /hooks."
            ]
        );
    }
}
