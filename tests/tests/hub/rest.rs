//! REST, for those without a socket: publishing, reading, asking, waiting, answering.

use std::time::{Duration, Instant};

use countersign_tests::{Hub, Peer, frames, rest, until};
use serde_json::{Value, json};

use crate::wire::pending;

fn event(n: u64) -> Value {
    json!({"type": "note", "agent": "a", "session": "s", "timestamp": "2026-01-17T10:30:00.000Z", "data": {"n": n}})
}

fn numbers(rows: &Value) -> Vec<u64> {
    rows.as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["data"]["n"].as_u64())
        .collect()
}

#[test]
fn an_object_an_array_and_lines_are_published_and_answered_after_commit() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    let epoch = hub.get("/healthz").json()["epoch"].clone();
    let lines = format!("{}\n\n  {}\r\n{}", event(3), event(4), event(5));
    let cases = [
        (event(0).to_string(), "application/json", 1),
        (json!([event(1), event(2)]).to_string(), "application/json", 2),
        (lines.clone(), "application/x-ndjson", 3),
        (lines, "application/json", 3),
        (event(6).to_string(), "application/x-ndjson", 1),
        (format!("{:#}", event(7)), "text/plain", 1),
    ];
    let mut last = 0;
    for (body, kind, count) in cases {
        let reply = hub
            .call("POST", "/api/events", &[("content-type", kind)], Some(&body))
            .expect(200);
        let receipt = reply.json();
        assert_eq!(
            receipt,
            json!({"epoch": epoch, "first": last + 1, "last": last + count}),
            "{body}"
        );
        last += count;
        assert!(hub.get("/healthz").json()["durable"].as_u64() >= Some(last));
        for _ in 0..count {
            let frame = monitor.next();
            assert_eq!(
                (&frame["agent"], &frame["timestamp"]),
                (&json!("a"), &json!("2026-01-17T10:30:00.000Z"))
            );
        }
    }
    assert_eq!(hub.history().len() as u64, last);
}

#[test]
fn a_batch_with_a_bad_event_publishes_none_of_it() {
    let hub = Hub::start();
    let bad: &[(Value, u16, Value)] = &[
        (json!([event(1), {"type": "x"}]), 400, json!("data")),
        (json!([event(1), 7]), 400, Value::Null),
        (
            json!([event(1), {"type": "approval_resolved", "data": {}}]),
            403,
            json!("type"),
        ),
        (
            json!([event(1), frames::approval_response("r", "approve")]),
            403,
            json!("type"),
        ),
        (
            json!([event(1), {"type": "approval_request", "data": {"tool_name": "t"}}]),
            400,
            json!("data.request_id"),
        ),
    ];
    for (body, status, field) in bad {
        let problem = hub.post("/api/events", body).problem(*status);
        assert_eq!((&problem["field"], &problem["index"]), (field, &json!(1)), "{problem}");
        let lines: Vec<String> = body.as_array().unwrap().iter().map(Value::to_string).collect();
        let headers = [("content-type", "application/x-ndjson")];
        let problem = hub
            .call("POST", "/api/events", &headers, Some(&lines.join("\n")))
            .problem(*status);
        assert_eq!(problem["index"], 1);
    }
    for empty in ["", "[]", "\n\n"] {
        hub.call("POST", "/api/events", &[], Some(empty)).problem(400);
    }
    hub.call("POST", "/api/events", &[], Some("[{")).problem(400);
    assert_eq!(hub.history(), [] as [Value; 0]);
}

#[test]
fn a_batch_with_a_question_that_is_refused_publishes_none_of_it() {
    let hub = Hub::start();
    let ask = |id: &str, command: &str| {
        json!({"type": "approval_request", "agent": "a", "session": "s",
            "data": {"request_id": id, "tool_name": "bash", "arguments": {"command": command}}})
    };
    hub.post("/api/events", &ask("taken", "ls")).expect(200);
    let large = "x".repeat(300 * 1024);
    for (bad, status) in [(ask("taken", "rm"), 409), (ask("large", &large), 413)] {
        hub.post(
            "/api/events",
            &json!([event(1), ask(&format!("new-{status}"), "ls"), bad, event(2)]),
        )
        .problem(status);
    }
    // Two of the batch may be at odds with each other.
    let problem = hub
        .post(
            "/api/events",
            &json!([event(1), ask("twice", "ls"), event(2), ask("twice", "rm"), event(3)]),
        )
        .problem(409);
    assert_eq!(
        (&problem["index"], &problem["field"]),
        (&json!(3), &json!("data.request_id"))
    );
    assert_eq!(hub.history().len(), 1);
    assert_eq!(pending(&hub, 1)[0]["request_id"], "taken");
    let receipt = hub
        .post(
            "/api/events",
            &json!([event(1), ask("twice", "ls"), event(2), ask("twice", "ls")]),
        )
        .expect(200)
        .json();
    assert_eq!((&receipt["first"], &receipt["last"]), (&json!(2), &json!(4)));
}

