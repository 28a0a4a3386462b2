//! Reading the past: behind the ring, in pages, by filter, and past what cannot be read.

use std::sync::Arc;

use countersign_hub::{Archive, Config, EventQuery, Find};
use countersign_model::{Answer, Event, NewEvent, Scope, Seq, Status, Surface, Verdict};
use countersign_store::Store;
use countersign_testkit::{answer, ask, event, session};
use tempfile::tempdir;

use crate::run::{Run, database, note};

#[tokio::test]
async fn a_reader_behind_the_ring_reads_on_from_the_store_once_and_in_order() {
    let home = tempdir().expect("a folder");
    let run = Run::with(
        home.path(),
        "e1",
        Config {
            ring_bytes: 16 * 1024,
            ..Config::default()
        },
    );
    let count = 6_000_usize;
    let mut slow = run.hub.from_head();
    run.publish((0..100).map(note).collect()).await;
    let hub = Arc::clone(&run.hub);
    let publisher = tokio::spawn(async move {
        for n in (100..count).step_by(100) {
            hub.publish((n..n + 100).map(note).collect()).await.expect("room");
        }
    });
    let (mut seen, mut size) = (0_usize, 1);
    while seen < count {
        slow.ready().await;
        for entry in slow.read(size, 4_000).await.expect("readable") {
            assert_eq!(entry.event.seq, seen as Seq + 1);
            assert_eq!(entry.event.data.get(), format!("{{\"n\":{seen}}}"));
            seen += 1;
        }
        size = size % 97 + 13;
    }
    publisher.await.expect("no panic");
    run.committed().await;
    assert!(run.hub.ring_bytes() <= 16 * 1024);
    let mut again = run.hub.cursor(Some(&"e1:0".parse().expect("a place"))).expect("kept");
    assert!(again.read_ring(1, 1).is_none(), "long gone from the ring");
    assert_eq!(
        again.read(usize::MAX, usize::MAX).await.expect("readable")[0].event.seq,
        1
    );
}

fn of(kind: &str, agent: &str, session: Option<&str>, n: usize) -> NewEvent {
    NewEvent {
        agent: agent.into(),
        session: session.map(Into::into),
        ..event(kind, &serde_json::json!({ "n": n, "text": "x".repeat(n % 50) }))
    }
}

/// All pages of a query, one after the other.
async fn all(run: &Run, query: EventQuery) -> Vec<Event> {
    let mut query = query;
    let mut events = Vec::new();
    loop {
        let page = run.reads.events(query.clone()).await.expect("readable");
        assert!(page.events.len() <= query.limit);
        assert!(page.events.windows(2).all(|pair| pair[0].seq < pair[1].seq));
        let bytes = |event: &Event| event.data.get().len();
        let before_last: usize = page.events.iter().rev().skip(1).map(bytes).sum();
        assert!(before_last < query.max_bytes, "went on past the page's bound");
        events.extend(page.events);
        match page.next {
            Some(next) => {
                assert!(next > query.since, "a page that leads nowhere");
                query.since = next;
            }
            None => return events,
        }
    }
}

#[tokio::test]
async fn a_reader_of_named_streams_gets_those_and_nothing_without_one() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    let labels = [Some("s"), None, Some("t"), Some("it's \"odd\"")];
    let given = labels.iter().cycle().take(40).enumerate().map(|(n, stream)| NewEvent {
        stream: stream.map(Into::into),
        ..of("note", "sam", None, n)
    });
    run.publish(given.collect()).await;
    run.committed().await;
    let streams: [(&[&str], &[Option<&str>]); 5] = [
        (&["s"], &[Some("s")]),
        (&["s", "t"], &[Some("s"), Some("t")]),
        (&["it's \"odd\""], &[Some("it's \"odd\"")]),
        (&[""], &[]),
        (&[], &[]),
    ];
    for (named, expect) in streams {
        let query = EventQuery {
            streams: Some(named.iter().map(|name| (*name).to_owned()).collect()),
            limit: 7,
            max_bytes: usize::MAX,
            ..EventQuery::default()
        };
        let found = all(&run, query).await;
        assert_eq!(found.len(), expect.len() * 10, "{named:?}");
        assert!(
            found.iter().all(|event| expect.contains(&event.stream.as_deref())),
            "{named:?}"
        );
    }
}

