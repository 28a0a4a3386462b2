//! Each message of the seed in both directions, and what makes no sense.

use countersign_model::Millis;
use countersign_model::metrics::{
    Figures, Group, Happening, ModelSpent, Point, Spent, Task, TaskCounts, TaskKind, TaskStatus,
};
use insta::{assert_debug_snapshot, assert_snapshot};

use super::*;

/// Four o'clock on a day of the seed's.
const NOW: Millis = Millis(1_729_432_123_400);

fn spent(requests: u64, input: u64, output: u64, nanodollars: u64) -> Spent {
    Spent {
        requests,
        input_tokens: input,
        output_tokens: output,
        nanodollars,
        ..Spent::default()
    }
}

/// The figures of the seed's example.
fn figures() -> Figures {
    Figures {
        versions: [1; 6],
        tasks: TaskCounts {
            running: 3,
            completed: 35,
            failed: 4,
        },
        spent: Spent {
            estimated_nanodollars: 4_250_000_000,
            ..spent(156, 45_000, 23_000, 12_450_000_000)
        },
        haiku_nanodollars: 8_200_000_000,
        sonnet_nanodollars: 4_250_000_000,
        models: vec![
            ModelSpent {
                model: "claude-haiku-4-5".into(),
                spent: spent(150, 40_000, 20_000, 8_200_000_000),
            },
            ModelSpent {
                model: "claude-sonnet-4-5".into(),
                spent: Spent {
                    estimated_nanodollars: 4_250_000_000,
                    ..spent(6, 5_000, 3_000, 4_250_000_000)
                },
            },
        ],
        tool_calls: 234,
        tools: vec![("Read".into(), 89), ("Bash".into(), 67), ("Edit".into(), 45)],
        sessions: 15,
        activity: vec![Happening {
            description: "Task completed".into(),
            time: Millis(1_729_432_100_500),
        }],
    }
}

fn parts() -> Parts {
    Parts::write(&figures(), None, |_| true)
}

#[test]
fn the_figures_have_the_seeds_structure() {
    assert_snapshot!(metrics_update(&parts(), NOW));
    assert_snapshot!(overview(&parts()));
    assert_snapshot!(metrics_update(&Parts::write(&Figures::default(), None, |_| true), NOW));
}

#[test]
fn a_group_that_is_not_stale_is_not_written_again() {
    let changed = Figures::default();
    let parts = Parts::write(&changed, Some(parts()), |group| group == Group::Tasks);
    assert!(parts.get(Group::Tasks).get().contains("\"total\":0"));
    assert!(parts.get(Group::Costs).get().contains("12.45"));
}

#[test]
fn each_room_gets_its_own_group() {
    let all: Vec<String> = Room::ALL
        .into_iter()
        .filter_map(|room| match room {
            Room::Tasks => None,
            Room::Group(group) => Some(format!("{} {}", room.update(), group_update(group, &parts(), 24, NOW))),
        })
        .collect();
    assert_snapshot!(all.join("\n"));
}

#[test]
fn confirmations_and_errors() {
    let subscription = Subscription::default();
    let binary = Subscription {
        hours: 1,
        interval: 60,
        binary: true,
    };
    let all = [
        connected("sid"),
        subscribed(subscription),
        subscribed(binary),
        joined(Room::Tasks, subscription),
        unsubscribed(),
        left(Room::Group(Group::Api)),
        interval_updated(5),
        error("hours must be a number", NOW),
        missed(7, NOW),
        history_complete(24, 12, 2, 120),
    ];
    let all: Vec<&str> = all.iter().map(|json| json.get()).collect();
    assert_snapshot!(all.join("\n"));
}