#[test]
fn an_event_in_an_array_may_be_nested_as_deeply_as_one_alone() {
    let hub = Hub::start();
    let deep = |levels: usize| {
        let (open, close) = ("[".repeat(levels - 2), "]".repeat(levels - 2));
        format!(r#"{{"type":"x","data":{{"n":{open}{close}}}}}"#)
    };
    for (levels, status) in [(64, 200), (65, 400)] {
        for body in [deep(levels), format!("[{}]", deep(levels))] {
            let reply = hub.call("POST", "/api/events", &[], Some(&body));
            assert_eq!(reply.status, status, "{levels}: {body}");
        }
    }
}

#[test]
fn a_page_of_history_is_chosen_by_place_type_agent_and_session() {
    let hub = Hub::start();
    let events: Vec<Value> = (1..=30)
        .map(|n| {
            json!({"type": format!("t{}", n % 3), "agent": format!("a{}", n % 2), "session": format!("s{}", n % 5), "data": {"n": n}})
        })
        .collect();
    hub.post("/api/events", &json!(events)).expect(200);
    let page = |query: &str| hub.get(&format!("/api/events?{query}")).expect(200).json();
    let chosen = |query: &str| numbers(&page(query)["events"]);
    assert_eq!(chosen(""), (1..=30).collect::<Vec<_>>());
    assert_eq!(chosen("since=28"), [29, 30]);
    assert_eq!(chosen("until=2"), [1, 2]);
    assert_eq!(chosen("since=3&until=5"), [4, 5]);
    assert_eq!(chosen("since=5&until=3"), [] as [u64; 0]);
    assert_eq!(chosen("types=t0&agents=a1"), [3, 9, 15, 21, 27]);
    assert_eq!(chosen("types=t0,t1&sessions=s0"), [10, 15, 25, 30]);
    assert_eq!(chosen("types=*&until=1"), [1]);
    assert_eq!(chosen("agents=nobody"), [] as [u64; 0]);
    let epoch = page("limit=1")["events"][0]["id"]
        .as_str()
        .unwrap()
        .split(':')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(chosen(&format!("since={epoch}:28")), [29, 30]);

    let mut since = 0;
    let mut pages = Vec::new();
    loop {
        let page = page(&format!("limit=7&since={since}"));
        pages.push(numbers(&page["events"]));
        match page["next"].as_u64() {
            Some(next) => since = next,
            None => break,
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [7, 7, 7, 7, 2]);
    assert_eq!(pages.concat(), (1..=30).collect::<Vec<_>>());
}

#[test]
fn a_row_has_everything_and_can_be_published_again() {
    let hub = Hub::start();
    hub.post(
        "/api/events",
        &json!({"type": "note", "agent": "a", "session": "s", "stream": "x", "timestamp": 5, "data": {"n": 1}}),
    );
    let row = hub.history().remove(0);
    assert_eq!(
        (&row["seq"], &row["origin"], &row["agent"]),
        (&json!(1), &json!("rest"), &json!("a"))
    );
    assert_eq!(
        (&row["session"], &row["stream"], &row["kind"]),
        (&json!("s"), &json!("x"), &json!("note"))
    );
    assert_eq!(
        (&row["type"], &row["timestamp"], &row["data"]),
        (&json!("note"), &json!(5), &json!({"n": 1}))
    );
    assert!(
        row["time"].as_str().unwrap().ends_with('Z') && row["id"].as_str().unwrap().ends_with(":1"),
        "{row}"
    );
    hub.post("/api/events", &row).expect(200);
    assert_eq!(hub.history_since(1)[0]["data"], row["data"]);
}

#[test]
fn history_comes_as_lines_to_those_who_ask_for_them() {
    let hub = Hub::start();
    let pretty = format!(
        "{{\"type\": \"note\", \"data\": {:#}}}",
        json!({"n": [1, 2], "text": "a\nb\u{2028}"})
    );
    hub.call("POST", "/api/events", &[], Some(&pretty)).expect(200);
    hub.post("/api/events", &json!([event(1), event(2)])).expect(200);
    let reply = hub
        .call(
            "GET",
            "/api/events?limit=2",
            &[("accept", "application/x-ndjson")],
            None,
        )
        .expect(200);
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    assert_eq!(reply.header("x-next"), "2");
    let rows: Vec<Value> = reply
        .text
        .split_terminator('\n')
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["data"], json!({"n": [1, 2], "text": "a\nb\u{2028}"}));
}

#[test]
fn a_read_sees_all_that_was_broadcast_before_it() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    let mut agent = hub.ws("/publish");
    for n in 0..200 {
        agent.send(&frames::note(n));
        let seq = monitor.next()["seq"].as_u64().unwrap();
        let rows = hub.history_since(seq - 1);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["data"]["n"], n);
    }
}

