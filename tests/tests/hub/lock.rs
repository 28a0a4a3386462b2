//! The lock on the door: who may come in at all, how fast, how often.

use std::io::Write;
use std::time::Duration;

use countersign_tests::{Hub, Start, raw, until};

/// Every route, with a method that it takes.
const ROUTES: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/publish"),
    ("GET", "/healthz"),
    ("GET", "/api/status"),
    ("GET", "/api/agents"),
    ("GET", "/api/events"),
    ("POST", "/api/events"),
    ("GET", "/api/approvals"),
    ("POST", "/api/approvals"),
    ("GET", "/api/approvals/x"),
    ("POST", "/api/approvals/x/decision"),
    ("POST", "/api/sessions/x/stop"),
    ("POST", "/api/sessions/x/resume"),
    ("GET", "/api/rules"),
    ("DELETE", "/api/rules/x"),
    ("POST", "/api/grants"),
    ("POST", "/api/dashboard"),
    ("GET", "/assets/index.js"),
    ("GET", "/nothing"),
    ("OPTIONS", "/api/events"),
    ("PUT", "/api/events"),
];

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Headers that a request is refused with, and how. `PORT` stands for the port.
const REFUSED: &[(u16, &str)] = &[
    (400, ""),
    (421, "Host: localhost\r\n"),
    (421, "Host: evil.example:PORT\r\n"),
    (421, "Host: evil.example\r\n"),
    (421, "Host: localhost.evil.example:PORT\r\n"),
    (421, "Host: 127.0.0.1.nip.io:PORT\r\n"),
    (421, "Host: 127.0.0.2:PORT\r\n"),
    (421, "Host: 0.0.0.0:PORT\r\n"),
    (421, "Host: 127.1:PORT\r\n"),
    (421, "Host: localhost:1\r\n"),
    (421, "Host: localhost.:PORT\r\n"),
    (421, "Host: user@localhost:PORT\r\n"),
    (421, "Host: \r\n"),
    (400, "Host: localhost:PORT\r\nHost: localhost:PORT\r\n"),
    (400, "Host: localhost:PORT\r\nhost: evil.example\r\n"),
    (403, "Host: localhost:PORT\r\nOrigin: null\r\n"),
    (403, "Host: localhost:PORT\r\nOrigin: \r\n"),
    (403, "Host: localhost:PORT\r\nOrigin: http://localhost\r\n"),
    (403, "Host: localhost:PORT\r\nOrigin: http://localhost:3000\r\n"),
    (403, "Host: localhost:PORT\r\nOrigin: https://localhost:PORT\r\n"),
    (403, "Host: localhost:PORT\r\nOrigin: ws://localhost:PORT\r\n"),
    (403, "Host: localhost:PORT\r\nOrigin: http://localhost:PORT/\r\n"),
    (
        403,
        "Host: localhost:PORT\r\nOrigin: http://localhost:PORT.evil.example\r\n",
    ),
    (
        403,
        "Host: localhost:PORT\r\nOrigin: http://evil.example#http://localhost:PORT\r\n",
    ),
    (403, "Host: localhost:PORT\r\nOrigin: http://user@localhost:PORT\r\n"),
    (403, "Host: localhost:PORT\r\nOrigin: tauri://localhost\r\n"),
    (403, "Host: localhost:PORT\r\nOrigin: chrome-extension://abcdefgh\r\n"),
    (403, "Host: localhost:PORT\r\nOrigin: file://\r\n"),
    (
        403,
        "Host: localhost:PORT\r\nOrigin: http://localhost:PORT, http://evil.example\r\n",
    ),
    (
        400,
        "Host: localhost:PORT\r\nOrigin: http://localhost:PORT\r\nOrigin: http://localhost:PORT\r\n",
    ),
    (
        400,
        "Host: localhost:PORT\r\nOrigin: http://localhost:PORT\r\nOrigin: http://evil.example\r\n",
    ),
    (403, "Host: localhost:PORT\r\nSec-Fetch-Site: cross-site\r\n"),
    (403, "Host: localhost:PORT\r\nSec-Fetch-Site: Cross-Site\r\n"),
    (
        403,
        "Host: localhost:PORT\r\nOrigin: http://localhost:PORT\r\nSec-Fetch-Site: cross-site\r\n",
    ),
];

