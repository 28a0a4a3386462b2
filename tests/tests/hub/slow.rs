//! A monitor that stops reading: it costs nobody anything, and reads on with nothing missing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use countersign_tests::{Hub, PATIENCE, Peer, Start, Ws, frames};
use serde_json::{Value, json};

const EVENTS: u64 = 100_000;
const MIB: u64 = 1024 * 1024;

fn event(n: u64) -> String {
    let text = "What a tool call says of itself, more or less as long as such a thing is in everyday use of an agent that works.";
    json!({"type": "tool_call_start", "agent": "a", "session": "s", "timestamp": "2026-01-17T10:30:00.000Z",
        "data": {"n": n, "tool_name": "bash", "arguments": {"command": text, "again": text, "and": text}}})
    .to_string()
}

fn number(text: &str) -> u64 {
    let digits = text.split_once("\"data\":{\"n\":").expect("one of ours").1;
    digits.split(',').next().unwrap().parse().unwrap()
}

/// Publishes all events, the last with a receipt that it waits for; gives how long it took.
fn publish_all(hub: &Hub) -> Duration {
    let mut agent = hub.ws("/publish");
    let begun = Instant::now();
    for n in 0..EVENTS {
        agent.write(event(n)).unwrap();
    }
    agent.send(&json!({"type": "last", "data": {}, "ack": "all"}));
    agent.expect("ack");
    begun.elapsed()
}

/// Reads all events in order; gives how long it took.
fn read_all(monitor: &mut Ws, progress: &AtomicU64) -> Duration {
    let begun = Instant::now();
    for n in 0..EVENTS {
        let text = monitor.text();
        assert_eq!(number(&text), n);
        progress.store(n, Ordering::Relaxed);
    }
    begun.elapsed()
}

fn run(hub: &Hub) -> (Duration, Duration) {
    let mut monitor = hub.ws("/?types=tool_call_start");
    monitor.expect("hello");
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || read_all(&mut monitor, &AtomicU64::new(0)));
        let published = publish_all(hub);
        (published, reading.join().unwrap())
    })
}

/// The slow monitor reads nothing until everybody else is done, then everything.
fn stalled(name: &str, config: &str, bound: u64) {
    let alone = run(&Start::new().config("c.toml", config).run());

    let hub = Start::new().config("c.toml", config).run();
    let idle = hub.memory("VmRSS");
    let mut slow: Vec<Ws> = (0..3).map(|_| hub.ws("/?types=tool_call_start")).collect();
    let beside = run(&hub);
    // An approval gets through beside them as well.
    let mut agent = hub.ws("/publish");
    agent.send(&frames::approval_request("meanwhile"));
    hub.answer(crate::wire::pending(&hub, 1)[0]["id"].as_str().unwrap(), "approve");
    assert_eq!(agent.expect("approval_response")["response"], "approve");
    let peak = hub.memory("VmHWM");
    eprintln!(
        "{name}: alone published in {:?} and read in {:?}, beside three that stall {:?} and {:?}; memory {} MiB idle, {} MiB at most",
        alone.0,
        alone.1,
        beside.0,
        beside.1,
        idle / MIB,
        peak / MIB
    );
    assert!(
        beside.0 < alone.0 * 3 + Duration::from_secs(2),
        "the publisher was delayed"
    );
    assert!(
        beside.1 < alone.1 * 3 + Duration::from_secs(2),
        "the other monitor was delayed"
    );
    assert!(peak < idle + bound, "{} MiB over {} MiB", peak / MIB, idle / MIB);
    for monitor in &mut slow {
        monitor.expect("hello");
        read_all(monitor, &AtomicU64::new(0));
    }
    let peak = hub.memory("VmHWM");
    eprintln!("{name}: {} MiB at most after they have read", peak / MIB);
    assert!(peak < idle + bound, "{} MiB over {} MiB", peak / MIB, idle / MIB);
    // And they are live again.
    hub.post("/api/events", &serde_json::from_str::<Value>(&event(EVENTS)).unwrap())
        .expect(200);
    for monitor in &mut slow {
        assert_eq!(number(&monitor.text()), EVENTS);
    }
}

#[test]
fn monitors_that_stall_delay_nobody_and_miss_nothing() {
    stalled("64 MiB ring", "", 64 * MIB + 64 * MIB);
}

#[test]
fn monitors_that_fall_behind_the_ring_read_on_from_the_store() {
    stalled("4 MiB ring", "ring_mib = 4\n", 4 * MIB + 64 * MIB);
}

#[test]
fn a_monitor_that_never_reads_does_not_keep_the_hub_from_closing() {
    let mut hub = Hub::start();
    let _slow: Vec<Ws> = (0..5).map(|_| hub.ws("/")).collect();
    let mut agent = hub.ws("/publish");
    for n in 0..20_000 {
        agent.write(event(n)).unwrap();
    }
    agent.publish(&frames::note(0));
    let begun = Instant::now();
    assert!(hub.terminate().success());
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
}

#[test]
fn a_peer_that_pings_and_never_reads_is_let_go() {
    use tungstenite::Message;
    let hub = Hub::start();
    let mut peer = hub.ws("/");
    let mut agent = hub.ws("/publish");
    // Its own direction is full first.
    for n in 0..60_000 {
        agent.write(event(n)).unwrap();
    }
    agent.publish(&frames::note(0));
    peer.stream().set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut sent = 0;
    while peer.try_message(Message::Ping(vec![b'p'; 125].into())).is_ok() {
        sent += 1;
        assert!(sent < 1_000_000, "it pings without end");
    }
    countersign_tests::until("its place is free", || {
        (hub.get("/healthz").json()["connections"].as_u64() == Some(2)).then_some(())
    });
}

#[test]
fn an_agent_that_does_not_read_its_receipts_delays_nobody() {
    let hub = Hub::start();
    let mut mute = hub.ws("/publish");
    mute.stream().set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut written = 0_u64;
    // Until it is not read from any more.
    while written < 3_000_000
        && mute
            .write(json!({"type": "x", "data": {}, "ack": "r".repeat(250)}).to_string())
            .is_ok()
    {
        written += 1;
    }
    let mut monitor = hub.ws("/?types=note");
    monitor.expect("hello");
    let mut agent = hub.ws("/publish");
    agent.publish(&frames::note(7));
    assert_eq!(monitor.expect("note")["data"]["n"], 7);
    eprintln!("{written} receipts were not read, {} MiB", hub.memory("VmRSS") / MIB);
    assert!(written < 3_000_000, "somebody holds its receipts");
}
