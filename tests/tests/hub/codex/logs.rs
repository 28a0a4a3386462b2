//! Logs of sessions: what is in them, what survives a crash, disks that are full, and the two routes that show them.

use std::path::{Path, PathBuf};

use countersign_tests::{Foreign, Hub, Peer, Start, until};
use serde_json::{Value, json};

use super::{connect, failed, git_status, review, start, until_asked};

/// A hub that logs, and the folder of its logs.
fn logged() -> (Start, PathBuf) {
    let start = start(&json!([git_status()]));
    let folder = start.folder.file("logs");
    let script = start.folder.file("script.json");
    let config = format!(
        "[codex]\nscript = {:?}\nsession_store = {:?}\n",
        script.display().to_string(),
        folder.display().to_string()
    );
    (start.config("countersign.toml", &config), folder)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).map_or_else(
        |_| Vec::new(),
        |entries| entries.map(|entry| entry.unwrap().path()).collect(),
    );
    files.sort();
    files
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn turn(client: &mut impl Peer) {
    until_asked(client);
    client.send(&review("YES"));
    client.skip_to("agent_finished");
}

#[test]
fn everything_that_was_said_is_logged_as_it_happens() {
    let (start, folder) = logged();
    let hub = start.run();
    assert_eq!(hub.get("/sessions").expect(200).json(), json!({"sessions": []}));
    let mut client = Foreign::node(&hub.ws_url("/codex"));
    turn(&mut client);
    // What the client has is in the log, and the session goes on.
    let file = files(&folder).remove(0);
    let id = file.file_stem().unwrap().to_str().unwrap().to_owned();
    assert!(
        id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
        "{id}"
    );
    let log = lines(&std::fs::read_to_string(&file).unwrap());
    for line in &log {
        assert_eq!(
            line.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["timestamp", "event_type", "direction", "message_data"]
        );
        let pair = (
            line["event_type"].as_str().unwrap(),
            line["direction"].as_str().unwrap(),
        );
        assert!(matches!(
            pair,
            ("websocket_message_received", "incoming") | ("websocket_message_sent", "outgoing")
        ));
    }
    assert_eq!(log[0]["message_data"], json!({"event": "session_started"}));
    let kinds: Vec<_> = log[1..]
        .iter()
        .map(|line| line["message_data"]["type"].as_str().unwrap())
        .collect();
    let expected = [
        "user_input",
        "loading_state",
        "response_item",
        "response_item",
        "approval_request",
        "approval_response",
        "response_item",
        "response_item",
        "loading_state",
        "agent_finished",
    ];
    assert_eq!(kinds, expected);
    let sessions = hub.get("/sessions").expect(200).json()["sessions"].clone();
    assert_eq!(
        sessions,
        json!([{
            "session_id": id, "start_time": log[0]["timestamp"], "last_activity": log[10]["timestamp"], "event_count": 11
        }])
    );
    client.send_text("two\nlines");
    failed(&mut client, "not JSON");
    drop(client);
    let log = until("the last line", || {
        let reply = hub.get(&format!("/sessions/{id}")).expect(200);
        assert_eq!(reply.header("content-type"), "application/x-ndjson");
        let log = lines(&reply.text);
        (log.last()?["message_data"]["event"] == "session_ended").then_some(log)
    });
    assert_eq!(log[11]["message_data"], "two\nlines");
    assert_eq!(log.len(), 14);
    assert_eq!(hub.get("/sessions").json()["sessions"][0]["event_count"], 14);
    // It is the log of that session in the hub, too.
    assert!(hub.history().iter().any(|row| row["session"] == *id));
    turn(&mut connect(&hub));
    until("two sessions", || {
        (hub.get("/sessions").json()["sessions"].as_array()?.len() == 2).then_some(())
    });
}