#[test]
fn questions_that_make_no_sense_are_problem_documents() {
    let hub = Hub::start();
    for (path, field) in [
        ("/api/events?since=x", "since"),
        ("/api/events?since=-1", "since"),
        ("/api/events?since=a:b:1", "since"),
        ("/api/events?since=99999999999999999999999", "since"),
        ("/api/events?until=", "until"),
        ("/api/events?limit=0", "limit"),
        ("/api/events?limit=1001", "limit"),
        ("/api/approvals?status=open", "status"),
        ("/api/approvals/x?wait=long", "wait"),
    ] {
        assert_eq!(hub.get(path).problem(400)["field"], field, "{path}");
    }
    hub.get("/api/approvals/none").problem(404);
    hub.get("/api/events?since=otherepoch:1").problem(410);
    hub.get("/nothing/here").problem(404);
    hub.get("/api/nothing").problem(404);
    hub.call("PUT", "/api/events", &[], Some("{}")).problem(405);
    hub.call("DELETE", "/api/approvals/x", &[], None).problem(405);
    hub.get("/publish").problem(426);
    for body in [
        "",
        "{",
        "[]",
        "7",
        r#"{"decision":"maybe"}"#,
        r#"{"decision":"approve","scope":"forever"}"#,
        r#"{"decision":"approve","sure":1}"#,
    ] {
        let bearer = format!("Bearer {}", hub.token());
        let headers = [("authorization", bearer.as_str())];
        hub.call("POST", "/api/approvals/none/decision", &headers, Some(body))
            .problem(400);
    }
    hub.post_as_approver("/api/approvals/none/decision", &json!({"decision": "approve"}))
        .problem(404);
    hub.post_as_approver("/api/sessions/none/stop", &json!({})).problem(404);
    hub.post_as_approver("/api/sessions/none/resume", &json!({}))
        .problem(404);
    for body in [
        "",
        "[]",
        r#"{"tool_name":5}"#,
        r#"{"request_id":"r"}"#,
        r#"{"tool_name":"t","timeout":"x"}"#,
    ] {
        hub.call("POST", "/api/approvals", &[], Some(body)).problem(400);
    }
    assert_eq!(hub.history(), [] as [Value; 0]);
}

#[test]
fn a_question_is_asked_waited_for_and_answered() {
    let hub = Hub::start();
    let asked = hub.post(
        "/api/approvals",
        &json!({"tool_name": "bash", "arguments": {"command": "ls"}, "agent": "ci", "session": "run", "stream": "x"}),
    );
    let approval = asked.expect(201).json();
    assert_eq!(
        (&approval["status"], &approval["agent"], &approval["session"]),
        (&json!("pending"), &json!("ci"), &json!("run"))
    );
    assert!(
        approval["request_id"].as_str().is_some_and(|id| !id.is_empty()),
        "one of its own: {approval}"
    );
    let id = approval["id"].as_str().unwrap().to_owned();
    let (url, path) = (hub.url(), format!("/api/approvals/{id}?wait=50"));
    let begun = Instant::now();
    let waiting = std::thread::spawn(move || rest::call("GET", &url, &path, &[], None).expect(200).json());
    until("somebody waits", || {
        (hub.get("/healthz").json()["connections"].as_u64() >= Some(2)).then_some(())
    });
    let answered = hub.post_as_approver(
        &format!("/api/approvals/{id}/decision"),
        &json!({"decision": "approve", "message": "go", "arguments": {"command": "ls -l"}}),
    );
    let answered = answered.expect(200).json();
    assert_eq!(
        (&answered["status"], &answered["decision"]["by"]),
        (&json!("approved"), &json!("rest"))
    );
    let got = waiting.join().unwrap();
    assert_eq!(
        (&got["status"], &got["delivery"]),
        (&json!("approved"), &json!("delivered"))
    );
    assert_eq!(got["decision"]["arguments"], json!({"command": "ls -l"}));
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "woken by the answer, not by the end of the wait"
    );
    let event = &hub.get("/api/events?types=approval_delivered").json()["events"][0];
    assert_eq!(
        (&event["data"]["approval_id"], &event["data"]["delivery"]),
        (&json!(id), &json!("delivered"))
    );
}

