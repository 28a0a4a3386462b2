//! `kill -9` at random moments: what was acknowledged is there, in its place, once; and nobody is approved by a crash.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use countersign_tests::seed::Random;
use countersign_tests::{Folder, Peer, Start, Ws, rest};
use serde_json::{Value, json};

/// What the publishers were told: the places of the acknowledged events, by number.
#[derive(Default)]
struct Book {
    next: AtomicU64,
    acknowledged: Mutex<Vec<(u64, u64)>>,
}

impl Book {
    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

/// Publishes on a socket until it breaks; many frames are under way at any time.
fn publish_on_a_socket(port: u16, path: &str, book: &Book) {
    let Ok(mut agent) = Ws::try_connect(port, path, &[]) else {
        return;
    };
    let mut under_way = 0;
    loop {
        while under_way < 64 {
            let n = book.number();
            let frame = json!({"type": "note", "agent": "socket", "session": "s", "ack": n, "data": {"n": n}});
            if agent.write(frame.to_string()).is_err() {
                return;
            }
            under_way += 1;
        }
        if agent.flush().is_err() {
            return;
        }
        let Some(text) = agent.try_text() else { return };
        let ack: Value = serde_json::from_str(&text).unwrap();
        if ack["type"] == "ack" {
            under_way -= 1;
            book.acknowledged
                .lock()
                .unwrap()
                .push((ack["ack"].as_u64().unwrap(), ack["seq"].as_u64().unwrap()));
        }
    }
}

/// Publishes over REST until the hub is gone; the reply is the receipt.
fn publish_over_rest(url: &str, book: &Book) {
    loop {
        let numbers: Vec<u64> = (0..7).map(|_| book.number()).collect();
        let events: Vec<Value> = numbers
            .iter()
            .map(|n| json!({"type": "note", "agent": "rest", "session": "s", "data": {"n": n}}))
            .collect();
        let Ok(reply) = rest::try_call("POST", url, "/api/events", &[], Some(&json!(events).to_string())) else {
            return;
        };
        let receipt = reply.expect(200).json();
        let first = receipt["first"].as_u64().unwrap();
        let places = numbers.iter().enumerate().map(|(place, n)| (*n, first + place as u64));
        book.acknowledged.lock().unwrap().extend(places);
    }
}

#[test]
fn no_acknowledged_event_is_lost_doubled_or_moved() {
    const KILLS: usize = 60;
    let folder = Folder::new();
    let mut random = Random::new();
    let book = Book::default();
    let mut rows: Vec<Value> = Vec::new();
    for round in 0..=KILLS {
        if round % 6 == 5 {
            // Before it is ready, too.
            let mut starting = Start::in_folder(&folder).spawn();
            std::thread::sleep(random.time(Duration::from_millis(40)));
            starting.kill();
        }
        let mut hub = Start::in_folder(&folder).run();
        // What is there did not change, and what came is behind it.
        let known = rows.len() as u64;
        rows.extend(hub.history_since(known));
        if round == KILLS {
            break;
        }
        let wait = random.time(Duration::from_millis(150));
        std::thread::scope(|scope| {
            let (port, url, book) = (hub.port, hub.url(), &book);
            scope.spawn(move || publish_on_a_socket(port, "/publish", book));
            scope.spawn(move || publish_on_a_socket(port, "/", book));
            scope.spawn(move || publish_over_rest(&url, book));
            std::thread::sleep(wait);
            hub.kill();
        });
    }
    let last = Start::in_folder(&folder).run();
    assert_eq!(last.history().len(), rows.len(), "read at one go it is the same");
    let mut numbers = HashSet::new();
    for (place, row) in rows.iter().enumerate() {
        assert_eq!(row["seq"], place as u64 + 1, "a gap");
        if let Some(n) = row["data"]["n"].as_u64() {
            assert!(numbers.insert(n), "{n} is there twice");
        }
    }
    let acknowledged = book.acknowledged.lock().unwrap();
    for (n, seq) in acknowledged.iter() {
        let row = rows
            .get(*seq as usize - 1)
            .unwrap_or_else(|| panic!("{n} was acknowledged at {seq} and is gone"));
        assert_eq!(row["data"]["n"], *n, "at {seq}");
    }
    let epochs: HashSet<&str> = rows
        .iter()
        .map(|row| row["id"].as_str().unwrap().split(':').next().unwrap())
        .collect();
    eprintln!(
        "{KILLS} kills, {} events kept, {} of them acknowledged, in {} epochs",
        rows.len(),
        acknowledged.len(),
        epochs.len()
    );
    assert!(
        acknowledged.len() > KILLS * 20,
        "the publishers had something to lose: {}",
        acknowledged.len()
    );
}

#[test]
fn a_monitor_resumes_over_each_kill_with_nothing_lost_or_doubled() {
    const KILLS: usize = 15;
    let folder = Folder::new();
    let mut random = Random::new();
    let book = Book::default();
    let mut seen: HashMap<u64, u64> = HashMap::new();
    let mut place: Option<(String, u64)> = None;
    let mut lost = 0;
    for _ in 0..KILLS {
        let mut hub = Start::in_folder(&folder).run();
        let since = place
            .clone()
            .map_or("0".to_owned(), |(epoch, seq)| format!("{epoch}:{seq}"));
        let mut monitor = hub.ws(&format!("/?since={since}&types=note"));
        let wait = random.time(Duration::from_millis(200));
        std::thread::scope(|scope| {
            let (port, book) = (hub.port, &book);
            scope.spawn(move || publish_on_a_socket(port, "/publish", book));
            let (seen, place, lost) = (&mut seen, &mut place, &mut lost);
            scope.spawn(move || {
                let hello: Value = match monitor.try_text() {
                    Some(text) => serde_json::from_str(&text).unwrap(),
                    None => return,
                };
                let epoch = hello["data"]["epoch"].as_str().unwrap().to_owned();
                while let Some(text) = monitor.try_text() {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] == "history_lost" {
                        // It had seen what was never committed: its place is told to be gone, and it starts over.
                        *lost += 1;
                        seen.clear();
                        *place = None;
                        return;
                    }
                    let (seq, n) = (frame["seq"].as_u64().unwrap(), frame["data"]["n"].as_u64().unwrap());
                    assert!(seen.insert(seq, n).is_none(), "{seq} came twice");
                    *place = Some((epoch.clone(), seq));
                }
            });
            std::thread::sleep(wait);
            hub.kill();
        });
    }
    let hub = Start::in_folder(&folder).run();
    let Some((epoch, seq)) = place else { return };
    let mut monitor = hub.ws(&format!("/?since={epoch}:{seq}&types=note"));
    monitor.expect("hello");
    let marker = hub.ws("/publish").publish(&json!({"type": "note", "data": {"n": 0}}));
    let next = monitor.next();
    if next["type"] == "history_lost" {
        eprintln!("{KILLS} kills, the place was lost {} times, at last too", lost + 1);
        return;
    }
    let mut frame = next;
    while frame["seq"] != marker {
        assert!(
            seen.insert(frame["seq"].as_u64().unwrap(), frame["data"]["n"].as_u64().unwrap())
                .is_none()
        );
        frame = monitor.next();
    }
    let kept: HashMap<u64, u64> = hub
        .history()
        .iter()
        .filter(|row| row["kind"] == "note" && row["seq"] != marker)
        .map(|row| (row["seq"].as_u64().unwrap(), row["data"]["n"].as_u64().unwrap()))
        .collect();
    assert_eq!(seen.len(), kept.len());
    assert_eq!(seen, kept, "what it saw is what is kept");
    eprintln!(
        "{KILLS} kills, {} events seen once each, the place was lost {lost} times",
        seen.len()
    );
}

