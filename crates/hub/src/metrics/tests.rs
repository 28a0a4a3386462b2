//! The figures kept up to date are those that counting anew gives, whatever happens and whenever somebody looks.

mod twice;

use std::collections::{BTreeMap, BTreeSet};

use countersign_model::metrics::TaskStatus;
use countersign_model::{Epoch, Extra, Origin, to_json};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn event(minute: i64, session: Option<&str>, kind: &str, data: &Value) -> Event {
    Event {
        seq: 1,
        epoch: Epoch::new("e"),
        time: Millis(minute * 60_000 + 7),
        origin: Origin::Sam,
        agent: "a".into(),
        session: session.map(Into::into),
        stream: None,
        kind: kind.into(),
        timestamp: None,
        data: to_json(data),
        extra: Extra::default(),
        via: Vec::new(),
    }
}

/// Something that happens: after so many minutes, in that session.
#[derive(Clone, Debug)]
struct Step {
    after: i64,
    session: u8,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Start(u8, Option<u8>),
    End(u8, Option<u8>, bool),
    Run,
    RunEnd(bool),
    Work,
    Idle,
    Usage(u8, u16, bool),
    Note,
    Look(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let call = || proptest::option::of(0..3_u8);
    let what = prop_oneof![
        4 => (0..3_u8, call()).prop_map(|(tool, call)| What::Start(tool, call)),
        4 => (0..3_u8, call(), any::<bool>()).prop_map(|(tool, call, ok)| What::End(tool, call, ok)),
        2 => Just(What::Run),
        2 => any::<bool>().prop_map(What::RunEnd),
        2 => Just(What::Work),
        2 => Just(What::Idle),
        3 => (0..3_u8, any::<u16>(), any::<bool>()).prop_map(|(model, tokens, said)| What::Usage(model, tokens, said)),
        1 => Just(What::Note),
        2 => (0..4_u8).prop_map(What::Look),
    ];
    let after = prop_oneof![4 => Just(0_i64), 3 => 1..90_i64, 1 => 200..2000_i64, 1 => 5000..12_000_i64];
    let step = (after, 0..3_u8, what).prop_map(|(after, session, what)| Step { after, session, what });
    proptest::collection::vec(step, 1..120)
}

#[derive(Debug)]
struct Begun {
    key: String,
    call: Option<u8>,
    minute: i64,
    /// When it was over, and how; or forgotten.
    end: Option<(i64, bool)>,
}

/// Counts all that ever happened anew, each time.
#[derive(Debug, Default)]
struct Reference {
    tasks: Vec<Begun>,
    /// Ends whose beginnings were not seen.
    ends: Vec<(i64, bool)>,
    calls: Vec<(i64, String)>,
    seen: Vec<(i64, u8)>,
    spent: Vec<(i64, String, Spent)>,
}

impl Reference {
    fn open(&self, now: i64, fits: impl Fn(&Begun) -> bool) -> Option<usize> {
        let alive = |task: &Begun| task.end.is_none() && task.minute > now - MINUTES;
        self.tasks.iter().position(|task| alive(task) && fits(task))
    }

    fn end(&mut self, found: Option<usize>, now: i64, ok: bool) {
        match found {
            Some(place) => self.tasks[place].end = Some((now, ok)),
            None => self.ends.push((now, ok)),
        }
    }

