//! Webhooks: what a target on Python's `http.server` gets, however badly it behaves, and that nothing is missed.

use countersign_tests::foreign::python;
use countersign_tests::{Folder, Foreign, Hub, Peer, Start, until};
use serde_json::{Value, json};

const SECRET: &str = "a shared secret";

/// A target on this port (0: any), and its port.
fn target(port: u16) -> (Foreign, u16) {
    let mut command = python();
    command.args(["webhook_target.py", &port.to_string()]);
    let mut target = Foreign::start(command);
    let port = target.event()["port"].as_u64().unwrap();
    (target, u16::try_from(port).unwrap())
}

fn behave(target: &mut Foreign, how: &Value) {
    target.say(&how.to_string());
    loop {
        if target.event()["behaves"] == *how {
            return;
        }
    }
}

fn config(hooks: &[(&str, u16, &str)]) -> String {
    let hook = |(name, port, more): &(&str, u16, &str)| {
        format!(
            "[[webhook]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:{port}/hooks/{name}?key=word\"\nsecret = \"{SECRET}\"\n{more}\n"
        )
    };
    hooks.iter().map(hook).collect()
}

fn webhook(hub: &Hub, name: &str) -> Value {
    let status = hub.get("/api/status").json();
    let hooks = status["webhooks"].as_array().unwrap();
    hooks.iter().find(|hook| hook["name"] == name).unwrap().clone()
}

fn wait_state(hub: &Hub, name: &str, state: &str) -> Value {
    until(&format!("{name} is {state}"), || {
        let hook = webhook(hub, name);
        (hook["state"] == state).then_some(hook)
    })
}

fn note(n: u64) -> Value {
    json!({"type": "note", "agent": "a", "session": "s1", "stream": "st", "data": {"n": n}})
}

/// The numbers of the next notes that the target took, each once, in order.
fn takes(target: &mut Foreign, from: u64, to: u64) {
    let mut next = from;
    while next < to {
        let request = target.event();
        if request["status"] == 200 {
            assert_eq!(request["event"]["data"]["n"], next, "{request}");
            next += 1;
        }
    }
}

#[test]
fn a_target_gets_hives_event_signed_and_named() {
    let (mut python, port) = target(0);
    let hub = Hub::with_toml(&config(&[("one", port, "")]));
    hub.post(
        "/api/events",
        &json!({"type": "EXECUTION_STARTED", "agent": "builder", "session": "x1", "stream": "webhook",
            "timestamp": "2026-01-17T10:30:00.000Z", "data": {"input_data": {"q": 1}}}),
    )
    .expect(200);
    let got = python.event();
    let event = &got["event"];
    assert_eq!(event["type"], "execution_started", "{got}");
    assert_eq!(
        (&event["stream_id"], &event["execution_id"], &event["data"]),
        (&json!("webhook"), &json!("x1"), &json!({"input_data": {"q": 1}}))
    );
    assert_eq!(event["timestamp"], "2026-01-17T10:30:00.000Z");
    let epoch = hub.get("/healthz").json()["epoch"].as_str().unwrap().to_owned();
    assert_eq!(got["id"], format!("{epoch}:{}", event["seq"]));
    assert_eq!(
        (&got["stream"], &got["type"], &got["signed"], &got["path"]),
        (
            &json!("webhook"),
            &json!("application/json"),
            &json!(true),
            &json!("/hooks/one?key=word")
        )
    );
    let hook = webhook(&hub, "one");
    assert_eq!((&hook["state"], &hook["dead"]), (&json!("ok"), &json!(0)));
    assert!(!hook.to_string().contains("word"), "no secrets: {hook}");
    until("it has caught up", || {
        (webhook(&hub, "one")["behind"] == 0).then_some(())
    });
}

#[test]
fn each_target_gets_what_it_asked_for() {
    let (mut typed, typed_port) = target(0);
    let (mut streamed, streamed_port) = target(0);
    let (mut own, own_port) = target(0);
    let hub = Hub::with_toml(&config(&[
        ("typed", typed_port, "types = [\"EXECUTION_FAILED\"]"),
        ("streamed", streamed_port, "streams = [\"st\"]\nagents = [\"a\"]"),
        ("own", own_port, "hub_kinds = true\nagents = [\"sam\"]"),
    ]));
    let mut agent = hub.ws("/publish");
    agent.publish(&json!({"type": "other", "data": {}}));
    agent.publish(&json!({"type": "execution_failed", "agent": "b", "stream": "st", "data": {"error": "e"}}));
    agent.publish(&note(7));
    assert_eq!(typed.event()["event"]["type"], "execution_failed");
    assert_eq!(streamed.event()["event"]["data"]["n"], 7);
    assert_eq!(own.event()["event"]["type"], "agent_connected");
    assert_eq!(own.event()["event"]["type"], "other");
}

