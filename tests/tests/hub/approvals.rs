//! Questions and answers on the socket: three answers, asking again, stops and their lifting, time and absence.

use countersign_tests::{Hub, Peer, frames, until};
use serde_json::{Value, json};

use crate::wire::{is_envelope_of, pending};

fn request(id: &str, agent: &str, session: &str, command: &str) -> Value {
    json!({"type": "approval_request", "agent": agent, "session": session,
        "data": {"request_id": id, "tool_name": "bash", "arguments": {"command": command}}})
}

fn id_of(hub: &Hub, request_id: &str) -> String {
    until("the approval is at hand", || {
        let reply = hub.get(&format!("/api/approvals/{request_id}"));
        (reply.status == 200).then(|| reply.json()["id"].as_str().unwrap().to_owned())
    })
}

#[test]
fn each_of_the_three_answers_reaches_the_agent_in_the_seeds_shape() {
    let hub = Hub::start();
    let mut monitor = hub.ws("/");
    let mut approver = hub.approver("/?types=none");
    approver.expect("hello");
    for response in ["approve", "deny", "stop"] {
        let mut agent = hub.ws("/publish");
        let asked = frames::approval_request(&format!("id-{response}"));
        agent.send(&asked);
        is_envelope_of(&monitor.next(), &asked);
        pending(&hub, 1);
        approver.send(&frames::approval_response(&format!("id-{response}"), response));
        let answer = agent.next();
        let expected = json!({"type": "approval_response", "request_id": format!("id-{response}"), "response": response, "by": "socket"});
        assert_eq!(answer, expected);
        if response == "stop" {
            let stop = agent.next();
            assert_eq!(stop["type"], "stop");
            assert!(stop["data"]["session"].is_string(), "{stop}");
        }
        let recorded = until("it is delivered", || {
            let approval = hub.get(&format!("/api/approvals/id-{response}")).json();
            (approval["delivery"] == "delivered").then_some(approval)
        });
        assert_eq!(recorded["decision"]["decision"], response);
        assert_eq!(recorded["decision"]["by"], "socket");
    }
}

#[test]
fn a_word_to_the_agent_travels_with_the_answer() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send(&frames::approval_request("r"));
    let id = id_of(&hub, "r");
    let body = json!({"decision": "deny", "message": "not on a Friday \u{202e}é"});
    hub.post_as_approver(&format!("/api/approvals/{id}/decision"), &body)
        .expect(200);
    let answer = agent.expect("approval_response");
    assert_eq!((&answer["message"], &answer["by"]), (&body["message"], &json!("rest")));
}