    fn apply(&mut self, now: i64, session: u8, what: &What) {
        let begin = |key: String, call| Begun {
            key,
            call,
            minute: now,
            end: None,
        };
        if !matches!(what, What::Look(_)) {
            self.seen.push((now, session));
        }
        match what {
            What::Start(tool, call) => {
                self.calls.push((now, format!("t{tool}")));
                self.tasks.push(begin(format!("{session}/t{tool}"), *call));
            }
            What::End(tool, call, ok) => {
                let key = format!("{session}/t{tool}");
                let in_session = |task: &Begun| task.key.starts_with(&format!("{session}/t"));
                let found = match call {
                    Some(_) => self
                        .open(now, |task| in_session(task) && task.call == *call)
                        .or_else(|| self.open(now, |task| task.key == key && task.call.is_none())),
                    None => self.open(now, |task| task.key == key),
                };
                self.end(found, now, *ok);
            }
            What::Run => {
                let key = format!("run {session}");
                if self.open(now, |task| task.key == key).is_none() {
                    self.tasks.push(begin(key, None));
                }
            }
            What::RunEnd(ok) => {
                let found = self.open(now, |task| task.key == format!("run {session}"));
                self.end(found, now, *ok);
            }
            What::Work => {
                let key = format!("work {session}");
                if self.open(now, |task| task.key == key).is_none() {
                    self.tasks.push(begin(key, None));
                }
            }
            What::Idle => {
                let found = self
                    .open(now, |task| task.key == format!("work {session}"))
                    .or_else(|| self.open(now, |task| task.key.starts_with("work ")));
                if found.is_some() {
                    self.end(found, now, true);
                }
            }
            What::Usage(model, tokens, said) => {
                let nanodollars = if *said { 1_000_000 } else { u64::from(*tokens) * 1_000 };
                let (known, estimated) = match (said, model) {
                    (true, _) => (nanodollars, 0),
                    (false, 2) => (0, 0),
                    (false, 1) => (nanodollars * 3, nanodollars * 3),
                    (false, _) => (nanodollars, nanodollars),
                };
                let spent = Spent {
                    requests: 1,
                    input_tokens: u64::from(*tokens),
                    nanodollars: known,
                    estimated_nanodollars: estimated,
                    unpriced_requests: u64::from(!said && *model == 2),
                    ..Spent::default()
                };
                self.spent.push((now, MODELS[usize::from(*model)].to_owned(), spent));
            }
            What::Note | What::Look(_) => {}
        }
    }

