//! The command line as people type it. Each command's own arguments are in its file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

#[cfg(unix)]
use crate::commands::run;
use crate::commands::{
    answer, ask, connect, dashboard, demo, disconnect, doctor, emit, export, hook, ingest, mcp, serve, status, tail,
    token,
};
use crate::environment::from_env;
use crate::failure::{Exit, Failure};
use crate::hub::{Address, Place};

const EXAMPLES: &str = "\
Examples:
  countersign connect claude-code                bring Claude Code's sessions and questions here
  countersign serve                              run a hub without a window
  countersign tail                               watch what agents do, live
  countersign ask --tool bash --command 'rm -rf build' && rm -rf build
  countersign answer                             list what waits for an answer
  countersign demo                               play a scripted agent

Finding the hub:
  A running hub, with or without a window, writes its address into hub.json in its data folder; the commands read it there.
  --data-dir (COUNTERSIGN_DATA_DIR) names another folder, --url (COUNTERSIGN_URL) an address.

Exit codes:
  0 it worked, 1 it did not, 64 the command line makes no sense. `ask` has its own: see `countersign ask --help`.";

/// See what your AI agents are doing, and countersign what they are about to do.
#[derive(Parser)]
#[command(name = "countersign", version, after_help = EXAMPLES, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    whereabouts: Whereabouts,
    #[command(subcommand)]
    command: Command,
}

/// Where the hub is; taken by every command.
#[derive(Args)]
struct Whereabouts {
    /// The hub's address, such as http://127.0.0.1:8765 [env: COUNTERSIGN_URL]
    #[arg(long, global = true, value_name = "URL", help_heading = "The hub")]
    url: Option<Address>,
    /// The hub's data folder [env: COUNTERSIGN_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR", help_heading = "The hub")]
    data_dir: Option<PathBuf>,
    /// A token to show the hub: `countersign token create` makes one [env: COUNTERSIGN_TOKEN]
    #[arg(long, global = true, value_name = "TOKEN", help_heading = "The hub")]
    token: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    Connect(connect::Arguments),
    Disconnect(disconnect::Arguments),
    Doctor(doctor::Arguments),
    Serve(serve::Arguments),
    Stream(serve::Stream),
    Tail(tail::Arguments),
    Emit(emit::Arguments),
    Ask(ask::Arguments),
    Answer(answer::Arguments),
    #[cfg(unix)]
    Run(run::Arguments),
    Export(export::Arguments),
    Hook(hook::Arguments),
    Ingest(ingest::Arguments),
    Mcp(mcp::Arguments),
    Dashboard(dashboard::Arguments),
    Demo(demo::Arguments),
    Status(status::Arguments),
    Token(token::Arguments),
}

impl Cli {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let place = self.whereabouts.place()?;
        match self.command {
            Command::Connect(arguments) => connect::run(&arguments, &place),
            Command::Disconnect(arguments) => disconnect::run(&arguments),
            Command::Doctor(arguments) => doctor::run(&arguments, &place),
            Command::Serve(arguments) => serve::run(&arguments, place),
            Command::Stream(arguments) => serve::run(&arguments.into(), place),
            Command::Tail(arguments) => tail::run(&arguments, &place),
            Command::Emit(arguments) => emit::run(&arguments, &place),
            Command::Ask(arguments) => ask::run(&arguments, place),
            Command::Answer(arguments) => answer::run(&arguments, &place),
            #[cfg(unix)]
            Command::Run(arguments) => run::run(&arguments, place),
            Command::Export(arguments) => export::run(&arguments, &place),
            Command::Ingest(arguments) => ingest::run(&arguments, place),
            Command::Mcp(arguments) => mcp::run(&arguments, place),
            Command::Hook(arguments) => Ok(hook::run(arguments.options(place))),
            Command::Dashboard(arguments) => dashboard::run(&arguments, &place),
            Command::Demo(arguments) => demo::run(&arguments, &place),
            Command::Status(arguments) => status::run(&arguments, &place),
            Command::Token(arguments) => token::run(&arguments, &place),
        }
    }
}

