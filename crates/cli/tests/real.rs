//! The real program against a real hub of its own: what it prints, and how it ends.
#![cfg(unix)]
#![allow(missing_docs)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than anything here takes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A hub in a folder of its own, until it is dropped.
struct Hub {
    home: tempfile::TempDir,
    serving: Child,
    lines: Vec<String>,
}

fn command(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.env("COUNTERSIGN_DATA_DIR", data_dir);
    for name in [
        "COUNTERSIGN_URL",
        "COUNTERSIGN_TOKEN",
        "COUNTERSIGN_AGENT",
        "COUNTERSIGN_SESSION",
        "RUST_LOG",
    ] {
        command.env_remove(name);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn serve(data_dir: &Path) -> (Child, Vec<String>) {
    let mut serving = command(data_dir)
        .args(["serve", "--port", "0"])
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let mut reader = BufReader::new(serving.stdout.take().expect("piped"));
    let mut lines = Vec::new();
    // hub.json, written before the first line, names as many listeners as there are lines.
    lines.push(read_line(&mut reader));
    let told: Value =
        serde_json::from_slice(&std::fs::read(data_dir.join("hub.json")).expect("hub.json")).expect("JSON");
    while lines.len() < told["listeners"].as_array().expect("listeners").len() {
        lines.push(read_line(&mut reader));
    }
    serving.stdout = Some(reader.into_inner());
    (serving, lines)
}

fn read_line(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    line.trim_end().to_owned()
}

impl Hub {
    fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let (serving, lines) = serve(home.path());
        Self { home, serving, lines }
    }

    /// Ends it as a crash does, and starts it again in the same folder.
    fn crash(&mut self) {
        self.serving.kill().expect("killed");
        self.serving.wait().expect("ended");
        (self.serving, self.lines) = serve(self.home.path());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.home.path());
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("run")
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().expect("started")
    }

    /// Runs with something on standard input.
    fn feed(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("started");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(input.as_bytes()).expect("written");
        drop(stdin);
        child.wait_with_output().expect("ended")
    }

    /// The next approval of `agent` that waits.
    fn waiting(&self, agent: &str) -> Value {
        until(|| {
            let listed = text(&self.run(&["answer", "--json"]));
            let mut waiting = listed
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
            waiting.find(|approval| approval["agent"] == agent)
        })
    }

    fn answer(&self, agent: &str, words: &[&str]) -> Output {
        let approval = self.waiting(agent);
        let id = approval["id"].as_str().expect("an id").to_owned();
        self.run(&[&["answer", id.as_str()], words].concat())
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.serving.kill();
        let _ = self.serving.wait();
    }
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "it did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(sent.success());
}

#[test]
fn serve_says_where_it_listens_and_closes_on_sigterm() {
    let mut hub = Hub::start();
    assert!(!hub.lines.is_empty());
    for line in &hub.lines {
        let address = line.strip_prefix("listening on http://").expect(line);
        std::net::TcpStream::connect(address).expect("it listens");
    }
    signal(&hub.serving, "-TERM");
    let mut rest = String::new();
    hub.serving
        .stdout
        .take()
        .expect("piped")
        .read_to_string(&mut rest)
        .expect("read");
    assert_eq!(
        (rest.as_str(), hub.serving.wait().expect("ended").code()),
        ("", Some(0))
    );
    assert!(!hub.home.path().join("hub.json").exists());
    let gone = hub.run(&["status"]);
    assert!(
        code(&gone) == 1 && errors(&gone).contains("countersign serve"),
        "{}",
        errors(&gone)
    );
}

#[test]
fn a_hub_that_can_listen_nowhere_fails_with_the_way_out() {
    let hub = Hub::start();
    let port = hub.lines[0].rsplit(':').next().expect("a port").to_owned();
    let other = tempfile::tempdir().expect("a folder");
    let output = command(other.path())
        .args(["serve", "--port", &port])
        .output()
        .expect("run");
    assert_eq!((code(&output), text(&output).as_str()), (1, ""));
    assert!(
        errors(&output).contains(&port) && errors(&output).contains("--port"),
        "{}",
        errors(&output)
    );
    let same = hub.run(&["serve", "--port", "0"]);
    assert!(
        code(&same) == 1 && errors(&same).contains("--data-dir"),
        "{}",
        errors(&same)
    );
}

