//! Who may connect, who must say so first, and what a token is good for.

use super::*;

fn introduce(hub: &Hub, path: &str, token: &str) -> Ws {
    let mut peer = hub.ws(path);
    peer.send(&json!({"action": "auth", "token": token}));
    peer.expect("authenticated");
    peer
}

fn required(hub: &Start) -> Hub {
    hub.clone().config("countersign.toml", "auth = \"required\"\n").run()
}

#[test]
fn hive_where_tokens_are_required_the_first_message_brings_one() {
    let hub = required(&Start::new());
    let token = hub.token();
    for path in ["/", "/stream"] {
        let mut known = Foreign::python(&hub.ws_url(path));
        known.send(&json!({"action": "auth", "token": token}));
        assert_eq!(known.next(), json!({"type": "authenticated"}));
        subscribe(&mut known, &json!({}));
        known.send(&note("a", "e", 1));
        assert_eq!(event(&mut known)["data"]["n"], 1);

        for (first, reason) in [
            (json!({"action": "subscribe"}), "Auth required"),
            (note("a", "e", 1), "Auth required"),
            (json!({"type": "x", "data": {}}), "Auth required"),
            (json!({"action": "auth", "token": "wrong"}), "Auth failed: "),
            (json!({"action": "auth"}), "Auth failed: `token` is missing"),
            (json!({"action": "auth", "token": 5}), "Auth failed: "),
            (json!("auth"), "Auth failed: "),
        ] {
            let mut stranger = hub.ws(path);
            stranger.send(&first);
            let (code, told) = stranger.closed();
            assert_eq!((code, told.starts_with(reason)), (1008, true), "{first}: {told}");
        }
    }
    assert_eq!(
        hub.call(
            "GET",
            "/api/events",
            &[("authorization", &format!("Bearer {token}"))],
            None
        )
        .status,
        200
    );
}

#[test]
fn hive_a_first_message_that_is_no_text_is_no_valid_token_either() {
    let hub = required(&Start::new());
    // A text frame of one byte that no UTF-8 has, behind its mask of zeros; and the same in a binary frame.
    let frames: [&[u8]; 2] = [&[0x81, 0x81, 0, 0, 0, 0, 0xFF], &[0x82, 0x81, 0, 0, 0, 0, 0xFF]];
    for path in ["/", "/stream"] {
        for frame in frames {
            let mut stranger = hub.ws(path);
            stranger.stream().write_all(frame).expect("sent");
            let (code, reason) = stranger.closed();
            assert_eq!(
                (code, reason.starts_with("Auth failed: ")),
                (1008, true),
                "{path}: {reason}"
            );
            let mut known = hub.approver(path);
            known.stream().write_all(frame).expect("sent");
            assert_eq!(known.closed().0, 1007, "{path}");
        }
    }
}

#[test]
fn hive_a_stream_that_is_not_the_tokens_is_refused_and_the_subscription_stays() {
    let hub = required(&Start::new());
    let token = crate::access::create(&hub, &["--role", "agent,monitor", "--stream", "s"]);
    for path in ["/", "/stream"] {
        let mut monitor = hub.ws(path);
        monitor.send(&json!({"action": "auth", "token": token}));
        monitor.expect("authenticated");
        subscribe(&mut monitor, &json!({"stream_id": "s"}));
        monitor.send(&json!({"action": "subscribe", "stream_id": "t"}));
        let error = monitor.expect("error");
        assert_eq!(error["field"], "stream_id", "{error}");
        monitor.send(&note("s", "e", 1));
        assert_eq!(event(&mut monitor)["data"]["n"], 1);
    }
}

#[test]
fn hive_who_says_nothing_for_five_seconds_is_let_go() {
    let hub = required(&Start::new());
    for path in ["/", "/stream"] {
        let mut silent = hub.ws(path);
        let (code, reason) = silent.closed();
        assert_eq!((code, reason.starts_with("Auth failed: ")), (1008, true), "{reason}");
    }
    let mut known = hub.ws("/stream");
    known.send(&json!({"action": "auth", "token": hub.token()}));
    known.expect("authenticated");
    assert!(known.silent_for(Duration::from_secs(6)), "it stays");
}

