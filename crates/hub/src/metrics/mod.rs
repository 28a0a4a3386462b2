//! Figures about what agents do, from the log: a reader's state, without IO and without timers (callers say when).
//!
//! Each minute of the last 168 hours has its sums; each stretch of time that somebody watches keeps totals of its own. An event is
//! added to its minute and to the stretches in use; a minute that leaves a stretch is taken from it. Nothing is counted twice.

mod calls;
mod changes;
mod names;
mod open;
mod prices;
mod spending;
mod sums;
mod tasks;
mod tell;
#[cfg(test)]
mod tests;
mod window;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use countersign_model::metrics::{
    Figures, Group, HOURS, Happening, ModelSpent, Point, Spent, TaskCounts, TaskKind, Versions,
};
use countersign_model::{Busy, Event, Fact, Millis, kind};

pub use changes::TaskChanges;
pub use prices::PRICES_OF;

use calls::Calls;
use changes::Changes;
use names::Names;
use open::{Key, Open, place};
use spending::Ledger;
use sums::Sums;
use tasks::run_of;
use window::Window;

/// Minutes that are kept.
const MINUTES: i64 = *HOURS.end() as i64 * 60;
/// Tools that have a figure of their own.
const MAX_TOOLS: u16 = 200;
/// Models that have a figure of their own.
const MAX_MODELS: u16 = 64;
/// Sessions that are told apart; further ones are not counted.
const MAX_SESSIONS: usize = 100_000;
/// Happenings that are kept.
const MAX_HAPPENINGS: usize = 20;
/// A stretch that nobody has looked at for so many minutes is no longer kept up to date.
const IDLE_MINUTES: i64 = 10;

/// The figures of the last 168 hours.
#[derive(Debug)]
pub struct Metrics {
    /// The newest minute since 1970 that was seen.
    now: i64,
    minutes: BTreeMap<i64, Sums>,
    windows: Vec<Window>,
    tools: Names,
    models: Names,
    open: Open,
    calls: Calls,
    ledger: Ledger,
    /// The last minute of each session, by its hash.
    sessions: HashMap<u64, i64>,
    happenings: VecDeque<Happening>,
    changes: Changes,
    version: u64,
    next_task: u64,
    hasher: RandomState,
}

fn minute_of(time: Millis) -> i64 {
    time.0.div_euclid(60_000)
}

impl Metrics {
    /// No figures yet.
    pub fn new(now: Millis) -> Self {
        Self {
            now: minute_of(now),
            minutes: BTreeMap::new(),
            windows: Vec::new(),
            tools: Names::new(MAX_TOOLS),
            models: Names::new(MAX_MODELS),
            open: Open::default(),
            calls: Calls::default(),
            ledger: Ledger::default(),
            sessions: HashMap::new(),
            happenings: VecDeque::new(),
            changes: Changes::default(),
            version: 1,
            next_task: 1,
            hasher: RandomState::new(),
        }
    }

    /// A number that grows with each change of any figure that is watched.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Lets time pass: minutes that are too old leave.
    pub fn advance(&mut self, now: Millis) {
        let (from, to) = (self.now, minute_of(now));
        if to <= from {
            return;
        }
        self.version += 1;
        self.now = to;
        self.windows.retain(|window| to - window.looked <= IDLE_MINUTES);
        for window in &mut self.windows {
            window.advance(from, to, &self.minutes, self.version);
        }
        self.count_happenings();
        while let Some((id, minute)) = self.open.oldest()
            && minute <= to - MINUTES
        {
            self.open.remove(id);
        }
        let mut kept = self.minutes.split_off(&(to - MINUTES + 1));
        std::mem::swap(&mut kept, &mut self.minutes);
        let gone = kept;
        for sums in gone.values() {
            sums.tools.keys().for_each(|tool| self.tools.unused(*tool));
            sums.models.keys().for_each(|model| self.models.unused(*model));
        }
        if gone.values().any(|sums| sums.sessions > 0) {
            self.sessions.retain(|_, minute| *minute > to - MINUTES);
        }
    }

    /// Happenings that have left a stretch leave its figures.
    fn count_happenings(&mut self) {
        for window in &mut self.windows {
            let now = self.now;
            let shown = self
                .happenings
                .iter()
                .filter(|happening| window.holds(minute_of(happening.time), now))
                .count();
            if shown != window.happenings {
                window.happenings = shown;
                window.changed(Group::Activity, self.version);
            }
        }
    }