#[test]
fn the_first_answer_wins_and_the_second_hears_so() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    let mut approver = hub.approver("/?types=none");
    approver.expect("hello");
    agent.send(&frames::approval_request("r"));
    pending(&hub, 1);
    approver.send(&frames::approval_response("r", "deny"));
    assert_eq!(agent.next()["response"], "deny");
    approver.send(&frames::approval_response("r", "approve"));
    let error = approver.expect("error");
    assert_eq!(error["data"]["field"], "request_id");
    assert!(error["data"]["error"].as_str().unwrap().contains("denied"), "{error}");
    let late = hub
        .post_as_approver("/api/approvals/r/decision", &json!({"decision": "approve"}))
        .problem(409);
    assert_eq!(late["approval"]["status"], "denied");
    agent.send(&frames::note(1));
    agent.publish(&frames::note(2));
    assert_eq!(
        hub.get("/api/events?types=approval_resolved").json()["events"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_hundred_racing_answers_make_one_decision() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    for round in 0..10 {
        let request_id = format!("race-{round}");
        agent.send(&request(&request_id, "sam", "race", "ls"));
        let id = id_of(&hub, &request_id);
        let (url, token) = (hub.url(), hub.token());
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..10)
                .map(|n| {
                    let (url, token, id) = (&url, &token, &id);
                    scope.spawn(move || {
                        let bearer = format!("Bearer {token}");
                        let body = json!({"decision": if n % 2 == 0 { "approve" } else { "deny" }}).to_string();
                        let path = format!("/api/approvals/{id}/decision");
                        countersign_tests::rest::call("POST", url, &path, &[("authorization", &bearer)], Some(&body))
                            .status
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(
            statuses.iter().filter(|status| **status == 200).count(),
            1,
            "{statuses:?}"
        );
        assert_eq!(
            statuses.iter().filter(|status| **status == 409).count(),
            9,
            "{statuses:?}"
        );
        let answer = agent.expect("approval_response");
        assert_eq!(answer["request_id"], *request_id);
    }
    let resolved = hub.get("/api/events?types=approval_resolved").json();
    assert_eq!(resolved["events"].as_array().unwrap().len(), 10);
}

#[test]
fn two_requests_of_the_same_content_never_share_a_fate() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send(&request("one", "sam", "s", "ls"));
    agent.send(&request("two", "sam", "s", "ls"));
    pending(&hub, 2);
    hub.answer("two", "approve");
    assert_eq!(agent.next()["request_id"], "two");
    assert_eq!(pending(&hub, 1)[0]["request_id"], "one");
    hub.answer("one", "deny");
    assert_eq!(agent.next()["response"], "deny");
}

#[test]
fn asking_again_gives_the_recorded_answer_and_other_content_is_refused() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send(&request("r", "sam", "s", "ls"));
    hub.answer(&id_of(&hub, "r"), "approve");
    agent.expect("approval_response");
    drop(agent);

    let mut again = hub.ws("/publish");
    again.send(&request("r", "sam", "s", "ls"));
    assert_eq!(again.expect("approval_response")["response"], "approve");
    again.send(&request("r", "sam", "s", "rm -rf /"));
    assert_eq!(again.expect("error")["data"]["field"], "data.request_id");
    // An agent that comes back may do so in a session of another name.
    again.send(&request("r", "sam", "another session", "ls"));
    assert_eq!(again.expect("approval_response")["response"], "approve");
    // Another agent's request of that id is another request.
    again.send(&request("r", "another agent", "s", "ls"));
    pending(&hub, 1);
    assert_eq!(hub.get("/api/approvals/r").problem(409)["status"], 409);
    assert_eq!(
        hub.get("/api/events?types=approval_request").json()["events"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn an_agent_that_comes_back_gets_what_was_answered_meanwhile() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send(&request("r", "sam", "s", "ls"));
    let id = id_of(&hub, "r");
    drop(agent);
    hub.answer(&id, "approve");
    assert_eq!(hub.get("/api/approvals/r").json()["delivery"], "waiting");
    let mut again = hub.ws("/publish");
    again.send(&request("r", "sam", "s", "ls"));
    assert_eq!(again.expect("approval_response")["response"], "approve");
}

#[test]
fn an_agent_that_stays_away_is_cancelled_after_the_grace_time() {
    let hub = Hub::with_toml("[approvals]\ngrace_seconds = 1\n");
    let mut agent = hub.ws("/publish");
    agent.send(&request("gone", "sam", "s", "ls"));
    agent.send(&request("answered", "sam", "s", "pwd"));
    let answered = id_of(&hub, "answered");
    id_of(&hub, "gone");
    drop(agent);
    hub.answer(&answered, "approve");
    let gone = until("it is cancelled", || {
        let approval = hub.get("/api/approvals/gone").json();
        (approval["status"] != "pending").then_some(approval)
    });
    assert_eq!(
        (&gone["status"], &gone["decision"]["decision"]),
        (&json!("cancelled"), &json!("deny"))
    );
    until("the answer is given up on", || {
        (hub.get("/api/approvals/answered").json()["delivery"] == "undeliverable").then_some(())
    });
    hub.post_as_approver("/api/approvals/gone/decision", &json!({"decision": "approve"}))
        .problem(409);
}

#[test]
fn time_that_runs_out_means_no() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send(&json!({"type": "approval_request", "data": {"request_id": "r", "tool_name": "bash", "arguments": {}, "timeout": 0.2}}));
    let answer = agent.expect("approval_response");
    assert_eq!((&answer["response"], &answer["by"]), (&json!("deny"), &json!("hub")));
    assert_eq!(hub.get("/api/approvals/r").json()["status"], "expired");
    hub.post_as_approver("/api/approvals/r/decision", &json!({"decision": "approve"}))
        .problem(409);
}

#[test]
fn a_time_limit_of_the_configuration_holds_where_the_request_has_none() {
    let hub = Hub::with_toml("[approvals]\ntimeout_seconds = 1\n");
    let mut agent = hub.ws("/publish");
    agent.send(&frames::approval_request("r"));
    assert_eq!(agent.expect("approval_response")["response"], "deny");
    assert_eq!(hub.get("/api/approvals/r").json()["status"], "expired");
}

#[test]
fn a_stop_ends_the_run_until_it_is_lifted() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send(&request("first", "sam", "s", "1"));
    agent.send(&request("second", "sam", "s", "2"));
    agent.send(&request("elsewhere", "sam", "another", "3"));
    pending(&hub, 3);
    hub.answer("first", "stop");
    let answers = [agent.next(), agent.next()];
    for answer in &answers {
        assert_eq!(
            (&answer["type"], &answer["response"]),
            (&json!("approval_response"), &json!("stop")),
            "{answers:?}"
        );
    }
    let stop = agent.next();
    assert_eq!((&stop["type"], &stop["data"]["session"]), (&json!("stop"), &json!("s")));
    assert_eq!(pending(&hub, 1)[0]["request_id"], "elsewhere");

    agent.send(&request("later", "sam", "s", "4"));
    let later = agent.expect("approval_response");
    assert_eq!(
        (&later["request_id"], &later["response"]),
        (&json!("later"), &json!("stop"))
    );
    assert_eq!(
        agent.next()["type"],
        "stop",
        "word of the stop follows each such answer"
    );
    // One that connects anew hears of the stop, too.
    let mut again = hub.ws("/publish");
    again.send(&json!({"type": "agent_status", "agent": "sam", "session": "s", "data": {"status": "processing"}}));
    assert_eq!(again.expect("stop")["data"]["session"], "s");

    let view = hub
        .post_as_approver("/api/sessions/s/resume?agent=sam", &json!({}))
        .expect(200)
        .json();
    assert_eq!(view["stopped"], false);
    agent.send(&request("after", "sam", "s", "5"));
    hub.answer(&id_of(&hub, "after"), "approve");
    assert_eq!(agent.expect("approval_response")["response"], "approve");
}

#[test]
fn in_a_stopped_session_the_answer_comes_before_word_of_the_stop() {
    let hub = Hub::start();
    let mut first = hub.ws("/publish");
    first.publish(&json!({"type": "note", "agent": "sam", "session": "s", "data": {}}));
    hub.post_as_approver("/api/sessions/s/stop?agent=sam", &json!({}))
        .expect(200);
    for n in 0..20 {
        let mut agent = hub.ws("/publish");
        agent.send(&request(&format!("r{n}"), "sam", "s", "1"));
        let answer = agent.next();
        assert_eq!(
            (&answer["type"], &answer["response"]),
            (&json!("approval_response"), &json!("stop")),
            "try {n}"
        );
        assert_eq!(agent.next()["type"], "stop", "try {n}");
    }
}

#[test]
fn a_stop_of_the_session_that_an_agent_came_back_in_reaches_it() {
    let hub = Hub::start();
    let mut before = hub.ws("/publish");
    before.send(&request("r", "sam", "yesterday", "1"));
    pending(&hub, 1);
    drop(before);
    let mut agent = hub.ws("/publish");
    agent.send(&request("r", "sam", "today", "1"));
    agent.publish(&json!({"type": "note", "agent": "sam", "session": "today", "data": {}}));
    hub.post_as_approver("/api/sessions/today/stop?agent=sam", &json!({}))
        .expect(200);
    let answer = agent.expect("approval_response");
    assert_eq!(
        (&answer["request_id"], &answer["response"]),
        (&json!("r"), &json!("stop"))
    );
    let stop = agent.expect("stop");
    assert_eq!(stop["data"]["session"], "today");
}

#[test]
fn a_stop_without_a_request_reaches_the_agent() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    let mut every = hub.ws("/?types=session_stopped,session_resumed");
    every.expect("hello");
    agent.publish(&json!({"type": "agent_status", "agent": "sam", "session": "s", "data": {"status": "processing"}}));
    let reply = hub
        .post_as_approver("/api/sessions/s/stop?agent=sam", &json!({"message": "enough"}))
        .expect(200);
    assert_eq!(reply.json()["stopped"], true);
    assert_eq!(
        agent.next(),
        json!({"type": "stop", "data": {"session": "s", "message": "enough"}})
    );
    let event = every.next();
    assert_eq!(
        (&event["type"], &event["data"]["by"]),
        (&json!("session_stopped"), &json!("rest"))
    );
    hub.post_as_approver("/api/sessions/s/stop?agent=sam", &json!({}))
        .expect(200);
    hub.post_as_approver("/api/sessions/s/resume?agent=sam", &json!({}))
        .expect(200);
    assert_eq!(every.next()["type"], "session_resumed");
    hub.post_as_approver("/api/sessions/s/stop?agent=sam", &json!({}))
        .expect(200);
    assert_eq!(agent.next(), json!({"type": "stop", "data": {"session": "s"}}));
    assert_eq!(hub.get("/api/agents").json()["sessions"][0]["activity"], "stopped");
}

#[test]
fn a_standing_answer_answers_the_same_call_and_names_its_rule() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send(&request("r1", "sam", "s", "git status"));
    id_of(&hub, "r1");
    let body = json!({"decision": "approve", "scope": "always"});
    hub.post_as_approver("/api/approvals/r1/decision", &body).expect(200);
    agent.expect("approval_response");
    agent.send(&request("r2", "sam", "another", "git status"));
    let answer = agent.expect("approval_response");
    assert_eq!(
        (&answer["request_id"], &answer["response"], &answer["by"]),
        (&json!("r2"), &json!("approve"), &json!("hub"))
    );
    let rules = hub.get("/api/rules").json();
    let rule = rules["rules"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(hub.get("/api/approvals/r2").json()["decision"]["rule"], *rule);
    // Neither another call nor another agent.
    agent.send(&request("r3", "sam", "s", "git push"));
    agent.send(&request("r4", "other", "s", "git status"));
    pending(&hub, 2);
    hub.call("DELETE", &format!("/api/rules/{rule}"), &[], None)
        .problem(401);
    let bearer = format!("Bearer {}", hub.token());
    hub.call(
        "DELETE",
        &format!("/api/rules/{rule}"),
        &[("authorization", &bearer)],
        None,
    )
    .expect(200);
    agent.send(&request("r5", "sam", "s", "git status"));
    pending(&hub, 3);
}
