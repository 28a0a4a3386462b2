//! Hubs attached to hubs: nothing is lost or doubled, questions go down and answers up, circles are seen.

use super::*;

fn wait_numbers(hub: &Hub, expected: &[u64]) {
    until("all that was published above", || {
        let seen = numbers(hub);
        (seen.len() >= expected.len()).then_some(())
    });
    assert_eq!(numbers(hub), expected);
}

/// The two dialects that a Countersign resumes over, and the path of each.
const DIALECTS: [(&str, &str); 2] = [("sam", "/"), ("hive", "/stream")];

/// A hub attached to another one as `up`.
fn attached_to(upper: &Hub, (dialect, path): (&str, &str), folder: &countersign_tests::Folder) -> Hub {
    let config = format!(
        "[[upstream]]\nname = \"up\"\ndialect = \"{dialect}\"\nurl = \"{}\"\ntoken = \"{}\"\n",
        upper.ws_url(path),
        upper.token()
    );
    Start::in_folder(folder).config("countersign.toml", &config).run()
}

#[test]
fn a_chain_of_two_hubs_loses_and_doubles_nothing_whichever_is_killed() {
    DIALECTS.into_iter().for_each(chain);
}

fn chain(over: (&str, &str)) {
    let upper_start = Start::new();
    let mut upper = upper_start.run();
    let port = upper.port;
    let upper_start = upper_start.port(port);
    let folder = countersign_tests::Folder::new();
    let mut lower = attached_to(&upper, over, &folder);
    wait_state(&lower, "up", "connected");
    let mut expected: Vec<u64> = Vec::new();
    let publish = |upper: &Hub, expected: &mut Vec<u64>, count: u64| {
        let mut agent = upper.ws("/publish");
        for _ in 0..count {
            let n = expected.len() as u64;
            let mut frame = frames::note(n);
            frame["agent"] = "builder".into();
            frame["correlation_id"] = n.into();
            agent.publish(&frame);
            expected.push(n);
        }
    };
    publish(&upper, &mut expected, 200);
    wait_numbers(&lower, &expected);
    // The lower one is killed while events come; what came in the meantime is there afterwards, once.
    for _ in 0..3 {
        publish(&upper, &mut expected, 50);
        lower.kill();
        publish(&upper, &mut expected, 50);
        lower = attached_to(&upper, over, &folder);
        wait_numbers(&lower, &expected);
    }
    for _ in 0..2 {
        upper.kill();
        wait_state(&lower, "up", "waiting");
        upper = upper_start.run();
        publish(&upper, &mut expected, 50);
        // The token is another one in each run of the upper hub; reading needs none, so an old one must not be given.
        lower.kill();
        lower = attached_to(&upper, over, &folder);
        wait_numbers(&lower, &expected);
    }
    let rows = lower.history();
    let row = rows.iter().find(|row| row["kind"] == "note").unwrap();
    assert_eq!(
        (&row["agent"], &row["correlation_id"]),
        (&json!("up/builder"), &row["data"]["n"])
    );
    assert_eq!(row["via"].as_array().map(Vec::len), Some(1), "{row}");
}

#[test]
fn questions_go_down_the_chain_and_answers_up() {
    DIALECTS.into_iter().for_each(questions);
}

fn questions(over: (&str, &str)) {
    let upper = Hub::start();
    let lower = attached_to(&upper, over, &countersign_tests::Folder::new());
    wait_state(&lower, "up", "connected");
    let mut agent = upper.ws("/publish");
    agent.send(&frames::approval_request("r1"));
    let below = waiting(&lower);
    assert_eq!(
        (&below["agent"], &below["request_id"]),
        (&json!("up/sam"), &json!("r1"))
    );
    lower.answer(below["id"].as_str().unwrap(), "approve");
    assert_eq!(agent.skip_to("approval_response")["response"], "approve");
    let path = format!("/api/approvals/{}", below["id"].as_str().unwrap());
    until("delivered below", || {
        (lower.get(&path).json()["delivery"] == "delivered").then_some(())
    });
    // Answered above first: below it is cancelled, and an answer there comes too late.
    agent.send(&frames::approval_request("r2"));
    let below = waiting(&lower);
    upper.answer("r2", "deny");
    assert_eq!(agent.skip_to("approval_response")["response"], "deny");
    status_of(&lower, &below["id"], "cancelled");
}

