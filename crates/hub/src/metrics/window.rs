//! A stretch of time that ends now and that somebody watches: sums that are kept up to date, never counted anew.

use std::collections::BTreeMap;

use countersign_model::metrics::{Group, Versions};

use super::sums::Sums;

#[derive(Debug)]
pub(super) struct Window {
    pub(super) hours: u32,
    pub(super) sums: Sums,
    pub(super) versions: Versions,
    /// How many of the latest happenings lie in it.
    pub(super) happenings: usize,
    /// The minute that somebody last looked.
    pub(super) looked: i64,
}

impl Window {
    /// Counted once, from the minutes that are kept.
    pub(super) fn new(hours: u32, now: i64, minutes: &BTreeMap<i64, Sums>, version: u64) -> Self {
        let mut window = Self {
            hours,
            sums: Sums::default(),
            versions: [version; Group::ALL.len()],
            happenings: 0,
            looked: now,
        };
        for (_, sums) in minutes.range(window.before(now) + 1..) {
            window.sums.add(sums);
        }
        window
    }

    /// The last minute before it.
    pub(super) fn before(&self, now: i64) -> i64 {
        now - i64::from(self.hours) * 60
    }

    /// Whether `minute` lies in it.
    pub(super) fn holds(&self, minute: i64, now: i64) -> bool {
        minute > self.before(now)
    }

    pub(super) fn changed(&mut self, group: Group, version: u64) {
        self.versions[group as usize] = version;
    }

    /// Takes away the minutes that leave it.
    pub(super) fn advance(&mut self, from: i64, to: i64, minutes: &BTreeMap<i64, Sums>, version: u64) {
        for (_, sums) in minutes.range(self.before(from) + 1..=self.before(to)) {
            self.sums.take(sums);
            for group in sums.groups() {
                self.changed(group, version);
            }
        }
    }
}