impl Whereabouts {
    fn place(self) -> Result<Place, Failure> {
        let url = match (self.url, from_env("COUNTERSIGN_URL")) {
            (Some(url), _) => Some(url),
            (None, Some(text)) => Some(
                text.parse()
                    .map_err(|error| Failure::Usage(format!("COUNTERSIGN_URL: {error}, not {text:?}")))?,
            ),
            (None, None) => None,
        };
        let data_dir_given = self.data_dir.is_some() || from_env("COUNTERSIGN_DATA_DIR").is_some();
        Ok(Place {
            url,
            // It reads the environment, too.
            data_dir: self.data_dir.unwrap_or_else(countersign_server::default_data_dir),
            data_dir_given,
            token: self.token.or_else(|| from_env("COUNTERSIGN_TOKEN")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn lines_that_make_sense() {
        for line in [
            "connect claude-code",
            "connect codex --project /p --dry-run --when-absent deny --telemetry --data-dir /d",
            "connect claude-code --http --no-telemetry",
            "disconnect codex --project /p --dry-run",
            "doctor",
            "doctor codex --fix --json --project /p",
            "serve --host 127.0.0.1 --port 0 --data-dir /d --config c.toml",
            "--data-dir /d serve",
            "stream",
            "stream --host 127.0.0.1 --port 0 --data-dir /d --config c.toml",
            "tail",
            "tail --since ab12:7 --types tool_call_start,agent_status --agents a,b --json --no-follow",
            "emit",
            "emit --type note --data {} --agent a --session s --stream x",
            "ask --tool bash --command --help",
            "ask --tool bash --arguments {} --cwd /x --timeout 30 --request-id r --json",
            "ask --tool bash --wait-for-approver",
            "ask --tool bash --wait-for-approver 20 --unreachable-after 5",
            "ask --wait-for-approver --tool bash",
            "answer",
            "answer --list",
            "run -- make -j 4",
            "ingest codex",
            "ingest codex - --tee --session s",
            "run --name n --session s sh -c true",
            "hook claude-code --hub http://127.0.0.1:1 --when-absent deny",
            "hook codex notify {}",
            "mcp",
            "mcp --agent a --session s --token t",
            "answer id approve",
            "answer id deny --message no --scope session --token t",
            "export --since 5 --until 9 --types a --agents b --sessions c",
            "dashboard",
            "demo --speed 50 --agent a --no-approvals --repeat forever",
            "demo --repeat 3 --url http://127.0.0.1:1",
            "status --json",
            "status --token t",
            "token create",
            "token create --role agent,monitor --role approver --stream a --stream b --subject ada --ttl 90m",
            "serve --listen 127.0.0.1:3000=cloud --listen [::1]:0",
        ] {
            let words = std::iter::once("countersign").chain(line.split(' '));
            if let Err(error) = Cli::try_parse_from(words) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn lines_that_make_none() {
        for (line, expect) in [
            ("connect", ErrorKind::MissingRequiredArgument),
            ("connect vim", ErrorKind::InvalidValue),
            ("connect codex --when-absent maybe", ErrorKind::ValueValidation),
            ("connect codex --telemetry --no-telemetry", ErrorKind::ArgumentConflict),
            ("doctor --project /p", ErrorKind::MissingRequiredArgument),
            ("tail --since x:y:z", ErrorKind::ValueValidation),
            ("tail --since -3", ErrorKind::ValueValidation),
            ("emit --data {}", ErrorKind::MissingRequiredArgument),
            ("emit --type x --data [1]", ErrorKind::ValueValidation),
            ("emit --type x --data {", ErrorKind::ValueValidation),
            ("ask", ErrorKind::MissingRequiredArgument),
            (
                "ask --tool bash --command a --arguments {}",
                ErrorKind::ArgumentConflict,
            ),
            ("ask --tool bash --arguments nonsense", ErrorKind::ValueValidation),
            ("ask --tool bash --timeout 0", ErrorKind::ValueValidation),
            ("ask --tool bash --timeout -1", ErrorKind::ValueValidation),
            ("ask --tool bash --timeout inf", ErrorKind::ValueValidation),
            ("answer id", ErrorKind::MissingRequiredArgument),
            ("run --name x", ErrorKind::MissingRequiredArgument),
            ("hook", ErrorKind::MissingRequiredArgument),
            ("hook cursor", ErrorKind::InvalidValue),
            ("hook codex notify", ErrorKind::MissingRequiredArgument),
            ("hook codex --when-absent maybe", ErrorKind::ValueValidation),
            ("answer id maybe", ErrorKind::InvalidValue),
            ("answer id approve --scope forever", ErrorKind::InvalidValue),
            ("answer id approve --list", ErrorKind::ArgumentConflict),
            ("demo --speed 0", ErrorKind::ValueValidation),
            ("demo --speed nan", ErrorKind::ValueValidation),
            ("demo --repeat 0", ErrorKind::ValueValidation),
            ("status --url https://a", ErrorKind::ValueValidation),
            ("token create --role admin", ErrorKind::InvalidValue),
            ("token create --ttl 0", ErrorKind::ValueValidation),
            ("token create --ttl 5y", ErrorKind::ValueValidation),
            ("serve --listen 127.0.0.1:1=tcp", ErrorKind::ValueValidation),
            ("serve --listen 127.0.0.1:1 --port 2", ErrorKind::ArgumentConflict),
        ] {
            let words = std::iter::once("countersign").chain(line.split(' '));
            let error = Cli::try_parse_from(words)
                .err()
                .unwrap_or_else(|| panic!("{line} was taken"));
            assert_eq!(error.kind(), expect, "{line}: {error}");
        }
    }
}
