//! `countersign serve`: the hub without a window. Standard output says where it listens and nothing else; the log is on standard
//! error.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use countersign_model::Dialect;
use countersign_server::{Config, ListenAt, Running, Setup, start};
use tracing_subscriber::EnvFilter;

use super::Signals;
use crate::environment::{Environment, from_env};
use crate::failure::{Exit, Failure};
use crate::hub::Place;
use crate::output::{Out, say, wants_colour};

/// Our own crates tell what they do; others only what goes wrong.
const LOG: &str = "warn,countersign=info,countersign_server=info,countersign_store=info,countersign_hub=info,countersign_dialects=info";

const HELP: &str = "\
Agents publish at ws://HOST:PORT/publish (or /), monitors read at ws://HOST:PORT/, a browser watches at http://HOST:PORT/.
When it is ready it prints one line per listener on standard output, `listening on http://HOST:PORT`, and nothing else there.
SIGTERM and SIGINT (Ctrl-C) close it cleanly.

Hosts other than localhost, 127.0.0.1 and ::1 are refused: put a proxy before it instead.
While it runs, the file approver.token in the data folder holds the key that answers approvals: whoever can read the folder can
answer. `countersign answer` and `countersign dashboard` use it.

Examples:
  countersign serve
  countersign serve --port 0 --data-dir /tmp/try
  countersign serve --listen 127.0.0.1:3000=cloud --listen 127.0.0.1:8080=codex
  countersign serve --config ~/sam/config.json      as SAM's config says (.json), or our own (.toml)
  RUST_LOG=debug countersign serve";

/// Run the hub without a window
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Listen here: localhost (both loopback families), 127.0.0.1 or ::1
    #[arg(long, value_name = "HOST", conflicts_with = "listen")]
    host: Option<String>,
    /// Listen on this port; 0 picks a free one [default: 8765]
    #[arg(long, value_name = "PORT", conflicts_with = "listen")]
    port: Option<u16>,
    /// Listen here instead, with a root path that speaks DIALECT: sam, hive, amiga, codex or cloud; may be given again
    #[arg(long, value_name = "ADDRESS:PORT[=DIALECT]")]
    listen: Vec<ListenAt>,
    /// Read this configuration: SAM's config.json, or Countersign's own .toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read NAME=value lines from this file, as if they were in the environment; what is there goes first
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// What the root path speaks at host and port: `stream` says Hive.
    #[arg(skip)]
    root: Option<Dialect>,
}

const STREAM_HELP: &str = "\
The hub, with a root path that speaks Hive: clients written for Hive connect to ws://HOST:PORT/ unchanged. All else is as with
`countersign serve`, and every other path speaks what it always does.

Examples:
  countersign stream
  countersign stream --host 127.0.0.1 --port 8765";

