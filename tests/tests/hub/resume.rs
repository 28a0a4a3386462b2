//! Places in the log: going on after a break, within one run of the hub and over its end.

use countersign_tests::{Hub, Peer, Start, Ws, frames};
use serde_json::{Value, json};

fn publish(hub: &Hub, from: u64, to: u64) {
    let events: Vec<Value> = (from..to).map(frames::note).collect();
    hub.post("/api/events", &json!(events)).expect(200);
}

fn read(monitor: &mut Ws, from: u64, to: u64) {
    for n in from..to {
        assert_eq!(monitor.expect("note")["data"]["n"], n);
    }
}

fn epoch(hub: &Hub) -> String {
    hub.get("/healthz").json()["epoch"].as_str().unwrap().to_owned()
}

#[test]
fn since_is_exclusive_with_or_without_its_epoch() {
    let hub = Hub::start();
    publish(&hub, 1, 101);
    for since in [
        "40".to_owned(),
        format!("{}:40", epoch(&hub)),
        format!("{}%3A40", epoch(&hub)),
    ] {
        let mut monitor = hub.ws(&format!("/?since={since}"));
        assert_eq!(monitor.expect("hello")["data"]["head"], 100);
        read(&mut monitor, 41, 101);
    }
    let mut all = hub.ws("/?since=0");
    all.expect("hello");
    read(&mut all, 1, 101);
    publish(&hub, 101, 103);
    read(&mut all, 101, 103);
    let mut at_head = hub.ws("/?since=102");
    at_head.expect("hello");
    publish(&hub, 103, 104);
    read(&mut at_head, 103, 104);
}

#[test]
fn a_place_that_is_not_there_is_told_and_live_goes_on() {
    let hub = Hub::start();
    publish(&hub, 1, 11);
    let epoch = epoch(&hub);
    for since in [
        "1000".to_owned(),
        "18446744073709551615".to_owned(),
        format!("{epoch}:1000"),
        "unknown:5".to_owned(),
    ] {
        let mut monitor = hub.ws(&format!("/?since={since}"));
        monitor.expect("hello");
        let lost = monitor.expect("history_lost");
        let data = &lost["data"];
        assert_eq!((&data["epoch"], &data["oldest"]), (&json!(epoch), &json!(1)), "{since}");
        assert!(data["head"].as_u64() >= Some(10), "{lost}");
        assert!(lost.get("seq").is_none());
        let seq = hub.ws("/publish").publish(&json!({"type": "after", "data": {}}));
        assert_eq!(monitor.next()["seq"], seq);
        let gone = hub.get(&format!("/api/events?since={since}")).problem(410);
        assert_eq!(
            (&gone["epoch"], &gone["oldest"]),
            (&data["epoch"], &data["oldest"]),
            "{since}"
        );
    }
    let head = hub.get("/api/status").json()["head"].as_u64().expect("a place");
    let at_head = hub.get(&format!("/api/events?since={head}")).expect(200).json();
    assert_eq!(at_head["events"], json!([]));
    for bad in ["x", "-1", "a:b:1", ":1", "1:"] {
        assert_eq!(
            Ws::try_connect(hub.port, &format!("/?since={bad}"), &[]).err(),
            Some(400),
            "{bad}"
        );
    }
}

#[test]
fn an_old_epochs_place_goes_on_over_a_restart_exactly() {
    let mut hub = Hub::start();
    let first = epoch(&hub);
    publish(&hub, 1, 51);
    hub.kill();
    let mut hub = Start::in_folder(&hub.folder).run();
    let second = epoch(&hub);
    assert_ne!(first, second);
    publish(&hub, 51, 81);
    assert!(hub.terminate().success());
    let hub = Start::in_folder(&hub.folder).run();
    publish(&hub, 81, 101);
    for (since, from) in [
        (format!("{first}:30"), 31),
        (format!("{first}:50"), 51),
        (format!("{second}:60"), 61),
        (format!("{second}:80"), 81),
    ] {
        let mut monitor = hub.ws(&format!("/?since={since}"));
        monitor.expect("hello");
        read(&mut monitor, from, 101);
    }
    // What the first run broadcast beyond its last commit is gone, and nobody is told otherwise.
    for since in [format!("{first}:51"), format!("{second}:81")] {
        let mut monitor = hub.ws(&format!("/?since={since}"));
        monitor.expect("hello");
        monitor.expect("history_lost");
        hub.get(&format!("/api/events?since={since}")).problem(410);
    }
    let ids: Vec<String> = hub
        .history()
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        (ids[49].clone(), ids[50].clone()),
        (format!("{first}:50"), format!("{second}:51"))
    );
    assert_eq!(ids[80], format!("{}:81", epoch(&hub)));
}

#[test]
fn a_filter_holds_for_the_past_as_for_what_comes() {
    let hub = Hub::start();
    for n in 0..10 {
        let kind = if n % 2 == 0 { "even" } else { "odd" };
        hub.post("/api/events", &json!({"type": kind, "agent": "a", "data": {"n": n}}))
            .expect(200);
    }
    let mut monitor = hub.ws("/?since=0&types=odd&agents=a");
    monitor.expect("hello");
    for n in [1, 3, 5, 7, 9] {
        assert_eq!(monitor.expect("odd")["data"]["n"], n);
    }
    hub.post("/api/events", &json!({"type": "odd", "agent": "b", "data": {"n": 11}}))
        .expect(200);
    hub.post("/api/events", &json!({"type": "odd", "agent": "a", "data": {"n": 13}}))
        .expect(200);
    assert_eq!(monitor.expect("odd")["data"]["n"], 13);
}

#[test]
fn a_reader_that_breaks_off_again_and_again_gets_each_event_once_in_order() {
    let hub = Hub::start();
    let mut agent = hub.ws("/publish");
    let (mut seen, mut total) = (0, 0);
    let epoch = epoch(&hub);
    let mut place = 0;
    while seen < 3000 {
        let mut monitor = hub.ws(&format!("/?since={epoch}:{place}"));
        monitor.expect("hello");
        for _ in 0..40 {
            agent.send(&frames::note(total));
            total += 1;
        }
        for _ in 0..37 {
            let frame = monitor.expect("note");
            assert_eq!(frame["data"]["n"], seen);
            seen += 1;
            place = frame["seq"].as_u64().unwrap();
        }
    }
}