#[test]
fn a_question_can_wait_for_its_answer_in_one_request() {
    let hub = Hub::start();
    let (url, body) = (
        hub.url(),
        json!({"request_id": "one", "tool_name": "bash", "agent": "ci"}).to_string(),
    );
    let asking = std::thread::spawn(move || rest::call("POST", &url, "/api/approvals?wait=50", &[], Some(&body)));
    hub.answer(pending(&hub, 1)[0]["id"].as_str().unwrap(), "deny");
    let reply = asking.join().unwrap().expect(200).json();
    assert_eq!(
        (&reply["status"], &reply["delivery"]),
        (&json!("denied"), &json!("delivered"))
    );
    // The wait that is over says how it stands.
    let short = hub.post(
        "/api/approvals?wait=0.05",
        &json!({"request_id": "two", "tool_name": "bash", "agent": "ci"}),
    );
    assert_eq!(short.expect(201).json()["status"], "pending");
    assert_eq!(
        hub.get("/api/approvals/two?wait=0.05").expect(200).json()["status"],
        "pending"
    );
}

#[test]
fn asking_again_is_the_same_question_and_other_content_is_refused() {
    let hub = Hub::start();
    let ask = |body: &Value| hub.post("/api/approvals", body);
    let body =
        json!({"request_id": "r", "tool_name": "bash", "arguments": {"b": 1, "a": 2}, "agent": "ci", "session": "s"});
    let first = ask(&body).expect(201).json();
    let same =
        json!({"session": "s", "agent": "ci", "arguments": {"a": 2, "b": 1}, "tool_name": "bash", "request_id": "r"});
    assert_eq!(ask(&same).expect(201).json()["id"], first["id"], "canonically the same");
    for (name, value) in [
        ("arguments", json!({"a": 2})),
        ("tool_name", json!("sh")),
        ("cwd", json!("/")),
    ] {
        let mut other = body.clone();
        other[name] = value;
        ask(&other).problem(409);
    }
    hub.answer("r", "approve");
    let again = ask(&body).expect(200).json();
    assert_eq!((&again["id"], &again["status"]), (&first["id"], &json!("approved")));
}

#[test]
fn an_answer_is_given_once_and_conflicts_show_the_recorded_one() {
    let hub = Hub::start();
    hub.post(
        "/api/approvals",
        &json!({"request_id": "r", "tool_name": "bash", "agent": "ci"}),
    )
    .expect(201);
    hub.post("/api/approvals/r/decision", &json!({"decision": "approve"}))
        .problem(401);
    hub.answer("r", "deny");
    for decision in ["approve", "deny", "stop"] {
        let problem = hub
            .post_as_approver("/api/approvals/r/decision", &json!({"decision": decision}))
            .problem(409);
        assert_eq!(
            (&problem["approval"]["status"], &problem["decision"]["decision"]),
            (&json!("denied"), &json!("deny"))
        );
    }
    hub.post("/api/approvals/r/decision", &json!({"decision": "approve"}))
        .problem(401);
}

#[test]
fn a_request_id_stands_for_the_approval_while_it_is_unique() {
    let hub = Hub::start();
    let ask = |agent: &str| {
        hub.post(
            "/api/approvals",
            &json!({"request_id": "a/b c?", "tool_name": "bash", "agent": agent}),
        )
        .expect(201)
        .json()
    };
    let first = ask("one");
    assert_eq!(
        hub.get("/api/approvals/a%2Fb%20c%3F").expect(200).json()["id"],
        first["id"]
    );
    ask("two");
    hub.get("/api/approvals/a%2Fb%20c%3F").problem(409);
    hub.post_as_approver("/api/approvals/a%2Fb%20c%3F/decision", &json!({"decision": "approve"}))
        .problem(409);
    hub.answer(first["id"].as_str().unwrap(), "approve");
    assert_eq!(pending(&hub, 1)[0]["agent"], "two");
    // Resolved ones count as well: which of them is meant cannot be told.
    hub.get("/api/approvals/a%2Fb%20c%3F").problem(409);
}

