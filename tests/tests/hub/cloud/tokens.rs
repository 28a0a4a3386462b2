//! Who is let in, as whom, and for how long.

use super::*;

/// A token from the command line, beside the running hub.
fn minted(hub: &Hub, arguments: &[&str]) -> String {
    let mut command = countersign();
    command
        .args(["token", "create", "--data-dir"])
        .arg(hub.folder.data())
        .args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .last()
        .unwrap()
        .to_owned()
}

#[test]
fn strangers_stay_connected_and_get_only_what_is_for_all() {
    let hub = Hub::start();
    // Development tokens are off unless the configuration says so.
    let mut strangers = [
        stranger(&hub, "/ws"),
        stranger(&hub, "/ws?token="),
        stranger(&hub, "/ws?token=abc123"),
    ];
    let mut agent = hub.ws("/publish");
    for frame in broadcasts() {
        agent.send(&frame);
    }
    agent.send(&json!({"type": "execution_failed", "data": {"error": "secret"}}));
    agent.send(&json!({"type": "notification", "data": {"level": "error", "message": "m", "userId": "user_abc123"}}));
    agent.send(&json!({"type": "notification", "data": {"level": "info", "message": "for all"}}));
    for stranger in &mut strangers {
        assert_eq!(stranger.expect("notification")["data"]["message"], "All tests passed!");
        assert_eq!(stranger.expect("notification")["data"]["message"], "for all");
        stranger.send(&json!({"type": "user_presence", "data": "online"}));
        let error = stranger.expect("error");
        assert!(
            error["data"]["error"].as_str().unwrap().contains("Not authenticated"),
            "{error}"
        );
        nothing_more(stranger);
    }
}

#[test]
fn a_valid_credential_is_let_in() {
    let hub = Hub::start();
    let mut approver = hub.ws(&format!("/ws?token={}", hub.token()));
    assert_eq!(approver.expect("auth")["data"]["success"], true);
    hub.post("/api/events", &broadcasts()[0]).expect(200);
    approver.expect("agent_status");
}

#[test]
fn a_signed_token_names_its_user_and_its_streams() {
    for config in ["", "auth = \"required\"", DEV] {
        let hub = Hub::with_toml(config);
        let token = minted(&hub, &["--role", "monitor,agent", "--subject", "ann"]);
        let mut ann = hub.ws(&format!("/ws?token={token}"));
        assert_eq!(ann.expect("auth")["data"], json!({"success": true, "userId": "ann"}));
        let token = minted(&hub, &["--stream", "s1", "--subject", "bob"]);
        let mut bob = hub.ws(&format!("/ws?token={token}"));
        assert_eq!(bob.expect("auth")["data"], json!({"success": true, "userId": "bob"}));
        assert_eq!(presence(&ann.next()), ("bob", "online"));
        let mut agent = hub.ws(&format!("/publish?token={}", minted(&hub, &["--role", "agent"])));
        for stream in [json!(null), json!("s2"), json!("s1")] {
            let mut frame = broadcasts()[1].clone();
            frame["data"]["content"] = stream.clone();
            frame["stream"] = stream.clone();
            agent.publish(&frame);
            assert_eq!(ann.expect("chat_message")["data"]["content"], stream);
        }
        assert_eq!(bob.expect("chat_message")["data"]["content"], "s1");
        nothing_more(&mut bob);
    }
}

#[test]
fn a_token_that_expires_ends_its_connection() {
    let hub = Hub::start();
    let token = minted(&hub, &["--subject", "ann", "--ttl", "2s"]);
    let mut ann = hub.ws(&format!("/ws?token={token}"));
    assert_eq!(ann.expect("auth")["data"]["userId"], "ann");
    assert_eq!(ann.closed().0, 1008);
    // Expired, it is no user's any more, and what it names is not shown.
    stranger(&hub, &format!("/ws?token={token}"));
}

#[test]
fn development_tokens_do_not_go_with_required_ones() {
    let start = Start::new().config("countersign.toml", "cloud_dev_tokens = true\nauth = \"required\"\n");
    let mut hub = start.spawn();
    assert!(!hub.wait().success());
    assert!(hub.log().contains("cloud_dev_tokens"), "{}", hub.log());
}

#[test]
fn where_tokens_are_required_nobody_comes_in_without() {
    let hub = Hub::with_toml("auth = \"required\"");
    assert_eq!(Ws::try_connect(hub.port, "/ws", &[]).err(), Some(401));
    assert_eq!(Ws::try_connect(hub.port, "/ws?token=abc", &[]).err(), Some(401));
    let mut approver = hub.ws(&format!("/ws?token={}", hub.token()));
    assert_eq!(approver.expect("auth")["data"]["success"], true);
}
