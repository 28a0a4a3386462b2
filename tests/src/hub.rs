//! A running `countersign serve` on a port and in a data folder of its own: started, killed, closed, started again.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::rest::{self, Reply};
use crate::wait::PATIENCE;
use crate::ws::Ws;

/// The program under test: `COUNTERSIGN_BIN`, or the one that `cargo build` made beside this package.
pub fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("COUNTERSIGN_BIN") {
        return path.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    );
    let program = target.join("debug/countersign");
    assert!(
        program.exists(),
        "{} is not there: `cargo build --bin countersign`, or name it in COUNTERSIGN_BIN",
        program.display()
    );
    program
}

/// The program with nothing of the caller's settings.
pub fn countersign() -> Command {
    let mut command = Command::new(program());
    for name in [
        "COUNTERSIGN_URL",
        "COUNTERSIGN_DATA_DIR",
        "COUNTERSIGN_TOKEN",
        "COUNTERSIGN_AGENT",
        "COUNTERSIGN_SESSION",
        "COUNTERSIGN_HUB",
        "COUNTERSIGN_WHEN_ABSENT",
        "SESSION_STORE_PATH",
    ] {
        command.env_remove(name);
    }
    command.env("RUST_LOG", "warn,countersign=debug").env("NO_COLOR", "1");
    command
}

/// A place for one hub's files, removed with its last user. The data folder in it does not exist before the hub makes it.
#[derive(Clone, Debug)]
pub struct Folder(Arc<TempDir>);

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Folder {
    /// A fresh one.
    pub fn new() -> Self {
        Self(Arc::new(tempfile::tempdir().expect("a temporary folder")))
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// A file beside the data folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file beside the data folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, text).expect("written");
        path
    }
}

/// How a hub is started.
#[derive(Clone, Debug)]
pub struct Start {
    /// Where its data is.
    pub folder: Folder,
    config: Option<PathBuf>,
    port: u16,
    more: Vec<String>,
}

impl Default for Start {
    fn default() -> Self {
        Self::new()
    }
}

impl Start {
    /// On any port, in a folder of its own.
    pub fn new() -> Self {
        Self::in_folder(&Folder::new())
    }

    /// On any port, with data that may be there.
    pub fn in_folder(folder: &Folder) -> Self {
        Self {
            folder: folder.clone(),
            config: None,
            port: 0,
            more: Vec::new(),
        }
    }

    /// With this configuration, as a file of that name.
    #[must_use]
    pub fn config(mut self, name: &str, text: &str) -> Self {
        self.config = Some(self.folder.write(name, text));
        self
    }

    /// With one more argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.more.push(argument.to_owned());
        self
    }

    /// On this port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The command, not run yet.
    pub fn command(&self) -> Command {
        let mut command = countersign();
        command
            .arg("serve")
            .arg("--port")
            .arg(self.port.to_string())
            .arg("--data-dir")
            .arg(self.folder.data());
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command.args(&self.more).stdin(Stdio::null());
        command
    }

    /// Starts it without waiting until it is ready.
    pub fn spawn(&self) -> Hub {
        self.spawn_as(self.command())
    }

    /// Starts it by another command, which ends up running it, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn run_as(&self, command: Command) -> Hub {
        let mut hub = self.spawn_as(command);
        hub.wait_ready();
        hub
    }

    fn spawn_as(&self, mut command: Command) -> Hub {
        let log = self.folder.file("log");
        let errors = File::options().create(true).append(true).open(&log).expect("a log");
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("countersign starts");
        Hub {
            child,
            port: 0,
            folder: self.folder.clone(),
        }
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn run(&self) -> Hub {
        let mut hub = self.spawn();
        hub.wait_ready();
        hub
    }
}

/// A hub that runs; dropped, it is killed.
#[derive(Debug)]
pub struct Hub {
    child: Child,
    /// The port that it listens on.
    pub port: u16,
    /// Where its data is.
    pub folder: Folder,
}

