//! The servers that are measured: each a process of its own that says on its first line where it listens.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::publisher::Acks;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Subject {
    /// The hub, its store on; the last event of a run asks for an acknowledgement
    Countersign,
    /// The same; each event asks for an acknowledgement
    Acked,
    /// Python's websockets: `broadcast()`
    Websockets,
    /// Node's ws: `clients.forEach(send)`
    Ws,
}

impl Subject {
    pub(crate) const ALL: [Self; 4] = [Self::Countersign, Self::Acked, Self::Websockets, Self::Ws];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Countersign => "Countersign",
            Self::Acked => "Countersign, each event acknowledged",
            Self::Websockets => "Python websockets",
            Self::Ws => "Node ws",
        }
    }

    pub(crate) fn acks(self) -> Acks {
        match self {
            Self::Countersign => Acks::Last,
            Self::Acked => Acks::Each,
            Self::Websockets | Self::Ws => Acks::Never,
        }
    }
}

/// Where the programs are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Programs {
    /// The hub's program, optimised
    #[arg(long, env = "COUNTERSIGN_BIN", default_value = "target/release/countersign")]
    countersign: PathBuf,
    /// A Python that has `websockets`
    #[arg(long, default_value = "tests/.venv/bin/python")]
    python: PathBuf,
    /// A folder with a package.json whose node_modules hold `ws`
    #[arg(long, default_value = "tests/clients/node")]
    node_packages: PathBuf,
}

impl Programs {
    pub(crate) fn countersign(&self) -> &Path {
        &self.countersign
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    _data: Option<TempDir>,
}

impl Server {
    pub(crate) fn start(subject: Subject, programs: &Programs) -> Result<Self> {
        let clients = Path::new("tests/clients/bench");
        let mut data = None;
        let mut command = match subject {
            Subject::Countersign | Subject::Acked => {
                let folder = tempfile::Builder::new().prefix("countersign-bench-").tempdir()?;
                let mut command = Command::new(&programs.countersign);
                command.args(["serve", "--port", "0", "--data-dir"]).arg(folder.path());
                data = Some(folder);
                command
            }
            Subject::Websockets => {
                let mut command = Command::new(&programs.python);
                command.arg(clients.join("broadcast.py"));
                command
            }
            Subject::Ws => {
                let packages = programs
                    .node_packages
                    .canonicalize()
                    .with_context(|| format!("{} is not there", programs.node_packages.display()))?;
                let mut command = Command::new("node");
                command
                    .arg(clients.join("broadcast.mjs"))
                    .env("BENCH_NODE_PACKAGES", packages);
                command
            }
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| {
                format!("{command:?} cannot be started; `cargo xtask bench` builds and installs what is needed")
            })?;
        let mut line = String::new();
        let read = child
            .stdout
            .take()
            .map(|stdout| BufReader::new(stdout).read_line(&mut line))
            .transpose();
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .and_then(|address| address.parse().ok());
        let server = Self {
            child,
            address: address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            _data: data,
        };
        read?;
        ensure!(address.is_some(), "{command:?} did not say where it listens: {line:?}");
        Ok(server)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has nothing to keep.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
