//! Who is next: approvals in line for the one dialog. A state machine without dialogs, hub or clock.

use std::collections::HashSet;
use std::sync::Arc;

/// What the dialog has to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing is to be asked.
    Rest,
    /// Ask about this one.
    Open(Arc<str>),
    /// What is asked about was answered elsewhere: take it away.
    Withdraw,
    /// Leave the dialog as it is, with so many more waiting behind it.
    Keep(usize),
}

/// The line. What a person closed without an answer does not come back unasked.
#[derive(Debug, Default)]
pub(crate) struct Line {
    shown: Option<Arc<str>>,
    closed: HashSet<Arc<str>>,
}

impl Line {
    /// Compares with what waits, oldest first.
    pub(crate) fn step(&mut self, waiting: &[Arc<str>]) -> Step {
        self.closed.retain(|id| waiting.contains(id));
        match &self.shown {
            Some(shown) if waiting.contains(shown) => Step::Keep(self.behind(waiting)),
            Some(_) => Step::Withdraw,
            None => match waiting.iter().find(|id| !self.closed.contains(*id)) {
                Some(next) => {
                    self.shown = Some(next.clone());
                    Step::Open(next.clone())
                }
                None => Step::Rest,
            },
        }
    }

    /// How many stand in line behind the one that is shown.
    pub(crate) fn behind(&self, waiting: &[Arc<str>]) -> usize {
        let in_line = |id: &&Arc<str>| !self.closed.contains(*id) && Some(*id) != self.shown.as_ref();
        waiting.iter().filter(in_line).count()
    }

    /// The one that is shown.
    pub(crate) fn shown(&self) -> Option<&Arc<str>> {
        self.shown.as_ref()
    }

    /// The dialog is gone with an answer, or for now: it may come back while its approval waits.
    pub(crate) fn set_aside(&mut self) -> Option<Arc<str>> {
        self.shown.take()
    }

    /// A person closed the dialog, or went to the window with it.
    pub(crate) fn close(&mut self) -> Option<Arc<str>> {
        let id = self.shown.take()?;
        self.closed.insert(id.clone());
        Some(id)
    }

    /// A person looks at these elsewhere: no dialog asks about them unasked.
    pub(crate) fn leave(&mut self, ids: impl IntoIterator<Item = Arc<str>>) {
        self.closed.extend(ids);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &str) -> Vec<Arc<str>> {
        names.split_whitespace().map(Arc::from).collect()
    }

    fn open(name: &str) -> Step {
        Step::Open(name.into())
    }

    #[test]
    fn one_at_a_time_oldest_first_and_the_rest_are_counted() {
        let mut line = Line::default();
        assert_eq!(line.step(&ids("")), Step::Rest);
        assert_eq!(line.step(&ids("a b c")), open("a"));
        assert_eq!(line.step(&ids("a b c")), Step::Keep(2));
        assert_eq!(line.step(&ids("a b c d")), Step::Keep(3));
        line.set_aside();
        assert_eq!(line.step(&ids("b c d")), open("b"));
        assert_eq!(line.behind(&ids("b c d")), 2);
    }

    #[test]
    fn answered_elsewhere_it_is_withdrawn_and_the_next_one_asked() {
        let mut line = Line::default();
        line.step(&ids("a b"));
        assert_eq!(line.step(&ids("b")), Step::Withdraw);
        line.set_aside();
        assert_eq!(line.step(&ids("b")), open("b"));
        assert_eq!(line.step(&ids("")), Step::Withdraw);
    }

    #[test]
    fn closed_it_does_not_come_back_unasked_nor_count_as_in_line() {
        let mut line = Line::default();
        line.step(&ids("a b"));
        line.close();
        assert_eq!(line.step(&ids("a b")), open("b"));
        assert_eq!(line.step(&ids("a b")), Step::Keep(0));
        line.close();
        assert_eq!(line.step(&ids("a b")), Step::Rest);
        assert_eq!(line.step(&ids("a b c")), open("c"));
    }

    #[test]
    fn what_is_left_to_the_window_is_not_asked_about_and_what_comes_later_is() {
        let mut line = Line::default();
        line.step(&ids("a b c"));
        line.close();
        line.leave(ids("a b c"));
        assert_eq!(line.step(&ids("a b c")), Step::Rest);
        assert_eq!(line.step(&ids("a b c d")), open("d"));
    }

    #[test]
    fn set_aside_it_comes_back_while_it_waits() {
        let mut line = Line::default();
        line.step(&ids("a"));
        line.set_aside();
        assert_eq!(line.step(&ids("a")), open("a"));
    }

    #[test]
    fn what_was_closed_is_forgotten_once_it_is_answered() {
        let mut line = Line::default();
        line.step(&ids("a"));
        line.close();
        line.step(&ids(""));
        assert!(line.closed.is_empty());
    }
}
