//! The latest changes of tasks, numbered, for those who follow them one by one. Bounded: who is too slow misses some and is told.

use std::collections::VecDeque;
use std::sync::Arc;

use countersign_model::metrics::Task;

/// Changes that are kept.
const KEPT: usize = 2048;

#[derive(Debug, Default)]
pub(super) struct Changes {
    latest: VecDeque<Arc<Task>>,
    /// The number of the next one.
    next: u64,
}

/// Changes after a place.
#[derive(Debug)]
pub struct TaskChanges {
    /// In their order.
    pub tasks: Vec<Arc<Task>>,
    /// Read on from here.
    pub next: u64,
    /// How many are gone that lay between.
    pub lost: u64,
}

impl Changes {
    pub(super) fn push(&mut self, task: Task) {
        if self.latest.len() == KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(Arc::new(task));
        self.next += 1;
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn since(&self, from: u64, most: usize) -> TaskChanges {
        let first = self.next - self.latest.len() as u64;
        let begin = from.clamp(first, self.next);
        let skip = usize::try_from(begin - first).unwrap_or(usize::MAX);
        let tasks: Vec<_> = self.latest.iter().skip(skip).take(most).cloned().collect();
        TaskChanges {
            next: begin + tasks.len() as u64,
            tasks,
            lost: begin.saturating_sub(from),
        }
    }
}
