//! TLS on the way out: webhooks over HTTPS and upstreams over `wss://`, to servers of Python's `ssl`. Whom the system's certificates
//! vouch for is sent to; anybody else is told nothing, and the state says why.

use std::path::Path;

use countersign_tests::foreign::python;
use countersign_tests::tls::Certificate;
use countersign_tests::{Authority, Folder, Foreign, Hub, Peer, Start, frames, until};
use serde_json::{Value, json};

const LOOPBACK: &str = "IP:127.0.0.1";

fn serving(script: &str, with: &Certificate) -> (Foreign, u64) {
    let mut command = python();
    command.args([script, "0"]).args([&with.certificate, &with.key]);
    let mut server = Foreign::start(command);
    let port = server.event()["port"].as_u64().unwrap();
    (server, port)
}

/// A hub that trusts this authority alone.
fn trusting(authority: &Path, folder: &Folder, config: &str) -> Hub {
    let start = Start::in_folder(folder).config("countersign.toml", config);
    let mut command = start.command();
    command.env("SSL_CERT_FILE", authority).env_remove("SSL_CERT_DIR");
    start.run_as(command)
}

/// The one webhook or upstream, once it is in that state.
fn comes_to(hub: &Hub, list: &str, state: &str) -> Value {
    until(&format!("{list}: {state}"), || {
        let view = hub.get("/api/status").json()[list][0].clone();
        (view["state"] == state).then_some(view)
    })
}

/// It is being tried again, for the certificate is no good.
fn distrusted(hub: &Hub, list: &str, state: &str) {
    let view = until(&format!("{list}: {state}, with a reason"), || {
        let view = hub.get("/api/status").json()[list][0].clone();
        (view["state"] == state && view["last_error"].is_string()).then_some(view)
    });
    let error = view["last_error"].as_str().unwrap();
    assert!(error.contains("certificate"), "{view}");
}

fn hook(port: u64) -> String {
    format!("[[webhook]]\nname = \"one\"\nurl = \"https://127.0.0.1:{port}/hook\"\nsecret = \"a shared secret\"\n")
}

fn upstream(port: u64, token: &str) -> String {
    format!("[[upstream]]\nname = \"up\"\ndialect = \"sam\"\nurl = \"wss://127.0.0.1:{port}/\"\ntoken = \"{token}\"\n")
}

#[test]
fn a_webhook_over_https_reaches_whom_the_system_trusts_and_nobody_else() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (mut target, port) = serving("webhook_target.py", &authority.signs(LOOPBACK));
    let folder = Folder::new();
    let mut hub = trusting(&stranger.file(), &folder, &hook(port));
    hub.ws("/publish").publish(&frames::note(1));
    distrusted(&hub, "webhooks", "retrying");
    // More than one try, and none of them goes past the handshake.
    for _ in 0..2 {
        let failed = target.event();
        assert!(failed["handshake"].is_string(), "{failed}");
    }
    assert!(hub.terminate().success());

    let hub = trusting(&authority.file(), &folder, &hook(port));
    let got = loop {
        let event = target.event();
        if event.get("handshake").is_none() {
            break event;
        }
    };
    assert_eq!(
        (&got["event"]["data"]["n"], &got["signed"], &got["path"]),
        (&json!(1), &json!(true), &json!("/hook"))
    );
    let view = comes_to(&hub, "webhooks", "ok");
    assert_eq!(view["url"], format!("https://127.0.0.1:{port}"), "{view}");
    hub.ws("/publish").publish(&frames::note(2));
    assert_eq!(target.event()["event"]["data"]["n"], 2);
}

#[test]
fn a_certificate_for_another_name_is_no_good() {
    let authority = Authority::new();
    let (mut target, port) = serving("webhook_target.py", &authority.signs("DNS:elsewhere.example"));
    let hub = trusting(&authority.file(), &Folder::new(), &hook(port));
    hub.ws("/publish").publish(&frames::note(1));
    distrusted(&hub, "webhooks", "retrying");
    for _ in 0..2 {
        let failed = target.event();
        assert!(failed["handshake"].is_string(), "{failed}");
    }
}

#[test]
fn an_upstream_over_wss_is_heard_when_the_system_trusts_it_and_told_nothing_otherwise() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (mut sam, port) = serving("socket_server.py", &authority.signs(LOOPBACK));
    let folder = Folder::new();
    let mut hub = trusting(&stranger.file(), &folder, &upstream(port, "never-sent"));
    distrusted(&hub, "upstreams", "waiting");
    assert!(hub.terminate().success());

    let hub = trusting(&authority.file(), &folder, &upstream(port, "sent"));
    // The first that it hears of anybody.
    let open = sam.event();
    assert_eq!(open["authorization"], "Bearer sent", "{open}");
    comes_to(&hub, "upstreams", "connected");
    sam.say(&frames::note(1).to_string());
    sam.say(&frames::approval_request("r1").to_string());
    let approval = until("a question waits", || {
        let list = hub.get("/api/approvals?status=pending").json();
        list["approvals"].as_array().unwrap().first().cloned()
    });
    let notes = hub.history().iter().filter(|row| row["data"]["n"] == 1).count();
    assert_eq!((notes, &approval["agent"]), (1, &json!("up")));
    hub.answer(approval["id"].as_str().unwrap(), "deny");
    let answer: Value = serde_json::from_str(&sam.text()).unwrap();
    assert_eq!(
        (&answer["request_id"], &answer["response"]),
        (&json!("r1"), &json!("deny"))
    );
}
