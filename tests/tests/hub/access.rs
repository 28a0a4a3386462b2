//! With `auth = "required"`: every route by every role, and what each gets. A route that has no row here fails the test.

use std::collections::BTreeSet;

use countersign_tests::{Hub, cli, raw, until};

/// Columns of the table, in order.
const WHO: [&str; 9] = [
    "nobody",
    "bad",
    "expired",
    "monitor",
    "agent",
    "approver",
    "limited",
    "key",
    "approver of a stream",
];

/// What happens, a letter a column: `1` is 401, `3` is 403, `.` is let in.
const TABLE: &[(&str, &str, &str, &str)] = &[
    // Plain requests. The body is what the route takes.
    ("GET", "/", "", "111......"),
    ("GET", "/publish", "", "1113.3..3"),
    ("GET", "/stream", "", "111......"),
    ("GET", "/codex", "", "1113.3..3"),
    ("GET", "/sessions", "", "111.3.3.3"),
    ("GET", "/sessions/{id}", "", "111.3.3.3"),
    ("GET", "/ws", "", "111......"),
    ("GET", "/metrics", "", "111.3.3.3"),
    ("GET", "/healthz", "", "........."),
    ("GET", "/api/status", "", "111......"),
    ("GET", "/api/agents", "", "111.3...."),
    ("GET", "/api/events", "", "111.3...."),
    ("POST", "/api/events", r#"{"type":"note","data":{}}"#, "1113.3..3"),
    ("GET", "/api/approvals", "", "111.3...."),
    (
        "POST",
        "/api/approvals",
        r#"{"tool_name":"t","arguments":{}}"#,
        "1113.3..3",
    ),
    ("GET", "/api/approvals/{id}", "", "111......"),
    (
        "POST",
        "/api/approvals/{id}/decision",
        r#"{"decision":"deny"}"#,
        "11133.3..",
    ),
    ("POST", "/api/sessions/{id}/stop", "", "11133.3.."),
    ("POST", "/api/sessions/{id}/resume", "", "11133.3.."),
    ("GET", "/api/rules", "", "111.3.3.3"),
    ("DELETE", "/api/rules/{id}", "", "11133.3.3"),
    (
        "POST",
        "/hooks/claude-code",
        r#"{"hook_event_name":"Setup","session_id":"s"}"#,
        "1113.3..3",
    ),
    (
        "POST",
        "/hooks/codex",
        r#"{"hook_event_name":"SessionStart","session_id":"s"}"#,
        "1113.3..3",
    ),
    ("GET", "/mcp", "", "1113.3..3"),
    ("POST", "/mcp", "{}", "1113.3..3"),
    ("DELETE", "/mcp", "", "1113.3..3"),
    ("POST", "/mcp/questions", "{}", "1113.3..3"),
    ("POST", "/mcp/notes", "{}", "1113.3..3"),
    ("POST", "/api/grants", r#"{"for":"dashboard"}"#, "11133.3.."),
    // The one-time code is the credential here, and this one is none.
    ("POST", "/api/dashboard", r#"{"code":"x"}"#, "333333333"),
    ("GET", "/api/upstreams", "", "111.3.3.3"),
    ("POST", "/api/upstreams", r#"{}"#, "11133.3.3"),
    ("DELETE", "/api/upstreams/{name}", "", "11133.3.3"),
    ("GET", "/api/connections", "", "11133.3.3"),
    ("POST", "/api/connections/{agent}", r#"{"dry_run":true}"#, "11133.3.3"),
    ("DELETE", "/api/connections/{agent}", "", "11133.3.3"),
    ("POST", "/api/connections/{agent}/examination", "", "11133.3.3"),
    ("GET", "/api/webhooks", "", "111.3.3.3"),
    ("POST", "/api/webhooks/{name}/retry", "", "11133.3.3"),
    ("GET", "/api/metrics/overview", "", "111.3.3.3"),
    ("GET", "/api/stream/metrics", "", "111.3.3.3"),
    ("POST", "/v1/logs", "{}", "1113.3..3"),
    ("POST", "/v1/metrics", "{}", "1113.3..3"),
    ("POST", "/v1/traces", "{}", "1113.3..3"),
    ("GET", "/websocket-test", "", "111......"),
    // Of the program, and says nothing of anybody.
    ("GET", "/websocket-test/{file}", "", "........."),
    // A client may bring its token in the connect packet; a bad one is refused at once.
    ("GET", "/socket.io", "", ".11......"),
    ("POST", "/socket.io", "", ".11......"),
    ("GET", "/socket.io/", "", ".11......"),
    ("POST", "/socket.io/", "", ".11......"),
    // Upgrades. At `/` and `/stream` a token may come with the first message, and nothing comes before.
    ("UPGRADE", "/", "", ".11......"),
    ("UPGRADE", "/publish", "", "1113.3..3"),
    ("UPGRADE", "/stream", "", ".11......"),
    ("UPGRADE", "/codex", "", "1113.3..3"),
    ("UPGRADE", "/ws", "", "111......"),
    // What there is not.
    ("GET", "/nothing", "", "111......"),
    ("PUT", "/api/events", "", "111......"),
];

fn request(hub: &Hub, method: &str, path: &str, body: &str, token: Option<&str>) -> u16 {
    let path = path
        .replace("{id}", "x")
        .replace("{file}", "x")
        .replace("{name}", "x")
        .replace("{agent}", "x");
    let (method, upgrade) = match method {
        "UPGRADE" => (
            "GET",
            "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n",
        ),
        method => (method, "connection: close\r\n"),
    };
    let token = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
    let reply = raw::exchange(
        hub.port,
        &format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n{upgrade}{token}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            hub.port,
            body.len()
        ),
    );
    let status = raw::status(&reply);
    if status == 401 {
        let head = reply.to_ascii_lowercase();
        assert!(head.contains("www-authenticate: bearer"), "{method} {path}: {reply}");
        assert!(head.contains("application/problem+json"), "{method} {path}: {reply}");
    }
    status
}

/// A token of this hub's folder.
pub(crate) fn create(hub: &Hub, arguments: &[&str]) -> String {
    let said = cli(hub, &[&["token", "create"], arguments].concat()).expect(0);
    said.out.lines().last().expect("a token").to_owned()
}

#[test]
fn every_route_by_every_role() {
    let hub = Hub::with_toml("auth = \"required\"\n");
    let expired = create(&hub, &["--role", "agent,monitor,approver", "--ttl", "1s"]);
    let tokens = [
        None,
        Some("eyJhbGciOiJub25lIn0.eyJyb2xlcyI6WyJhcHByb3ZlciJdLCJleHAiOjk5OTk5OTk5OTl9.".to_owned()),
        Some(expired),
        Some(create(&hub, &[])),
        Some(create(&hub, &["--role", "agent"])),
        Some(create(&hub, &["--role", "approver"])),
        Some(create(&hub, &["--role", "agent", "--role", "monitor", "--stream", "s"])),
        Some(hub.token()),
        Some(create(&hub, &["--role", "approver", "--stream", "s"])),
    ];
    until("the short token has expired", || {
        (request(&hub, "GET", "/api/status", "", tokens[2].as_deref()) == 401).then_some(())
    });
    let routes = countersign_server::routes();
    let known: BTreeSet<_> = TABLE.iter().map(|(method, path, ..)| (*method, *path)).collect();
    for (method, path) in &routes {
        assert!(
            known.contains(&(&**method, path)),
            "{method} {path} has no row in the table"
        );
    }
    let mut wrong = Vec::new();
    for (method, path, body, expect) in TABLE {
        let got: String = (tokens.iter())
            .map(|token| match request(&hub, method, path, body, token.as_deref()) {
                401 => '1',
                403 => '3',
                0 | 500.. => '!',
                _ => '.',
            })
            .collect();
        if got != *expect {
            wrong.push(format!("{method} {path}: {got}, not {expect}"));
        }
    }
    assert!(wrong.is_empty(), "columns: {WHO:?}\n{}", wrong.join("\n"));
}

#[test]
fn without_the_setting_native_programs_publish_ask_and_read_but_do_not_answer() {
    let hub = Hub::start();
    for (method, path, body, expect) in [
        ("GET", "/", "", 200),
        ("GET", "/api/events", "", 200),
        ("POST", "/api/events", r#"{"type":"note","data":{}}"#, 200),
        ("POST", "/api/approvals", r#"{"tool_name":"t","arguments":{}}"#, 201),
        ("POST", "/api/approvals/x/decision", r#"{"decision":"deny"}"#, 401),
        ("POST", "/api/sessions/x/stop", "", 401),
    ] {
        assert_eq!(request(&hub, method, path, body, None), expect, "{method} {path}");
        // A token that is not valid is never taken for none.
        assert_eq!(request(&hub, method, path, body, Some("x")), 401, "{method} {path}");
    }
}