#[test]
fn a_target_that_was_down_and_a_hub_that_was_killed_miss_nothing() {
    let (mut python, port) = target(0);
    let start = Start::new().config("countersign.toml", &config(&[("one", port, "")]));
    let mut hub = start.run();
    let mut agent = hub.ws("/publish");
    agent.publish(&note(0));
    takes(&mut python, 0, 1);
    drop(python);
    for n in 1..20 {
        agent.publish(&note(n));
    }
    let hook = wait_state(&hub, "one", "retrying");
    assert!(
        hook["last_error"].is_string() && hook["behind"].as_u64() >= Some(1),
        "{hook}"
    );
    hub.kill();
    let mut hub = start.run();
    wait_state(&hub, "one", "retrying");
    let mut agent = hub.ws("/publish");
    agent.publish(&note(20));
    let (mut python, _) = target(port);
    let mut seen = Vec::new();
    // The one before the kill may come twice, for its place may not have been written; all others come once.
    while seen.last() != Some(&20) {
        let request = python.event();
        assert_eq!(request["signed"], true);
        if let Some(n) = request["event"]["data"]["n"].as_u64() {
            seen.push(n);
        }
    }
    seen.retain(|n| *n > 0);
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
    wait_state(&hub, "one", "ok");
    assert!(hub.terminate().success());
    let hub = start.run();
    hub.ws("/publish").publish(&note(21));
    takes(&mut python, 21, 22);
}

#[test]
fn what_may_pass_is_tried_again_and_a_slow_target_delays_nobody() {
    let (mut failing, failing_port) = target(0);
    let (mut slow, slow_port) = target(0);
    let (mut quick, quick_port) = target(0);
    behave(&mut failing, &json!({"status": 500}));
    behave(&mut slow, &json!({"status": 200, "delay": 20}));
    let hub = Hub::with_toml(&config(&[
        ("failing", failing_port, ""),
        ("slow", slow_port, ""),
        ("quick", quick_port, ""),
    ]));
    let mut agent = hub.ws("/publish");
    for n in 0..50 {
        agent.publish(&note(n));
    }
    takes(&mut quick, 0, 50);
    assert_eq!(failing.event()["status"], 500);
    let hook = wait_state(&hub, "failing", "retrying");
    assert!(hook["last_error"].as_str().unwrap().contains("500"), "{hook}");
    behave(&mut failing, &json!({"status": 429, "headers": {"Retry-After": "1"}}));
    loop {
        if failing.event()["status"] == 429 {
            break;
        }
    }
    behave(&mut failing, &json!({"status": 200}));
    takes(&mut failing, 0, 50);
    wait_state(&hub, "failing", "ok");
}

#[test]
fn what_is_refused_for_good_is_set_aside_and_sent_again_when_asked() {
    let (mut python, port) = target(0);
    behave(&mut python, &json!({"status": 400, "only": "bad"}));
    let start = Start::new().config("countersign.toml", &config(&[("one", port, "")]));
    let mut hub = start.run();
    let mut agent = hub.ws("/publish");
    agent.publish(&json!({"type": "bad", "data": {"n": 100}}));
    agent.publish(&note(0));
    takes(&mut python, 0, 1);
    let hook = wait_state(&hub, "one", "dead");
    assert_eq!(hook["dead"], 1);
    assert!(hook["last_error"].as_str().unwrap().contains("400"), "{hook}");
    assert!(hub.terminate().success());
    let hub = start.run();
    wait_state(&hub, "one", "dead");
    hub.post("/api/webhooks/one/retry", &json!({})).problem(401);
    hub.post_as_approver("/api/webhooks/two/retry", &json!({})).problem(404);
    behave(&mut python, &json!({"status": 200}));
    hub.post_as_approver("/api/webhooks/one/retry", &json!({})).expect(200);
    let again = python.event();
    assert_eq!(
        (&again["event"]["type"], &again["status"]),
        (&json!("bad"), &json!(200))
    );
    let hook = wait_state(&hub, "one", "ok");
    assert_eq!((&hook["dead"], &hook["last_error"]), (&json!(0), &Value::Null));
}

#[test]
fn a_redirect_leads_nowhere() {
    let (mut python, port) = target(0);
    let (mut elsewhere, other) = target(0);
    let away = json!({"status": 307, "headers": {"Location": format!("http://127.0.0.1:{other}/")}});
    behave(&mut python, &away);
    let hub = Hub::with_toml(&config(&[("one", port, "")]));
    hub.ws("/publish").publish(&note(0));
    wait_state(&hub, "one", "dead");
    elsewhere.say(&json!({"status": 200}).to_string());
    assert_eq!(elsewhere.event()["behaves"]["status"], 200, "nothing came before");
}

#[test]
fn a_webhook_that_cannot_be_is_named_at_start() {
    for (text, word) in [
        ("[[webhook]]\nname = \"a\"\nurl = \"ftp://h\"", "http://"),
        ("[[webhook]]\nname = \"a b\"\nurl = \"http://h\"", "a b"),
        ("[[webhook]]\nname = \"a\"\nurl = \"http://u:p@h\"", "password"),
        (
            "[[webhook]]\nname = \"a\"\nurl = \"http://h\"\nsecret_file = \"/nowhere\"",
            "/nowhere",
        ),
        (
            "[[webhook]]\nname = \"a\"\nurl = \"http://h\"\n[[webhook]]\nname = \"a\"\nurl = \"http://h\"",
            "twice",
        ),
        (
            "[[upstream]]\nname = \"a\"\ndialect = \"smoke\"\nurl = \"ws://h\"",
            "smoke",
        ),
    ] {
        let start = Start::in_folder(&Folder::new()).config("own.toml", text);
        let end = countersign_tests::run(start.command()).expect(1);
        assert!(end.err.contains(word), "{text}: {}", end.err);
    }
}