/// What passed between agents and approvers, whatever the hub did.
#[derive(Default)]
struct Answers {
    asked: Mutex<Vec<String>>,
    /// Decisions that were sent, whether or not they arrived.
    sent: Mutex<HashMap<String, HashSet<String>>>,
    /// Decisions that the hub said it had recorded.
    recorded: Mutex<HashMap<String, String>>,
    /// What agents were told.
    told: Mutex<HashMap<String, HashSet<String>>>,
}

impl Answers {
    fn tell(&self, frame: &Value) {
        if frame["type"] == "approval_response" {
            let (id, response) = (
                frame["request_id"].as_str().unwrap(),
                frame["response"].as_str().unwrap(),
            );
            self.told
                .lock()
                .unwrap()
                .entry(id.to_owned())
                .or_default()
                .insert(response.to_owned());
        }
    }
}

fn question(id: &str) -> Value {
    json!({"type": "approval_request", "agent": "sam", "session": id, "data": {"request_id": id, "tool_name": "bash", "arguments": {"id": id}}})
}

/// Asks again what has been asked, then new questions one after the other, and writes down what it is told.
fn ask_until_it_breaks(port: u16, answers: &Answers, numbers: &AtomicU64) {
    let Ok(mut agent) = Ws::try_connect(port, "/publish", &[]) else {
        return;
    };
    let old: Vec<String> = answers.asked.lock().unwrap().iter().rev().take(40).cloned().collect();
    for id in old {
        if agent.try_send(&question(&id)).is_err() {
            return;
        }
    }
    loop {
        let id = format!("q-{}", numbers.fetch_add(1, Ordering::Relaxed));
        answers.asked.lock().unwrap().push(id.clone());
        if agent.try_send(&question(&id)).is_err() {
            return;
        }
        // One answer for about each question; which one does not matter.
        loop {
            let Some(text) = agent.try_text() else { return };
            let frame: Value = serde_json::from_str(&text).unwrap();
            answers.tell(&frame);
            if frame["type"] == "approval_response" {
                break;
            }
            assert!(frame["type"] == "stop", "{frame}");
        }
    }
}