    fn check(&self, now: i64, hours: u32, figures: &Figures) {
        let holds = |minute: i64| minute > now - i64::from(hours) * 60;
        let mut tasks = TaskCounts::default();
        let ends = self
            .tasks
            .iter()
            .filter_map(|task| task.end)
            .chain(self.ends.iter().copied());
        for (_, ok) in ends.filter(|(minute, _)| holds(*minute)) {
            if ok {
                tasks.completed += 1;
            } else {
                tasks.failed += 1;
            }
        }
        let running = self
            .tasks
            .iter()
            .filter(|task| task.end.is_none() && holds(task.minute));
        tasks.running = running.count() as u64;
        assert_eq!(figures.tasks, tasks, "tasks of {hours} hours");

        let mut tools = BTreeMap::<&str, u64>::new();
        for (_, tool) in self.calls.iter().filter(|(minute, _)| holds(*minute)) {
            *tools.entry(tool).or_default() += 1;
        }
        let told: BTreeMap<&str, u64> = figures.tools.iter().map(|(tool, calls)| (&**tool, *calls)).collect();
        assert_eq!(told, tools);
        assert_eq!(figures.tool_calls, tools.values().sum::<u64>());

        let sessions: BTreeSet<u8> = self
            .seen
            .iter()
            .filter(|seen| holds(seen.0))
            .map(|seen| seen.1)
            .collect();
        assert_eq!(figures.sessions, sessions.len() as u64);

        let mut models = BTreeMap::<&str, Spent>::new();
        let mut all = Spent::default();
        for (_, model, spent) in self.spent.iter().filter(|(minute, ..)| holds(*minute)) {
            sums::plus(models.entry(model).or_default(), *spent);
            sums::plus(&mut all, *spent);
        }
        let told: BTreeMap<&str, Spent> = figures.models.iter().map(|each| (&*each.model, each.spent)).collect();
        assert_eq!((told, figures.spent), (models, all));
        let of = |model: &str| {
            figures
                .models
                .iter()
                .find(|each| &*each.model == model)
                .map_or(0, |m| m.spent.nanodollars)
        };
        assert_eq!(figures.haiku_nanodollars, of(MODELS[0]));
        assert_eq!(figures.sonnet_nanodollars, of(MODELS[1]));
        assert!(
            figures
                .activity
                .iter()
                .all(|happening| holds(minute_of(happening.time)))
        );
    }
}

const MODELS: [&str; 3] = ["claude-haiku-4-5", "claude-sonnet-4-5", "somebody's"];
const HOURS_LOOKED: [u32; 4] = [1, 2, 24, 168];

fn tell(step: &Step, now: i64) -> Option<Event> {
    let session = format!("s{}", step.session);
    let (kind, data) = match &step.what {
        What::Start(tool, call) => (
            "tool_call_start",
            json!({"tool_name": format!("t{tool}"), "call_id": call.map(|c| c.to_string())}),
        ),
        What::End(tool, call, ok) => (
            "tool_call_end",
            json!({"tool_name": format!("t{tool}"), "call_id": call.map(|c| c.to_string()), "success": ok}),
        ),
        What::Run => ("execution_started", json!({})),
        What::RunEnd(true) => ("execution_completed", json!({})),
        What::RunEnd(false) => ("execution_failed", json!({"error": "e"})),
        What::Work => ("agent_status", json!({"state": "working", "currentTask": "t"})),
        What::Idle => ("agent_status", json!({"status": "idle"})),
        What::Usage(model, tokens, said) => {
            let mut data = json!({"model": MODELS[usize::from(*model)], "input_tokens": tokens});
            if *said {
                data["cost"] = json!(0.001);
            }
            ("usage", data)
        }
        What::Note => ("note", json!({})),
        What::Look(_) => return None,
    };
    Some(event(now, Some(&session), kind, &data))
}

proptest! {
    #[test]
    fn stretches_kept_up_to_date_equal_counting_anew(steps in steps()) {
        let mut now = 30_000_000;
        let mut metrics = Metrics::new(Millis(now * 60_000));
        let mut reference = Reference::default();
        for step in &steps {
            now += step.after;
            reference.apply(now, step.session, &step.what);
            match tell(step, now) {
                Some(event) => metrics.observe(&event),
                None => metrics.advance(Millis(now * 60_000)),
            }
            if let What::Look(which) = step.what {
                let hours = HOURS_LOOKED[usize::from(which)];
                let before = metrics.versions(hours);
                let figures = metrics.figures(hours);
                reference.check(now, hours, &figures);
                prop_assert_eq!(figures.versions, before);
            }
        }
        for hours in HOURS_LOOKED {
            reference.check(now, hours, &metrics.figures(hours));
        }
        let all = metrics.series(now - MINUTES + 1, 60, 168);
        let calls: u64 = all.iter().map(|point| point.tool_calls).sum();
        prop_assert_eq!(calls, metrics.figures(168).tool_calls);
    }

    #[test]
    fn figures_that_changed_have_a_new_version(steps in steps()) {
        let mut now = 30_000_000;
        let mut metrics = Metrics::new(Millis(now * 60_000));
        let mut last: BTreeMap<u32, Figures> = BTreeMap::new();
        for step in &steps {
            now += step.after;
            match tell(step, now) {
                Some(event) => metrics.observe(&event),
                None => metrics.advance(Millis(now * 60_000)),
            }
            for hours in [1, 24] {
                let new = metrics.figures(hours);
                if let Some(old) = last.insert(hours, new.clone()) {
                    let same = |group: Group| old.versions[group as usize] == new.versions[group as usize];
                    prop_assert!(!same(Group::Tasks) || old.tasks == new.tasks);
                    prop_assert!(!same(Group::Costs) || (old.models == new.models && old.spent == new.spent));
                    prop_assert!(!same(Group::Api) || old.spent == new.spent);
                    prop_assert!(!same(Group::Tools) || old.tools == new.tools);
                    prop_assert!(!same(Group::Sessions) || (old.sessions == new.sessions && old.tools == new.tools));
                    prop_assert!(!same(Group::Activity) || old.activity == new.activity);
                }
            }
        }
    }
}

#[test]
fn what_changes_nothing_gives_no_new_version() {
    let mut metrics = Metrics::new(Millis(0));
    metrics.observe(&event(
        1,
        Some("s"),
        "tool_call_result",
        &json!({"tool_name": "t", "result": "r"}),
    ));
    let before = metrics.versions(24);
    metrics.observe(&event(
        1,
        Some("s"),
        "tool_call_result",
        &json!({"tool_name": "t", "result": "r"}),
    ));
    metrics.observe(&event(1, Some("s"), "note", &json!({})));
    metrics.advance(Millis(5 * 60_000));
    assert_eq!(metrics.versions(24), before);
}

#[test]
fn a_task_is_told_as_it_changes() {
    let mut metrics = Metrics::new(Millis(0));
    let from = metrics.next_change();
    metrics.observe(&event(1, Some("x"), "execution_started", &json!({})));
    metrics.observe(&event(1, Some("x"), "goal_progress", &json!({"progress": 0.5})));
    metrics.observe(&event(
        2,
        Some("x"),
        "execution_failed",
        &json!({"error": "out of\nluck"}),
    ));
    let changes = metrics.changes(from, 10);
    let told: Vec<_> = changes
        .tasks
        .iter()
        .map(|task| (task.id, task.status, task.progress, task.error.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (1, TaskStatus::Running, None, None),
            (1, TaskStatus::Running, Some(0.5), None),
            (1, TaskStatus::Failed, Some(0.5), Some("out of luck")),
        ]
    );
    assert_eq!((changes.next, changes.lost), (from + 3, 0));
}

#[test]
fn work_that_begins_with_progress_is_told_with_it_at_once() {
    let mut metrics = Metrics::new(Millis(0));
    let from = metrics.next_change();
    for progress in [25, 50] {
        let data = json!({"agentName": "a", "status": "working", "progress": progress});
        metrics.observe(&event(1, Some("x"), "agent_status", &data));
    }
    let changes = metrics.changes(from, 10);
    let told: Vec<_> = changes.tasks.iter().map(|task| (task.id, task.progress)).collect();
    assert_eq!(told, [(1, Some(0.25)), (1, Some(0.5))]);
}

#[test]
fn what_agents_send_without_end_is_bounded() {
    let mut metrics = Metrics::new(Millis(0));
    metrics.figures(1);
    for n in 0..20_000_u32 {
        let data = json!({"tool_name": format!("tool {n}"), "call_id": n.to_string()});
        metrics.observe(&event(1, Some(&format!("s{n}")), "tool_call_start", &data));
        metrics.observe(&event(
            1,
            None,
            "usage",
            &json!({"model": format!("model {n}"), "input_tokens": 1}),
        ));
    }
    let figures = metrics.figures(1);
    assert_eq!(
        (figures.tool_calls, figures.tasks.running, figures.spent.requests),
        (20_000, 10_000, 20_000)
    );
    assert_eq!(figures.tools.len(), usize::from(MAX_TOOLS) + 1);
    assert_eq!(figures.tools[0], ("other".into(), 20_000 - u64::from(MAX_TOOLS)));
    assert_eq!(figures.models.len(), usize::from(MAX_MODELS) + 1);
    assert_eq!(figures.activity.len(), MAX_HAPPENINGS);
    metrics.advance(Millis((MINUTES + 10) * 60_000));
    let figures = metrics.figures(168);
    assert_eq!(
        (figures.tool_calls, figures.sessions, figures.tasks),
        (0, 0, TaskCounts::default())
    );
    assert!(metrics.minutes.is_empty() && metrics.sessions.is_empty());
}