#[tokio::test]
async fn pages_of_a_filter_hold_what_fits_and_nothing_else() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    let kinds = ["note", "tool_call_start", "it's \"odd\""];
    let agents = ["sam", "ada"];
    let sessions = [Some("s1"), Some("s2"), None];
    let given: Vec<_> = (0..300)
        .map(|n| of(kinds[n * 7 % 3], agents[n * 5 % 2], sessions[n / 3 % 3], n))
        .collect();
    run.publish(given.clone()).await;
    run.committed().await;
    let some = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let filters = [
        (some(&[]), some(&[]), some(&[])),
        (some(&["note"]), some(&[]), some(&[])),
        (some(&["note", "it's \"odd\""]), some(&["ada"]), some(&[])),
        (some(&[]), some(&["sam", "nobody"]), some(&["s1"])),
        (some(&["tool_call_start"]), some(&["sam"]), some(&["s1", "s2"])),
        (some(&["never"]), some(&[]), some(&[])),
    ];
    for (kinds, agents, sessions) in filters {
        for (since, until) in [
            (0, None),
            (17, Some(203)),
            (250, Some(1_000)),
            (300, None),
            (90, Some(10)),
        ] {
            for (limit, max_bytes) in [(1_000, usize::MAX), (7, usize::MAX), (1_000, 200), (1, 1)] {
                let fits = |names: &[String], name: Option<&str>| {
                    names.is_empty() || name.is_some_and(|name| names.iter().any(|known| known == name))
                };
                let expected = (1..).zip(&given).filter(|(seq, event)| {
                    *seq > since
                        && until.is_none_or(|until| *seq <= until)
                        && fits(&kinds, Some(&event.kind))
                        && fits(&agents, Some(&event.agent))
                        && fits(&sessions, event.session.as_deref())
                });
                let expected: Vec<_> = expected
                    .map(|(seq, event)| (seq, event.data.get().to_owned()))
                    .collect();
                let query = EventQuery {
                    since,
                    until,
                    kinds: kinds.clone(),
                    agents: agents.clone(),
                    sessions: sessions.clone(),
                    limit,
                    max_bytes,
                    ..EventQuery::default()
                };
                let found = all(&run, query.clone()).await;
                let found: Vec<_> = found
                    .iter()
                    .map(|event| (event.seq, event.data.get().to_owned()))
                    .collect();
                assert_eq!(found, expected, "{query:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_filter_that_fits_nothing_for_long_says_where_to_go_on() {
    let home = tempdir().expect("a folder");
    Run::open(home.path(), "e1").close();
    database(home.path())
        .execute_batch(
            "WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 450000)
             INSERT INTO events SELECT seq, 0, 'sam', 'sam', 's1', NULL, 'note', NULL, '{}', NULL FROM n;
             UPDATE events SET kind = 'rare' WHERE seq = 449999;",
        )
        .expect("filled");
    let run = Run::open(home.path(), "e2");
    let query = EventQuery {
        kinds: vec!["rare".to_owned()],
        limit: 10,
        max_bytes: usize::MAX,
        ..EventQuery::default()
    };
    let first = run.reads.events(query.clone()).await.expect("readable");
    assert!(
        first.events.is_empty() && first.next.is_some_and(|next| next < 449_999),
        "{first:?}"
    );
    let found: Vec<_> = all(&run, query).await.iter().map(|event| event.seq).collect();
    assert_eq!(found, [449_999]);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_an_error_and_moves_nobody() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    run.publish((0..10).map(note).collect()).await;
    run.close();
    for harm in [
        "UPDATE events SET data = '{\"n\":' WHERE seq = 5",
        "UPDATE events SET data = '' WHERE seq = 5",
        "UPDATE events SET data = CAST(x'7b22ff227d' AS TEXT) WHERE seq = 5",
        "UPDATE events SET timestamp = 'yesterday' WHERE seq = 5",
    ] {
        database(home.path()).execute(harm, []).expect("harmed");
        let run = Run::open(home.path(), &format!("after {harm}"));
        let mut cursor = run.hub.cursor(Some(&"0".parse().expect("a place"))).expect("kept");
        assert_eq!(cursor.read(4, usize::MAX).await.expect("before it").len(), 4);
        assert!(cursor.read(4, usize::MAX).await.is_err(), "{harm}");
        assert_eq!(cursor.seen(), 4);
        cursor.skip_to(5);
        assert_eq!(cursor.read(4, usize::MAX).await.expect("after it").len(), 4);
        run.close();
        database(home.path())
            .execute("UPDATE events SET data = '{}', timestamp = NULL WHERE seq = 5", [])
            .expect("mended");
    }
}

#[tokio::test]
async fn an_approval_that_cannot_be_read_is_never_an_approval() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    let mut asked = run.ask(ask("r1", "ls")).await;
    run.answer(asked.waiter.id(), answer(Verdict::Approve)).await;
    assert!(asked.waiter.claim().is_some());
    asked.waiter.delivered();
    run.committed().await;
    run.close();
    database(home.path())
        .execute("UPDATE approvals SET body = '{}'", [])
        .expect("harmed");

    let run = Run::open(home.path(), "e2");
    let found = run.reads.find(Find::Request("r1".to_owned())).await.expect("found");
    assert_eq!(found[0].status, Status::Cancelled);
    let mut again = run.ask(ask("r1", "ls")).await;
    let told = again.waiter.claim().expect("answered");
    assert_eq!(told.decision.expect("decided").decision, Verdict::Deny);
    run.close();
}

#[tokio::test]
async fn a_waiting_approval_that_cannot_be_read_is_cancelled_and_its_row_kept() {
    for harm in ["'{}'", "'not JSON'", "CAST(x'7bff' AS TEXT)"] {
        let home = tempdir().expect("a folder");
        let run = Run::open(home.path(), "e1");
        let id = run.ask(ask("r1", "ls")).await.waiter.id().clone();
        run.ask(ask("r2", "ls")).await;
        run.close();
        let body = |sql: &str| {
            database(home.path())
                .query_row(sql, [&*id], |row| row.get::<_, Vec<u8>>(0))
                .expect("there")
        };
        database(home.path())
            .execute(&format!("UPDATE approvals SET body = {harm} WHERE id = ?1"), [&*id])
            .expect("harmed");
        let before = body("SELECT CAST(body AS BLOB) FROM approvals WHERE id = ?1");

        let run = Run::open(home.path(), "e2");
        run.committed().await;
        assert_eq!(run.hub.waiting().len(), 1, "the other one waits");
        assert_eq!(run.hub.find(&id).await.expect("known").status, Status::Cancelled);
        let listed = run.hub.approvals(Some(Status::Cancelled), 10).await.expect("listed");
        assert_eq!(listed.len(), 1);
        assert!(run.hub.answer(&id, answer(Verdict::Approve)).await.is_err());
        let resolved = run.reads.events(EventQuery {
            kinds: vec!["approval_resolved".into()],
            limit: 10,
            max_bytes: usize::MAX,
            ..EventQuery::default()
        });
        let resolved = resolved.await.expect("read").events;
        assert_eq!(resolved.len(), 1, "whoever saw it wait is told");
        assert!(resolved[0].data.get().contains(&*id) && resolved[0].data.get().contains("cancelled"));

        let mut again = run.ask(ask("r1", "ls")).await;
        assert_eq!(again.waiter.claim().expect("answered").status, Status::Cancelled);
        again.waiter.delivered();
        run.committed().await;
        run.close();
        assert_eq!(
            body("SELECT CAST(body AS BLOB) FROM approvals WHERE id = ?1"),
            before,
            "{harm}"
        );
        let (_, restored) = Store::open(home.path(), "e3").expect("opened");
        assert!(restored.unreadable.is_empty(), "said once");
    }
}

#[tokio::test]
async fn rules_that_cannot_be_read_are_not_in_force_and_stops_hold() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    let asked = run.ask(ask("r1", "ls")).await;
    let always = Answer {
        scope: Scope::Always,
        ..answer(Verdict::Approve)
    };
    run.answer(asked.waiter.id(), always).await;
    run.hub.stop(&session(), Surface::Tray, None);
    run.committed().await;
    assert_eq!(run.hub.rules().len(), 1);
    drop(asked);
    run.close();
    database(home.path())
        .execute_batch("UPDATE rules SET body = '{'; UPDATE stops SET origin = 'nobody'")
        .expect("harmed");
    let (_, restored) = Store::open(home.path(), "e2").expect("opened");
    assert_eq!((restored.rules.len(), restored.unreadable_rules.len()), (0, 1));
    assert_eq!(restored.stops.len(), 1);
}

#[tokio::test]
async fn any_number_of_readers_may_ask_at_once() {
    let home = tempdir().expect("a folder");
    let run = Run::open(home.path(), "e1");
    run.publish((0..50).map(note).collect()).await;
    run.committed().await;
    let askers: Vec<_> = (0..1_000)
        .map(|n| {
            let reads = run.reads.clone();
            tokio::spawn(async move {
                let query = EventQuery {
                    since: n % 50,
                    limit: 1,
                    max_bytes: 1,
                    ..EventQuery::default()
                };
                reads.events(query).await.expect("answered").events[0].seq == n % 50 + 1
            })
        })
        .collect();
    for asker in askers {
        assert!(asker.await.expect("no panic"));
    }
}
