//! Starting and closing: the configuration as SAM has it, what is refused and how that is said.

use std::net::TcpListener;

use countersign_tests::{Folder, Hub, Peer, Start, command, frames, run};
use serde_json::{Value, json};

#[test]
fn one_line_per_listener_and_nothing_else_on_standard_output() {
    let start = Start::new();
    let mut serving = command::Running::start(start.command(), "");
    let first = serving.line();
    let port: u16 = first
        .strip_prefix("listening on http://127.0.0.1:")
        .expect(&first)
        .parse()
        .unwrap();
    let hub: Value =
        serde_json::from_str(&std::fs::read_to_string(start.folder.data().join("hub.json")).unwrap()).unwrap();
    let listeners = hub["listeners"].as_array().unwrap().clone();
    assert_eq!(hub["url"], format!("http://127.0.0.1:{port}"));
    serving.terminate();
    let end = serving.finish().expect(0);
    let lines: Vec<String> = std::iter::once(first)
        .chain(end.out.lines().map(str::to_owned))
        .collect();
    let expected: Vec<String> = listeners
        .iter()
        .map(|url| format!("listening on {}", url.as_str().unwrap()))
        .collect();
    assert_eq!(lines, expected);
    assert!(end.err.contains("closing"), "the log is on standard error: {}", end.err);
}

#[test]
fn interrupting_closes_it_as_well() {
    let start = Start::new();
    let mut serving = command::Running::start(start.command(), "");
    serving.line();
    serving.interrupt();
    serving.finish().expect(0);
    let files = std::fs::read_dir(start.folder.data()).unwrap();
    let mut left: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    left.sort();
    // `hooks.json` says what hooks do while no hub is there.
    assert_eq!(left, ["history.sqlite", "hooks.json", "hub.lock", "jwt.secret"]);
}

#[test]
fn sams_switches_keep_kinds_off_the_wire_and_not_out_of_the_log() {
    for (switch, off) in [
        (
            "broadcast_tool_calls",
            &["tool_call_start", "tool_call_end", "tool_call_result"][..],
        ),
        ("broadcast_system2", &["system2_intervention"]),
        ("broadcast_system3", &["system3_evaluation", "system3_intervention"]),
        ("broadcast_autonomous", &["autonomous_activity"]),
    ] {
        let config = json!({"llm": {"model": "x"}, "websocket": {"enabled": true, "host": "localhost", "port": 8765, switch: false}});
        let hub = Start::new().config("config.json", &config.to_string()).run();
        let mut plain = hub.ws("/");
        let mut named = hub.ws(&format!("/?types={},agent_status", off.join(",")));
        let mut every = hub.ws("/?types=*");
        named.expect("hello");
        every.expect("hello");
        let mut agent = hub.ws("/publish");
        let sent = frames::of_the_seed();
        for frame in &sent {
            agent.send(frame);
        }
        let kinds = || sent.iter().map(|frame| frame["type"].as_str().unwrap());
        for kind in kinds().filter(|kind| !off.contains(kind)) {
            assert_eq!(plain.next()["type"], kind, "{switch}");
        }
        assert_eq!(named.next()["type"], "agent_status", "{switch}");
        every.expect("agent_connected");
        for kind in kinds().filter(|kind| !off.contains(kind)) {
            assert_eq!(every.next()["type"], kind, "{switch}");
        }
        let rows = hub.history();
        let kept: Vec<&str> = rows
            .iter()
            .filter(|row| row["origin"] == "sam")
            .map(|row| row["kind"].as_str().unwrap())
            .collect();
        assert_eq!(kept, kinds().collect::<Vec<_>>());
    }
}

#[test]
fn the_configurations_port_and_host_hold_unless_the_command_line_says_otherwise() {
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let config = json!({"websocket": {"host": "127.0.0.1", "port": port}}).to_string();
    let folder = Folder::new();
    let file = folder.write("config.json", &config);
    let mut line = countersign_tests::hub::countersign();
    line.args(["serve", "--data-dir"])
        .arg(folder.data())
        .arg("--config")
        .arg(&file);
    let mut serving = command::Running::start(line, "");
    assert_eq!(serving.line(), format!("listening on http://127.0.0.1:{port}"));
    serving.terminate();
    assert_eq!(serving.finish().expect(0).out, "", "one host, one listener");
    let hub = Start::in_folder(&folder).config("config.json", &config).run();
    assert_ne!(hub.port, port);
}

