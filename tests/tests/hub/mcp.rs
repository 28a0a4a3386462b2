//! MCP with its official Python client: over pipes with `countersign mcp`, over HTTP at `/mcp`, in the protocol's older way with
//! sessions and in its newer one without.

use std::process::Command;

use countersign_tests::foreign::python;
use countersign_tests::hub::program;
use countersign_tests::{Foreign, Hub, Start, until};
use serde_json::{Value, json};

/// The ways in: the protocol's revision, and the transport.
const WAYS: [(&str, bool); 4] = [("legacy", true), ("auto", true), ("legacy", false), ("auto", false)];

fn over_http(hub: &Hub, mode: &str) -> Foreign {
    let mut command = python();
    command.args(["mcp_client.py", mode, "http", &format!("{}/mcp", hub.url())]);
    greeted(command)
}

fn over_pipes(data: &std::path::Path, mode: &str) -> Foreign {
    let mut command = python();
    command.args(["mcp_client.py", mode, "stdio"]).arg(program());
    command.args(["mcp", "--data-dir"]).arg(data);
    greeted(command)
}

fn greeted(command: Command) -> Foreign {
    let mut client = Foreign::start(command);
    let greeting = client.event();
    assert!(greeting.get("version").is_some(), "{greeting}");
    client
}

fn client(hub: &Hub, (mode, pipes): (&str, bool)) -> Foreign {
    if pipes {
        over_pipes(&hub.folder.data(), mode)
    } else {
        over_http(hub, mode)
    }
}

fn call(client: &mut Foreign, id: u64, tool: &str, arguments: &Value) {
    client.say(&json!({"call": tool, "id": id, "arguments": arguments}).to_string());
}

/// What came of a call: its only text, and whether it is an error.
fn result(client: &mut Foreign, id: u64) -> (Value, bool) {
    loop {
        let event = client.event();
        if event["id"] == id && event.get("progress").is_none() {
            let result = &event["result"];
            let text = result["content"][0]["text"].as_str();
            let text = text.unwrap_or_else(|| panic!("no text: {event}"));
            let value = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
            let structured = result.get("structuredContent");
            assert!(structured.is_none_or(|structured| *structured == value), "{event}");
            return (value, result["isError"] == true);
        }
    }
}

fn waiting(hub: &Hub, count: usize) -> Vec<Value> {
    until(&format!("{count} questions wait"), || {
        let list = hub.get("/api/approvals?status=pending").json();
        let list = list["approvals"].as_array().unwrap().clone();
        (list.len() == count).then_some(list)
    })
}

fn decide(hub: &Hub, approval: &Value, decision: &Value) {
    let path = format!("/api/approvals/{}/decision", approval["id"].as_str().unwrap());
    hub.post_as_approver(&path, decision).expect(200);
}

fn status_of(hub: &Hub, approval: &Value, status: &str) -> Value {
    let path = format!("/api/approvals/{}", approval["id"].as_str().unwrap());
    until(&format!("it is {status}"), || {
        let now = hub.get(&path).json();
        (now["status"] == status).then_some(now)
    })
}

