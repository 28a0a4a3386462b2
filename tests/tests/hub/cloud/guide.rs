//! The clients that the guide shows, as printed.

use super::*;

/// A client of the guide, with nothing changed but the address.
fn of_the_guide(hub: &Hub, folder: &Folder, name: &str) -> Foreign {
    let text = std::fs::read_to_string(clients().join("node").join(name)).unwrap();
    assert_eq!(text.matches("localhost:3000").count(), 1);
    let text = text.replace("localhost:3000", &format!("localhost:{}", hub.port));
    // Node looks for packages beside the script.
    let mut command = node();
    command.env("NODE_PATH", clients().join("node/node_modules"));
    command.arg(folder.write(name, &text));
    Foreign::start(command)
}

#[test]
fn the_class_of_the_guide_works_as_printed() {
    let (hub, folder) = (Hub::with_toml(DEV), Folder::new());
    let mut watcher = client(&hub, "watcher");
    let mut class = of_the_guide(&hub, &folder, "cloud_class.cjs");
    assert_eq!(class.line(), "✅ WebSocket connected");
    assert_eq!(presence(&watcher.next()), ("user_your-token-here", "online"));
    class.say("away");
    assert_eq!(presence(&watcher.next()), ("user_your-token-here", "away"));
    for frame in broadcasts() {
        hub.post("/api/events", &frame).expect(200);
    }
    assert_eq!(class.event(), json!({"id": "agent-status", "text": "working"}));
    assert!(class.line().starts_with("Chat message:"));
    until("the toast", || {
        let line = class.line();
        (line == r#"{"level":"success","message":"All tests passed!"}"#).then_some(())
    });
    watcher.send(&json!({"type": "user_presence", "data": "busy"}));
    assert_eq!(
        class.line(),
        "User presence: { userId: 'user_watcher', status: 'busy' }"
    );
}

#[test]
fn the_node_client_of_the_guide_works_as_printed() {
    let (hub, folder) = (Hub::with_toml(DEV), Folder::new());
    let mut watcher = client(&hub, "watcher");
    let mut client = of_the_guide(&hub, &folder, "cloud_node.cjs");
    // Once for its coming, once for what it says itself.
    for _ in 0..2 {
        assert_eq!(presence(&watcher.next()), ("user_test-token", "online"));
    }
    let mut said = Vec::new();
    until("its greeting", || {
        said.push(client.line());
        said.last().unwrap().starts_with('}').then_some(())
    });
    let said = said.join("\n");
    assert!(
        said.contains("✅ Connected") && said.contains("userId: 'user_test-token'"),
        "{said}"
    );
}

#[test]
fn the_hook_of_the_guide_works_as_printed() {
    let (hub, folder) = (Hub::with_toml(DEV), Folder::new());
    let mut watcher = client(&hub, "watcher");
    let mut hook = of_the_guide(&hub, &folder, "cloud_hook.cjs");
    assert_eq!(presence(&watcher.next()), ("user_your-token", "online"));
    until("connected", || (hook.event()["isConnected"] == true).then_some(()));
    hook.say("busy");
    assert_eq!(presence(&watcher.next()), ("user_your-token", "busy"));
    for frame in broadcasts() {
        hub.post("/api/events", &frame).expect(200);
    }
    until("both", || {
        let shown = hook.event();
        (shown["agentStatus"]["state"] == "working" && shown["notifications"][0]["message"] == "All tests passed!")
            .then_some(())
    });
}
