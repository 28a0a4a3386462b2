//! Tokens: who makes them, what they say, where they are taken, what a token for named streams sees, and how they end.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_tests::command::at;
use countersign_tests::hub::countersign;
use countersign_tests::{Folder, Hub, Peer, Reply, Start, cli, run};
use serde_json::{Value, json};

use crate::access::create;

const REQUIRED: &str = "auth = \"required\"\n";

fn get(hub: &Hub, path: &str, token: &str) -> Reply {
    hub.call("GET", path, &[("Authorization", &format!("Bearer {token}"))], None)
}

fn post(hub: &Hub, path: &str, token: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {token}");
    hub.call("POST", path, &[("Authorization", &bearer)], Some(&body.to_string()))
}

fn now() -> u64 {
    #[allow(clippy::disallowed_methods)] // the token is made outside, as others make it: by the system's clock
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// PyJWT would do the same: nothing but the standard library.
fn python_token(secret: &str, claims: &Value) -> String {
    let code = "import base64,hashlib,hmac,sys\n\
        b=lambda x: base64.urlsafe_b64encode(x).rstrip(b'=')\n\
        m=b(b'{\"typ\":\"JWT\",\"alg\":\"HS256\"}')+b'.'+b(sys.argv[2].encode())\n\
        print((m+b'.'+b(hmac.new(sys.argv[1].encode(),m,hashlib.sha256).digest())).decode())";
    let mut command = std::process::Command::new("python3");
    command.args(["-c", code, secret, &claims.to_string()]);
    run(command).expect(0).out.trim().to_owned()
}

#[test]
fn a_token_is_made_without_a_hub_and_holds_in_the_next() {
    let folder = Folder::new();
    let made = [
        "token",
        "create",
        "--role",
        "agent,monitor",
        "--subject",
        "ada",
        "--ttl",
        "2h",
    ];
    let made = run(at(&folder.data(), &made)).expect(0);
    let token = made.out.lines().last().unwrap().to_owned();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(folder.data()), mode(folder.data().join("jwt.secret"))),
            (0o700, 0o600)
        );
    }
    let secret = std::fs::read_to_string(folder.data().join("jwt.secret")).unwrap();
    assert!(secret.trim().len() >= 32);
    let hub = Start::in_folder(&folder).config("c.toml", REQUIRED).run();
    get(&hub, "/api/events", &token).expect(200);
    get(&hub, "/api/events?token=x", &token).problem(400);
    hub.get(&format!("/api/events?token={token}")).expect(200);
    hub.get("/api/events").problem(401);
    // What is signed elsewhere with the same file counts as well.
    let theirs = python_token(secret.trim(), &json!({"user_id": "u", "exp": now() + 60}));
    get(&hub, "/api/events", &theirs).expect(200);
    post(&hub, "/api/events", &theirs, &json!({"type": "note", "data": {}})).problem(403);
}

#[test]
fn tokens_of_others_are_taken_with_their_secret_and_none_are_with_another() {
    let folder = Folder::new();
    let file = folder.write("others.secret", "a secret that another system signs with\n");
    let config = format!("{REQUIRED}jwt_secret_file = {:?}\n", file.display().to_string());
    let hub = Start::in_folder(&folder).config("c.toml", &config).run();
    let with = |secret: &str, claims: Value| get(&hub, "/api/events", &python_token(secret, &claims)).status;
    let secret = "a secret that another system signs with";
    let later = now() + 60;
    assert_eq!(
        with(secret, json!({"user_id": "u", "streams": ["*"], "exp": later})),
        200
    );
    assert_eq!(with(secret, json!({"sub": "u", "roles": ["agent"], "exp": later})), 403);
    assert_eq!(with("another secret, 32 bytes or more", json!({"exp": later})), 401);
    assert_eq!(with(secret, json!({"exp": now() - 1})), 401);
    assert_eq!(with(secret, json!({"exp": later, "nbf": later})), 401);
    assert_eq!(with(secret, json!({"exp": later, "roles": "monitor"})), 401);
    assert_eq!(with(secret, json!({"sub": "for ever"})), 401);
}