    fn window(&mut self, hours: u32) -> usize {
        let hours = hours.clamp(*HOURS.start(), *HOURS.end());
        let place = self.windows.iter().position(|window| window.hours == hours);
        let place = place.unwrap_or_else(|| {
            self.version += 1;
            self.windows
                .push(Window::new(hours, self.now, &self.minutes, self.version));
            self.count_happenings();
            self.windows.len() - 1
        });
        self.windows[place].looked = self.now;
        place
    }

    /// When the figures of the last `hours` changed, group by group. From now on they are kept up to date.
    pub fn versions(&mut self, hours: u32) -> Versions {
        let place = self.window(hours);
        self.windows[place].versions
    }

    /// The figures of the last `hours`.
    pub fn figures(&mut self, hours: u32) -> Figures {
        let place = self.window(hours);
        let window = &self.windows[place];
        let sums = &window.sums;
        let mut tools: Vec<_> = sums
            .tools
            .iter()
            .map(|(tool, calls)| (self.tools.name(*tool), *calls))
            .collect();
        tools.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut models: Vec<_> = sums
            .models
            .iter()
            .filter(|(_, spent)| **spent != Spent::default())
            .map(|(model, spent)| ModelSpent {
                model: self.models.name(*model),
                spent: *spent,
            })
            .collect();
        models.sort_by(|a, b| {
            let by_cost = b.spent.nanodollars.cmp(&a.spent.nanodollars);
            by_cost.then_with(|| a.model.cmp(&b.model))
        });
        Figures {
            versions: window.versions,
            tasks: sums.tasks,
            spent: sums.spent,
            haiku_nanodollars: sums.haiku,
            sonnet_nanodollars: sums.sonnet,
            models,
            tool_calls: sums.calls,
            tools,
            sessions: sums.sessions,
            activity: self.happenings.iter().take(window.happenings).cloned().collect(),
        }
    }

    /// A series of `count` steps of `step` minutes each, the first of which begins at `from` (in minutes since 1970).
    pub fn series(&self, from: i64, step: i64, count: i64) -> Vec<Point> {
        (0..count)
            .map(|place| {
                let begin = from + place * step;
                let mut point = Point {
                    time: Millis(begin * 60_000),
                    tasks: TaskCounts::default(),
                    spent: Spent::default(),
                    tool_calls: 0,
                };
                for (_, sums) in self.minutes.range(begin..begin + step) {
                    point.tasks.running += sums.tasks.running;
                    point.tasks.completed += sums.tasks.completed;
                    point.tasks.failed += sums.tasks.failed;
                    point.tool_calls += sums.calls;
                    sums::plus(&mut point.spent, sums.spent);
                }
                point
            })
            .collect()
    }

    /// The newest minute since 1970 that was seen.
    pub fn minute(&self) -> i64 {
        self.now
    }

    /// The number of the next change of a task.
    pub fn next_change(&self) -> u64 {
        self.changes.next()
    }

    /// Changes of tasks from that number on, `most` at most.
    pub fn changes(&self, from: u64, most: usize) -> TaskChanges {
        self.changes.since(from, most)
    }

    /// Takes the next event of the log into account.
    pub fn observe(&mut self, event: &Event) {
        self.advance(event.time);
        let minute = minute_of(event.time);
        if minute <= self.now - MINUTES {
            return;
        }
        self.version += 1;
        let fact = Fact::of(event).filter(|fact| !self.repeats(event, fact));
        if let Some(happening) = tell::happening(event, fact.as_ref()) {
            self.happened(happening, minute);
        }
        if !kind::is_hub_only(&event.kind) {
            self.see_session(event, minute);
        }
        if let Some(fact) = fact {
            self.take(event, minute, fact);
        }
    }

