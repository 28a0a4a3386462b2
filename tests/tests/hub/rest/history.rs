//! What was published, read again; and requests that make no sense.

use super::*;

fn numbers(rows: &Value) -> Vec<u64> {
    rows.as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["data"]["n"].as_u64())
        .collect()
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
    hub.post_as_approver("/api/approvals/x/answer", &json!({})).problem(404);
    let agents = hub.call("POST", "/hooks/gemini", &[], Some("{}")).problem(404);
    assert!(agents["detail"].as_str().unwrap().contains("/hooks/codex"), "{agents}");
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
