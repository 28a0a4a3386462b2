//! Questions asked, waited for and answered over REST; sessions stopped and lifted.

use super::*;

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