/// Headers that are let in.
const LET_IN: &[&str] = &[
    "Host: localhost:PORT\r\n",
    "Host: 127.0.0.1:PORT\r\n",
    "Host: [::1]:PORT\r\n",
    "Host: LOCALHOST:PORT\r\n",
    "Host: localhost:PORT\r\nOrigin: http://localhost:PORT\r\n",
    "Host: 127.0.0.1:PORT\r\nOrigin: http://127.0.0.1:PORT\r\nSec-Fetch-Site: same-origin\r\n",
    "Host: localhost:PORT\r\nSec-Fetch-Site: same-origin\r\n",
    "Host: localhost:PORT\r\nSec-Fetch-Site: none\r\n",
];

fn request(port: u16, line: &str, headers: &str, more: &str) -> String {
    let headers = headers.replace("PORT", &port.to_string());
    let line = line.replace("PORT", &port.to_string());
    raw::exchange(
        port,
        &format!("{line} HTTP/1.1\r\n{headers}{more}Content-Length: 0\r\n\r\n"),
    )
}

#[test]
fn host_origin_and_fetch_site_are_checked_on_every_route() {
    let hub = Hub::start();
    for (method, path) in ROUTES {
        for (status, headers) in REFUSED {
            let reply = request(hub.port, &format!("{method} {path}"), headers, "");
            assert_eq!(
                raw::status(&reply),
                *status,
                "{method} {path} with {headers:?}: {reply}"
            );
        }
        for headers in LET_IN {
            let reply = request(hub.port, &format!("{method} {path}"), headers, "");
            assert!(
                !matches!(raw::status(&reply), 0 | 403 | 421),
                "{method} {path} with {headers:?}: {reply}"
            );
        }
    }
    assert_eq!(hub.get("/healthz").json()["head"], 0);
}

#[test]
fn upgrades_are_checked_as_everything_else() {
    let hub = Hub::start();
    for path in ["/", "/publish", "/?since=0&types=*"] {
        for (status, headers) in REFUSED {
            let reply = request(hub.port, &format!("GET {path}"), headers, UPGRADE);
            assert_eq!(raw::status(&reply), *status, "{path} with {headers:?}: {reply}");
        }
        for headers in LET_IN {
            let reply = request(hub.port, &format!("GET {path}"), headers, UPGRADE);
            assert_eq!(raw::status(&reply), 101, "{path} with {headers:?}: {reply}");
        }
    }
}

#[test]
fn refusals_are_problem_documents_and_admit_nobody() {
    let hub = Hub::start();
    let reply = request(hub.port, "GET /api/status", "Host: evil.example\r\n", "");
    assert!(
        reply
            .to_ascii_lowercase()
            .contains("content-type: application/problem+json"),
        "{reply}"
    );
    for headers in [
        "Host: localhost:PORT\r\nOrigin: http://evil.example\r\n",
        "Host: localhost:PORT\r\nOrigin: http://localhost:PORT\r\n",
    ] {
        for line in ["GET /api/status", "OPTIONS /api/events"] {
            let reply = request(hub.port, line, headers, "").to_ascii_lowercase();
            assert!(!reply.contains("access-control-allow"), "{reply}");
        }
    }
}

