//! `countersign disconnect`: takes Countersign's hooks out of an agent's settings again.

use std::path::PathBuf;

use clap::Args;
use countersign_agents::hook::Agent;
use countersign_hub::{Clock, SystemClock};
use countersign_server::connect::Plan;

use super::connect::{report, scope, show, surroundings};
use super::hook::agent;
use crate::failure::{Exit, Failure};

/// Take Countersign out of an agent's settings; the rest of them stays as it is
#[derive(Args)]
pub(crate) struct Arguments {
    /// The agent
    #[arg(value_parser = agent())]
    agent: Agent,
    /// Disconnect it in this project
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let scope = scope(arguments.agent, arguments.project.as_ref())?;
    let plan = Plan::disconnect(&surroundings()?, &scope).map_err(|error| Failure::Other(error.to_string()))?;
    if arguments.dry_run {
        return show(&plan.show());
    }
    let now = SystemClock.now().to_rfc3339();
    let change = plan
        .carry_out(&now)
        .map_err(|error| Failure::Other(error.to_string()))?;
    report(&change, &format!("{} is disconnected", scope.agent.title()))?;
    Ok(Exit::Ok)
}
