//! `countersign mcp`: Countersign's tools for agents that speak the Model Context Protocol, on standard input and output.

mod input;
mod remote;

use std::time::Duration;

use clap::Args;
use countersign_hub::random_hex;
use countersign_server::mcp::Handler;
use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;

use super::Signals;
use crate::environment::from_env;
use crate::failure::{Exit, Failure};
use crate::hub::Place;
use input::Input;
use remote::Remote;

const EXAMPLES: &str = "\
Examples:
  claude mcp add countersign -- countersign mcp
  claude -p 'tidy up' --permission-prompt-tool mcp__countersign__permission \\
    --mcp-config '{\"mcpServers\":{\"countersign\":{\"command\":\"countersign\",\"args\":[\"mcp\"]}}}'

Tools:
  request_approval   asks whether something may run; what comes back says so, and with which arguments
  ask_person         asks a question, with options or without
  notify             shows a notification
  permission         for claude's --permission-prompt-tool

Clients that speak MCP over HTTP need no program: the hub answers at http://127.0.0.1:8765/mcp.";

/// Serve the tools by which agents ask and tell a person, over MCP on stdin and stdout
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Who asks; without it, the client's own name [env: COUNTERSIGN_AGENT]
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// In which session; without it, a new one [env: COUNTERSIGN_SESSION]
    #[arg(long, value_name = "ID")]
    session: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, place: Place) -> Result<Exit, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Other(format!("mcp: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(&error))?;
    let agent = arguments.agent.clone().or_else(|| from_env("COUNTERSIGN_AGENT"));
    let session = super::session(arguments.session.as_ref()).unwrap_or_else(|| format!("mcp-{}", random_hex(6)));
    let ended = runtime.block_on(async {
        let signals = Signals::listen().map_err(|error| failed(&error))?;
        let (input, ended) = Input::new(tokio::io::stdin());
        let tools = Handler::new(Remote::new(place, agent, session, ended));
        let serving = async {
            match tools.serve((input, tokio::io::stdout())).await {
                Ok(service) => service.waiting().await.map(drop).map_err(|error| failed(&error)),
                // A client that says nothing and goes away wanted nothing.
                Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
                Err(error) => Err(failed(&error)),
            }
        };
        tokio::select! {
            served = serving => served,
            () = signals.wait() => Ok(()),
        }
    });
    // A read of standard input cannot be broken off.
    runtime.shutdown_timeout(Duration::ZERO);
    ended.map(|()| Exit::Ok)
}
