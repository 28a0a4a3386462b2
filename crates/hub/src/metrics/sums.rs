//! Sums over a minute, or over a stretch of minutes: added to and taken from exactly, in whole numbers.

use std::collections::BTreeMap;

use countersign_model::metrics::{Group, Spent, TaskCounts};

/// What is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) tasks: TaskCounts,
    pub(super) sessions: u64,
    pub(super) calls: u64,
    pub(super) tools: BTreeMap<u16, u64>,
    pub(super) spent: Spent,
    pub(super) haiku: u64,
    pub(super) sonnet: u64,
    pub(super) models: BTreeMap<u16, Spent>,
}

fn each(spent: &mut Spent, other: Spent, with: impl Fn(u64, u64) -> u64) {
    for (mine, theirs) in [
        (&mut spent.requests, other.requests),
        (&mut spent.input_tokens, other.input_tokens),
        (&mut spent.output_tokens, other.output_tokens),
        (&mut spent.cache_read_tokens, other.cache_read_tokens),
        (&mut spent.cache_write_tokens, other.cache_write_tokens),
        (&mut spent.nanodollars, other.nanodollars),
        (&mut spent.estimated_nanodollars, other.estimated_nanodollars),
        (&mut spent.unpriced_requests, other.unpriced_requests),
    ] {
        *mine = with(*mine, theirs);
    }
}

// Sums that pass 64 bits come back when what was added is taken away again.
pub(super) fn plus(spent: &mut Spent, other: Spent) {
    each(spent, other, u64::wrapping_add);
}

fn minus(spent: &mut Spent, other: Spent) {
    each(spent, other, u64::wrapping_sub);
}

impl Sums {
    /// A tool call.
    pub(super) fn call(&mut self, tool: u16) {
        self.calls += 1;
        *self.tools.entry(tool).or_default() += 1;
    }

    /// A request to a model.
    pub(super) fn request(&mut self, model: u16, spent: Spent, haiku: bool, sonnet: bool) {
        plus(&mut self.spent, spent);
        plus(self.models.entry(model).or_default(), spent);
        if haiku {
            self.haiku = self.haiku.wrapping_add(spent.nanodollars);
        }
        if sonnet {
            self.sonnet = self.sonnet.wrapping_add(spent.nanodollars);
        }
    }

    /// What was counted as a request, and was told better since. The model keeps its place, empty or not.
    pub(super) fn no_request(&mut self, model: u16, spent: Spent, haiku: bool, sonnet: bool) {
        minus(&mut self.spent, spent);
        minus(self.models.entry(model).or_default(), spent);
        if haiku {
            self.haiku = self.haiku.wrapping_sub(spent.nanodollars);
        }
        if sonnet {
            self.sonnet = self.sonnet.wrapping_sub(spent.nanodollars);
        }
    }

    /// Adds all of `other`.
    pub(super) fn add(&mut self, other: &Self) {
        self.tasks.running += other.tasks.running;
        self.tasks.completed += other.tasks.completed;
        self.tasks.failed += other.tasks.failed;
        self.sessions += other.sessions;
        self.calls += other.calls;
        for (tool, calls) in &other.tools {
            *self.tools.entry(*tool).or_default() += calls;
        }
        plus(&mut self.spent, other.spent);
        self.haiku = self.haiku.wrapping_add(other.haiku);
        self.sonnet = self.sonnet.wrapping_add(other.sonnet);
        for (model, spent) in &other.models {
            plus(self.models.entry(*model).or_default(), *spent);
        }
    }

    /// Takes all of `other`, which was added before, away again.
    pub(super) fn take(&mut self, other: &Self) {
        self.tasks.running -= other.tasks.running;
        self.tasks.completed -= other.tasks.completed;
        self.tasks.failed -= other.tasks.failed;
        self.sessions -= other.sessions;
        self.calls -= other.calls;
        for (tool, calls) in &other.tools {
            if let Some(mine) = self.tools.get_mut(tool) {
                *mine -= calls;
                if *mine == 0 {
                    self.tools.remove(tool);
                }
            }
        }
        minus(&mut self.spent, other.spent);
        self.haiku = self.haiku.wrapping_sub(other.haiku);
        self.sonnet = self.sonnet.wrapping_sub(other.sonnet);
        for (model, spent) in &other.models {
            if let Some(mine) = self.models.get_mut(model) {
                minus(mine, *spent);
                if *mine == Spent::default() {
                    self.models.remove(model);
                }
            }
        }
    }

    /// The groups that have figures here.
    pub(super) fn groups(&self) -> impl Iterator<Item = Group> {
        [
            (Group::Tasks, self.tasks != TaskCounts::default()),
            (Group::Costs, self.spent != Spent::default()),
            (Group::Api, self.spent != Spent::default()),
            (Group::Tools, self.calls > 0),
            // Sessions tell of their tools, too.
            (Group::Sessions, self.sessions > 0 || self.calls > 0),
        ]
        .into_iter()
        .filter_map(|(group, has)| has.then_some(group))
    }
}
