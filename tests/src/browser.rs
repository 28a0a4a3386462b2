//! Chromium on the web monitor, through playwright-core: one page, told step by step what to do.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::foreign::{Foreign, node};

/// A page in a browser of its own.
#[derive(Debug)]
pub struct Page {
    client: Foreign,
}

fn chromium() -> PathBuf {
    std::env::var_os("COUNTERSIGN_CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from)
}

impl Page {
    /// Starts the browser; the page is empty.
    pub fn open() -> Self {
        let mut command = node();
        command.arg("page.mjs").env("COUNTERSIGN_CHROMIUM", chromium());
        let mut page = Self {
            client: Foreign::start(command),
        };
        page.reply();
        page
    }

    fn reply(&mut self) -> Value {
        let reply = self.client.event();
        assert!(
            reply["error"].is_null(),
            "{}",
            reply["error"].as_str().unwrap_or_default()
        );
        reply["value"].clone()
    }

    fn step(&mut self, step: &Value) -> Value {
        self.client.say(&step.to_string());
        self.reply()
    }

    /// Goes to an address and waits until it is loaded.
    pub fn goto(&mut self, url: &str) {
        self.step(&json!({ "do": "goto", "url": url }));
    }

    /// Waits until something that the selector names can be seen; gives its text.
    pub fn see(&mut self, selector: &str) -> String {
        self.step(&json!({ "do": "see", "selector": selector }))
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Waits until nothing that the selector names can be seen.
    pub fn gone(&mut self, selector: &str) {
        self.step(&json!({ "do": "gone", "selector": selector }));
    }

    /// Clicks it as a person would, once it can be clicked.
    pub fn click(&mut self, selector: &str) {
        self.step(&json!({ "do": "click", "selector": selector }));
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str) {
        self.step(&json!({ "do": "press", "key": key }));
    }

    /// How many there are now.
    pub fn count(&mut self, selector: &str) -> u64 {
        self.step(&json!({ "do": "count", "selector": selector }))
            .as_u64()
            .unwrap_or_default()
    }

    /// Runs a function in the page.
    pub fn run(&mut self, function: &str, argument: &Value) -> Value {
        self.step(&json!({ "do": "run", "function": function, "argument": argument }))
    }

    /// What the page wrote to its console as errors, and failed scripts.
    pub fn complaints(&mut self) -> Value {
        self.step(&json!({ "do": "complaints" }))
    }
}
