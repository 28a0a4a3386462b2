//! A program in a terminal of its own (`clients/terminal.py`), for agents that ask a person there.

use std::process::Command;

use serde_json::{Value, json};

use crate::foreign::{Foreign, python};

/// A program in a terminal; it ends with its value.
#[derive(Debug)]
pub struct Terminal(Foreign);

impl Terminal {
    /// Runs `program`, with its arguments, folder and environment, in a terminal.
    pub fn run(program: &Command) -> Self {
        let mut command = python();
        command.arg(crate::foreign::clients().join("terminal.py"));
        command.arg(program.get_program()).args(program.get_args());
        if let Some(folder) = program.get_current_dir() {
            command.current_dir(folder);
        }
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Self(Foreign::start(command))
    }

    /// Types text as it is; `\r` is the Return key, `\u{1b}` Escape.
    pub fn types(&mut self, text: &str) {
        self.0.say(&json!({ "type": text }).to_string());
    }

    /// Waits until the screen shows what matches this regular expression, beyond what was there when something was last typed.
    ///
    /// # Panics
    /// When it does not; what the screen showed is printed when the program ends.
    pub fn shows(&mut self, pattern: &str) {
        self.awaits(&json!({ "wait": pattern }), pattern);
    }

    /// Presses a key until the screen shows what matches: a program that is busy, or guards itself against keys that were not meant
    /// for it, does not take the first one.
    ///
    /// # Panics
    /// When the screen never does.
    pub fn presses(&mut self, key: &str, pattern: &str) {
        self.awaits(&json!({ "wait": pattern, "press": key }), pattern);
    }

    fn awaits(&mut self, command: &Value, pattern: &str) {
        self.0.say(&command.to_string());
        let event = self.0.event();
        assert!(
            event["saw"].is_string(),
            "it ended before it showed {pattern:?}: {event}"
        );
    }

    /// Closes the terminal, as a person closes its window.
    pub fn hangs_up(&mut self) {
        self.0.say(&json!({ "hangup": true }).to_string());
    }

    /// Waits for the program's end: its exit code, or the signal that ended it as a negative number.
    ///
    /// # Panics
    /// When it does not end.
    pub fn ends(&mut self) -> i64 {
        let event = self.0.event();
        event["exit"].as_i64().unwrap_or_else(|| panic!("no end: {event}"))
    }
}
