//! A real notification daemon on the desk's bus, and what it received.

use countersign_tests::until;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::Desk;

const CONFIG: &str = "[global]
    history_length = 200
    markup = full
    format = \"%s %b\"
[urgency_low]
    timeout = 0
[urgency_normal]
    timeout = 0
[urgency_critical]
    timeout = 0
";

/// One notification as the daemon got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) summary: String,
    /// Markup, as the specification of desktop notifications says.
    pub(crate) body: String,
}

impl Desk {
    /// Starts dunst, and waits until it serves.
    pub(crate) fn start_notifications(&mut self) {
        let config = self.file("dunstrc");
        std::fs::write(&config, CONFIG).expect("written");
        self.start("dunst", &["-conf", &config.display().to_string()]);
        until("dunst serves", || {
            (self.run("dunstctl", &["is-paused"]) == "false").then_some(())
        });
    }

    /// Lets dunst take calls and answer none.
    pub(crate) fn freeze_notifications(&self) {
        let dunst = Pid::from_child(self.newest());
        kill_process(dunst, Signal::STOP).expect("it runs");
    }

    /// How many notifications are on the screen.
    pub(crate) fn notifications_shown(&self) -> u32 {
        let count = |kind| self.run("dunstctl", &["count", kind]).parse::<u32>().expect("a count");
        count("displayed") + count("waiting")
    }

    /// Does what a click on the newest notification does.
    pub(crate) fn click_notification(&self) {
        self.run("dunstctl", &["action", "0"]);
    }

    /// Everything that the daemon was told so far, oldest first; what is on the screen is put away.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.run("dunstctl", &["close-all"]);
        let history = self.run("dunstctl", &["history"]);
        let history: Value = serde_json::from_str(&history).unwrap_or_else(|error| panic!("{error}: {history}"));
        let list = history["data"][0].as_array().cloned().unwrap_or_default();
        let text = |told: &Value, name: &str| told[name]["data"].as_str().unwrap_or_default().to_owned();
        let told = list.iter().map(|told| Told {
            summary: text(told, "summary"),
            body: text(told, "body"),
        });
        let mut told: Vec<_> = told.collect();
        told.reverse();
        told
    }

    /// Waits until the daemon was told something with this summary, and gives it.
    pub(crate) fn until_told(&self, summary: &str) -> Told {
        until(&format!("a notification {summary:?}"), || {
            self.told().into_iter().find(|told| told.summary == summary)
        })
    }
}
