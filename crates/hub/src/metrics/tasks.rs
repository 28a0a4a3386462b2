//! Tasks as they begin, change and end: counted in the minutes where they did, and told to those who follow them.

use countersign_model::Event;
use countersign_model::metrics::{Group, Task, TaskKind, TaskStatus};

use super::open::{Key, Running};
use super::{Metrics, tell};

impl Metrics {
    pub(super) fn begin(
        &mut self,
        event: &Event,
        minute: i64,
        (kind, name): (TaskKind, String),
        progress: Option<f64>,
        keys: &[Key<'_>],
    ) {
        let id = self.next_task;
        self.next_task += 1;
        let task = Task {
            id,
            kind,
            name,
            agent: event.agent.clone(),
            session: event.session.clone(),
            status: TaskStatus::Running,
            started: Some(event.time),
            ended: None,
            progress,
            error: None,
        };
        self.add(minute, &[Group::Tasks], |sums| sums.tasks.running += 1);
        self.changes.push(task.clone());
        if let Some(forgotten) = self.open.insert(task, minute, keys) {
            self.no_longer_running(&forgotten);
        }
    }

    fn no_longer_running(&mut self, running: &Running) {
        if self.minutes.contains_key(&running.minute) {
            self.add(running.minute, &[Group::Tasks], |sums| sums.tasks.running -= 1);
        }
    }

    pub(super) fn end_run(&mut self, event: &Event, minute: i64, success: bool, error: Option<String>) {
        let name = run_of(event);
        let found = self.open.find(&[Key::Run(name)]);
        self.end(
            event,
            minute,
            found,
            (TaskKind::Execution, name.to_owned()),
            success,
            error,
        );
    }

    /// A task is over. One whose beginning was not seen counts, too.
    pub(super) fn end(
        &mut self,
        event: &Event,
        minute: i64,
        found: Option<u64>,
        (kind, name): (TaskKind, String),
        success: bool,
        error: Option<String>,
    ) {
        let running = found.and_then(|id| self.open.remove(id));
        if let Some(running) = &running {
            self.no_longer_running(running);
        }
        self.add(minute, &[Group::Tasks], |sums| {
            if success {
                sums.tasks.completed += 1;
            } else {
                sums.tasks.failed += 1;
            }
        });
        let mut task = running.map_or_else(
            || {
                let id = self.next_task;
                self.next_task += 1;
                Task {
                    id,
                    kind,
                    name,
                    agent: event.agent.clone(),
                    session: event.session.clone(),
                    status: TaskStatus::Running,
                    started: None,
                    ended: None,
                    progress: None,
                    error: None,
                }
            },
            |running| running.task,
        );
        task.status = if success {
            TaskStatus::Completed
        } else {
            TaskStatus::Failed
        };
        task.ended = Some(event.time);
        task.error = error.filter(|_| !success).map(|error| tell::clip(&error));
        self.changes.push(task);
    }

    pub(super) fn update(&mut self, id: u64, name: Option<String>, progress: Option<f64>) {
        let Some(task) = self.open.get_mut(id) else { return };
        let before = task.clone();
        if let Some(name) = name {
            task.name = tell::clip(&name);
        }
        task.progress = progress.or(task.progress);
        if *task != before {
            let task = task.clone();
            self.changes.push(task);
        }
    }
}

/// What names an execution: its id, or its agent while it has none.
pub(super) fn run_of(event: &Event) -> &str {
    event.session.as_deref().unwrap_or(&event.agent)
}
