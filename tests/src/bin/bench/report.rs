//! The tables that are printed, in Markdown, so that they can be kept as they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::measure::{Sample, median};
use crate::server::Subject;

/// What all runs showed.
#[derive(Default)]
pub(crate) struct Report {
    samples: BTreeMap<(usize, usize), Vec<Sample>>,
    idle: BTreeMap<usize, Vec<f64>>,
}

impl Report {
    pub(crate) fn add(&mut self, subject: Subject, monitors: usize, sample: Sample) {
        self.samples
            .entry((monitors, subject as usize))
            .or_default()
            .push(sample);
    }

    pub(crate) fn add_idle(&mut self, subject: Subject, bytes: f64) {
        self.idle.entry(subject as usize).or_default().push(bytes);
    }

    fn value(&self, monitors: usize, subject: Subject, of: impl Fn(&Sample) -> f64) -> f64 {
        let samples = self.samples.get(&(monitors, subject as usize));
        median(samples.into_iter().flatten().map(of))
    }

    fn rows(&self) -> impl Iterator<Item = (usize, Subject)> {
        self.samples
            .keys()
            .map(|(monitors, subject)| (*monitors, Subject::ALL[*subject]))
    }

    /// All tables.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.speed(&mut out, "At full speed", |sample| sample.per_core_second);
        self.speed(&mut out, "At the moderate rate", |sample| sample.quiet_per_core_second);
        self.latency(&mut out);
        self.memory(&mut out);
        out
    }

    fn speed(&self, out: &mut String, title: &str, of: fn(&Sample) -> f64) {
        if self
            .rows()
            .all(|(monitors, subject)| of(&self.samples[&(monitors, subject as usize)][0]) == 0.0)
        {
            return;
        }
        let peers = [Subject::Websockets, Subject::Ws];
        let _ = writeln!(out, "{title}: delivered events per core-second of the server\n");
        let _ = writeln!(
            out,
            "| monitors | server | per core-second | per second | against websockets | against ws |"
        );
        let _ = writeln!(out, "|---:|---|---:|---:|---:|---:|");
        for (monitors, subject) in self.rows() {
            let own = self.value(monitors, subject, of);
            if own == 0.0 {
                continue;
            }
            let _ = write!(out, "| {monitors} | {} | {own:.0} | ", subject.name());
            if title == "At full speed" {
                let _ = write!(out, "{:.0}", self.value(monitors, subject, |sample| sample.per_second));
            }
            for peer in peers {
                let times = own / self.value(monitors, peer, of);
                let _ = if times.is_nan() || peers.contains(&subject) {
                    write!(out, " |")
                } else {
                    write!(out, " | {times:.1} times")
                };
            }
            let _ = writeln!(out, " |");
        }
        let _ = writeln!(out);
    }

    fn latency(&self, out: &mut String) {
        let known = |monitors, subject| !(self.value(monitors, subject, |sample| sample.p50) == 0.0);
        if !self.rows().any(|(monitors, subject)| known(monitors, subject)) {
            return;
        }
        let _ = writeln!(
            out,
            "Latency at the moderate rate, from publishing to receiving, in milliseconds\n"
        );
        let _ = writeln!(out, "| monitors | server | p50 | p99 |\n|---:|---|---:|---:|");
        for (monitors, subject) in self.rows().filter(|(monitors, subject)| known(*monitors, *subject)) {
            let p50 = self.value(monitors, subject, |sample| sample.p50) / 1e3;
            let p99 = self.value(monitors, subject, |sample| sample.p99) / 1e3;
            let _ = writeln!(out, "| {monitors} | {} | {p50:.2} | {p99:.2} |", subject.name());
        }
        let _ = writeln!(out);
    }

    fn memory(&self, out: &mut String) {
        if self.idle.is_empty() {
            return;
        }
        let _ = writeln!(out, "Memory per idle monitor, in KiB\n\n| server | KiB |\n|---|---:|");
        for (subject, bytes) in &self.idle {
            let kib = median(bytes.iter().copied()) / 1024.0;
            let _ = writeln!(out, "| {} | {kib:.1} |", Subject::ALL[*subject].name());
        }
        let _ = writeln!(out);
    }
}