#[test]
fn an_absolute_address_must_be_ours_too() {
    let hub = Hub::start();
    let own = "Host: localhost:PORT\r\n";
    for (status, target) in [
        (200, "http://localhost:PORT/healthz"),
        (200, "http://127.0.0.1:PORT/healthz"),
        (421, "http://evil.example/healthz"),
        (421, "http://evil.example:PORT/healthz"),
        (421, "http://user@localhost:PORT/healthz"),
        (421, "http://localhost/healthz"),
        (421, "https://evil.example/"),
    ] {
        let reply = request(hub.port, &format!("GET {target}"), own, "");
        assert_eq!(raw::status(&reply), status, "{target}: {reply}");
    }
    // The address does not stand in for a wrong header.
    let reply = request(
        hub.port,
        "GET http://localhost:PORT/healthz",
        "Host: evil.example\r\n",
        "",
    );
    assert_eq!(raw::status(&reply), 421);
    let reply = request(hub.port, "CONNECT evil.example:443", own, "");
    assert!(matches!(raw::status(&reply), 400..500), "{reply}");
}

#[test]
fn a_proxy_and_a_dashboard_of_ones_own_are_admitted_by_name() {
    let hub = Hub::with_toml(
        "allowed_hosts = [\"hub.example\"]\nallowed_origins = [\"https://dash.example\", \"http://localhost:3000\"]\n",
    );
    let through = |headers: &str| raw::status(&request(hub.port, "GET /api/status", headers, ""));
    assert_eq!(through("Host: hub.example\r\n"), 200);
    assert_eq!(
        through("Host: localhost:PORT\r\nOrigin: https://dash.example\r\nSec-Fetch-Site: cross-site\r\n"),
        200
    );
    assert_eq!(
        through("Host: localhost:PORT\r\nOrigin: https://dash.example.evil.example\r\n"),
        403
    );
    assert_eq!(through("Host: localhost:PORT\r\nOrigin: https://hub.example\r\n"), 403);
    let headers = "Host: localhost:PORT\r\nOrigin: http://localhost:3000\r\n";
    let reply = request(hub.port, "GET /", headers, UPGRADE);
    assert_eq!(raw::status(&reply), 101, "{reply}");
    // Its browser must be told that it may read.
    let reply = request(hub.port, "GET /api/status", headers, "").to_ascii_lowercase();
    assert!(
        reply.contains("access-control-allow-origin: http://localhost:3000\r\n"),
        "{reply}"
    );
    assert!(reply.contains("vary: origin"), "{reply}");
    let asks = format!(
        "{headers}Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization,content-type\r\n"
    );
    let reply = request(hub.port, "OPTIONS /api/approvals/x/decision", &asks, "").to_ascii_lowercase();
    assert_eq!(raw::status(&reply), 204, "{reply}");
    assert!(
        reply.contains("access-control-allow-headers: authorization, content-type"),
        "{reply}"
    );
    assert!(!reply.contains("access-control-allow-credentials"), "{reply}");
}

#[test]
fn old_and_broken_http_is_refused() {
    let hub = Hub::start();
    for request in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost:PORT\r\nHost : localhost:PORT\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost:PORT\r\n folded: x\r\n\r\n",
        "POST /api/events HTTP/1.1\r\nHost: localhost:PORT\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "POST /api/events HTTP/1.1\r\nHost: localhost:PORT\r\nContent-Length: -1\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{0}",
        "nonsense\r\n\r\n",
    ] {
        let reply = raw::exchange(hub.port, &request.replace("PORT", &hub.port.to_string()));
        assert!(matches!(raw::status(&reply), 0 | 400..500), "{request:?}: {reply}");
    }
    let long = format!(
        "GET /healthz HTTP/1.1\r\nHost: localhost:{}\r\nX: {}\r\n\r\n",
        hub.port,
        "x".repeat(128 * 1024)
    );
    assert!(matches!(raw::status(&raw::exchange(hub.port, &long)), 0 | 431));
    let many = "X: y\r\n".repeat(2000);
    let many = format!("GET /healthz HTTP/1.1\r\nHost: localhost:{}\r\n{many}\r\n", hub.port);
    assert!(matches!(raw::status(&raw::exchange(hub.port, &many)), 0 | 431));
    hub.get("/healthz").expect(200);
}

