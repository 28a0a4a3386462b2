//! Who is there, and who hears of it.

use super::*;

#[test]
fn a_notification_to_one_user_reaches_all_their_connections_and_nobody_else() {
    let hub = Hub::with_toml(DEV);
    let (mut one, mut other) = (client(&hub, "ann"), client(&hub, "ann"));
    let mut bob = client(&hub, "bob");
    for ann in [&mut one, &mut other] {
        assert_eq!(presence(&ann.next()), ("user_bob", "online"));
    }
    let to_ann =
        json!({"type": "notification", "data": {"level": "error", "message": "Task failed", "userId": "user_ann"}});
    hub.post("/api/events", &to_ann).expect(200);
    for ann in [&mut one, &mut other] {
        assert_eq!(ann.expect("notification")["data"], to_ann["data"]);
        nothing_more(ann);
    }
    nothing_more(&mut bob);
}

#[test]
fn a_person_is_online_from_the_first_connection_to_the_end_of_the_last() {
    let hub = Hub::with_toml(DEV);
    let mut watcher = client(&hub, "watcher");
    let first = client(&hub, "ann");
    assert_eq!(presence(&watcher.next()), ("user_ann", "online"));
    let mut second = client(&hub, "ann");
    for status in ["busy", "away", "online", "online"] {
        second.send(&json!({"type": "user_presence", "data": status}));
        assert_eq!(presence(&watcher.next()), ("user_ann", status));
    }
    let here = || hub.get("/api/status").json()["presence"]["people"].clone();
    until("the hub knows both", || {
        let people = here();
        let of = |place: usize| (people[place]["user"].as_str(), people[place]["status"].as_str());
        (of(0) == (Some("user_ann"), Some("online")) && of(1) == (Some("user_watcher"), Some("online"))).then_some(())
    });
    for wrong in [
        json!("offline"),
        json!("asleep"),
        json!({"userId": "user_bob", "status": "busy"}),
        Value::Null,
    ] {
        second.send(&json!({"type": "user_presence", "data": wrong}));
        second.expect("error");
    }
    // Of itself it heard nothing.
    nothing_more(&mut second);
    drop(first);
    let connected = || hub.get("/healthz").json()["cloud"].clone();
    until("one connection less", || {
        (connected() == json!({"connected": 2, "authenticated": 2})).then_some(())
    });
    nothing_more(&mut watcher);
    drop(second);
    assert_eq!(presence(&watcher.next()), ("user_ann", "offline"));
    until("the hub knows that ann went", || {
        (here().as_array().unwrap().len() == 1).then_some(())
    });
    let rows = hub.get("/api/events?types=user_presence").expect(200).json();
    let ann: Vec<_> = rows["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["agent"] == "user_ann")
        .map(|row| (row["origin"].as_str().unwrap(), row["data"]["status"].as_str().unwrap()))
        .collect();
    let expected = ["online", "busy", "away", "online", "online", "offline"].map(|status| ("cloud", status));
    assert_eq!(ann, expected);
}

#[test]
fn agents_cannot_say_who_is_there() {
    let hub = Hub::with_toml(DEV);
    let mut watcher = client(&hub, "watcher");
    let forged = json!({"type": "user_presence", "data": {"userId": "user_ann", "status": "online"}});
    let mut agent = hub.ws("/publish");
    agent.send(&forged);
    assert_eq!(agent.expect("error")["data"]["field"], "type");
    let mut hive = hub.ws("/stream");
    hive.send(&json!({"action": "publish", "event": forged}));
    hive.expect("error");
    assert_eq!(hub.post("/api/events", &forged).problem(403)["field"], "type");
    nothing_more(&mut watcher);
}

#[test]
fn a_restart_leaves_nobody_online() {
    let folder = Folder::new();
    let start = Start::in_folder(&folder).config("countersign.toml", DEV);
    let mut hub = start.run();
    let _ann = client(&hub, "ann");
    assert!(hub.terminate().success());
    let hub = start.run();
    let rows = hub.get("/api/events?types=user_presence").expect(200).json();
    let statuses: Vec<_> = rows["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["data"]["status"].clone())
        .collect();
    assert_eq!(statuses, ["online", "offline"]);
}
