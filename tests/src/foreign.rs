//! WebSocket clients that nobody here wrote: Python `websockets` and Node `ws`, driven line by line through small scripts in
//! `clients/` that add nothing of their own.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wait::PATIENCE;
use crate::ws::Peer;

/// The folder of the clients' scripts.
pub fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// The Python that has the requirements.
///
/// # Panics
/// When it has not been set up.
pub fn python() -> Command {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    assert!(
        python.exists(),
        "{} is not there: `cargo xtask setup` makes it",
        python.display()
    );
    let mut command = Command::new(python);
    command.current_dir(clients()).env("PYTHONUNBUFFERED", "1");
    without_proxies(&mut command);
    command
}

/// Node with the packages beside the scripts.
///
/// # Panics
/// When they have not been installed.
pub fn node() -> Command {
    let folder = clients().join("node");
    assert!(
        folder.join("node_modules/ws").exists(),
        "the Node clients are not installed: `cargo xtask setup`"
    );
    let mut command = Command::new("node");
    command.current_dir(folder);
    without_proxies(&mut command);
    command
}

/// A machine's proxy is of no use on loopback, and some clients ask it all the same.
pub fn without_proxies(command: &mut Command) {
    for name in ["http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
}

/// A client that runs.
#[derive(Debug)]
pub struct Foreign {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Foreign {
    /// Python's `websockets`, connected.
    pub fn python(url: &str) -> Self {
        let mut command = python();
        command.args(["socket_client.py", url]);
        Self::connected(command)
    }

    /// Node's `ws`, connected.
    pub fn node(url: &str) -> Self {
        let mut command = node();
        command.args(["socket_client.mjs", url]);
        Self::connected(command)
    }

    /// python-socketio on these transports, in a namespace, with a token or with none. It may be refused.
    pub fn python_socketio(url: &str, transports: &str, namespace: &str, token: &str) -> Self {
        let mut command = python();
        command.args(["socketio_client.py", url, transports, namespace, token]);
        Self::start(command)
    }

    /// socket.io-client in the newest version, or in the seed's, as [`Foreign::python_socketio`].
    pub fn node_socketio(package: &str, url: &str, transports: &str, namespace: &str, token: &str) -> Self {
        let mut command = node();
        command.args(["socketio_client.mjs", url, transports, namespace, token, package]);
        Self::start(command)
    }

    fn connected(command: Command) -> Self {
        let mut client = Self::start(command);
        let first = client.event();
        assert!(first["open"] == true, "it did not connect: {first}");
        client
    }

    /// Any client whose output is read line by line.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        let input = child.stdin.take();
        let out = child.stdout.take().expect("piped");
        // A test that does not listen makes the client wait, as a slow reader of its output would.
        let (line, lines) = sync_channel(1024);
        std::thread::spawn(move || {
            for text in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = line.send(text);
            }
        });
        Self { child, input, lines }
    }

    /// The next line that it prints.
    ///
    /// # Panics
    /// When none comes.
    pub fn line(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("the client says something")
    }

    /// The next line that it prints, if one comes within `time`.
    pub fn line_within(&mut self, time: Duration) -> Option<String> {
        self.lines.recv_timeout(time).ok()
    }

    /// Says a line to it.
    ///
    /// # Panics
    /// When it does not listen.
    pub fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("still open");
        writeln!(input, "{line}").expect("it listens");
        input.flush().expect("it listens");
    }

    /// The next thing that happened, as the script reports it.
    ///
    /// # Panics
    /// When it is no JSON.
    pub fn event(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

impl Peer for Foreign {
    fn send_text(&mut self, text: &str) {
        self.say(&Value::from(text).to_string());
    }

    fn text(&mut self) -> String {
        let event = self.event();
        match event["message"].as_str() {
            Some(text) => text.to_owned(),
            None => panic!("the connection ended: {event}"),
        }
    }

    fn closed(&mut self) -> (u16, String) {
        loop {
            let event = self.event();
            if let Some(code) = event["closed"].as_u64() {
                let reason = event["reason"].as_str().unwrap_or_default();
                return (u16::try_from(code).unwrap_or(0), reason.to_owned());
            }
        }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // The end of its input ends it; what does not listen is killed.
        drop(self.input.take());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