    fn take(&mut self, event: &Event, minute: i64, fact: Fact) {
        let here = place(event);
        match fact {
            Fact::ToolStarted { tool, call } => {
                let tool = if tool.is_empty() { "unknown".to_owned() } else { tool };
                let number = self.tools.number(&tool);
                self.mention_tool(minute, number);
                self.add(minute, &[Group::Tools, Group::Sessions], |sums| sums.call(number));
                let own = match &call {
                    Some(call) => Key::Call(here, call),
                    None => Key::Nameless(here, &tool),
                };
                self.begin(
                    event,
                    minute,
                    (TaskKind::Tool, tool.clone()),
                    None,
                    &[own, Key::Tool(here, &tool)],
                );
            }
            Fact::ToolEnded {
                tool,
                call,
                success,
                error,
                ..
            } => {
                let tool = if tool.is_empty() { "unknown".to_owned() } else { tool };
                let found = match &call {
                    Some(call) => self.open.find(&[Key::Call(here, call), Key::Nameless(here, &tool)]),
                    None => self.open.find(&[Key::Tool(here, &tool)]),
                };
                self.end(event, minute, found, (TaskKind::Tool, tool), success, error);
            }
            Fact::Status {
                busy: Busy::Working,
                word,
                task,
                progress,
            } => {
                let key = Key::Work(here.0, here.1);
                let name = task.unwrap_or(word);
                match self.open.find(&[key]) {
                    Some(id) => self.update(id, Some(name), progress),
                    None => {
                        let keys = [key, Key::AnyWork(here.0)];
                        self.begin(event, minute, (TaskKind::Agent, name), progress, &keys);
                    }
                }
            }
            Fact::Status { word, .. } => {
                // Agents that connect anew for each word have another session each time.
                let keys = [Key::Work(here.0, here.1), Key::AnyWork(here.0)];
                if let Some(id) = self.open.find(&keys) {
                    let failed = matches!(word.to_ascii_lowercase().as_str(), "failed" | "error");
                    self.end(event, minute, Some(id), (TaskKind::Agent, String::new()), !failed, None);
                }
            }
            Fact::RunStarted => {
                let name = run_of(event).to_owned();
                if self.open.find(&[Key::Run(&name)]).is_none() {
                    self.begin(
                        event,
                        minute,
                        (TaskKind::Execution, name.clone()),
                        None,
                        &[Key::Run(&name)],
                    );
                }
            }
            Fact::RunCompleted => self.end_run(event, minute, true, None),
            Fact::RunFailed { error } => self.end_run(event, minute, false, error),
            Fact::Progress(progress) => {
                if let Some(id) = self.open.find(&[Key::Run(run_of(event))]) {
                    self.update(id, None, Some(progress));
                }
            }
            Fact::ToolMeasured {
                tool: Some(tool),
                success,
                ..
            } => {
                // Nothing else tells of it: a call of its own.
                let number = self.tools.number(&tool);
                self.mention_tool(minute, number);
                self.add(minute, &[Group::Tools, Group::Sessions], |sums| sums.call(number));
                self.end(
                    event,
                    minute,
                    None,
                    (TaskKind::Tool, tool),
                    success.unwrap_or(true),
                    None,
                );
            }
            Fact::Usage(usage) => self.spend(event, minute, usage),
            _ => {}
        }
    }

    /// Adds to a minute, and to the stretches that hold it.
    fn add(&mut self, minute: i64, groups: &[Group], change: impl Fn(&mut Sums)) {
        change(self.minutes.entry(minute).or_default());
        for window in self.windows.iter_mut().filter(|window| window.holds(minute, self.now)) {
            change(&mut window.sums);
            for group in groups {
                window.changed(*group, self.version);
            }
        }
    }

    fn mention_tool(&mut self, minute: i64, tool: u16) {
        if !self.minutes.entry(minute).or_default().tools.contains_key(&tool) {
            self.tools.used(tool);
        }
    }

    /// A session counts in the minute that it was last seen in.
    fn see_session(&mut self, event: &Event, minute: i64) {
        let Some(session) = event.session.as_deref() else {
            return;
        };
        let hash = self.hasher.hash_one((&*event.agent, session));
        let before = self.sessions.get(&hash).copied();
        if before.is_some_and(|before| before >= minute) || (before.is_none() && self.sessions.len() >= MAX_SESSIONS) {
            return;
        }
        self.sessions.insert(hash, minute);
        if let Some(before) = before
            && let Some(sums) = self.minutes.get_mut(&before)
        {
            sums.sessions -= 1;
        }
        self.minutes.entry(minute).or_default().sessions += 1;
        for window in &mut self.windows {
            let was = before.is_some_and(|before| window.holds(before, self.now));
            if !was && window.holds(minute, self.now) {
                window.sums.sessions += 1;
                window.changed(Group::Sessions, self.version);
            }
        }
    }

    fn happened(&mut self, happening: Happening, minute: i64) {
        self.happenings.push_front(happening);
        self.happenings.truncate(MAX_HAPPENINGS);
        self.count_happenings();
        for window in self.windows.iter_mut().filter(|window| window.holds(minute, self.now)) {
            window.changed(Group::Activity, self.version);
        }
    }
}