/// Answers what waits, some of it twice over, differently.
fn answer_until_it_breaks(url: &str, token: &str, answers: &Answers, random: &mut Random, over: &AtomicBool) {
    let bearer = format!("Bearer {token}");
    while !over.load(Ordering::Relaxed) {
        let Ok(list) = rest::try_call("GET", url, "/api/approvals?status=pending", &[], None) else {
            return;
        };
        for approval in list.expect(200).json()["approvals"].as_array().unwrap() {
            // Some are left without an answer.
            if random.below(8) == 0 {
                continue;
            }
            let (id, request) = (
                approval["id"].as_str().unwrap(),
                approval["request_id"].as_str().unwrap(),
            );
            for _ in 0..=random.below(2) {
                let decision = *random.one(&["approve", "deny", "stop"]);
                answers
                    .sent
                    .lock()
                    .unwrap()
                    .entry(request.to_owned())
                    .or_default()
                    .insert(decision.to_owned());
                let path = format!("/api/approvals/{id}/decision");
                let body = json!({ "decision": decision }).to_string();
                let Ok(reply) = rest::try_call("POST", url, &path, &[("authorization", &bearer)], Some(&body)) else {
                    return;
                };
                match reply.status {
                    200 => {
                        let before = answers
                            .recorded
                            .lock()
                            .unwrap()
                            .insert(request.to_owned(), decision.to_owned());
                        assert!(
                            before.is_none(),
                            "{request} was answered twice: {before:?}, then {decision}"
                        );
                    }
                    409 => {
                        let recorded = reply.json()["decision"]["decision"].as_str().unwrap().to_owned();
                        if let Some(known) = answers.recorded.lock().unwrap().get(request) {
                            assert_eq!(*known, recorded, "{request}");
                        }
                    }
                    other => panic!("{other}: {}", reply.text),
                }
            }
        }
    }
}

