//! The scripted model server (`clients/models.py`): it stands for the vendors, so that real agents run whole sessions on loopback.

use serde_json::Value;

use crate::foreign::{Foreign, python};
use crate::rest;
use crate::wait::until;

/// A model server that plays a script; it ends with its value.
#[derive(Debug)]
pub struct Models {
    _process: Foreign,
    port: u16,
}

impl Models {
    /// Plays this script: a list of turns, or an object of them by what their conversation begins with.
    ///
    /// # Panics
    /// When it does not start.
    pub fn playing(script: &Value) -> Self {
        let mut command = python();
        command.arg("models.py");
        let mut process = Foreign::start(command);
        process.say(&script.to_string());
        let ready = process.event();
        let port = ready["port"].as_u64().and_then(|port| u16::try_from(port).ok());
        Self {
            _process: process,
            port: port.unwrap_or_else(|| panic!("no port: {ready}")),
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The turns of the main conversation that were asked for, as the agent sent them: the whole conversation so far in each.
    pub fn asked(&self) -> Vec<Value> {
        self.asked_by("main")
    }

    /// The turns that a conversation of the script asked for.
    pub fn asked_by(&self, conversation: &str) -> Vec<Value> {
        let requests = rest::call("GET", &self.url(), "/requests", &[], None)
            .expect(200)
            .json();
        let mut bodies = Vec::new();
        for request in requests.as_array().expect("a list") {
            if request["conversation"] == conversation {
                bodies.push(request["body"].clone());
            }
        }
        bodies
    }

    /// The text of the main conversation's turn of this number, once it is asked for: all that the agent told the model by then.
    pub fn told(&self, turn: usize) -> String {
        until("the agent asks its model", || {
            let asked = self.asked();
            (asked.len() > turn).then(|| asked[turn].to_string())
        })
    }

    /// Lets a turn go that the script holds.
    pub fn release(&self, name: &str) {
        rest::call("POST", &self.url(), &format!("/release/{name}"), &[], Some("")).expect(200);
    }
}