#[test]
fn hive_a_token_in_the_upgrade_needs_no_message() {
    let hub = required(&Start::new());
    let mut known = hub.approver("/");
    subscribe(&mut known, &json!({}));
    let mut monitor = hub.approver("/stream");
    subscribe(&mut monitor, &json!({}));
    known.send(&note("a", "e", 1));
    assert_eq!(event(&mut monitor)["data"]["n"], 1);
    assert_eq!(Ws::try_connect(hub.port, "/stream?token=wrong", &[]).err(), Some(401));
}

#[test]
fn hive_where_tokens_are_not_required_one_is_honoured_all_the_same() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    agent.send(&frames::approval_request("q"));
    pending(&hub, 1);
    let mut peer = hub.ws("/stream");
    let answer = json!({"action": "publish", "event": {"type": "approval_response", "data": {"request_id": "q", "response": "deny"}}});
    peer.send(&answer);
    assert_eq!(peer.expect("error")["field"], "event.type");
    peer.send(&json!({"action": "auth", "token": hub.token()}));
    peer.expect("authenticated");
    peer.send(&answer);
    assert_eq!(agent.expect("approval_response")["response"], "deny");
    peer.send(&json!({"action": "auth", "token": "wrong"}));
    let (code, reason) = peer.closed();
    assert_eq!((code, reason.starts_with("Auth failed: ")), (1008, true), "{reason}");
}

#[test]
fn hive_a_token_for_named_streams_gets_those_and_publishes_to_those() {
    let hub = required(&Start::new());
    for path in ["/", "/stream"] {
        let mut all = introduce(&hub, path, &token(&hub, &["--role", "agent,monitor"]));
        let limited = token(&hub, &["--role", "agent,monitor", "--stream", "a", "--stream", "b"]);
        let mut some = introduce(&hub, path, &limited);
        subscribe(&mut some, &json!({"event_types": ["*"]}));
        published(
            &mut all,
            &json!({"action": "publish", "event": {"type": "X", "data": {"n": 0}}}),
        );
        published(&mut all, &note("c", "e", 1));
        published(&mut all, &note("a", "e", 2));
        assert_eq!(
            event(&mut some)["data"]["n"],
            2,
            "nothing without a stream, nothing of others"
        );
        some.send(&note("c", "e", 3));
        assert_eq!(some.expect("error")["field"], "event.stream_id");
        some.send(&json!({"action": "publish", "event": {"type": "X", "data": {}}}));
        assert_eq!(some.expect("error")["field"], "event.stream_id", "which of the two?");
        some.send(&note("b", "e", 4));
        assert_eq!(event(&mut some)["data"]["n"], 4);
    }
}

#[test]
fn hive_a_tokens_roles_say_what_it_is_good_for() {
    let hub = required(&Start::new());
    let mut monitor = introduce(&hub, "/stream", &token(&hub, &["--role", "monitor"]));
    monitor.send(&note("a", "e", 1));
    assert_eq!(monitor.expect("error")["field"], "event.type");
    subscribe(&mut monitor, &json!({}));
    let mut agent = introduce(&hub, "/", &token(&hub, &["--role", "agent"]));
    agent.send(&json!({"action": "subscribe"}));
    assert_eq!(agent.expect("error")["field"], "action");
    published(&mut agent, &note("a", "e", 2));
    assert_eq!(event(&mut monitor)["data"]["n"], 2);
}

#[test]
fn hive_a_connection_ends_with_its_token() {
    let hub = required(&Start::new());
    let mut brief = introduce(&hub, "/stream", &token(&hub, &["--ttl", "8s"]));
    let (code, reason) = brief.closed();
    assert_eq!((code, reason.is_empty()), (1008, false), "{reason}");
}
