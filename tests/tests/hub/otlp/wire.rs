//! What no exporter would send, and what it is told; what comes again over a crash.

use countersign_tests::foreign::python;
use countersign_tests::{Folder, Foreign, Hub, Start};
use serde_json::{Value, json};

use super::{batch, claude_event, of, of_kind, request};

struct Post(Foreign);

impl Post {
    fn to(hub: &Hub) -> Self {
        let mut command = python();
        command.args(["otlp_post.py", &hub.url()]);
        Self(Foreign::start(command))
    }

    fn ask(&mut self, asked: &Value) -> Value {
        self.0.say(&asked.to_string());
        self.0.event()
    }
}

fn header<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer["headers"][name].as_str().unwrap_or_default()
}

#[test]
fn answers_come_in_the_encoding_of_the_question() {
    let hub = Hub::start();
    let mut post = Post::to(&hub);
    let logs = batch(&[request("s", 1)]).to_string();
    let protobuf = json!({"content-type": "application/x-protobuf"});
    let json_ = json!({"content-type": "application/json; charset=utf-8"});
    // An empty protobuf message is a request without records, and an answer without remarks.
    let answer = post.ask(&json!({"path": "/v1/logs", "headers": protobuf, "hex": ""}));
    assert_eq!((&answer["status"], &answer["hex"]), (&json!(200), &json!("")));
    assert_eq!(header(&answer, "content-type"), "application/x-protobuf");
    let answer = post.ask(&json!({"path": "/v1/logs", "headers": json_, "text": logs}));
    assert_eq!(
        (&answer["status"], &answer["hex"]),
        (&json!(200), &json!("7b7d")),
        "an empty object"
    );
    assert_eq!(header(&answer, "content-type"), "application/json");
    // google.rpc.Status: code 3, then the message.
    let answer = post.ask(&json!({"path": "/v1/traces", "headers": protobuf, "hex": "0a05ff"}));
    assert_eq!(
        (&answer["status"], header(&answer, "content-type")),
        (&json!(400), "application/x-protobuf")
    );
    assert!(answer["hex"].as_str().unwrap().starts_with("080312"), "{answer}");
    let answer = post.ask(&json!({"path": "/v1/metrics", "headers": json_, "text": "{"}));
    assert_eq!(
        (&answer["status"], header(&answer, "content-type")),
        (&json!(400), "application/json")
    );
    assert!(
        answer["hex"].as_str().unwrap().starts_with("7b22636f6465223a332c"),
        "{answer}"
    );
}

#[test]
fn what_is_not_otlp_is_refused_and_changes_nothing() {
    let hub = Hub::start();
    let before = hub.history().len();
    let mut post = Post::to(&hub);
    let json_ = json!({"content-type": "application/json"});
    let mut status = |asked: Value| post.ask(&asked)["status"].clone();
    assert_eq!(status(json!({"path": "/v1/logs", "text": "{}"})), 415);
    assert_eq!(
        status(json!({"path": "/v1/logs", "headers": {"content-type": "text/plain"}, "text": "{}"})),
        415
    );
    let brotli = json!({"content-type": "application/json", "content-encoding": "br"});
    assert_eq!(
        status(json!({"path": "/v1/logs", "headers": brotli, "text": "{}"})),
        415
    );
    let gzip = json!({"content-type": "application/json", "content-encoding": "gzip"});
    assert_eq!(
        status(json!({"path": "/v1/logs", "headers": gzip, "text": "{}"})),
        400,
        "it is not gzip"
    );
    assert_eq!(
        status(json!({"path": "/v1/logs", "headers": json_, "text": "{}", "spaces": 13_000_000})),
        413
    );
    // 300 MB of spaces in 300 kB.
    assert_eq!(
        status(json!({"path": "/v1/logs", "headers": gzip, "text": "{}", "spaces": 300_000_000, "gzip": 1})),
        413
    );
    let many = format!("{{\"resourceLogs\":[{}]}}", vec!["{}"; 600_000].join(","));
    assert_eq!(status(json!({"path": "/v1/logs", "headers": json_, "text": many})), 400);
    assert_eq!(hub.history().len(), before);
    // It is none the worse for it.
    let good = json!({"path": "/v1/logs", "headers": gzip, "text": batch(&[request("s", 1)]).to_string(), "gzip": 1});
    assert_eq!(status(good), 200);
    assert_eq!(of_kind(&of(&hub, "s"), "usage").len(), 1);
}

#[test]
fn a_page_in_a_browser_is_not_let_in() {
    let hub = Hub::start();
    let headers = [("Origin", "https://example.com"), ("Content-Type", "application/json")];
    hub.call("POST", "/v1/logs", &headers, Some("{}")).expect(403);
}

fn export(hub: &Hub, logs: &Value) {
    let json = [("Content-Type", "application/json")];
    hub.call("POST", "/v1/logs", &json, Some(&logs.to_string())).expect(200);
}

#[test]
fn records_are_one_only_when_all_they_say_is_the_same() {
    let hub = Hub::start();
    let twins = batch(&[request("s", 1), request("s", 1), request("s", 2)]);
    for _ in 0..3 {
        export(&hub, &twins);
    }
    export(&hub, &batch(&[request("s", 2), request("s", 3)]));
    let rows = of(&hub, "s");
    let numbers: Vec<_> = of_kind(&rows, "usage")
        .iter()
        .map(|data| data["attributes"]["event.sequence"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn a_batch_comes_again_after_a_crash_and_adds_nothing() {
    let folder = Folder::new();
    let logs = batch(&[
        request("s", 1),
        claude_event("s", 2, "user_prompt", &[("prompt", json!("hello"))]),
    ]);
    for _ in 0..4 {
        let hub = Start::in_folder(&folder).run();
        export(&hub, &logs);
        // Dropped, it is killed.
    }
    let hub = Start::in_folder(&folder).run();
    export(&hub, &logs);
    let rows = of(&hub, "s");
    assert_eq!(
        rows.iter().map(|row| &row["kind"]).collect::<Vec<_>>(),
        ["usage", "chat_message"]
    );
    assert_eq!(super::overview(&hub)["claude_api"]["total_requests"], 1);
}

#[test]
fn what_was_answered_is_there_after_a_crash_at_once() {
    let folder = Folder::new();
    for round in 0..5 {
        let hub = Start::in_folder(&folder).run();
        export(&hub, &batch(&[request("s", round)]));
        drop(hub);
    }
    let hub = Start::in_folder(&folder).run();
    assert_eq!(of_kind(&of(&hub, "s"), "usage").len(), 5);
}