#[test]
fn a_port_in_use_is_named_with_the_way_to_change_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let end = run(Start::new().port(port).command()).expect(1);
    assert_eq!(end.out, "");
    for word in [port.to_string().as_str(), "--port", "in use"] {
        assert!(end.err.contains(word), "{word}: {}", end.err);
    }
}

#[test]
fn a_host_off_loopback_is_refused_with_the_recipe_for_a_proxy() {
    for host in ["0.0.0.0", "::", "192.0.2.1", "hub.example"] {
        let by_line = Start::new().argument("--host").argument(host);
        let by_file = Start::new().config("config.json", &json!({"websocket": {"host": host}}).to_string());
        for start in [by_line, by_file] {
            let end = run(start.command()).expect(1);
            assert!(end.err.contains("proxy") && end.err.contains(host), "{}", end.err);
            assert!(!start.folder.data().exists(), "nothing was begun");
        }
    }
    let hub = Start::new().argument("--host").argument("127.0.0.2").run();
    assert_eq!(
        countersign_tests::rest::call("GET", &format!("http://127.0.0.2:{}", hub.port), "/healthz", &[], None).status,
        200
    );
}

#[test]
fn a_hub_that_may_not_listen_says_so_and_ends() {
    let start = Start::new().config("config.json", r#"{"websocket": {"enabled": false}}"#);
    let end = run(start.command()).expect(1);
    assert!(
        end.err.contains("enabled") && end.err.contains("config.json"),
        "{}",
        end.err
    );
}

#[test]
fn a_configuration_that_cannot_be_read_is_named() {
    for (name, text, word) in [
        ("config.json", "{", "config.json"),
        ("config.json", r#"{"websocket": {"port": "8765"}}"#, "config.json"),
        ("config.json", r#"{"websocket": {"port": 70000}}"#, "config.json"),
        ("own.toml", "porrt = 1", "porrt"),
        ("own.toml", "[approvals]\ntimeout_seconds = 0", "timeout_seconds"),
        ("own.yaml", "port: 1", ".toml"),
    ] {
        let end = run(Start::new().config(name, text).command()).expect(1);
        assert!(end.err.contains(word), "{name} {text}: {}", end.err);
    }
    let end = run(Start::new()
        .argument("--config")
        .argument("/nowhere/config.json")
        .command())
    .expect(1);
    assert!(end.err.contains("/nowhere/config.json"), "{}", end.err);
}

#[test]
fn one_hub_holds_a_folder() {
    let hub = Hub::start();
    let end = run(Start::in_folder(&hub.folder).command()).expect(1);
    assert!(end.err.contains(hub.folder.data().to_str().unwrap()), "{}", end.err);
    hub.get("/healthz").expect(200);
    assert!(
        hub.folder.data().join("approver.token").exists(),
        "the running hub's files are left alone"
    );
    hub.post_as_approver("/api/grants", &json!({"for": "dashboard"}))
        .expect(200);
}

#[test]
fn a_clean_end_keeps_even_what_was_not_acknowledged() {
    let mut hub = Hub::start();
    let mut agent = hub.ws("/publish");
    let mut monitor = hub.ws("/");
    for n in 0..20_000 {
        agent.write(frames::note(n).to_string()).unwrap();
    }
    agent.flush().unwrap();
    let mut last = 0;
    while last < 19_999 {
        last = monitor.expect("note")["data"]["n"].as_u64().unwrap();
    }
    assert!(hub.terminate().success());
    let hub = Start::in_folder(&hub.folder).run();
    assert_eq!(hub.history().iter().filter(|row| row["kind"] == "note").count(), 20_000);
}

#[test]
fn somebody_who_waits_does_not_keep_it_from_closing() {
    let mut hub = Hub::start();
    let asked = hub.post(
        "/api/approvals",
        &json!({"request_id": "r", "tool_name": "bash", "agent": "ci"}),
    );
    asked.expect(201);
    let url = hub.url();
    let waiting = std::thread::spawn(move || {
        countersign_tests::rest::try_call("GET", &url, "/api/approvals/r?wait=60", &[], None)
            .is_ok_and(|reply| reply.json()["status"] != "pending")
    });
    countersign_tests::until("it waits", || {
        (hub.get("/healthz").json()["connections"] == 2).then_some(())
    });
    let begun = std::time::Instant::now();
    assert!(hub.terminate().success());
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert!(!waiting.join().unwrap(), "no answer is made up");
    let hub = Start::in_folder(&hub.folder).run();
    assert_eq!(hub.get("/api/approvals/r").json()["status"], "pending");
}
