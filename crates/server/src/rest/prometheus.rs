//! `/metrics`: the hub's own figures as Prometheus reads them (text format 0.0.4).

use std::fmt::{Display, Write};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::reply;
use crate::app::App;
use crate::census::Speaks;

const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The text, one family after the other.
#[derive(Default)]
struct Families(String);

impl Families {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(
            self.0,
            "# HELP countersign_{name} {help}\n# TYPE countersign_{name} {kind}"
        );
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.0, "countersign_{name}");
        if !labels.is_empty() {
            let labels: Vec<_> = labels
                .iter()
                .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
                .collect();
            let _ = write!(self.0, "{{{}}}", labels.join(","));
        }
        let _ = writeln!(self.0, " {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
}

/// A label's value as the format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// All figures.
pub(crate) async fn figures(State(app): State<App>) -> Response {
    let status = app.report.status();
    let hub = &app.door.hub;
    let mut out = Families::default();
    out.family("build_info", "gauge", "The running version.");
    out.sample("build_info", &[("version", &status.version)], 1);
    out.one(
        "events_total",
        "counter",
        "Events that have entered the log, over restarts.",
        hub.tail(),
    );
    out.one(
        "log_head",
        "gauge",
        "Place of the newest event that readers see.",
        status.head,
    );
    out.one(
        "log_durable",
        "gauge",
        "Place of the newest event that is on disk.",
        status.durable,
    );
    out.one(
        "connections",
        "gauge",
        "Open connections of any kind.",
        status.connections,
    );
    out.family("dialect_connections", "gauge", "Open event connections by dialect.");
    for speaks in Speaks::ALL {
        let count = app.settings.census.count(speaks);
        out.sample("dialect_connections", &[("dialect", speaks.name())], count);
    }
    out.one(
        "cloud_clients_connected",
        "gauge",
        "Cloud Agents clients that are connected.",
        app.cloud.clients(),
    );
    out.one(
        "cloud_clients_authenticated",
        "gauge",
        "Cloud Agents clients whose token was taken.",
        app.cloud.authenticated(),
    );
    out.one(
        "approvals_pending",
        "gauge",
        "Approvals that wait for an answer.",
        status.pending,
    );
    out.one("approvers", "gauge", "Surfaces that can answer now.", status.approvers);
    out.one(
        "ring_bytes",
        "gauge",
        "Memory of the live log, encoded frames included.",
        hub.ring_bytes(),
    );
    out.one(
        "store_bytes",
        "gauge",
        "Size of the history on disk.",
        status.store_bytes,
    );
    out.one(
        "store_failing",
        "gauge",
        "1 while the history cannot be written.",
        u8::from(hub.failing().borrow().is_some()),
    );
    reply(StatusCode::OK, KIND, out.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut out = Families::default();
        out.family("x", "gauge", "A figure.");
        out.sample("x", &[("a", "b\"\\\n"), ("c", "d")], 1.5);
        let expected = "# HELP countersign_x A figure.\n# TYPE countersign_x gauge\n\
                        countersign_x{a=\"b\\\"\\\\\\n\",c=\"d\"} 1.5\n";
        assert_eq!(out.0, expected);
    }
}