#[test]
fn a_log_ends_when_the_hub_closes_and_is_whole_after_a_crash() {
    let (start, folder) = logged();
    let mut hub = start.run();
    let mut client = connect(&hub);
    turn(&mut client);
    assert!(hub.terminate().success());
    let log = lines(&std::fs::read_to_string(&files(&folder)[0]).unwrap());
    assert_eq!(log.last().unwrap()["message_data"]["event"], "session_ended");
    std::fs::remove_file(&files(&folder)[0]).unwrap();

    let mut hub = start.run();
    let mut client = connect(&hub);
    turn(&mut client);
    hub.kill();
    let log = lines(&std::fs::read_to_string(&files(&folder)[0]).unwrap());
    assert_eq!(log.last().unwrap()["message_data"]["type"], "agent_finished");
    let hub = start.run();
    let sessions = hub.get("/sessions").expect(200).json();
    assert_eq!(sessions["sessions"][0]["event_count"], log.len());
}

#[test]
fn the_environment_says_where_logs_go() {
    let start = start(&json!([git_status()]));
    let folder = start.folder.file("from the environment");
    let mut serve = start.command();
    serve.env("SESSION_STORE_PATH", &folder);
    let hub = start.run_as(serve);
    turn(&mut connect(&hub));
    assert_eq!(files(&folder).len(), 1);
}

#[test]
fn without_a_folder_nothing_is_logged_and_the_routes_say_so() {
    let hub = start(&json!([git_status()])).run();
    turn(&mut connect(&hub));
    assert_eq!(hub.get("/sessions").expect(200).json(), json!({"sessions": []}));
    let problem = hub.get(&format!("/sessions/{}", "0".repeat(32))).problem(404);
    assert!(
        problem["detail"].as_str().unwrap().contains("SESSION_STORE_PATH"),
        "{problem}"
    );
}

#[test]
fn what_is_no_id_leads_to_no_file() {
    let (start, folder) = logged();
    let hub = start.run();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("notes.jsonl"), "{}\n").unwrap();
    std::fs::write(start.folder.file("secret.jsonl"), "{}\n").unwrap();
    for id in [
        "notes",
        "..%2fsecret",
        "%2e%2e/secret",
        "..",
        "%00",
        &"0".repeat(32),
        &"A".repeat(32),
        &"0".repeat(40),
        "0123456789abcdef0123456789abcdef.jsonl",
    ] {
        assert_eq!(hub.get(&format!("/sessions/{id}")).status, 404, "{id}");
    }
    assert_eq!(hub.get("/sessions").expect(200).json(), json!({"sessions": []}));
}

#[test]
fn a_log_that_cannot_be_written_is_an_error_and_no_lost_connection() {
    let (start, folder) = logged();
    std::fs::write(&folder, "in the way").unwrap();
    let hub = start.run();
    let mut client = connect(&hub);
    let error = failed(&mut client, "session log cannot be written");
    assert!(
        error["payload"]["details"]["reason"]
            .as_str()
            .is_some_and(|why| !why.is_empty()),
        "{error}"
    );
    turn(&mut client);
    assert_eq!(hub.get("/sessions").status, 500);
    let told = hub
        .history()
        .iter()
        .any(|row| row["type"] == "notification" && row["origin"] == "codex");
    assert!(told, "the window hears of it");
}

/// A hub whose files may not grow beyond 64 KiB stands for a disk that fills up.
#[cfg(target_os = "linux")]
fn confined(start: &Start) -> Hub {
    let serve = start.command();
    let mut confined = std::process::Command::new("sh");
    confined.args(["-c", "trap '' XFSZ; ulimit -S -f 1200; exec \"$@\"", "sh"]);
    confined.arg(serve.get_program()).args(serve.get_args());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => confined.env(name, value),
            None => confined.env_remove(name),
        };
    }
    start.run_as(confined)
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_is_an_error_and_leaves_whole_lines() {
    let (start, folder) = logged();
    let hub = confined(&start);
    let mut client = connect(&hub);
    // Messages that are no messages fill the log, and not the hub's own history.
    let filler = "x".repeat(100_000);
    let error = loop {
        client.send_text(&filler);
        let error = client.expect("error");
        if error["payload"]["details"]["reason"].is_string() {
            break error;
        }
    };
    failed(&mut client, "not JSON");
    assert!(
        error["payload"]["message"].as_str().unwrap().contains("session log"),
        "{error}"
    );
    turn(&mut client);
    drop(client);
    let text = std::fs::read_to_string(&files(&folder)[0]).unwrap();
    assert!(text.ends_with("}\n") && lines(&text).len() > 3, "half a line is left");
}