#[test]
fn what_is_emitted_is_exported_as_it_came() {
    let hub = Hub::start();
    let one = hub.run(&[
        "emit",
        "--type",
        "note",
        "--data",
        r#"{"n":1.50}"#,
        "--agent",
        "a",
        "--session",
        "s",
    ]);
    let receipt: Value = serde_json::from_str(&text(&one)).expect("a receipt");
    assert_eq!(
        (code(&one), &receipt["first"], &receipt["last"]),
        (0, &json!(1), &json!(1))
    );

    let lines = "{\"type\":\"x\",\"data\":{}}\nnonsense\n\n{\"type\":\"y\",\"data\":{},\"agent\":\"b\"}\n{\"type\":\"rule_x\",\"data\":{}}\n";
    let some = hub.feed(&["emit", "--agent", "a"], lines);
    assert_eq!(code(&some), 1);
    let said = errors(&some);
    assert!(
        said.contains("line 2: ") && said.contains("line 5: ") && said.lines().count() == 2,
        "{said}"
    );

    let exported = text(&hub.run(&["export"]));
    let rows: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).expect("a row"))
        .collect();
    let kinds: Vec<_> = rows
        .iter()
        .map(|row| (row["agent"].as_str(), row["kind"].as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (Some("a"), Some("note")),
            (Some("a"), Some("x")),
            (Some("b"), Some("y"))
        ]
    );
    assert!(exported.contains("{\"n\":1.50}"), "{exported}");
    assert_eq!(text(&hub.run(&["export", "--agents", "b"])).lines().count(), 1);

    // What was exported can be published again.
    let again = hub.feed(&["emit"], &exported);
    assert_eq!(code(&again), 0, "{}", errors(&again));
}

#[test]
fn each_answer_reaches_the_asker_as_an_exit_code_and_a_message() {
    let hub = Hub::start();
    for (answer, expect) in [("approve", 0), ("deny", 1), ("stop", 2)] {
        let ask = hub.spawn(&[
            "ask",
            "--tool",
            "bash",
            "--command",
            "rm -rf build",
            "--agent",
            "asker",
            "--session",
            answer,
        ]);
        let answered = hub.answer("asker", &[answer, "--message", "because"]);
        assert_eq!(code(&answered), 0, "{}", errors(&answered));
        let asked = ask.wait_with_output().expect("ended");
        assert_eq!((code(&asked), text(&asked).as_str()), (expect, "because\n"), "{answer}");
    }
    let expired = hub.run(&["ask", "--tool", "bash", "--timeout", "0.5"]);
    assert_eq!(code(&expired), 3, "{}", errors(&expired));
    let nobody = hub.run(&["ask", "--tool", "bash", "--wait-for-approver", "0.5"]);
    assert_eq!(code(&nobody), 3, "{}", errors(&nobody));
    assert_eq!(code(&hub.run(&["ask", "--tool", ""])), 64);
    let away = hub.run(&[
        "ask",
        "--tool",
        "bash",
        "--url",
        "http://127.0.0.1:1",
        "--unreachable-after",
        "0.5",
    ]);
    assert_eq!(code(&away), 3, "{}", errors(&away));
}

#[test]
fn an_interrupted_asker_has_no_approval() {
    let hub = Hub::start();
    let ask = hub.spawn(&["ask", "--tool", "bash", "--agent", "asker", "--json"]);
    hub.waiting("asker");
    signal(&ask, "-INT");
    let asked = ask.wait_with_output().expect("ended");
    let said: Value = serde_json::from_str(&text(&asked)).expect("JSON");
    assert_eq!((code(&asked), &said["status"]), (3, &json!("interrupted")));
}

/// Type and place of the next frame.
fn frame(frames: &mut impl BufRead) -> (String, u64) {
    let frame: Value = serde_json::from_str(&read_line(frames)).expect("a frame");
    let kind = frame["type"].as_str().expect("a type").to_owned();
    (kind, frame["seq"].as_u64().expect("a seq"))
}