#[test]
fn no_approval_is_answered_twice_or_granted_by_a_crash() {
    const KILLS: usize = 50;
    let folder = Folder::new();
    let mut random = Random::new();
    let answers = Answers::default();
    let numbers = AtomicU64::new(0);
    for _ in 0..KILLS {
        let mut hub = Start::in_folder(&folder).run();
        let wait = random.time(Duration::from_millis(250));
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (port, url, token, answers, numbers, over, random) =
                (hub.port, hub.url(), hub.token(), &answers, &numbers, &over, &mut random);
            for _ in 0..2 {
                scope.spawn(move || ask_until_it_breaks(port, answers, numbers));
            }
            scope.spawn(move || answer_until_it_breaks(&url, &token, answers, random, over));
            std::thread::sleep(wait);
            hub.kill();
            over.store(true, Ordering::Relaxed);
        });
    }
    // Asked once more, each question has the answer that is recorded, or none.
    let hub = Start::in_folder(&folder).run();
    let asked = answers.asked.lock().unwrap().clone();
    let mut agent = hub.ws("/publish");
    let mut unanswered = 0;
    for id in &asked {
        let reply = hub.get(&format!("/api/approvals/{id}"));
        if reply.status == 404 {
            // Never committed, so nobody saw it and nobody answered it.
            assert!(
                !answers.told.lock().unwrap().contains_key(id) && !answers.recorded.lock().unwrap().contains_key(id),
                "{id}"
            );
            continue;
        }
        let approval = reply.expect(200).json();
        if approval["status"] == "pending" {
            unanswered += 1;
            assert!(
                !answers.told.lock().unwrap().contains_key(id),
                "{id} was told an answer that is not recorded"
            );
            assert!(
                !answers.recorded.lock().unwrap().contains_key(id),
                "{id} has lost its answer"
            );
            continue;
        }
        agent.send(&question(id));
        let told = agent.skip_to("approval_response");
        assert_eq!(told["request_id"], **id);
        assert_eq!(told["response"], approval["decision"]["decision"]);
        answers.tell(&told);
    }
    let (sent, recorded, told) = (
        answers.sent.lock().unwrap(),
        answers.recorded.lock().unwrap(),
        answers.told.lock().unwrap(),
    );
    for (id, responses) in told.iter() {
        assert_eq!(responses.len(), 1, "{id} was answered {responses:?}");
        let response = responses.iter().next().unwrap();
        assert!(
            sent.get(id).is_some_and(|sent| sent.contains(response)),
            "{id}: nobody decided {response}"
        );
        if let Some(recorded) = recorded.get(id) {
            assert_eq!(recorded, response, "{id}");
        }
    }
    for id in recorded.keys() {
        assert!(told.contains_key(id), "{id} was recorded and its agent was not told");
    }
    let resolved = hub
        .history()
        .into_iter()
        .filter(|row| row["kind"] == "approval_resolved");
    let mut ids = HashSet::new();
    for row in resolved {
        let id = row["data"]["approval_id"].as_str().unwrap().to_owned();
        assert!(ids.insert(id.clone()), "{id} was resolved twice: {row}");
    }
    eprintln!(
        "{KILLS} kills, {} questions, {} answered, {unanswered} still wait",
        asked.len(),
        told.len()
    );
    assert!(told.len() > KILLS, "{}", told.len());
}

#[test]
fn a_question_that_was_open_at_the_crash_waits_on() {
    let folder = Folder::new();
    let mut hub = Start::in_folder(&folder).run();
    let mut agent = hub.ws("/publish");
    agent.send(&question("open"));
    let id = crate::wire::pending(&hub, 1)[0]["id"].clone();
    for _ in 0..3 {
        hub.kill();
        hub = Start::in_folder(&folder).run();
        assert_eq!(crate::wire::pending(&hub, 1)[0]["id"], id);
    }
    let mut agent = hub.ws("/publish");
    agent.send(&question("open"));
    hub.answer("open", "approve");
    assert_eq!(agent.expect("approval_response")["response"], "approve");
}

#[test]
fn stops_and_rules_survive() {
    let folder = Folder::new();
    let mut hub = Start::in_folder(&folder).run();
    let mut agent = hub.ws("/publish");
    agent.send(&question("always"));
    crate::wire::pending(&hub, 1);
    hub.post_as_approver(
        "/api/approvals/always/decision",
        &json!({"decision": "deny", "scope": "always"}),
    )
    .expect(200);
    agent.expect("approval_response");
    agent.publish(&json!({"type": "x", "agent": "sam", "session": "run", "data": {}}));
    hub.post_as_approver("/api/sessions/run/stop?agent=sam", &json!({"message": "enough"}))
        .expect(200);
    hub.kill();
    let hub = Start::in_folder(&folder).run();
    let mut agent = hub.ws("/publish");
    agent.send(&json!({"type": "approval_request", "agent": "sam", "session": "run", "data": {"request_id": "later", "tool_name": "t"}}));
    // Which of the two is first is not promised: it is told of the stop because it is there, and answered because it asks.
    let mut told = [agent.next(), agent.next()];
    told.sort_by_key(|frame| frame["type"].as_str().unwrap().len());
    assert_eq!(
        (&told[0]["type"], &told[0]["data"]["message"]),
        (&json!("stop"), &json!("enough"))
    );
    assert_eq!(
        (&told[1]["response"], &told[1]["message"]),
        (&json!("stop"), &json!("enough"))
    );
    agent.send(&json!({"type": "approval_request", "agent": "sam", "session": "other",
        "data": {"request_id": "again", "tool_name": "bash", "arguments": {"id": "always"}}}));
    assert_eq!(agent.expect("approval_response")["response"], "deny");
}