#[test]
fn circles_are_recognised_and_make_no_storm() {
    for dialect in ["sam", "hive"] {
        let path = if dialect == "hive" { "/stream" } else { "/" };
        let (a, b, c) = (Hub::start(), Hub::start(), Hub::start());
        attach(&a, "self", dialect, &a.ws_url(path), None);
        let itself = wait_state(&a, "self", "loop");
        assert!(itself["last_error"].as_str().unwrap().contains("itself"), "{itself}");
        attach(&a, "b", dialect, &b.ws_url(path), None);
        wait_state(&a, "b", "connected");
        attach(&b, "c", dialect, &c.ws_url(path), None);
        wait_state(&b, "c", "connected");
        attach(&b, "a", dialect, &a.ws_url(path), None);
        wait_state(&b, "a", "loop");
        // a <- b <- c: c must not attach to a, once a knows that c is behind b.
        c.ws("/publish").publish(&frames::note(1));
        until("it went all the way down", || numbers(&a).contains(&1).then_some(()));
        attach(&c, "a", dialect, &a.ws_url(path), None);
        for n in 2..20 {
            for hub in [&a, &b, &c] {
                hub.ws("/publish").publish(&frames::note(n));
            }
        }
        wait_state(&c, "a", "loop");
        until("everything went down", || (numbers(&a).len() > 3 * 18).then_some(()));
        assert_eq!(numbers(&c).len(), 1 + 18, "nothing came back ({dialect})");
        assert_eq!(numbers(&b).len(), 1 + 2 * 18);
        assert_eq!(numbers(&a).len(), 1 + 3 * 18);
    }
}

#[test]
fn two_hubs_that_attach_to_each_other_at_once_make_no_storm() {
    let free = || {
        std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port()
    };
    let (first, second) = (free(), free());
    let start = |port: u16, other: u16| {
        let config =
            format!("[[upstream]]\nname = \"up\"\ndialect = \"hive\"\nurl = \"ws://127.0.0.1:{other}/stream\"\n");
        Start::new().config("countersign.toml", &config).port(port)
    };
    let (one, two) = (start(first, second), start(second, first));
    let other = std::thread::spawn(move || two.run());
    let (a, b) = (one.run(), other.join().unwrap());
    until("one of them sees the circle", || {
        [&a, &b]
            .iter()
            .any(|hub| upstream(hub, "up")["state"] == "loop")
            .then_some(())
    });
    let mut agents = (a.ws("/publish"), b.ws("/publish"));
    for n in 0..50 {
        agents.0.publish(&frames::note(n));
        agents.1.publish(&frames::note(n));
    }
    for hub in [&a, &b] {
        assert!(
            numbers(hub).len() <= 100,
            "each event is there once at most: {}",
            numbers(hub).len()
        );
    }
}

#[test]
fn what_the_upper_hub_lost_in_a_crash_is_told_and_what_it_took_since_comes() {
    for over in DIALECTS {
        let upper_start = Start::new();
        let mut upper = upper_start.run();
        let upper_start = upper_start.port(upper.port);
        let lower = Hub::start();
        // Without a token, which is another one in each run of the upper hub.
        attach(&lower, "up", over.0, &upper.ws_url(over.1), None);
        wait_state(&lower, "up", "connected");
        // Told before they are committed: some of them may be lost with the kill, and their places are given anew.
        let mut agent = upper.ws("/publish");
        for n in 0..2_000 {
            agent.send(&frames::note(n));
        }
        until("some came down", || (numbers(&lower).len() > 100).then_some(()));
        upper.kill();
        let upper = upper_start.run();
        let mut agent = upper.ws("/publish");
        for n in 5_000..5_100 {
            agent.publish(&frames::note(n));
        }
        until(&format!("all that came since, over {}", over.0), || {
            let since = numbers(&lower).into_iter().filter(|n| *n >= 5_000);
            since.eq(5_000..5_100).then_some(())
        });
    }
}
