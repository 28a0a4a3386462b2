//! What holds while no hub is there, or something else is in its place.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use countersign_tests::{Folder, Hub, Start};
use serde_json::{Value, json};

use super::{hook, is_silent, permission, program, run, start, tool_use};
use crate::wire::pending;

const AGENTS: [&str; 2] = ["claude-code", "codex"];

/// What is said to a question, under each policy.
fn check(folder: &Folder, agent: &str, more: &[&str], policy: &str) {
    let output = run(&folder.data(), agent, more, &permission("rm -rf /"));
    match policy {
        "ask" => assert_eq!(output.out, "", "{agent} {more:?}"),
        policy => {
            let answer: Value = serde_json::from_str(&output.out).expect(&output.out);
            let said = &answer["hookSpecificOutput"];
            assert_eq!(said["hookEventName"], "PermissionRequest");
            assert_eq!(said["decision"]["behavior"], policy, "{agent} {more:?}");
            if policy == "deny" {
                let message = said["decision"]["message"].as_str().unwrap();
                assert!(message.contains("Countersign"), "{message}");
            }
        }
    }
}

#[test]
fn a_question_is_answered_as_the_command_line_says() {
    for agent in AGENTS {
        let folder = Folder::new();
        check(&folder, agent, &[], "ask");
        for policy in ["ask", "deny", "allow"] {
            check(&folder, agent, &["--when-absent", policy], policy);
        }
    }
}

#[test]
fn a_question_is_answered_as_the_environment_says_and_oddities_ask() {
    for (value, expect) in [("deny", r#""deny""#), ("allow", r#""allow""#), ("Deny", ""), ("", "")] {
        let folder = Folder::new();
        let mut command = program(&folder.data(), "claude-code", &[]);
        command.env("COUNTERSIGN_WHEN_ABSENT", value);
        let output = countersign_tests::command::Running::start(command, &permission("x"))
            .finish()
            .expect(0);
        assert!(
            output.out.contains(expect) && output.out.is_empty() == expect.is_empty(),
            "{value}: {output:?}"
        );
    }
}

#[test]
fn a_question_is_answered_as_the_last_hubs_configuration_says() {
    for (policy, ends) in [("deny", true), ("allow", false)] {
        let text = format!("[hooks]\nwhen_absent = \"{policy}\"\n");
        let mut hub = Hub::with_toml(&text);
        if ends {
            hub.terminate();
        } else {
            hub.kill();
        }
        check(&hub.folder, "claude-code", &[], policy);
        check(&hub.folder, "codex", &[], policy);
        check(&hub.folder, "codex", &["--when-absent", "ask"], "ask");
        // Another configuration, another policy.
        Start::in_folder(&hub.folder).run().terminate();
        check(&hub.folder, "claude-code", &[], "ask");
    }
}

#[test]
fn what_only_tells_says_nothing_whatever_the_policy() {
    for policy in ["ask", "deny", "allow"] {
        let folder = Folder::new();
        for event in [
            "SessionStart",
            "UserPromptSubmit",
            "PreToolUse",
            "PostToolUse",
            "Stop",
            "SessionEnd",
            "Anything",
        ] {
            for agent in AGENTS {
                is_silent(&run(
                    &folder.data(),
                    agent,
                    &["--when-absent", policy],
                    &tool_use(event, "t"),
                ));
            }
        }
        is_silent(&run(
            &folder.data(),
            "claude-code",
            &["--when-absent", policy],
            "not JSON",
        ));
        is_silent(&run(&folder.data(), "claude-code", &["--when-absent", policy], ""));
    }
}

#[test]
fn the_gate_of_the_last_hub_holds_without_it() {
    let mut hub = Hub::with_toml(
        "[hooks]\nwhen_absent = \"deny\"\n\
         [[hooks.gate]]\ntool = \"Bash\"\npattern = \"echo asked\"\ndecision = \"ask\"\n\
         [[hooks.gate]]\ntool = \"Bash\"\npattern = \"echo never\"\ndecision = \"deny\"\nmessage = \"never\"\n",
    );
    // With the hub, a person is asked.
    let asked = start(&hub, "claude-code", &tool_use("PreToolUse", "asked"));
    let id = pending(&hub, 1)[0]["id"].as_str().unwrap().to_owned();
    hub.answer(&id, "approve");
    assert!(asked.finish().expect(0).out.contains(r#""allow""#));
    hub.kill();
    let data = hub.folder.data();
    let said = |agent: &str, policy: &[&str], id: &str| {
        let output = run(&data, agent, policy, &tool_use("PreToolUse", id));
        let answer: Value = serde_json::from_str(&output.out).unwrap_or_default();
        answer["hookSpecificOutput"]["permissionDecision"]
            .as_str()
            .map(str::to_owned)
    };
    for agent in AGENTS {
        assert_eq!(said(agent, &[], "asked").as_deref(), Some("deny"));
        // Codex cannot be told to ask.
        let asks = if agent == "codex" { "deny" } else { "ask" };
        assert_eq!(said(agent, &["--when-absent", "ask"], "asked").as_deref(), Some(asks));
        assert_eq!(said(agent, &[], "free"), None);
        for policy in [&[][..], &["--when-absent", "ask"], &["--when-absent", "allow"]] {
            assert_eq!(
                said(agent, policy, "never").as_deref(),
                Some("deny"),
                "a rule's no needs nobody"
            );
        }
    }
    assert_eq!(
        said("claude-code", &["--when-absent", "allow"], "asked").as_deref(),
        Some("allow")
    );
}

/// Something else on the hub's port, which says this to everybody.
fn impostor(says: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 65536];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(says);
            if says.is_empty() {
                // It never answers, and never closes.
                std::mem::forget(stream);
            }
        }
    });
    url
}

