//! The app's window, driven over WebDriver by WebKit's own driver.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use countersign_tests::{Folder, PATIENCE, Reply, rest, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::Desk;
use super::app::{Place, arguments_with, port_of, program, threads};

/// The app that runs under the driver; dropped, both end, in the order that leaves nothing behind.
pub(crate) struct Driven {
    driver: Child,
    base: String,
    session: String,
    pid: Pid,
    /// The port that the hub listens on; 0 when it does not.
    pub(crate) port: u16,
    folder: Folder,
}

impl Driven {
    /// Starts the app with our own configuration; it listens on any port.
    pub(crate) fn start(desk: &Desk, more: &str) -> Self {
        let folder = Folder::new();
        let config = folder.write("countersign.toml", &format!("port = 0\n{more}"));
        Self::with_config(desk, &folder, &config)
    }

    /// Starts the app with this configuration file.
    pub(crate) fn with_config(desk: &Desk, folder: &Folder, config: &Path) -> Self {
        // The driver takes a number and says nothing of a free one.
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|free| free.local_addr())
            .expect("a free port")
            .port();
        let mut command = desk.command("WebKitWebDriver");
        command
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .args([&format!("--port={port}"), "--host=127.0.0.1"]);
        // The app says its log to the driver's own outputs.
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.file("log"))
            .expect("a log");
        let driver = command.stdout(log.try_clone().expect("a log")).stderr(log).spawn();
        let driver = driver.unwrap_or_else(|error| panic!("WebKitWebDriver: {error}; `cargo xtask test` installs it"));
        let base = format!("http://127.0.0.1:{port}");
        until("the driver listens", || {
            rest::try_call("GET", &base, "/status", &[], None).ok()
        });
        let options = json!({ "binary": program(), "args": arguments_with(folder, config) });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "webkitgtk:browserOptions": options } } });
        let reply = rest::call("POST", &base, "/session", &[], Some(&wanted.to_string())).expect(200);
        let session = reply.json()["value"]["sessionId"]
            .as_str()
            .expect("a session")
            .to_owned();
        let found = Place(folder.clone()).found();
        let pid = found["pid"]
            .as_i64()
            .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        let driven = Self {
            driver,
            base,
            session,
            pid: pid.expect("a process id"),
            port: port_of(&found),
            folder: folder.clone(),
        };
        driven.until("the page is there", "return document.querySelector('footer') !== null");
        driven
    }

    /// `http://127.0.0.1:PORT` of the hub.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn call(&self, path: &str, body: &Value) -> Reply {
        let path = format!("/session/{}{path}", self.session);
        rest::call("POST", &self.base, &path, &[], Some(&body.to_string()))
    }

    /// Runs a function's body in the page.
    pub(crate) fn run(&self, script: &str) -> Value {
        let reply = self
            .call("/execute/sync", &json!({ "script": script, "args": [] }))
            .expect(200);
        reply.json()["value"].clone()
    }

    /// Waits until a function's body gives something other than false, null and the empty text.
    pub(crate) fn until(&self, what: &str, script: &str) -> Value {
        until(what, || {
            let value = self.run(script);
            let nothing = matches!(&value, Value::Null | Value::Bool(false)) || value == "";
            (!nothing).then_some(value)
        })
    }

    /// Waits until the first thing that a selector finds can be clicked, and clicks it as a person would.
    pub(crate) fn click(&self, selector: &str) {
        until(&format!("{selector} is clicked"), || {
            let found = self.call("/element", &json!({ "using": "css selector", "value": selector }));
            let found = (found.status == 200).then(|| found.json())?;
            let element = found["value"].as_object()?.values().next()?.as_str()?.to_owned();
            (self.call(&format!("/element/{element}/click"), &json!({})).status == 200).then_some(())
        });
    }

    /// Loads the page anew.
    pub(crate) fn reload(&self) {
        self.call("/refresh", &json!({})).expect(200);
    }

    /// The words of every row of the list, oldest first.
    pub(crate) fn rows(&self) -> Vec<String> {
        let rows = self.run("return [...document.querySelectorAll('.list .row')].map((row) => row.textContent)");
        let rows = rows.as_array().cloned().unwrap_or_default();
        rows.iter().filter_map(|row| row.as_str().map(str::to_owned)).collect()
    }

    /// Waits until exactly `count` rows have all these words, and gives them.
    pub(crate) fn until_rows(&self, count: usize, words: &[&str]) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let rows = self.rows();
            let found = rows.iter().filter(|row| words.iter().all(|word| row.contains(word)));
            let found: Vec<_> = found.cloned().collect();
            if found.len() == count {
                return found;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "not {count} rows with {words:?} but {found:?}, of {rows:#?}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_gone(&self) -> bool {
        // A zombie is gone too: the driver has yet to notice.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid.as_raw_nonzero()));
        stat.map_or(true, |stat| {
            stat.rsplit(')')
                .next()
                .is_some_and(|rest| rest.trim_start().starts_with('Z'))
        })
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let pid = self.pid.as_raw_nonzero().get().unsigned_abs();
            eprintln!("the app's threads:\n{}", threads(pid));
        }
        // Killed at once, the driver leaves the app behind, blank, and single-instance then hangs every later start.
        let path = format!("/session/{}", self.session);
        let _ = rest::try_call("DELETE", &self.base, &path, &[], None);
        let begun = Instant::now();
        while !self.is_gone() && begun.elapsed() < PATIENCE {
            let signal = if begun.elapsed() < PATIENCE / 2 {
                Signal::TERM
            } else {
                Signal::KILL
            };
            let _ = kill_process(self.pid, signal);
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.file("log")).unwrap_or_default();
            eprintln!("the app's log:\n{log}");
        }
    }
}