#[test]
fn a_handshake_that_is_none_is_refused() {
    let hub = Hub::start();
    let own = format!("Host: localhost:{}\r\n", hub.port);
    for (status, path, headers) in [
        (426, "/publish", "Connection: keep-alive\r\n"),
        (
            426,
            "/",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n",
        ),
        (
            426,
            "/",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: x\r\n",
        ),
        (
            400,
            "/",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        ),
        (
            426,
            "/publish",
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n",
        ),
    ] {
        let reply = raw::exchange(hub.port, &format!("GET {path} HTTP/1.1\r\n{own}{headers}\r\n"));
        assert_eq!(raw::status(&reply), status, "{path} {headers}: {reply}");
    }
    let reply = raw::exchange(hub.port, &format!("POST /publish HTTP/1.1\r\n{own}{UPGRADE}\r\n"));
    assert!(matches!(raw::status(&reply), 405 | 426), "{reply}");
}

#[test]
fn a_slow_request_head_and_a_quiet_connection_are_closed() {
    let hub = Hub::start();
    let half = format!("GET /healthz HTTP/1.1\r\nHost: localhost:{}\r\n", hub.port);
    std::thread::scope(|scope| {
        for sent in ["", "G", half.as_str()] {
            let port = hub.port;
            scope.spawn(move || {
                let mut stream = raw::connect(port);
                stream.write_all(sent.as_bytes()).unwrap();
                let time = raw::time_to_close(&mut stream);
                assert!(time < Duration::from_secs(20), "{sent:?}: {time:?}");
            });
        }
        // A byte now and then does not help.
        let port = hub.port;
        scope.spawn(move || {
            let mut stream = raw::connect(port);
            stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let begun = std::time::Instant::now();
            while stream.write_all(b"G").is_ok() {
                assert!(begun.elapsed() < Duration::from_secs(20), "a drip keeps it open");
                if matches!(std::io::Read::read(&mut stream, &mut [0; 512]), Ok(0)) {
                    break;
                }
            }
        });
        // After a reply the next request may not take forever either.
        scope.spawn(move || {
            let mut stream = raw::connect(port);
            stream
                .write_all(format!("GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").as_bytes())
                .unwrap();
            assert_eq!(raw::status(&raw::head(&mut stream)), 200);
            assert!(raw::time_to_close(&mut stream) < Duration::from_secs(20));
        });
    });
    until("their places are free again", || {
        (hub.get("/healthz").json()["connections"] == 1).then_some(())
    });
}

#[test]
fn connections_are_capped_and_places_come_back() {
    let hub = Hub::with_toml("max_connections = 8\n");
    let mut held: Vec<_> = (0..8).map(|_| hub.ws("/")).collect();
    until("the cap is reached", || {
        let reply = raw::exchange(
            hub.port,
            &format!("GET /healthz HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", hub.port),
        );
        (raw::status(&reply) == 503).then_some(())
    });
    assert!(countersign_tests::Ws::try_connect(hub.port, "/", &[]).is_err());
    held.pop();
    until("a place is free", || {
        let reply = raw::exchange(
            hub.port,
            &format!("GET /healthz HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", hub.port),
        );
        (raw::status(&reply) == 200).then_some(())
    });
}

#[cfg(unix)]
#[test]
fn the_folder_and_its_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let start = Start::new();
    // Even where everybody could look before.
    std::fs::create_dir(start.folder.data()).unwrap();
    std::fs::set_permissions(start.folder.data(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let hub = start.run();
    hub.post("/api/events", &countersign_tests::frames::note(1)).expect(200);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&hub.folder.data()), 0o700);
    for entry in std::fs::read_dir(hub.folder.data()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name != "hub.lock" {
            assert_eq!(mode(&path), 0o600, "{name}");
        }
    }
    for name in ["approver.token", "hub.json", "history.sqlite"] {
        assert!(hub.folder.data().join(name).exists(), "{name}");
    }
}
