//! `countersign run`: any program, unchanged, as a run that the hub shows and a person can stop.

use std::process::Command;
use std::time::{Duration, Instant};

use countersign_tests::command::{self, Output, Running};
use countersign_tests::hub::countersign;
use countersign_tests::{Folder, Hub, Start, until};
use serde_json::{Value, json};

fn program(hub: &Hub, script: &str) -> Command {
    let words = ["run", "--name", "job", "--session", "s1", "--", "sh", "-c", script];
    let mut command = countersign();
    command.arg("--data-dir").arg(hub.folder.data()).args(words);
    command
}

fn run(hub: &Hub, script: &str) -> Output {
    command::run(program(hub, script))
}

fn events(hub: &Hub) -> Vec<Value> {
    let rows = hub.history();
    rows.into_iter()
        .filter(|row| row["agent"] == "job" && row["origin"] != "hub")
        .collect()
}

fn ended(hub: &Hub) -> Value {
    until("its end is in the log", || {
        events(hub).into_iter().find(|row| {
            let kind = row["kind"].as_str().unwrap();
            kind == "execution_completed" || kind == "execution_failed"
        })
    })
}

fn said(hub: &Hub, stream: &str) -> String {
    events(hub)
        .iter()
        .filter(|row| row["kind"] == "output" && row["data"]["stream"] == stream)
        .map(|row| row["data"]["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_program_is_a_run_with_a_start_what_it_said_and_an_end() {
    let hub = Hub::start();
    let output = run(
        &hub,
        "echo out; echo err >&2; echo \"$COUNTERSIGN_AGENT $COUNTERSIGN_SESSION\"",
    )
    .expect(0);
    assert_eq!((output.out.as_str(), output.err.trim_end()), ("out\njob s1", "err"));
    let end = ended(&hub);
    assert_eq!(
        (&end["kind"], &end["data"]["exit_code"]),
        (&json!("execution_completed"), &json!(0))
    );
    assert!(end["data"]["duration"].as_f64().unwrap() >= 0.0);
    let start = &events(&hub)[0];
    assert_eq!(
        (&start["kind"], &start["session"]),
        (&json!("execution_started"), &json!("s1"))
    );
    assert_eq!(start["data"]["argv"][0], "sh");
    // Its end and its output among them: none of them is another dialect's.
    assert!(
        events(&hub).iter().all(|row| row["origin"] == "run"),
        "{:?}",
        events(&hub)
    );
    assert!(start["data"]["command"].as_str().unwrap().starts_with("sh -c '"));
    assert!(start["data"]["pid"].as_u64().is_some() && start["data"]["cwd"].as_str().is_some());
    assert_eq!(
        (said(&hub, "stdout").as_str(), said(&hub, "stderr").as_str()),
        ("out\njob s1\n", "err\n")
    );
}

#[test]
fn its_exit_code_and_its_signals_are_passed_on() {
    for (script, code, signal) in [
        ("exit 3", 3, None),
        ("exit 255", 255, None),
        ("kill -9 $$", 137, Some("SIGKILL")),
    ] {
        let hub = Hub::start();
        run(&hub, script).expect(code);
        let end = ended(&hub);
        assert_eq!(end["kind"], "execution_failed", "{end}");
        match signal {
            Some(signal) => assert_eq!(end["data"]["signal"], signal),
            None => assert_eq!(end["data"]["exit_code"], code),
        }
    }
    let hub = Hub::start();
    let mut running = Running::start(
        program(
            &hub,
            "trap 'echo caught; exit 7' USR1 TERM; echo ready; while :; do sleep 0.05; done",
        ),
        "",
    );
    assert_eq!(running.line(), "ready");
    running.terminate();
    let output = running.finish().expect(7);
    assert_eq!(output.out, "caught");
}

#[test]
fn what_it_reads_and_writes_goes_through_to_the_byte() {
    let hub = Hub::start();
    let bytes = "line\n".repeat(100_000);
    let output = Running::start(program(&hub, "cat"), &bytes).finish().expect(0);
    assert_eq!(output.out.len() + 1, bytes.len());
    // Of much, the history has the end, and knows how much is missing.
    ended(&hub);
    let told = said(&hub, "stdout");
    assert!(told.ends_with("line\n") && told.len() < 200_000, "{}", told.len());
    let rows = events(&hub);
    let skipped: u64 = rows
        .iter()
        .filter_map(|row| row["data"]["skipped_bytes"].as_u64())
        .sum();
    assert_eq!(told.len() as u64 + skipped, bytes.len() as u64);
}

#[test]
fn a_stop_interrupts_it_and_all_that_it_started() {
    let hub = Hub::start();
    let mut running = Running::start(
        program(
            &hub,
            "trap 'echo told' INT; sleep 1000 & echo $!; wait $!; wait; exit 5",
        ),
        "",
    );
    let sleeper = running.line();
    until("it is a session", || {
        let agents = hub.get("/api/agents").json();
        agents.to_string().contains("\"s1\"").then_some(())
    });
    hub.post_as_approver("/api/sessions/s1/stop", &json!({"message": "enough"}))
        .expect(200);
    assert_eq!(running.line(), "told");
    // A background job of a shell ignores SIGINT; SIGTERM follows.
    let output = running.finish();
    assert_ne!(output.code, Some(0));
    let end = ended(&hub);
    assert_eq!(
        (&end["kind"], &end["data"]["stopped"]),
        (&json!("execution_failed"), &json!(true))
    );
    assert!(end["data"]["error"].as_str().unwrap().contains("enough"), "{end}");
    until("nothing is left of it", || {
        (!std::path::Path::new(&format!("/proc/{sleeper}")).exists()).then_some(())
    });
}

#[test]
fn slow_a_program_that_heeds_nothing_is_killed() {
    let hub = Hub::start();
    let mut running = Running::start(
        program(&hub, "trap '' INT TERM; echo ready; while :; do sleep 0.1; done"),
        "",
    );
    assert_eq!(running.line(), "ready");
    until("it is a session", || {
        hub.get("/api/agents")
            .json()
            .to_string()
            .contains("\"s1\"")
            .then_some(())
    });
    let begun = Instant::now();
    hub.post_as_approver("/api/sessions/s1/stop", &json!({})).expect(200);
    running.finish().expect(137);
    assert!(begun.elapsed() >= Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(ended(&hub)["data"]["signal"], "SIGKILL");
}

#[test]
fn without_a_hub_it_runs_all_the_same() {
    let folder = Folder::new();
    let mut command = countersign();
    command
        .arg("--data-dir")
        .arg(folder.data())
        .args(["run", "--", "sh", "-c", "echo fine; exit 4"]);
    let begun = Instant::now();
    let output = command::run(command).expect(4);
    assert_eq!(output.out, "fine");
    assert_eq!(
        output.err.matches("not shown in Countersign").count(),
        1,
        "{}",
        output.err
    );
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_hub_that_comes_later_hears_all_of_it() {
    let folder = Folder::new();
    let words = [
        "run",
        "--name",
        "job",
        "--session",
        "s1",
        "--",
        "sh",
        "-c",
        "echo early; read line; echo late",
    ];
    let mut command = countersign();
    command.arg("--data-dir").arg(folder.data()).args(words);
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let hub = Start::in_folder(&folder).run();
    until("its start is in the log", || events(&hub).first().cloned());
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    ended(&hub);
    assert_eq!(said(&hub, "stdout"), "early\nlate\n");
}

#[test]
fn what_is_no_program_is_said_and_told() {
    let hub = Hub::start();
    let mut command = countersign();
    command.arg("--data-dir").arg(hub.folder.data());
    command.args(["run", "--name", "job", "no-such-program-anywhere"]);
    let output = command::run(command);
    assert_eq!(output.code, Some(127), "{output:?}");
    assert!(output.err.contains("no-such-program-anywhere"), "{}", output.err);
    assert_eq!(ended(&hub)["data"]["exit_code"], 127);
}

/// The rows of this kind.
fn of_kind(hub: &Hub, kind: &str) -> usize {
    hub.history().iter().filter(|row| row["kind"] == kind).count()
}

#[test]
fn a_quiet_program_is_stopped_by_a_hub_that_has_come_back() {
    let folder = Folder::new();
    let mut hub = Start::in_folder(&folder).run();
    let mut running = Running::start(program(&hub, "echo ready; sleep 1000"), "");
    assert_eq!(running.line(), "ready");
    until("it is in the log", || {
        (of_kind(&hub, "execution_started") == 1).then_some(())
    });
    hub.kill();
    let hub = Start::in_folder(&folder).run();
    until("it is there again", || {
        (of_kind(&hub, "agent_connected") == 2).then_some(())
    });
    hub.post_as_approver("/api/sessions/s1/stop", &json!({})).expect(200);
    running.finish().expect(130);
    assert_eq!(ended(&hub)["data"]["stopped"], true);
}

#[test]
fn slow_a_stop_reaches_what_outlives_the_program() {
    let hub = Hub::start();
    let script = "trap '' INT; sleep 1000 & echo $!; trap - INT; exec sleep 1000";
    let mut running = Running::start(program(&hub, script), "");
    let sleeper = running.line();
    until("it is in the log", || {
        (of_kind(&hub, "execution_started") == 1).then_some(())
    });
    hub.post_as_approver("/api/sessions/s1/stop", &json!({})).expect(200);
    running.finish().expect(130);
    until("nothing is left of it", || {
        let path = format!("/proc/{sleeper}/stat");
        let stat = std::fs::read_to_string(path).unwrap_or_default();
        // Gone, or dead and not collected by whoever that is here.
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
}

#[test]
fn what_it_left_running_goes_on_speaking() {
    let hub = Hub::start();
    let script = "(sleep 5; echo late; echo done > \"$COUNTERSIGN_LATE\") & echo early";
    let late = hub.folder.file("late");
    let mut command = program(&hub, script);
    command.env("COUNTERSIGN_LATE", &late);
    let output = Running::start(command, "").finish().expect(0);
    assert_eq!(output.out, "early\nlate");
    until("it was not ended by its pipe", || late.exists().then_some(()));
}

#[test]
fn what_cannot_be_written_is_said_and_is_no_success() {
    let hub = Hub::start();
    let mut command = program(&hub, "echo hi");
    command.stdout(std::fs::File::create("/dev/full").unwrap());
    let child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(1) && said.contains("could not be written"),
        "{said}"
    );
}

#[test]
fn a_hub_that_says_nothing_holds_no_program_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    let mut command = countersign();
    let url = format!("http://{}", silent.local_addr().unwrap());
    command.arg("--data-dir").arg(folder.data());
    command.args(["--url", &url, "run", "--", "sh", "-c", "exit 5"]);
    let begun = Instant::now();
    command::run(command).expect(5);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}