#[test]
fn a_person_decides_about_a_tool_over_each_way() {
    for way in WAYS {
        let hub = Hub::start();
        let mut client = client(&hub, way);
        client.say(&json!({"list": true}).to_string());
        let tools = client.event();
        let names: Vec<_> = tools["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| &tool["name"])
            .collect();
        assert_eq!(
            names,
            ["request_approval", "ask_person", "notify", "permission"],
            "{way:?}"
        );

        let arguments = json!({"command": "rm -rf build"});
        let asked = json!({"tool_name": "bash", "arguments": arguments, "reason": "it is old"});
        call(&mut client, 1, "request_approval", &asked);
        let approval = waiting(&hub, 1).remove(0);
        assert_eq!(
            (&approval["origin"], &approval["tool_name"], &approval["arguments"]),
            (&json!("mcp"), &json!("bash"), &arguments)
        );
        assert_eq!((&approval["edits"], &approval["stops"]), (&json!(true), &json!(true)));
        assert!(approval["agent"].as_str().is_some_and(|agent| !agent.is_empty()));
        decide(&hub, &approval, &json!({"decision": "approve"}));
        let (decision, error) = result(&mut client, 1);
        assert_eq!((&decision["decision"], error), (&json!("approve"), false), "{way:?}");
        assert_eq!(
            (&decision["approved"], &decision["arguments"]),
            (&json!(true), &arguments)
        );
        until("it counts as delivered", || {
            (status_of(&hub, &approval, "approved")["delivery"] == "delivered").then_some(())
        });

        call(&mut client, 2, "request_approval", &asked);
        let edited = json!({"command": "rm -rf build/tmp"});
        decide(
            &hub,
            &waiting(&hub, 1)[0],
            &json!({"decision": "approve", "arguments": edited}),
        );
        assert_eq!(result(&mut client, 2).0["arguments"], edited);

        call(&mut client, 3, "request_approval", &asked);
        decide(
            &hub,
            &waiting(&hub, 1)[0],
            &json!({"decision": "deny", "message": "not today"}),
        );
        let (decision, error) = result(&mut client, 3);
        assert_eq!(
            decision,
            json!({"decision": "deny", "approved": false, "message": "not today"})
        );
        assert!(!error);
        assert!(
            hub.history()
                .iter()
                .any(|row| row["data"]["reason"] == "it is old" && row["origin"] == "mcp")
        );
    }
}

#[test]
fn several_questions_at_once_never_share_a_fate() {
    for way in [("legacy", true), ("auto", false)] {
        let hub = Hub::start();
        let mut client = client(&hub, way);
        for n in 1..=3 {
            call(
                &mut client,
                n,
                "request_approval",
                &json!({"tool_name": "t", "arguments": {}, "reason": "same"}),
            );
            waiting(&hub, usize::try_from(n).unwrap());
        }
        let mut open = waiting(&hub, 3);
        open.sort_by_key(|approval| approval["seq"].as_u64());
        let decisions = ["deny", "approve", "stop"];
        for (approval, decision) in open.iter().zip(decisions) {
            decide(&hub, approval, &json!({ "decision": decision }));
        }
        let mut said: Vec<_> = (0..3).map(|_| client.event()).collect();
        said.sort_by_key(|event| event["id"].as_u64());
        let said = said
            .iter()
            .map(|event| &event["result"]["structuredContent"]["decision"]);
        assert!(said.eq(decisions), "{way:?}");
    }
}

#[test]
fn a_person_is_asked_a_question_and_told_something() {
    for way in [("legacy", true), ("legacy", false)] {
        let hub = Hub::start();
        let mut client = client(&hub, way);
        let question = "Which database?";
        let options = json!(["SQLite", {"label": "Postgres", "description": "a server"}]);
        call(
            &mut client,
            1,
            "ask_person",
            &json!({"question": question, "options": options}),
        );
        let approval = waiting(&hub, 1).remove(0);
        let asked = &approval["arguments"]["questions"][0];
        assert_eq!(
            (&approval["tool_name"], &asked["question"]),
            (&json!("AskUserQuestion"), &json!(question))
        );
        assert_eq!(
            asked["options"][1],
            json!({"label": "Postgres", "description": "a server"})
        );
        assert_eq!(
            (&asked["multiSelect"], &approval["stops"]),
            (&json!(false), &json!(false))
        );
        let mut answered = approval["arguments"].clone();
        answered["answers"] = json!({ question: "Postgres" });
        decide(&hub, &approval, &json!({"decision": "approve", "arguments": answered}));
        assert_eq!(
            result(&mut client, 1),
            (json!({"answered": true, "answer": "Postgres"}), false)
        );

        call(&mut client, 2, "ask_person", &json!({"question": "Why?"}));
        decide(
            &hub,
            &waiting(&hub, 1)[0],
            &json!({"decision": "deny", "message": "later"}),
        );
        assert_eq!(result(&mut client, 2).0, json!({"answered": false, "message": "later"}));

        call(
            &mut client,
            3,
            "notify",
            &json!({"message": "half done", "level": "success"}),
        );
        assert_eq!(result(&mut client, 3), (json!("told"), false));
        let rows = hub.history();
        let note = rows.iter().find(|row| row["kind"] == "notification").unwrap();
        assert_eq!(
            (&note["data"], &note["origin"]),
            (&json!({"message": "half done", "level": "success"}), &json!("mcp"))
        );
    }
}

#[test]
fn the_permission_tool_answers_as_claude_takes_it() {
    let hub = Hub::start();
    let mut client = over_pipes(&hub.folder.data(), "legacy");
    let input = json!({"command": "ls"});
    let asked = json!({"tool_name": "Bash", "input": input, "tool_use_id": "toolu_1"});
    for (n, decision, expected) in [
        (
            1,
            json!({"decision": "approve"}),
            json!({"behavior": "allow", "updatedInput": input}),
        ),
        (
            2,
            json!({"decision": "deny", "message": "no"}),
            json!({"behavior": "deny", "message": "no"}),
        ),
        (
            3,
            json!({"decision": "stop"}),
            json!({"behavior": "deny", "message": "stopped in Countersign: end what you are doing", "interrupt": true}),
        ),
    ] {
        call(&mut client, n, "permission", &asked);
        let approval = waiting(&hub, 1).remove(0);
        assert_eq!(
            approval["tool_info"],
            json!({"mcp": "permission", "call_id": "toolu_1"})
        );
        assert!(approval["cwd"].is_string());
        decide(&hub, &approval, &decision);
        let (said, error) = result(&mut client, n);
        assert_eq!((said["behavior"].clone(), error), (expected["behavior"].clone(), false));
        if decision["decision"] != "stop" {
            assert_eq!(said, expected);
        } else {
            assert_eq!(said["interrupt"], true);
        }
    }
}

#[test]
fn what_makes_no_sense_is_an_error_and_asks_nobody() {
    let hub = Hub::start();
    for way in [("legacy", true), ("auto", false)] {
        let mut client = client(&hub, way);
        for (n, tool, arguments) in [
            (1, "request_approval", json!({"tool_name": "t"})),
            (2, "request_approval", json!({"tool_name": "", "arguments": {}})),
            (3, "request_approval", json!({"tool_name": "t", "arguments": [1]})),
            (
                4,
                "request_approval",
                json!({"tool_name": "t", "arguments": {}, "timeout": -1}),
            ),
            (5, "ask_person", json!({"question": "q", "options": ["a", "a"]})),
            (6, "notify", json!({"message": "m", "level": "shout"})),
            (7, "permission", json!({"tool_name": "t", "input": "x"})),
        ] {
            call(&mut client, n, tool, &arguments);
            let (text, error) = result(&mut client, n);
            assert!(
                error
                    && text
                        .as_str()
                        .is_some_and(|text| text.contains('`') || text.contains("twice")),
                "{text}"
            );
        }
        call(&mut client, 8, "no_such_tool", &json!({}));
        assert!(client.event()["failed"].is_string());
    }
    let asked = hub.history().into_iter().filter(|row| row["origin"] == "mcp");
    assert_eq!(asked.count(), 0);
}

#[test]
fn a_cancelled_call_and_a_client_that_goes_take_their_questions_back_at_once() {
    for way in WAYS {
        let hub = Hub::start();
        let mut client = client(&hub, way);
        let asked = json!({"tool_name": "t", "arguments": {"way": format!("{way:?}")}});
        call(&mut client, 1, "request_approval", &asked);
        let first = waiting(&hub, 1).remove(0);
        client.say(&json!({"cancel": 1}).to_string());
        let taken_back = status_of(&hub, &first, "cancelled");
        assert!(
            taken_back["decision"]["message"]
                .as_str()
                .is_some_and(|why| why.contains("MCP client")),
            "{way:?}"
        );
        call(&mut client, 2, "request_approval", &asked);
        let second = waiting(&hub, 1).remove(0);
        assert_ne!(first["id"], second["id"], "each call is a question of its own");
        drop(client);
        status_of(&hub, &second, "cancelled");
    }
}

#[test]
fn a_client_hears_that_a_person_still_thinks() {
    for way in [("legacy", true), ("auto", false)] {
        let hub = Hub::start();
        let mut client = client(&hub, way);
        let order = json!({"call": "request_approval", "id": 1, "progress": true, "arguments": {"tool_name": "t", "arguments": {}}});
        client.say(&order.to_string());
        let mut seen = Vec::new();
        while seen.len() < 2 {
            let event = client.event();
            assert_eq!(event["message"], "waiting for a person's answer", "{event}");
            seen.push(event["progress"].as_f64().unwrap());
        }
        assert!(seen[0] < seen[1], "{seen:?}");
        decide(&hub, &waiting(&hub, 1)[0], &json!({"decision": "approve"}));
        assert_eq!(result(&mut client, 1).0["decision"], "approve");
    }
}

#[test]
fn without_a_hub_a_tool_says_so_and_nothing_is_approved() {
    let folder = countersign_tests::Folder::new();
    let mut client = over_pipes(&folder.data(), "legacy");
    for (n, tool, arguments) in [
        (1, "request_approval", json!({"tool_name": "t", "arguments": {}})),
        (2, "ask_person", json!({"question": "q"})),
        (3, "notify", json!({"message": "m"})),
        (4, "permission", json!({"tool_name": "t", "input": {}})),
    ] {
        call(&mut client, n, tool, &arguments);
        let (text, error) = result(&mut client, n);
        assert!(
            error && text.as_str().is_some_and(|text| text.contains("nothing is approved")),
            "{text}"
        );
    }
    // It need not be started anew for the hub.
    let hub = Start::in_folder(&folder).run();
    call(&mut client, 5, "notify", &json!({"message": "m"}));
    assert_eq!(result(&mut client, 5), (json!("told"), false));
    drop(hub);
}

#[test]
fn a_question_over_pipes_outlives_a_restart_of_the_hub() {
    let start = Start::new();
    let mut hub = start.run();
    let start = start.port(hub.port);
    let mut client = over_pipes(&hub.folder.data(), "legacy");
    call(
        &mut client,
        1,
        "request_approval",
        &json!({"tool_name": "t", "arguments": {}}),
    );
    let before = waiting(&hub, 1).remove(0);
    hub.kill();
    let hub = start.run();
    let after = waiting(&hub, 1).remove(0);
    assert_eq!(before["id"], after["id"]);
    decide(&hub, &after, &json!({"decision": "approve"}));
    assert_eq!(result(&mut client, 1).0["decision"], "approve");
}

#[test]
fn where_tokens_are_required_mcp_needs_one_that_may_publish() {
    let hub = Hub::with_toml("auth = \"required\"\n");
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    let headers = [
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
    ];
    hub.call("POST", "/mcp", &headers, Some(&body)).problem(401);
    hub.call("GET", "/mcp", &headers, None).problem(401);
    // The command line finds what it needs in the data folder.
    let mut client = over_pipes(&hub.folder.data(), "legacy");
    call(&mut client, 1, "notify", &json!({"message": "m"}));
    assert_eq!(result(&mut client, 1), (json!("told"), false));
}

#[test]
fn a_page_of_another_origin_gets_no_tools() {
    let hub = Hub::start();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    let headers = [("Content-Type", "application/json"), ("Origin", "https://evil.example")];
    hub.call("POST", "/mcp", &headers, Some(&body)).problem(403);
    hub.call("POST", "/mcp/questions", &headers, Some("{}")).problem(403);
}

#[test]
fn a_hub_closes_though_clients_listen() {
    let mut hub = Hub::start();
    let mut client = over_http(&hub, "legacy");
    call(
        &mut client,
        1,
        "request_approval",
        &json!({"tool_name": "t", "arguments": {}}),
    );
    waiting(&hub, 1);
    assert!(hub.terminate().success());
}