#[test]
fn approvals_are_listed_by_status() {
    let hub = Hub::start();
    for (id, decision) in [
        ("p", None),
        ("a", Some("approve")),
        ("d", Some("deny")),
        ("s", Some("stop")),
    ] {
        hub.post(
            "/api/approvals",
            &json!({"request_id": id, "tool_name": "bash", "agent": id}),
        )
        .expect(201);
        if let Some(decision) = decision {
            hub.answer(id, decision);
        }
    }
    let listed = |query: &str| -> Vec<String> {
        let list = hub.get(&format!("/api/approvals{query}")).expect(200).json();
        list["approvals"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["request_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(listed("?status=pending"), ["p"]);
    assert_eq!(listed("?status=approved"), ["a"]);
    assert_eq!(listed("?status=denied"), ["d"]);
    assert_eq!(listed("?status=stopped"), ["s"]);
    assert_eq!(listed("?status=expired"), [] as [&str; 0]);
    assert_eq!(listed(""), ["s", "d", "a", "p"], "all, newest first");
}

#[test]
fn sessions_of_one_id_are_stopped_together_and_lifted_one_by_one() {
    let hub = Hub::start();
    for agent in ["one", "two"] {
        hub.post(
            "/api/events",
            &json!({"type": "x", "agent": agent, "session": "s", "data": {}}),
        )
        .expect(200);
    }
    hub.post("/api/sessions/s/stop", &json!({})).problem(401);
    let stopped = hub
        .post_as_approver("/api/sessions/s/stop", &json!({"message": "m"}))
        .expect(200)
        .json();
    assert_eq!(stopped["sessions"].as_array().unwrap().len(), 2);
    hub.post_as_approver("/api/sessions/s/resume", &json!({})).problem(409);
    hub.post("/api/sessions/s/resume?agent=one", &json!({})).problem(401);
    assert_eq!(
        hub.post_as_approver("/api/sessions/s/resume?agent=one", &json!({}))
            .expect(200)
            .json()["stopped"],
        false
    );
    let ask = |agent: &str| {
        hub.post(
            "/api/approvals?wait=0.2",
            &json!({"request_id": "r", "tool_name": "t", "agent": agent, "session": "s"}),
        )
    };
    assert_eq!(ask("one").json()["status"], "pending");
    assert_eq!(ask("two").json()["status"], "stopped");
}

#[test]
fn health_and_status_say_how_it_is() {
    let hub = Hub::start();
    let health = hub.get("/healthz").expect(200).json();
    assert_eq!(health["status"], "ok");
    hub.post("/api/events", &event(1)).expect(200);
    let status = hub.get("/api/status").expect(200).json();
    assert_eq!(
        (&status["head"], &status["durable"], &status["oldest"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!((&status["epoch"], &status["problems"]), (&health["epoch"], &json!([])));
    assert_eq!(status["listeners"][0]["url"], hub.url());
    assert_eq!(status["data_dir"], hub.folder.data().to_str().unwrap());
    assert_eq!(status["approvers"], 0);
    let _approver = hub.approver("/");
    assert_eq!(hub.get("/api/status").json()["approvers"], 1);
}

#[test]
fn an_asker_that_stops_polling_is_given_up_on_and_one_that_polls_is_not() {
    let hub = Hub::with_toml("[approvals]\ngrace_seconds = 2\n");
    for id in ["polled", "left"] {
        hub.post(
            "/api/approvals",
            &json!({"request_id": id, "tool_name": "bash", "agent": "ci"}),
        )
        .expect(201);
    }
    // An approver that looks is no agent that polls.
    let bearer = format!("Bearer {}", hub.token());
    until("the one that was left is cancelled", || {
        assert_eq!(
            hub.get("/api/approvals/polled?wait=0.1").expect(200).json()["status"],
            "pending"
        );
        let left = hub
            .call("GET", "/api/approvals/left", &[("authorization", &bearer)], None)
            .expect(200)
            .json();
        (left["status"] == "cancelled").then_some(())
    });
    hub.answer("polled", "approve");
}
