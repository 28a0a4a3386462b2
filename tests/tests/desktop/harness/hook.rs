//! A hook that asks and waits: curl, which nobody here wrote, on `/hooks/AGENT`.

use std::process::Command;

use countersign_tests::command::Running;
use serde_json::Value;

/// A hook's process.
pub(crate) struct Hook(Running);

impl Hook {
    /// Asks with this hook's JSON.
    pub(crate) fn ask(url: &str, agent: &str, hook: &Value) -> Self {
        let mut command = Command::new("curl");
        let fixed = ["-q", "-sS", "--noproxy", "*", "--data-binary", "@-"];
        let url = format!("{url}/hooks/{agent}");
        command.args(fixed).args(["-H", "content-type: application/json", &url]);
        Self(Running::start(command, &hook.to_string()))
    }

    /// What its agent is told.
    pub(crate) fn said(self) -> Value {
        let said = self.0.finish().expect(0).out;
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    /// It ends without an answer: the person answered in the terminal, or ended the agent.
    pub(crate) fn end(self) {
        drop(self.0);
    }
}
