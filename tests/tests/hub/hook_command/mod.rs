//! `countersign hook`: what agents run. It hands over, waits as long as it takes, ends with its agent, and never fails it.

mod absent;
mod ingest;
mod spool;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign_tests::command::{self, Output, Running};
use countersign_tests::hub::countersign;
use countersign_tests::{Folder, Hub, Start, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::wire::pending;

const GONE: &str = "answered in the terminal, or the hook's process ended";

/// A hook's JSON.
fn hook(event: &str, more: &Value) -> String {
    let mut hook = json!({"session_id": "s1", "transcript_path": "/t", "cwd": "/home/ada", "hook_event_name": event});
    hook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    hook.to_string()
}

fn tool_use(event: &str, id: &str) -> String {
    hook(
        event,
        &json!({"tool_name": "Bash", "tool_input": {"command": format!("echo {id}")}, "tool_use_id": id,
            "tool_response": {"stdout": id}}),
    )
}

fn permission(command: &str) -> String {
    hook(
        "PermissionRequest",
        &json!({"permission_mode": "default", "tool_name": "Bash", "tool_input": {"command": command}}),
    )
}

/// The command, not run yet.
fn program(data: &Path, agent: &str, more: &[&str]) -> Command {
    let mut command = countersign();
    command.args(["hook", agent, "--data-dir"]).arg(data).args(more);
    command
}

fn start(hub: &Hub, agent: &str, input: &str) -> Running {
    Running::start(program(&hub.folder.data(), agent, &[]), input)
}

fn run(data: &Path, agent: &str, more: &[&str], input: &str) -> Output {
    Running::start(program(data, agent, more), input).finish().expect(0)
}

/// Nothing is said to the agent, nor to anybody else.
fn is_silent(output: &Output) {
    assert_eq!((output.out.as_str(), output.err.as_str()), ("", ""));
}

fn is_cancelled(hub: &Hub, id: &str) {
    let approval = until("it is taken back", || {
        let approval = hub.get(&format!("/api/approvals/{id}")).json();
        (approval["status"] != "pending").then_some(approval)
    });
    assert_eq!(approval["status"], "cancelled", "{approval}");
    let told = hub
        .history()
        .into_iter()
        .find(|row| row["kind"] == "approval_resolved" && row["data"].to_string().contains(GONE));
    assert!(told.is_some(), "the log says why");
}

#[test]
fn what_only_tells_is_in_the_log_when_it_ends_and_says_nothing() {
    let hub = Hub::start();
    let data = hub.folder.data();
    is_silent(&run(
        &data,
        "claude-code",
        &[],
        &hook("SessionStart", &json!({"source": "startup"})),
    ));
    is_silent(&run(&data, "claude-code", &[], &tool_use("PreToolUse", "t1")));
    is_silent(&run(
        &data,
        "claude-code",
        &["--verbose"],
        &tool_use("PostToolUse", "t1"),
    ));
    is_silent(&run(
        &data,
        "codex",
        &[],
        &hook("SessionStart", &json!({"source": "startup"})),
    ));
    is_silent(&run(
        &data,
        "codex",
        &[
            "notify",
            r#"{"type":"agent-turn-complete","thread-id":"s1","turn-id":"1","cwd":"/","input-messages":["hi"],"last-assistant-message":"done"}"#,
        ],
        "",
    ));
    let rows: Vec<(String, String)> = hub
        .history()
        .iter()
        .filter(|row| row["origin"] == "hook")
        .map(|row| {
            (
                row["agent"].as_str().unwrap().into(),
                row["kind"].as_str().unwrap().into(),
            )
        })
        .collect();
    let told: Vec<(&str, &str)> = rows
        .iter()
        .map(|(agent, kind)| (agent.as_str(), kind.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("claude-code", "session_started"),
            ("claude-code", "tool_call_start"),
            ("claude-code", "tool_call_end"),
            ("codex", "session_started"),
            ("codex", "turn_completed"),
        ]
    );
}

#[test]
fn the_answer_is_printed_as_the_agent_expects_it() {
    let hub = Hub::start();
    for (agent, decision, behavior) in [
        ("claude-code", "approve", "allow"),
        ("claude-code", "deny", "deny"),
        ("codex", "approve", "allow"),
        ("codex", "deny", "deny"),
    ] {
        let asked = start(&hub, agent, &permission(&format!("echo {agent} {decision}")));
        let id = pending(&hub, 1)[0]["id"].as_str().unwrap().to_owned();
        hub.answer(&id, decision);
        let output = asked.finish().expect(0);
        let answer: Value = serde_json::from_str(&output.out).unwrap();
        let said = &answer["hookSpecificOutput"];
        assert_eq!(said["hookEventName"], "PermissionRequest", "{answer}");
        assert_eq!(said["decision"]["behavior"], behavior, "{answer}");
        let approval = until("it is delivered", || {
            let approval = hub.get(&format!("/api/approvals/{id}")).json();
            (approval["delivery"] == "delivered").then_some(approval)
        });
        assert_eq!(approval["agent"], agent);
    }
}

#[test]
fn three_at_once_never_share_a_fate_even_with_the_same_words() {
    let hub = Hub::start();
    let mut asked: Vec<_> = (0..3)
        .map(|n| {
            let running = start(&hub, "claude-code", &permission("rm -rf build"));
            let waiting = pending(&hub, n + 1);
            (running, waiting[n]["id"].as_str().unwrap().to_owned())
        })
        .collect();
    hub.answer(&asked[1].1, "deny");
    let (second, _) = asked.remove(1);
    assert!(second.finish().expect(0).out.contains(r#""deny""#));
    assert_eq!(pending(&hub, 2).len(), 2);
    hub.answer(&asked[0].1, "approve");
    assert!(asked.remove(0).0.finish().expect(0).out.contains(r#""allow""#));
    let (mut third, id) = asked.remove(0);
    assert!(!third.has_ended());
    third.terminate();
    third.finish();
    is_cancelled(&hub, &id);
}

#[test]
fn a_hook_that_is_ended_takes_its_question_back() {
    let hub = Hub::start();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::KILL] {
        let mut child = spawn(program(&hub.folder.data(), "claude-code", &[]), &permission("x"));
        let id = pending(&hub, 1)[0]["id"].as_str().unwrap().to_owned();
        kill_process(Pid::from_child(&child), signal).unwrap();
        child.wait().unwrap();
        is_cancelled(&hub, &id);
    }
}

fn spawn(mut command: Command, input: &str) -> Child {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    child
}

/// A shell that runs the hook with these redirections and stays in between, as some agents have it.
fn behind_a_shell(hub: &Hub, words: &str) -> Child {
    let input = hub.folder.write("hook.json", &permission("behind a shell"));
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!(r#""$0" hook claude-code --data-dir "$1" < "$2" {words}; true"#))
        .arg(countersign_tests::hub::program())
        .arg(hub.folder.data())
        .arg(input);
    spawn(shell, "")
}

#[test]
fn the_end_of_the_agent_behind_a_shell_takes_the_question_back() {
    let hub = Hub::start();
    let mut shell = behind_a_shell(&hub, "");
    let id = pending(&hub, 1)[0]["id"].as_str().unwrap().to_owned();
    // The shell lives on; who would have read the answer does not.
    drop(shell.stdout.take());
    is_cancelled(&hub, &id);
    shell.wait().unwrap();
}

#[test]
fn the_end_of_its_parent_takes_the_question_back() {
    let hub = Hub::start();
    let mut shell = behind_a_shell(&hub, "> /dev/null");
    let id = pending(&hub, 1)[0]["id"].as_str().unwrap().to_owned();
    shell.kill().unwrap();
    shell.wait().unwrap();
    is_cancelled(&hub, &id);
}

#[test]
fn a_question_outlives_the_hub_that_it_was_put_to() {
    for ends in [Hub::kill, |hub: &mut Hub| {
        hub.terminate();
    }] {
        let mut hub = Hub::start();
        let mut asked = start(&hub, "claude-code", &permission("make install"));
        let first = pending(&hub, 1)[0]["id"].clone();
        ends(&mut hub);
        assert!(!asked.has_ended());
        let hub = Start::in_folder(&hub.folder).run();
        assert_eq!(pending(&hub, 1)[0]["id"], first, "it is the same question");
        until("it waits again", || {
            let approval = hub.get(&format!("/api/approvals/{}", first.as_str().unwrap())).json();
            (hub.get("/api/status").json()["connections"] != 1 && approval["status"] == "pending").then_some(())
        });
        hub.answer(first.as_str().unwrap(), "approve");
        assert!(asked.finish().expect(0).out.contains(r#""allow""#));
        let requests = hub
            .history()
            .iter()
            .filter(|row| row["kind"] == "approval_request")
            .count();
        assert_eq!(requests, 1);
    }
}

#[test]
fn tokens_open_a_hub_that_needs_them() {
    let hub = Hub::with_toml("auth = \"required\"");
    let data = hub.folder.data();
    // The folder's own secret.
    is_silent(&run(
        &data,
        "claude-code",
        &["--verbose"],
        &tool_use("PostToolUse", "t1"),
    ));
    let elsewhere = Folder::new();
    let token = command::cli(&hub, &["token", "create", "--role", "agent"])
        .expect(0)
        .out;
    let file = hub.folder.write("token", &format!("{token}\n"));
    let with = |more: &[&str]| {
        let mut words = vec!["--hub".to_owned(), hub.url(), "--verbose".to_owned()];
        words.extend(more.iter().map(|word| (*word).to_owned()));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        run(
            &elsewhere.data(),
            "claude-code",
            &words,
            &tool_use("PostToolUse", more.first().unwrap_or(&"t2")),
        )
    };
    is_silent(&with(&["--token-file", file.to_str().unwrap()]));
    is_silent(&with(&["--token", &token]));
    for refused in [with(&["--token", "nonsense"]), with(&[])] {
        assert!(refused.out.is_empty() && refused.err.contains("401"), "{refused:?}");
    }
    assert!(
        !elsewhere.data().join("spool").exists(),
        "what the hub refuses is not kept"
    );
    let ends = command::cli(&hub, &["tail", "--since", "0", "--no-follow", "--json"])
        .expect(0)
        .out;
    assert_eq!(
        ends.lines().filter(|line| line.contains("\"tool_call_end\"")).count(),
        3,
        "{ends}"
    );
}

#[test]
fn more_than_the_hub_takes_is_no_failure_of_the_agent() {
    let hub = Hub::start();
    let large = "x".repeat(13 * 1024 * 1024);
    let output = run(
        &hub.folder.data(),
        "claude-code",
        &[],
        &hook("PostToolUse", &json!({"tool_name": "Bash", "tool_response": large})),
    );
    assert!(output.out.is_empty() && output.err.contains("12 MiB"), "{}", output.err);
    let output = run(
        &hub.folder.data(),
        "claude-code",
        &["--when-absent", "allow"],
        &hook(
            "PermissionRequest",
            &json!({"tool_name": "Bash", "tool_input": {"command": large}}),
        ),
    );
    assert!(
        output.out.is_empty(),
        "nobody was asked, so nobody said yes: {}",
        output.out
    );
}

#[test]
fn help_and_mistakes_are_explained() {
    let told = |words: &[&str]| {
        let mut command = countersign();
        command.args(words);
        command::run(command)
    };
    assert!(told(&["hook", "--help"]).expect(0).out.contains("--when-absent"));
    for words in [
        &["hook"][..],
        &["hook", "cursor"],
        &["hook", "codex", "--when-absent", "maybe"],
        &["hook", "codex", "notify"],
    ] {
        assert!(told(words).expect(64).out.is_empty(), "{words:?}");
    }
}

#[test]
fn a_hub_that_hangs_holds_nobody_up_and_loses_and_doubles_nothing() {
    let hub = Hub::start();
    let data = hub.folder.data();
    let pid = Pid::from_raw(i32::try_from(hub.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let begun = Instant::now();
    for id in ["t1", "t2"] {
        is_silent(&run(&data, "claude-code", &[], &tool_use("PostToolUse", id)));
        is_silent(&run(&data, "claude-code", &[], &tool_use("PreToolUse", id)));
    }
    assert!(begun.elapsed() > Duration::from_secs(8), "each waits for 2 seconds");
    kill_process(pid, Signal::CONT).unwrap();
    // The hub has the requests in its socket, and the letters in its spool.
    until("the spool is empty", || spool::letters(&data).is_empty().then_some(()));
    let mut calls: Vec<_> = hub
        .history()
        .iter()
        .filter(|row| row["origin"] == "hook")
        .map(|row| {
            format!(
                "{} {}",
                row["kind"].as_str().unwrap(),
                row["data"]["call_id"].as_str().unwrap()
            )
        })
        .collect();
    calls.sort();
    assert_eq!(
        calls,
        [
            "tool_call_end t1",
            "tool_call_end t2",
            "tool_call_start t1",
            "tool_call_start t2"
        ]
    );
}
