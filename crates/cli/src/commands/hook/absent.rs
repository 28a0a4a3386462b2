//! What holds while no hub answers: the settings that the last one left in its data folder, and the words for the agent.

use std::borrow::Cow;
use std::path::Path;

use countersign_agents::absent::{self, WhenAbsent};
use countersign_agents::gate::{self, Decision, Rule};
use countersign_agents::hook::{Agent, Answer};
use serde::Deserialize;

/// Why there is no answer of the hub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// It is not there.
    Gone,
    /// It is there, and does not take this.
    Refused,
}

/// What the hub that ran last on a data folder wants of hooks while it is not there.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    pub(super) when_absent: WhenAbsent,
    gate: Vec<Rule>,
}

/// What was decided without a hub, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) decision: WhenAbsent,
    /// `when_absent` or `gate`.
    pub(super) by: &'static str,
}

impl Said {
    /// A hook's JSON with that beside it: whoever reads the log is to know who decided.
    pub(super) fn beside(self, body: &[u8]) -> Cow<'_, [u8]> {
        let Some(end) = body.iter().rposition(|byte| *byte == b'}') else {
            return Cow::Borrowed(body);
        };
        let (before, after) = body.split_at(end);
        let said = format!(
            r#","decided_without_hub":{{"decision":"{}","by":"{}"}}"#,
            self.decision, self.by
        );
        Cow::Owned([before, said.as_bytes(), after].concat())
    }
}

/// What the hub's policy says of a call that is about to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Nothing, or that it may run.
    Open,
    /// A person is to be asked.
    Asks,
    /// It does not run, whoever is there; with the reason for the agent.
    Denies(String),
}

impl Settings {
    /// Without a file, or with one that cannot be read, the defaults.
    pub(super) fn read(data_dir: &Path) -> Self {
        let text = std::fs::read(data_dir.join(countersign_server::HOOKS_FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// What the policy says of a hook's JSON.
    pub(super) fn gate(&self, agent: Agent, body: &[u8]) -> Gate {
        if self.gate.is_empty() {
            return Gate::Open;
        }
        let hook = std::str::from_utf8(body).ok().and_then(|body| agent.decode(body).ok());
        let rule = hook.and_then(|hook| gate::find(&self.gate, agent, hook.tool.as_deref()?, &hook.input()));
        match rule.map(|rule| (rule.decision, rule)) {
            None | Some((Decision::Allow, _)) => Gate::Open,
            Some((Decision::Ask, _)) => Gate::Asks,
            Some((Decision::Deny | Decision::Stop, rule)) => Gate::Denies(rule.reason()),
        }
    }
}

/// What the agent reads where the policy denies by itself.
pub(super) fn denied(agent: Agent, reason: &str) -> Option<String> {
    let reason = reason.to_owned();
    agent.encode(&Answer::Deny { reason, stop: false })
}

/// What the agent reads, if anything, and what a person does. Yes is said only where there is nobody to ask.
pub(super) fn answer(agent: Agent, event: &str, policy: WhenAbsent, absence: Absence) -> (Option<String>, String) {
    let (what, policy) = match (absence, policy) {
        (Absence::Gone, policy) => ("no hub is there to be asked", policy),
        (Absence::Refused, WhenAbsent::Allow) => ("the hub did not take the question", WhenAbsent::Ask),
        (Absence::Refused, policy) => ("the hub did not take the question", policy),
    };
    let (words, message) = match policy {
        WhenAbsent::Ask => (
            format!("{what}, so the agent asks in its own way"),
            format!("Countersign asks a person about this, and {what}."),
        ),
        WhenAbsent::Deny => (
            format!("{what}, and it is set to say no then"),
            format!("Denied by Countersign: {what}, and it is set to deny then (when_absent)."),
        ),
        WhenAbsent::Allow => (
            format!("{what}, and it is set to say yes then: nobody was asked"),
            format!("Allowed by Countersign: {what}, and it is set to allow then (when_absent)."),
        ),
    };
    (absent::answer(agent, event, policy, &message), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_that_is_there_is_never_answered_for_with_yes() {
        let said = |policy, absence| answer(Agent::ClaudeCode, "PermissionRequest", policy, absence).0;
        assert_eq!(said(WhenAbsent::Allow, Absence::Refused), None);
        assert_eq!(said(WhenAbsent::Ask, Absence::Gone), None);
        assert!(said(WhenAbsent::Allow, Absence::Gone).expect("said").contains("allow"));
        for absence in [Absence::Gone, Absence::Refused] {
            let no = said(WhenAbsent::Deny, absence).expect("said");
            assert!(no.contains("\"deny\"") && no.contains("Countersign"), "{no}");
        }
    }

    #[test]
    fn settings_that_cannot_be_read_are_the_defaults() {
        let home = tempfile::tempdir().expect("a folder");
        let read = |text: Option<&str>| {
            let file = home.path().join("hooks.json");
            if let Some(text) = text {
                std::fs::write(&file, text).expect("written");
            }
            Settings::read(home.path()).when_absent
        };
        assert_eq!(read(None), WhenAbsent::Ask);
        assert_eq!(read(Some(r#"{"when_absent":"deny","more":1}"#)), WhenAbsent::Deny);
        assert_eq!(read(Some(r#"{"when_absent":"perhaps"}"#)), WhenAbsent::Ask);
        assert_eq!(read(Some("nonsense")), WhenAbsent::Ask);
    }
}