#[test]
fn a_question_and_a_reader_outlive_a_crash_of_the_hub() {
    let mut hub = Hub::start();
    let mut tail = hub.spawn(&["tail", "--since", "0", "--json", "--types", "*"]);
    let mut frames = BufReader::new(tail.stdout.take().expect("piped"));
    let ask = hub.spawn(&["ask", "--tool", "bash", "--agent", "asker"]);
    let mut seen = vec![frame(&mut frames)];
    hub.waiting("asker");
    hub.crash();
    assert_eq!(code(&hub.answer("asker", &["approve"])), 0);
    assert_eq!(code(&ask.wait_with_output().expect("ended")), 0);

    while seen.last().is_none_or(|(kind, _)| kind != "approval_resolved") {
        seen.push(frame(&mut frames));
    }
    let places: Vec<u64> = seen.iter().map(|(_, seq)| *seq).collect();
    let expect: Vec<u64> = (1..=places.len() as u64).collect();
    assert_eq!(places, expect, "{seen:?}");
    tail.kill().expect("killed");
    tail.wait().expect("ended");
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let hub = Hub::start();
    hub.feed(
        &["emit"],
        &"{\"type\":\"x\",\"data\":{\"text\":\"0123456789\"}}\n".repeat(5_000),
    );
    let mut export = hub.spawn(&["export"]);
    let mut reader = BufReader::new(export.stdout.take().expect("piped"));
    read_line(&mut reader);
    drop(reader);
    let ended = export.wait_with_output().expect("ended");
    assert_eq!((code(&ended), errors(&ended).as_str()), (0, ""));
}

#[test]
fn the_dashboard_address_is_the_last_line() {
    let hub = Hub::start();
    let output = hub.run(&["dashboard"]);
    let address = text(&output);
    let (url, code_) = address.trim_end().rsplit_once("/#code=").expect("an address");
    assert!(
        hub.lines.contains(&format!("listening on {url}")) && code_.len() >= 16,
        "{address}"
    );
}

#[test]
fn the_demo_waits_for_real_answers_and_goes_on_accordingly() {
    let mut hub = Hub::start();
    let demo = hub.spawn(&["demo", "--speed", "2000", "--agent", "d"]);
    assert_eq!(code(&hub.answer("d-reviewer", &["stop"])), 0);
    let edit = hub.waiting("d");
    assert_eq!(edit["tool_name"], "edit_file");
    hub.crash();
    assert_eq!(code(&hub.answer("d", &["deny", "--message", "another way"])), 0);
    let sql = until(|| Some(hub.waiting("d")).filter(|approval| approval["tool_name"] == "execute_sql"));
    assert_eq!(sql["status"], "pending");
    assert_eq!(code(&hub.answer("d", &["approve"])), 0);
    until(|| Some(hub.waiting("d")).filter(|approval| approval["tool_name"] == "execute_command"));
    assert_eq!(code(&hub.answer("d", &["stop", "--message", "enough"])), 0);
    let ended = demo.wait_with_output().expect("ended");
    assert_eq!(code(&ended), 0, "{}", errors(&ended));

    let rows = text(&hub.run(&["export", "--agents", "d", "--types", "tool_call_start"]));
    for (part, made) in [
        ("git worktree add", true),
        ("refunds.py\",\"old_string", false),
        ("DELETE FROM", true),
        ("git push", false),
    ] {
        assert_eq!(rows.contains(part), made, "{part}");
    }
    let reviewed = text(&hub.run(&["export", "--agents", "d-reviewer"]));
    assert!(!reviewed.contains("write_file"), "the stopped agent went on");
}

#[test]
fn without_approvals_the_demo_plays_through_by_itself() {
    let hub = Hub::start();
    let output = hub.run(&["demo", "--speed", "2000", "--no-approvals", "--repeat", "2"]);
    assert_eq!((code(&output), text(&output).as_str()), (0, ""), "{}", errors(&output));
    let kinds = text(&hub.run(&["export"]));
    for kind in [
        "tool_call_start",
        "tool_call_end",
        "tool_call_result",
        "system2_intervention",
        "system3_evaluation",
        "system3_intervention",
        "autonomous_activity",
        "agent_status",
    ] {
        assert!(kinds.contains(&format!("\"kind\":\"{kind}\"")), "{kind}");
    }
    assert!(!kinds.contains("approval_request"));
    let failed = kinds.lines().filter(|line| line.contains("\"success\":false")).count();
    assert_eq!(failed, 6);
    let unfinished =
        kinds.matches("\"kind\":\"tool_call_start\"").count() - kinds.matches("\"kind\":\"tool_call_end\"").count();
    assert_eq!(unfinished, 0);
}