const HUB: &str = "x-countersign-epoch: ab\r\n";

#[test]
fn an_agent_hears_nothing_of_whatever_else_is_on_the_port() {
    let html = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>hi</html>";
    let yes = b"HTTP/1.1 200 OK\r\nContent-Length: 96\r\n\r\n{\"hookSpecificOutput\":{\"hookEventName\":\"PermissionRequest\",\"decision\":{\"behavior\":\"allow\"}}}      ";
    for says in [&html[..], yes, b"SSH-2.0-OpenSSH_9.9\r\n", b"\0\0\0\0"] {
        let url = impostor(says);
        let folder = Folder::new();
        is_silent(&run(
            &folder.data(),
            "claude-code",
            &["--hub", &url],
            &tool_use("PostToolUse", "t"),
        ));
        is_silent(&run(
            &folder.data(),
            "claude-code",
            &["--hub", &url],
            &hook("UserPromptSubmit", &json!({"prompt": "p"})),
        ));
        let output = run(&folder.data(), "claude-code", &["--hub", &url], &permission("x"));
        assert_eq!(output.out, "");
        let output = run(
            &folder.data(),
            "claude-code",
            &["--hub", &url, "--when-absent", "deny"],
            &permission("x"),
        );
        assert!(output.out.contains(r#""deny""#), "{output:?}");
    }
}

#[test]
fn a_hub_in_trouble_is_no_failure_of_an_observing_hook() {
    let refuses = format!("HTTP/1.1 500 X\r\n{HUB}Content-Length: 4\r\n\r\nnope");
    let broken = format!("HTTP/1.1 200 OK\r\n{HUB}Content-Length: 99\r\n\r\n{{");
    let nonsense = format!("HTTP/1.1 200 OK\r\n{HUB}Content-Length: 4\r\n\r\nnope");
    for says in [refuses, broken, nonsense, String::new()] {
        let url = impostor(says.clone().leak().as_bytes());
        let folder = Folder::new();
        let begun = std::time::Instant::now();
        is_silent(&run(
            &folder.data(),
            "codex",
            &["--hub", &url],
            &tool_use("PostToolUse", "t"),
        ));
        is_silent(&run(
            &folder.data(),
            "codex",
            &["--hub", &url],
            &tool_use("PreToolUse", "t"),
        ));
        assert!(says.is_empty() || begun.elapsed() < Duration::from_secs(4), "{says}");
        assert_eq!(
            super::spool::letters(&folder.data()).len(),
            2,
            "{says:?} is tried again later"
        );
    }
}

#[test]
fn slow_a_hub_that_does_not_come_back_is_given_up_on() {
    let mut hub = Hub::start();
    let input = permission("make");
    let asked = |policy: &str| {
        let command = program(&hub.folder.data(), "claude-code", &["--when-absent", policy]);
        countersign_tests::command::Running::start(command, &input)
    };
    let asked = [
        ("ask", asked("ask")),
        ("deny", asked("deny")),
        ("allow", asked("allow")),
    ];
    pending(&hub, 3);
    hub.kill();
    for (policy, running) in asked {
        let output = running.finish().expect(0);
        let said = if policy == "ask" {
            String::new()
        } else {
            format!(r#""{policy}""#)
        };
        assert!(
            output.out.contains(&said) && output.out.is_empty() == said.is_empty(),
            "{policy}: {output:?}"
        );
    }
    // The next hub is to hear that nobody waits any more.
    assert_eq!(super::spool::letters(&hub.folder.data()).len(), 3);
}

#[test]
fn what_was_decided_without_a_hub_is_in_the_log_later() {
    let folder = Folder::new();
    let data = folder.data();
    run(
        &data,
        "claude-code",
        &["--when-absent", "deny"],
        &permission("rm -rf /"),
    );
    let hub = Start::in_folder(&folder).run();
    let told = countersign_tests::until("it is told", || {
        let events = hub.history();
        events.into_iter().find(|event| event["type"] == "permission_request")
    });
    assert_eq!(
        told["data"]["decided_without_hub"],
        json!({"decision": "deny", "by": "when_absent"}),
        "{told}"
    );
}

#[test]
fn slow_a_question_that_was_given_up_is_taken_back_by_the_next_hub() {
    let folder = Folder::new();
    let mut hub = Start::in_folder(&folder).run();
    let asking = start(&hub, "claude-code", &permission("make"));
    pending(&hub, 1);
    hub.kill();
    asking.finish().expect(0);
    let hub = Start::in_folder(&folder).run();
    countersign_tests::until("it is taken back", || {
        let waiting = hub.get("/api/approvals?status=pending").json();
        waiting["approvals"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
}

#[test]
fn slow_a_hub_that_takes_no_question_in_is_none() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let begun = std::time::Instant::now();
    let more = ["--hub", url.as_str(), "--when-absent", "deny"];
    let output = run(&folder.data(), "claude-code", &more, &permission("make"));
    assert!(output.out.contains("\"deny\""), "{output:?}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}