impl Hub {
    /// A hub on any port, in a folder of its own, ready.
    pub fn start() -> Self {
        Start::new().run()
    }

    /// A hub with our own configuration.
    pub fn with_toml(text: &str) -> Self {
        Start::new().config("countersign.toml", text).run()
    }

    /// Waits for the ready line, and takes the port from it.
    fn wait_ready(&mut self) {
        let out = self.child.stdout.take().expect("piped");
        let (line, lines) = sync_channel(16);
        // It ends with the process, whose standard output this is.
        std::thread::spawn(move || {
            for text in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = line.send(text);
            }
        });
        match lines.recv_timeout(PATIENCE) {
            Ok(text) => {
                let port = text
                    .strip_prefix("listening on http://")
                    .and_then(|address| address.rsplit(':').next()?.parse().ok());
                self.port = port.unwrap_or_else(|| panic!("not a ready line: {text:?}"));
            }
            Err(RecvTimeoutError::Disconnected) => panic!("it ended before it was ready:\n{}", self.log()),
            Err(RecvTimeoutError::Timeout) => panic!("it was not ready in {PATIENCE:?}:\n{}", self.log()),
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `ws://127.0.0.1:PORT` and the path.
    pub fn ws_url(&self, path: &str) -> String {
        format!("ws://127.0.0.1:{}{path}", self.port)
    }

    /// What it said on standard error so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.file("log")).unwrap_or_default()
    }

    /// The approver's token.
    pub fn token(&self) -> String {
        let text =
            std::fs::read_to_string(self.folder.data().join("approver.token")).expect("a headless hub writes it");
        text.trim().to_owned()
    }

    /// GET without a token.
    pub fn get(&self, path: &str) -> Reply {
        rest::call("GET", &self.url(), path, &[], None)
    }

    /// POST without a token.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        rest::call("POST", &self.url(), path, &[], Some(&body.to_string()))
    }

    /// POST as an approver.
    pub fn post_as_approver(&self, path: &str, body: &Value) -> Reply {
        let bearer = format!("Bearer {}", self.token());
        rest::call(
            "POST",
            &self.url(),
            path,
            &[("Authorization", &bearer)],
            Some(&body.to_string()),
        )
    }

    /// Any request.
    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Reply {
        rest::call(method, &self.url(), path, headers, body)
    }

    /// Answers as an approver, and expects that it counts.
    ///
    /// # Panics
    /// When it does not.
    pub fn answer(&self, id: &str, decision: &str) -> Value {
        let reply = self.post_as_approver(
            &format!("/api/approvals/{id}/decision"),
            &serde_json::json!({ "decision": decision }),
        );
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    /// A WebSocket.
    pub fn ws(&self, path: &str) -> Ws {
        Ws::connect(self.port, path)
    }

    /// A WebSocket that may answer.
    pub fn approver(&self, path: &str) -> Ws {
        let mark = if path.contains('?') { '&' } else { '?' };
        Ws::connect(self.port, &format!("{path}{mark}token={}", self.token()))
    }

    /// Everything in the history.
    pub fn history(&self) -> Vec<Value> {
        self.history_since(0)
    }

    /// Everything in the history after `since`.
    pub fn history_since(&self, mut since: u64) -> Vec<Value> {
        let mut rows = Vec::new();
        loop {
            let page = self
                .get(&format!("/api/events?limit=1000&since={since}"))
                .expect(200)
                .json();
            rows.extend(page["events"].as_array().expect("rows").iter().cloned());
            match page["next"].as_u64() {
                Some(next) => since = next,
                None => return rows,
            }
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().expect("it was started");
    }

    /// SIGTERM, and waits until it has closed.
    ///
    /// # Panics
    /// When it does not close.
    pub fn terminate(&mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("it runs");
        self.wait()
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it was started") {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it did not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A line of `/proc/PID/status` in bytes: `VmRSS` is the memory now, `VmHWM` the most it ever was. 0 where there is no /proc.
    pub fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let value = status
            .lines()
            .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
        let kib = value.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("the hub's log:\n{}", self.log());
        }
    }
}
