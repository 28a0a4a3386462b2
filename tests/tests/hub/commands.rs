//! The command line against a real hub: what it prints, and the exit codes that scripts go by.

use countersign_tests::command::{at, cli_with, start_cli};
use countersign_tests::{Folder, Hub, Peer, Start, cli, frames, run, until};
use serde_json::{Value, json};

use crate::wire::pending;

fn waiting_id(hub: &Hub) -> String {
    pending(hub, 1)[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn emit_publishes_one_event_or_lines_and_prints_where_they_are() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    let one = cli(
        &hub,
        &[
            "emit",
            "--type",
            "note",
            "--data",
            r#"{"n":1}"#,
            "--agent",
            "backup",
            "--session",
            "s",
            "--stream",
            "x",
        ],
    );
    let epoch = hub.get("/healthz").json()["epoch"].clone();
    let receipt: Value = serde_json::from_str(&one.expect(0).out).unwrap();
    assert_eq!(receipt, json!({"epoch": epoch, "first": 1, "last": 1}));
    let frame = monitor.next();
    assert_eq!(
        (&frame["agent"], &frame["session"], &frame["data"]),
        (&json!("backup"), &json!("s"), &json!({"n": 1}))
    );

    let lines: String = (2..=2500).map(|n| format!("{}\n", frames::note(n))).collect();
    let many = cli_with(&hub, &["emit", "--agent", "many"], &lines).expect(0);
    let last: Value = serde_json::from_str(many.out.lines().last().unwrap()).unwrap();
    assert_eq!(last["last"], 2500);
    for n in 2..=2500 {
        let frame = monitor.next();
        assert_eq!((&frame["data"]["n"], &frame["agent"]), (&json!(n), &json!("many")));
    }

    let mixed = format!(
        "{}\nnot json\n{}\n{}\n",
        frames::note(1),
        json!({"type": "hello", "data": {}}),
        frames::note(2)
    );
    let end = cli_with(&hub, &["emit"], &mixed).expect(1);
    assert!(
        end.err.contains('2') && end.err.contains('3'),
        "the lines are named: {}",
        end.err
    );
    assert_eq!(hub.history().len(), 2502);
}

#[test]
fn tail_follows_by_type_and_from_a_place() {
    let hub = Hub::start();
    hub.post(
        "/api/events",
        &json!([frames::note(1), frames::note(2), frames::note(3)]),
    )
    .expect(200);
    let mut tail = start_cli(&hub, &["tail", "--since", "1", "--json", "--types", "note"]);
    for n in [2, 3] {
        let frame: Value = serde_json::from_str(&tail.line()).unwrap();
        assert_eq!((&frame["data"]["n"], &frame["type"]), (&json!(n), &json!("note")));
    }
    hub.post("/api/events", &json!([{"type": "other", "data": {}}, frames::note(4)]))
        .expect(200);
    assert!(tail.line().contains(r#""n":4"#));
    tail.interrupt();
    tail.finish();

    let once = cli(&hub, &["tail", "--no-follow"]).expect(0);
    assert_eq!(once.out.lines().count(), 5);
}

#[test]
fn tail_goes_on_over_a_restart() {
    let mut hub = Hub::start();
    let mut tail = start_cli(&hub, &["tail", "--since", "0", "--json"]);
    hub.post("/api/events", &frames::note(1)).expect(200);
    assert!(tail.line().contains(r#""n":1"#));
    hub.kill();
    let hub = Start::in_folder(&hub.folder).run();
    hub.post("/api/events", &frames::note(2)).expect(200);
    assert!(tail.line().contains(r#""n":2"#));
    tail.interrupt();
    tail.finish();
}

#[test]
fn tail_spells_out_what_would_steer_a_terminal() {
    let hub = Hub::start();
    let nasty = "\u{1b}[2Jgone\u{7}\u{202e}evil\u{200b}";
    hub.post("/api/events", &json!({"type": "tool_call_start", "agent": nasty, "session": "s", "data": {"tool_name": nasty, "arguments": {"command": nasty}}}));
    // A control character in a name is refused; so only the rest comes through.
    let name = "\u{202e}evil\u{200b}";
    let event = json!({"type": "tool_call_start", "agent": name, "session": "s", "data": {"tool_name": nasty, "arguments": {"command": nasty}}});
    hub.post("/api/events", &event).expect(200);
    let out = cli(&hub, &["tail", "--no-follow"]).expect(0).out;
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(!out.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}']), "{out:?}");
}

#[test]
fn ask_exits_with_the_answer() {
    let hub = Hub::start();
    for (decision, code) in [("approve", 0), ("deny", 1), ("stop", 2)] {
        let session = format!("run {decision}");
        let asking = start_cli(
            &hub,
            &[
                "ask",
                "--tool",
                "bash",
                "--command",
                "ls",
                "--agent",
                "ci",
                "--session",
                &session,
                "--reason",
                "why",
            ],
        );
        let id = waiting_id(&hub);
        let approval = hub.get(&format!("/api/approvals/{id}")).json();
        assert_eq!(
            (&approval["tool_name"], &approval["arguments"]),
            (&json!("bash"), &json!({"command": "ls"}))
        );
        let body = json!({"decision": decision, "message": "a word"});
        hub.post_as_approver(&format!("/api/approvals/{id}/decision"), &body)
            .expect(200);
        let end = asking.finish().expect(code);
        assert!(end.out.contains("a word"), "{end:?}");
    }
    let expired = cli(
        &hub,
        &[
            "ask",
            "--tool",
            "bash",
            "--command",
            "ls",
            "--timeout",
            "0.3",
            "--agent",
            "ci",
            "--session",
            "other",
        ],
    );
    expired.expect(3);
    let whole = start_cli(
        &hub,
        &[
            "ask",
            "--tool",
            "bash",
            "--arguments",
            r#"{"a":[1]}"#,
            "--json",
            "--request-id",
            "given",
        ],
    );
    hub.answer(&waiting_id(&hub), "approve");
    let approval: Value = serde_json::from_str(&whole.finish().expect(0).out).unwrap();
    assert_eq!(
        (&approval["status"], &approval["request_id"]),
        (&json!("approved"), &json!("given"))
    );
    // The same question again has its answer.
    cli(
        &hub,
        &[
            "ask",
            "--tool",
            "bash",
            "--arguments",
            r#"{"a":[1]}"#,
            "--request-id",
            "given",
        ],
    )
    .expect(0);
    cli(
        &hub,
        &[
            "ask",
            "--tool",
            "bash",
            "--arguments",
            r#"{"a":[2]}"#,
            "--request-id",
            "given",
        ],
    )
    .expect(64);
}

#[test]
fn ask_is_no_yes_when_nobody_answers() {
    let folder = Folder::new();
    let nowhere = run(at(
        &folder.data(),
        &["ask", "--tool", "bash", "--unreachable-after", "0.2"],
    ));
    nowhere.expect(3);
    let hub = Hub::start();
    let asking = start_cli(&hub, &["ask", "--tool", "bash", "--agent", "ci"]);
    waiting_id(&hub);
    asking.interrupt();
    asking.finish().expect(3);
    cli(&hub, &["ask"]).expect(64);
    cli(&hub, &["ask", "--tool", "bash", "--timeout", "0"]).expect(64);
    cli(&hub, &["ask", "--tool", "bash", "--command", "ls", "--help"]).expect(64);
}

#[test]
fn ask_waits_through_a_killed_hub() {
    let mut hub = Hub::start();
    let asking = start_cli(&hub, &["ask", "--tool", "bash", "--command", "ls", "--agent", "ci"]);
    let id = waiting_id(&hub);
    hub.kill();
    let hub = Start::in_folder(&hub.folder).run();
    assert_eq!(waiting_id(&hub), id, "it waits on, unanswered");
    hub.answer(&id, "approve");
    asking.finish().expect(0);
}

#[test]
fn ask_can_wait_for_somebody_who_can_answer() {
    let hub = Hub::start();
    cli(&hub, &["ask", "--tool", "bash", "--wait-for-approver", "0.3"]).expect(3);
    assert_eq!(hub.history(), [] as [Value; 0], "it was not asked");
    let asking = start_cli(&hub, &["ask", "--tool", "bash", "--wait-for-approver"]);
    let mut approver = hub.approver("/");
    let request = approver.expect("approval_request");
    approver.send(&frames::approval_response(
        request["data"]["request_id"].as_str().unwrap(),
        "approve",
    ));
    asking.finish().expect(0);
}

#[test]
fn answer_lists_and_answers_with_the_folders_key() {
    let hub = Hub::start();
    assert_eq!(cli(&hub, &["answer", "--list", "--json"]).expect(0).out, "");
    let mut agent = hub.ws("/publish");
    for (request, decision) in [("one", "approve"), ("two", "deny"), ("three", "stop")] {
        agent.send(&frames::approval_request(request));
        let id = waiting_id(&hub);
        assert!(cli(&hub, &["answer"]).expect(0).out.contains(&id));
        let list = cli(&hub, &["answer", "--list", "--json"]).expect(0);
        assert_eq!(serde_json::from_str::<Value>(&list.out).unwrap()["id"], *id);
        cli(&hub, &["answer", &id, decision, "--message", "m"]).expect(0);
        let answer = agent.expect("approval_response");
        assert_eq!(
            (&answer["response"], &answer["message"], &answer["by"]),
            (&json!(decision), &json!("m"), &json!("rest"))
        );
        let late = cli(&hub, &["answer", &id, "approve"]).expect(1);
        assert!(
            late.err.contains("already") || late.err.contains("first"),
            "{}",
            late.err
        );
    }
    cli(&hub, &["answer", "none", "approve"]).expect(1);
    cli(&hub, &["answer", "x"]).expect(64);
}

#[test]
fn answer_without_the_key_answers_nothing() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send(&frames::approval_request("r"));
    let id = waiting_id(&hub);
    let elsewhere = Folder::new();
    let end = run(at(&elsewhere.data(), &["answer", &id, "approve", "--url", &hub.url()])).expect(1);
    assert!(!end.err.is_empty());
    cli(&hub, &["answer", &id, "approve", "--token", "wrong"]).expect(1);
    assert_eq!(waiting_id(&hub), id);
    run(at(
        &elsewhere.data(),
        &["answer", &id, "deny", "--url", &hub.url(), "--token", &hub.token()],
    ))
    .expect(0);
    assert_eq!(agent.next()["response"], "deny");
}

#[test]
fn export_gives_the_history_and_emit_takes_it_back() {
    let hub = Hub::start();
    let lines: String = (0..1500).map(|n| format!("{}\n", frames::note(n))).collect();
    cli_with(&hub, &["emit", "--agent", "a"], &lines).expect(0);
    cli(&hub, &["emit", "--type", "other", "--agent", "b", "--session", "s"]).expect(0);
    let all = cli(&hub, &["export"]).expect(0).out;
    let rows: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows, hub.history());
    assert_eq!(
        cli(&hub, &["export", "--since", "1490", "--until", "1495"])
            .expect(0)
            .out
            .lines()
            .count(),
        5
    );
    assert_eq!(
        cli(
            &hub,
            &["export", "--types", "other", "--agents", "b", "--sessions", "s"]
        )
        .expect(0)
        .out
        .lines()
        .count(),
        1
    );
    let copy = Hub::start();
    cli_with(&copy, &["emit"], &format!("{all}\n")).expect(0);
    let datas = |rows: &[Value]| {
        rows.iter()
            .map(|row| (row["kind"].clone(), row["agent"].clone(), row["data"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(datas(&copy.history()), datas(&rows));
}

#[test]
fn dashboard_prints_an_address_whose_code_works_once() {
    let hub = Hub::start();
    let out = cli(&hub, &["dashboard"]).expect(0).out;
    let (address, code) = out.split_once("#code=").expect("a code in the fragment");
    assert_eq!(address, format!("{}/", hub.url()));
    hub.post("/api/dashboard", &json!({ "code": code })).expect(200);
    hub.post("/api/dashboard", &json!({ "code": code })).problem(403);
}

#[test]
fn every_command_says_when_there_is_no_hub() {
    let folder = Folder::new();
    for arguments in [
        &["tail", "--no-follow"][..],
        &["emit", "--type", "x"],
        &["answer"],
        &["export"],
        &["dashboard"],
        &["status"],
    ] {
        let end = run(at(&folder.data(), arguments)).expect(1);
        assert_eq!(end.out, "");
        assert!(end.err.contains("countersign"), "{arguments:?}: {}", end.err);
    }
    // One that was killed has left its address behind.
    let mut hub = Hub::start();
    hub.kill();
    let end = cli(&hub, &["status"]).expect(1);
    assert!(!end.err.is_empty());
}

#[test]
fn the_demo_plays_a_run_and_goes_by_the_answers() {
    let hub = Hub::start();
    let mut demo = start_cli(&hub, &["demo", "--speed", "500"]);
    let mut answered = 0;
    while !demo.has_ended() {
        let list = hub.get("/api/approvals?status=pending").json();
        for approval in list["approvals"].as_array().unwrap() {
            hub.answer(
                approval["id"].as_str().unwrap(),
                if answered % 2 == 0 { "approve" } else { "deny" },
            );
            answered += 1;
        }
    }
    demo.finish().expect(0);
    assert!(answered >= 2, "{answered}");
    let kinds: std::collections::BTreeSet<String> = hub
        .history()
        .iter()
        .map(|row| row["kind"].as_str().unwrap().to_owned())
        .collect();
    for kind in frames::of_the_seed()
        .iter()
        .map(|frame| frame["type"].as_str().unwrap())
        .chain(["approval_request"])
    {
        assert!(kinds.contains(kind), "{kind} is not in {kinds:?}");
    }
    until("all is delivered", || {
        let delivered = hub.get("/api/events?types=approval_delivered").json();
        (delivered["events"].as_array().unwrap().len() == answered).then_some(())
    });
}
