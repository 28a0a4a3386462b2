//! What hooks could not deliver: kept, bounded, and in the log later, in order and once, whoever is killed in between.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use countersign_tests::{Folder, Hub, Start, until};
use serde_json::Value;

use super::{is_silent, permission, program, run, spawn, tool_use};

/// The letters' files, oldest first.
pub(super) fn letters(data: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(data.join("spool")) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned())
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    names
}

/// The calls that hooks told of, in the order of the log.
fn told(hub: &Hub) -> Vec<Value> {
    let rows = hub.history();
    rows.into_iter().filter(|row| row["origin"] == "hook").collect()
}

fn calls(rows: &[Value]) -> Vec<String> {
    rows.iter()
        .map(|row| row["data"]["call_id"].as_str().unwrap_or("?").to_owned())
        .collect()
}

fn all_told(hub: &Hub, count: usize) -> Vec<Value> {
    until(&format!("{count} events are in the log"), || {
        let rows = told(hub);
        (rows.len() >= count && letters(&hub.folder.data()).is_empty()).then_some(rows)
    })
}

#[test]
fn what_found_no_hub_comes_later_in_order_and_marked() {
    let folder = Folder::new();
    let ids: Vec<String> = (0..12).map(|n| format!("t{n}")).collect();
    for id in &ids {
        is_silent(&run(&folder.data(), "claude-code", &[], &tool_use("PostToolUse", id)));
    }
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.data().join("spool")), 0o700);
    for letter in letters(&folder.data()) {
        assert_eq!(mode(&folder.data().join("spool").join(letter)), 0o600);
    }
    let hub = Start::in_folder(&folder).run();
    let rows = all_told(&hub, ids.len());
    assert_eq!(calls(&rows), ids);
    let mut before = String::new();
    for row in &rows {
        let happened = row["data"]["happened_at"].as_str().unwrap();
        assert!(row["data"]["late"] == true && happened > before.as_str(), "{row}");
        before = happened.to_owned();
    }
    // Once, also for the hub after that.
    drop(hub);
    let hub = Start::in_folder(&folder).run();
    is_silent(&run(
        &folder.data(),
        "claude-code",
        &[],
        &tool_use("PostToolUse", "now"),
    ));
    let rows = all_told(&hub, ids.len() + 1);
    assert_eq!(rows.len(), ids.len() + 1);
    assert!(rows[ids.len()]["data"].get("late").is_none());
}

#[test]
fn a_late_question_asks_nobody() {
    let folder = Folder::new();
    run(&folder.data(), "claude-code", &[], &permission("rm -rf /"));
    run(
        &folder.data(),
        "codex",
        &["--when-absent", "allow"],
        &permission("rm -rf /"),
    );
    let hub = Start::in_folder(&folder).run();
    let rows = all_told(&hub, 2);
    assert!(rows.iter().all(|row| row["data"]["late"] == true), "{rows:?}");
    let approvals = hub.get("/api/approvals").json();
    assert_eq!(approvals["approvals"].as_array().unwrap().len(), 0);
}

#[test]
fn a_letter_that_comes_while_the_hub_runs_is_taken_up() {
    let hub = Hub::start();
    let data = hub.folder.data();
    // A hub that this hook cannot reach: nobody listens there.
    is_silent(&run(
        &data,
        "codex",
        &["--hub", "http://127.0.0.1:1"],
        &tool_use("PostToolUse", "t"),
    ));
    assert_eq!(calls(&all_told(&hub, 1)), ["t"]);
}

#[test]
fn hooks_at_once_with_some_killed_lose_nothing_that_was_kept() {
    let folder = Folder::new();
    let hooks: Vec<_> = (0..40)
        .map(|n| {
            let command = program(&folder.data(), "claude-code", &[]);
            let mut child = spawn(command, &tool_use("PostToolUse", &format!("t{n}")));
            if n % 5 == 4 {
                let _ = child.kill();
            }
            (n, child)
        })
        .collect();
    let mut ended = Vec::new();
    for (n, mut child) in hooks {
        if child.wait().unwrap().success() {
            ended.push(format!("t{n}"));
        }
    }
    let kept = letters(&folder.data()).len();
    assert!(ended.len() >= 32 && kept >= ended.len());
    let hub = Start::in_folder(&folder).run();
    let rows = calls(&all_told(&hub, kept));
    assert_eq!(rows.len(), kept, "once each: {rows:?}");
    assert!(ended.iter().all(|id| rows.contains(id)), "{rows:?}");
}

#[test]
fn crash_of_the_hub_while_it_takes_letters_up_doubles_and_loses_nothing() {
    let folder = Folder::new();
    let ids: Vec<String> = (0..60).map(|n| format!("t{n}")).collect();
    for id in &ids {
        is_silent(&run(&folder.data(), "claude-code", &[], &tool_use("PostToolUse", id)));
    }
    let mut kills = 0;
    while !letters(&folder.data()).is_empty() {
        let mut hub = Start::in_folder(&folder).run();
        let left = letters(&folder.data()).len();
        until("it has begun", || {
            (letters(&folder.data()).len() < left.max(1)).then_some(())
        });
        hub.kill();
        kills += 1;
        assert!(kills < 200);
    }
    let hub = Start::in_folder(&folder).run();
    assert_eq!(calls(&told(&hub)), ids, "after {kills} kills");
}

#[test]
fn crash_right_after_a_hook_ended_loses_nothing_that_it_told() {
    let folder = Folder::new();
    for n in 0..10 {
        let mut hub = Start::in_folder(&folder).run();
        is_silent(&run(
            &folder.data(),
            "claude-code",
            &[],
            &tool_use("PostToolUse", &format!("t{n}")),
        ));
        hub.kill();
    }
    let hub = Start::in_folder(&folder).run();
    let rows = until("all are in the log", || {
        Some(told(&hub)).filter(|rows| rows.len() >= 10)
    });
    let ids: Vec<String> = (0..10).map(|n| format!("t{n}")).collect();
    assert_eq!(calls(&rows), ids);
}

#[test]
fn what_is_too_much_is_told_as_one_event() {
    let folder = Folder::new();
    is_silent(&run(
        &folder.data(),
        "claude-code",
        &[],
        &tool_use("PostToolUse", "first"),
    ));
    // A full spool, without the time that it takes hooks to fill it.
    let spool = folder.data().join("spool");
    let body = format!("codex\n{}", tool_use("PostToolUse", "many"));
    let now = letters(&folder.data())[0][..20].parse::<u64>().unwrap();
    for n in 0..2050_u64 {
        let name = format!("{:020}-{n:032x}-{}.json", now + n, body.len());
        std::fs::write(spool.join(name), &body).unwrap();
    }
    is_silent(&run(
        &folder.data(),
        "claude-code",
        &[],
        &tool_use("PostToolUse", "last"),
    ));
    let count = letters(&folder.data()).len();
    assert_eq!(count, 2048);
    let hub = Start::in_folder(&folder).run();
    let rows = all_told(&hub, count);
    assert_eq!((rows.len(), calls(&rows).last().unwrap().as_str()), (count, "last"));
    let words: Vec<_> = hub
        .history()
        .into_iter()
        .filter(|row| row["kind"] == "notification")
        .collect();
    assert_eq!(
        (words.len(), &words[0]["data"]["dropped"]),
        (1, &Value::from(4)),
        "{words:?}"
    );
}