#[test]
fn a_token_for_a_stream_sees_and_says_nothing_else() {
    let hub = Hub::with_toml(REQUIRED);
    let all = create(&hub, &["--role", "agent,monitor"]);
    let some = create(&hub, &["--role", "agent,monitor,approver", "--stream", "s"]);
    let two = create(&hub, &["--role", "agent", "--stream", "s", "--stream", "t"]);
    let mut monitor = hub.ws(&format!("/?types=note,approval_request&token={some}"));
    monitor.expect("hello");
    let note = |stream: Option<&str>, n: i64| {
        let mut event = json!({"type": "note", "agent": "a", "session": format!("{stream:?}"), "data": {"n": n}});
        if let Some(stream) = stream {
            event["stream"] = json!(stream);
        }
        event
    };
    for (stream, n) in [(None, 1), (Some("t"), 2), (Some("s"), 3)] {
        post(&hub, "/api/events", &all, &note(stream, n)).expect(200);
    }
    // Without a label it gets the token's only one; with two there is a choice to be made, and another is refused.
    post(&hub, "/api/events", &some, &note(None, 4)).expect(200);
    let problem = post(&hub, "/api/events", &some, &note(Some("t"), 5)).problem(403);
    assert_eq!(problem["field"], "stream");
    post(&hub, "/api/events", &two, &note(None, 6)).problem(403);
    let mut publisher = hub.ws(&format!("/publish?token={two}"));
    publisher.send(&note(None, 7));
    assert_eq!(publisher.expect("error")["data"]["field"], "stream");
    publisher.send(&note(Some("u"), 8));
    publisher.expect("error");

    for n in [3, 4] {
        assert_eq!(monitor.expect("note")["data"]["n"], n);
    }
    let rows = get(&hub, "/api/events", &some).expect(200).json();
    let seen: Vec<_> = rows["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["stream"].as_str())
        .collect();
    assert_eq!(seen, [Some("s"); 2], "{rows}");
    assert_eq!(
        cli(&hub, &["export", "--token", &some]).expect(0).out.lines().count(),
        2
    );
    let sessions = get(&hub, "/api/agents", &some).expect(200).json();
    assert!(
        sessions["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .all(|session| session["stream"] == "s"),
        "{sessions}"
    );

    // Questions: its own it sees and answers, others are not there.
    let ask = |token: &str, stream: Option<&str>| {
        let mut ask = json!({"request_id": format!("r{stream:?}"), "tool_name": "t", "arguments": {}, "agent": "a"});
        if let Some(stream) = stream {
            ask["stream"] = json!(stream);
        }
        post(&hub, "/api/approvals", token, &ask)
    };
    let other = ask(&all, None).expect(201).json();
    let own = ask(&some, Some("s")).expect(201).json();
    ask(&some, Some("t")).problem(403);
    ask(&two, None).problem(403);
    let list = get(&hub, "/api/approvals", &some).expect(200).json();
    assert_eq!(list["approvals"].as_array().unwrap().len(), 1, "{list}");
    let decide = |id: &Value, body: Value| {
        post(
            &hub,
            &format!("/api/approvals/{}/decision", id.as_str().unwrap()),
            &some,
            &body,
        )
    };
    decide(&other["id"], json!({"decision": "approve"})).problem(404);
    decide(&own["id"], json!({"decision": "approve", "scope": "always"})).problem(403);
    decide(&own["id"], json!({"decision": "approve"})).expect(200);
    assert_eq!(monitor.expect("approval_request")["data"]["request_id"], "rSome(\"s\")");
    post(
        &hub,
        "/api/grants",
        &some,
        &json!({"for": "token", "roles": ["approver"], "ttl": 60}),
    )
    .problem(403);
}

#[test]
fn a_connection_ends_with_its_token() {
    let hub = Hub::with_toml(REQUIRED);
    let token = create(&hub, &["--ttl", "2s"]);
    let mut monitor = hub.ws(&format!("/?token={token}"));
    assert_eq!(monitor.closed().0, 1008);
    get(&hub, "/api/status", &token).problem(401);
}

#[test]
fn the_command_line_gets_in_by_itself_and_the_dashboards_address_opens_the_page() {
    let hub = Hub::with_toml(REQUIRED);
    let on = |arguments: &[&str]| cli(&hub, arguments);
    on(&["status"]).expect(0);
    on(&["emit", "--type", "note"]).expect(0);
    let out = on(&["tail", "--since", "0", "--no-follow", "--json"]).expect(0).out;
    assert!(out.contains("note"), "{out}");
    on(&["status", "--token", "x"]).expect(1);
    let address = on(&["dashboard"]).expect(0).out.trim().to_owned();
    let (page, code) = address.split_once("#code=").unwrap();
    let path = page.strip_prefix(&hub.url()).unwrap();
    hub.get("/").problem(401);
    assert!(
        hub.get(path)
            .expect(200)
            .header("content-type")
            .starts_with("text/html")
    );
    // The page's own token opens the page and nothing else.
    let pass = path.split_once("token=").unwrap().1;
    get(&hub, "/api/events", pass).problem(403);
    get(&hub, "/api/approvals", pass).problem(403);
    let bearer = hub.post("/api/dashboard", &json!({ "code": code })).expect(200).json();
    get(&hub, "/api/approvals", bearer["token"].as_str().unwrap()).expect(200);
}

#[test]
fn listeners_are_announced_in_order_and_all_serve_every_path() {
    let folder = Folder::new();
    let mut command = countersign();
    command.args([
        "serve",
        "--listen",
        "127.0.0.1:0=cloud",
        "--listen",
        "127.0.0.1:0",
        "--listen",
        "127.0.0.1:0=hive",
    ]);
    command.arg("--data-dir").arg(folder.data());
    let hub = Start::in_folder(&folder).run_as(command);
    let status = hub.get("/api/status").expect(200).json();
    let listeners = status["listeners"].as_array().unwrap();
    let dialects: Vec<_> = listeners
        .iter()
        .map(|listener| listener["dialect"].as_str().unwrap())
        .collect();
    assert_eq!(dialects, ["cloud", "sam", "hive"]);
    assert_eq!(listeners[0]["url"], hub.url());
    let file: Value = serde_json::from_str(&std::fs::read_to_string(folder.data().join("hub.json")).unwrap()).unwrap();
    assert_eq!(file["listeners"].as_array().unwrap().len(), 3);
    let mut refused = countersign();
    refused
        .args(["serve", "--listen", "0.0.0.0:0=sam", "--data-dir"])
        .arg(Folder::new().data());
    let said = run(refused).expect(64);
    assert!(said.err.contains("proxy"), "{}", said.err);
}
