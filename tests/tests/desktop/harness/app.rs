//! The app under test: started on a desk, asked over HTTP, closed or killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Instant;

use countersign_tests::{Folder, PATIENCE, Reply, rest, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::Desk;

/// `COUNTERSIGN_DESKTOP_BIN`, or the program that `cargo build -p countersign-desktop` made beside this package.
pub(crate) fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("COUNTERSIGN_DESKTOP_BIN") {
        return path.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    );
    let program = target.join("debug/countersign-desktop");
    assert!(
        program.exists(),
        "{} is not there: `cargo build -p countersign-desktop`, or name it in COUNTERSIGN_DESKTOP_BIN",
        program.display()
    );
    program
}

/// The command line of the app, with a configuration that picks a free port and adds `more`.
pub(crate) fn arguments(folder: &Folder, more: &str) -> Vec<String> {
    let config = folder.write("countersign.toml", &format!("port = 0\n{more}"));
    arguments_with(folder, &config)
}

/// The command line of the app with a configuration of any kind.
pub(crate) fn arguments_with(folder: &Folder, config: &Path) -> Vec<String> {
    let data = folder.data().display().to_string();
    ["--data-dir", &data, "--config", &config.display().to_string()]
        .map(str::to_owned)
        .to_vec()
}

/// The app's place among files, and what anybody can find out from outside.
#[derive(Clone, Debug)]
pub(crate) struct Place(pub(crate) Folder);

impl Place {
    fn hub(&self) -> Option<Value> {
        let text = std::fs::read_to_string(self.0.data().join("hub.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Waits for `hub.json`, and gives it.
    pub(crate) fn found(&self) -> Value {
        until("hub.json says where the hub is", || self.hub())
    }
}

/// The app that runs; dropped, it is killed.
pub(crate) struct App {
    child: Child,
    place: Place,
    /// The port that it listens on.
    pub(crate) port: u16,
}

impl App {
    /// Starts it in a folder of its own and waits for its window.
    pub(crate) fn start(desk: &Desk) -> Self {
        Self::start_in(desk, &Folder::new(), "")
    }

    /// Starts it with `more` in its configuration, on data that may be there, and waits for its window.
    pub(crate) fn start_in(desk: &Desk, folder: &Folder, more: &str) -> Self {
        let app = Self::spawn(desk, folder, &arguments(folder, more));
        desk.window("^Countersign$");
        app
    }

    /// Starts it with these arguments and waits until it listens.
    pub(crate) fn spawn(desk: &Desk, folder: &Folder, arguments: &[String]) -> Self {
        let place = Place(folder.clone());
        // A killed hub leaves its own behind.
        let _ = std::fs::remove_file(folder.data().join("hub.json"));
        let child = command(desk, folder, arguments).spawn().expect("the app starts");
        let mut app = Self { child, place, port: 0 };
        let found = app.place.found();
        app.port = port_of(&found);
        app
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A request of anybody's.
    pub(crate) fn get(&self, path: &str) -> Reply {
        rest::call("GET", &self.url(), path, &[], None)
    }

    /// The approvals of this status.
    pub(crate) fn approvals(&self, status: &str) -> Vec<Value> {
        approvals(&self.url(), status)
    }

    /// The approval of this request, waiting until it is asked.
    pub(crate) fn approval(&self, request: &str) -> Value {
        approval(&self.url(), request)
    }

    /// Waits until the request has this status, and gives it.
    pub(crate) fn until_status(&self, request: &str, status: &str) -> Value {
        until(&format!("{request} is {status}"), || {
            let found = self.approval(request);
            (found["status"] == status).then_some(found)
        })
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether its `hub.json` is there.
    pub(crate) fn is_found(&self) -> bool {
        self.folder().data().join("hub.json").exists()
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> Folder {
        self.place.0.clone()
    }

    /// SIGTERM, and waits for its end.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it runs");
        wait(&mut self.child)
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child)
    }

    /// `kill -9`, and waits for its end.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until it has logged this.
    pub(crate) fn until_log(&self, words: &str) {
        until(&format!("the log says {words:?}"), || {
            self.log().contains(words).then_some(())
        });
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.place.0.file("log")).unwrap_or_default()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "the app's threads:\n{}the app's log:\n{}",
                threads(self.child.id()),
                self.log()
            );
        }
        self.kill();
    }
}

/// The app's command, with what it says going to a file.
pub(crate) fn command(desk: &Desk, folder: &Folder, arguments: &[String]) -> Command {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.file("log"))
        .expect("a log");
    let mut command = desk.command(program());
    command
        .args(arguments)
        .env(
            "COUNTERSIGN_LOG",
            "info,countersign_desktop::notices=debug,tao=error,zbus=warn",
        )
        .stdout(log.try_clone().expect("a log"))
        .stderr(log);
    command
}

/// Waits for a program's end.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("it was started") {
            return status;
        }
        assert!(begun.elapsed() < PATIENCE, "it did not end");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// The port that `hub.json` names; 0 when there is no listener.
pub(crate) fn port_of(hub: &Value) -> u16 {
    let port = hub["url"].as_str().and_then(|url| url.rsplit(':').next()?.parse().ok());
    port.unwrap_or(0)
}

/// The approvals of this status, at a hub.
pub(crate) fn approvals(url: &str, status: &str) -> Vec<Value> {
    let reply = rest::call("GET", url, &format!("/api/approvals?status={status}"), &[], None).expect(200);
    reply.json()["approvals"].as_array().expect("a list").clone()
}

/// The approval of this request, at a hub, waiting until it is asked.
pub(crate) fn approval(url: &str, request: &str) -> Value {
    until(&format!("{request} is asked"), || {
        let reply = rest::call("GET", url, &format!("/api/approvals/{request}"), &[], None);
        (reply.status == 200).then(|| reply.json())
    })
}

/// What each thread of a process waits for, for a person who looks into a hang.
pub(crate) fn threads(pid: u32) -> String {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let lines = tasks.map(|task| {
        let said = |name: &str| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        format!(
            "  {:16} {:20} {}\n",
            said("comm").trim(),
            said("wchan").trim(),
            said("syscall").trim()
        )
    });
    lines.collect()
}