#[test]
fn tasks_and_series() {
    let task = Task {
        id: 7,
        kind: TaskKind::Tool,
        name: "Bash".into(),
        agent: "builder".into(),
        session: Some("s1".into()),
        status: TaskStatus::Running,
        started: Some(Millis(1_729_432_100_500)),
        ended: None,
        progress: None,
        error: None,
    };
    let failed = Task {
        status: TaskStatus::Failed,
        ended: Some(Millis(1_729_432_102_000)),
        progress: Some(0.5),
        error: Some("exit 1".into()),
        ..task.clone()
    };
    let point = Point {
        time: Millis(1_729_432_080_000),
        tasks: TaskCounts {
            running: 1,
            completed: 2,
            failed: 3,
        },
        spent: spent(4, 5, 6, 7_000_000),
        tool_calls: 8,
    };
    let all = [
        task_update(&task, NOW),
        task_update(&failed, NOW),
        history_chunk(24, 12, 0, &[point]),
    ];
    let all: Vec<&str> = all.iter().map(|json| json.get()).collect();
    assert_snapshot!(all.join("\n"));
}

#[test]
fn commands_as_the_seed_has_them() {
    let all: Vec<_> = [
        r#"["subscribe",{"hours":24,"update_interval":2}]"#,
        r#"["subscribe",{}]"#,
        r#"["subscribe",{"hours":0,"update_interval":0}]"#,
        r#"["subscribe",{"hours":-1e300,"update_interval":61.9,"binary":true,"unknown":[]}]"#,
        r#"["subscribe",{"hours":99999999999999999999999,"update_interval":2.9}]"#,
        r#"["unsubscribe"]"#,
        r#"["unsubscribe",null]"#,
        r#"["request_refresh"]"#,
        r#"["request_refresh",null]"#,
        r#"["request_refresh",{"hours":500,"binary":true}]"#,
        r#"["set_interval",{"interval":5}]"#,
        r#"["set_interval",{"interval":3600}]"#,
        r#"["subscribe_tasks"]"#,
        r#"["subscribe_claude_api",{"hours":2}]"#,
        r#"["unsubscribe_tasks"]"#,
        r#"["request_history",{"hours":24}]"#,
        r#"["request_history",{"hours":168,"step":1}]"#,
        r#"["request_history"]"#,
    ]
    .into_iter()
    .map(|text| (text, decode(text).expect(text)))
    .collect();
    assert_debug_snapshot!(all);
}

#[test]
fn what_makes_no_sense_is_said_to() {
    let all: Vec<String> = [
        r#"["subscribe"]"#,
        r#"["subscribe",null]"#,
        r#"["subscribe","24"]"#,
        r#"["subscribe",[24,2]]"#,
        r#"["subscribe",{"hours":"24"}]"#,
        r#"["subscribe",{"hours":null}]"#,
        r#"["subscribe",{"hours":true}]"#,
        r#"["subscribe",{"hours":NaN}]"#,
        r#"["subscribe",{"hours":1e999}]"#,
        r#"["subscribe",{"hours":[1]}]"#,
        r#"["subscribe",{"update_interval":{}}]"#,
        r#"["subscribe",{"binary":1}]"#,
        r#"["set_interval"]"#,
        r#"["set_interval",5]"#,
        r#"["set_interval",{}]"#,
        r#"["set_interval",{"interval":"5"}]"#,
        r#"["request_refresh",7]"#,
        r#"["request_refresh",{"hours":{}}]"#,
        r#"["request_history",{"step":"1"}]"#,
        r#"["subscribe_everything"]"#,
        r#"["metrics_update",{}]"#,
        r"[7]",
        r"[]",
        r"{}",
        r#"["subscribe""#,
    ]
    .into_iter()
    .map(|text| format!("{text} -> {}", decode(text).expect_err(text)))
    .collect();
    assert_snapshot!(all.join("\n"));
    let deep = format!(r#"["subscribe",{}1{}]"#, "[".repeat(100), "]".repeat(100));
    assert!(decode(&deep).is_err());
}

#[test]
fn hours_of_a_query_are_clamped() {
    for (text, expect) in [
        (None, 24),
        (Some("1"), 1),
        (Some("0"), 1),
        (Some("-5"), 1),
        (Some("1e9"), 168),
        (Some("inf"), 168),
    ] {
        assert_eq!(query_hours(text), Ok(expect), "{text:?}");
    }
    for text in ["", "abc", "NaN", "1h", "[1]"] {
        assert!(query_hours(Some(text)).is_err(), "{text}");
    }
}