/// Run the hub without a window, as Hive's streaming server
#[derive(Args)]
#[command(after_help = STREAM_HELP)]
pub(crate) struct Stream {
    /// Listen here: localhost (both loopback families), 127.0.0.1 or ::1
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Listen on this port; 0 picks a free one [default: 8765]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Read this configuration: Countersign's own .toml, or SAM's config.json
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl From<Stream> for Arguments {
    fn from(stream: Stream) -> Self {
        let Stream { host, port, config } = stream;
        Self {
            host,
            port,
            listen: Vec::new(),
            config,
            env_file: None,
            root: Some(Dialect::Hive),
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: Place) -> Result<Exit, Failure> {
    let environment = Environment::load(arguments.env_file.as_deref())?;
    log(environment.flag("MONITORING_DEBUG")?);
    let config = config(arguments, &environment)?;
    let data_dir = data_dir(place, &config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(format!("no threads to run on: {error}")))?;
    runtime.block_on(serve(data_dir, config))
}

fn log(debug: bool) {
    let own = if debug {
        LOG.replace("=info", "=debug")
    } else {
        LOG.to_owned()
    };
    let filter = from_env("RUST_LOG").and_then(|text| EnvFilter::try_new(text).ok());
    tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|| EnvFilter::new(own)))
        .with_writer(std::io::stderr)
        // It would say so on standard error itself, and panic where that cannot be written either: on a full disk, say.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal() && wants_colour())
        .init();
}

/// The configuration file, what AMIGA's environment says over it (seed 001, "Environment Variables"), and what the command line
/// says over both.
fn config(arguments: &Arguments, environment: &Environment) -> Result<Config, Failure> {
    let wrong = |error: countersign_server::ConfigError| Failure::Other(error.to_string());
    let mut config = Config::load(arguments.config.as_deref()).map_err(wrong)?;
    // AMIGA's, and not for the command that Hive has.
    let amiga = |name: &str| environment.get(name).filter(|_| arguments.root.is_none());
    if let Some(host) = amiga("MONITORING_HOST") {
        config
            .set_host(&host)
            .map_err(|error| Failure::Other(format!("MONITORING_HOST: {error}")))?;
    }
    if let Some(port) = amiga("MONITORING_PORT") {
        let number = port.parse();
        config.set_port(number.map_err(|_| Failure::Other(format!("MONITORING_PORT must be a port, not {port:?}")))?);
    }
    if let Some(folder) = environment.get("SESSION_STORE_PATH") {
        config.codex.session_store = Some(folder.into());
    }
    if let Some(host) = &arguments.host {
        config.set_host(host).map_err(wrong)?;
    }
    if let Some(port) = arguments.port {
        config.set_port(port);
    }
    if let Some(root) = arguments.root {
        config.set_root(root);
    }
    if !arguments.listen.is_empty() {
        config.set_listen(arguments.listen.clone()).map_err(wrong)?;
    }
    if !config.enabled {
        let file = arguments
            .config
            .as_deref()
            .map_or(String::new(), |file| format!(" ({})", file.display()));
        return Err(Failure::Other(format!(
            "the configuration{file} switches listening off (`enabled` is false), and a hub without a window that listens nowhere \
             is of no use: set `enabled` to true, or open the Countersign app"
        )));
    }
    Ok(config)
}

/// The command line and the environment first, then the configuration.
fn data_dir(place: Place, config: &Config) -> PathBuf {
    match &config.data_dir {
        Some(folder) if !place.data_dir_given => folder.clone(),
        _ => place.data_dir,
    }
}

async fn serve(data_dir: PathBuf, config: Config) -> Result<Exit, Failure> {
    // Whoever reads that it is ready may end it at once.
    let signals = Signals::listen().map_err(|error| Failure::Other(format!("no signals to be heard: {error}")))?;
    let running = start(Setup::headless(data_dir, config))
        .await
        .map_err(|error| Failure::Other(error.to_string()))?;
    let ready = announce(&running);
    if ready.is_ok() {
        signals.wait().await;
        tracing::info!("closing");
    }
    running.shutdown().await;
    ready.map(|()| Exit::Ok)
}

/// Says where it listens; a hub that listens nowhere has failed.
fn announce(running: &Running) -> Result<(), Failure> {
    let status = running.status();
    let problems: Vec<&str> = status.problems.iter().map(|problem| problem.message.as_str()).collect();
    // Whoever named several addresses counts on all of them.
    let deaf = |problem: &&countersign_model::Problem| matches!(&*problem.code, "port_in_use" | "cannot_listen");
    let unheard: Vec<_> = (status.problems.iter().filter(deaf))
        .map(|problem| problem.message.as_str())
        .collect();
    if !unheard.is_empty() {
        return Err(Failure::Other(unheard.join("\n")));
    }
    if status.listeners.is_empty() {
        return Err(Failure::Other(match problems.as_slice() {
            [] => "it listens nowhere".to_owned(),
            problems => problems.join("\n"),
        }));
    }
    for problem in problems {
        say(&format!("countersign: {problem}"));
    }
    let mut out = Out::open();
    for listener in &status.listeners {
        out.line(&format!("listening on {}", listener.url))?;
    }
    // Whoever started the hub may not care to read on.
    match out.flush() {
        Err(Failure::Closed) | Ok(()) => Ok(()),
        Err(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(config: Option<(&str, &str)>) -> (tempfile::TempDir, Arguments) {
        let home = tempfile::tempdir().expect("a folder");
        let config = config.map(|(name, text)| {
            let path = home.path().join(name);
            std::fs::write(&path, text).expect("written");
            path
        });
        let arguments = Arguments {
            host: None,
            port: None,
            listen: Vec::new(),
            config,
            env_file: None,
            root: None,
        };
        (home, arguments)
    }

    #[test]
    fn the_command_line_comes_before_the_file() {
        let (_home, mut arguments) = arguments(Some(("c.json", r#"{"websocket":{"port":9000,"host":"localhost"}}"#)));
        assert_eq!(config(&arguments, &Environment::default()).expect("valid").port, 9000);
        arguments.port = Some(0);
        arguments.host = Some("127.0.0.1".to_owned());
        let config = config(&arguments, &Environment::default()).expect("valid");
        assert_eq!((config.port, config.hosts.len()), (0, 1));
    }

    #[test]
    fn an_address_given_twice_is_no_port_in_use() {
        let (_home, mut arguments) = arguments(None);
        arguments.listen = vec!["127.0.0.1:47811".parse().expect("an address"); 2];
        let error = config(&arguments, &Environment::default())
            .expect_err("twice")
            .to_string();
        assert!(error.contains("127.0.0.1:47811 is named twice"), "{error}");
    }

    #[test]
    fn amigas_environment_stands_between_the_file_and_the_command_line() {
        let (home, mut arguments) = arguments(Some(("c.json", r#"{"websocket":{"port":9000}}"#)));
        let file = home.path().join(".env");
        let with = |text: &str| {
            std::fs::write(&file, text).expect("written");
            Environment::load(Some(&file)).expect("read")
        };
        let amiga =
            with("FLASK_SECRET_KEY=x\nMONITORING_HOST=127.0.0.1\nMONITORING_PORT=3000\nMONITORING_DEBUG=false\n");
        let set = config(&arguments, &amiga).expect("valid");
        assert_eq!((set.port, set.hosts.len()), (3000, 1));
        let error = config(&arguments, &with("MONITORING_HOST=0.0.0.0")).expect_err("refused");
        assert!(error.to_string().contains("proxy"), "{error}");
        assert!(config(&arguments, &with("MONITORING_PORT=many")).is_err());
        arguments.port = Some(1);
        assert_eq!(config(&arguments, &amiga).expect("valid").port, 1);
    }

    #[test]
    fn a_hub_that_may_not_listen_does_not_start() {
        let (_home, off) = arguments(Some(("c.json", r#"{"websocket":{"enabled":false}}"#)));
        let message = config(&off, &Environment::default()).expect_err("refused").to_string();
        assert!(
            message.contains("`enabled` is false") && message.contains("c.json"),
            "{message}"
        );
        let (_home, mut open) = arguments(None);
        open.host = Some("0.0.0.0".to_owned());
        assert!(
            config(&open, &Environment::default())
                .expect_err("refused")
                .to_string()
                .contains("proxy")
        );
    }

    #[test]
    fn the_data_folder_of_the_configuration_counts_unless_another_is_given() {
        let place = |data_dir_given| Place {
            url: None,
            data_dir: "/line".into(),
            data_dir_given,
            token: None,
        };
        let mut config = Config::default();
        assert_eq!(data_dir(place(false), &config), PathBuf::from("/line"));
        config.data_dir = Some("/file".into());
        assert_eq!(data_dir(place(false), &config), PathBuf::from("/file"));
        assert_eq!(data_dir(place(true), &config), PathBuf::from("/line"));
    }
}
