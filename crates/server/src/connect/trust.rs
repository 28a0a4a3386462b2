//! Whether Codex trusts our hooks, as Codex itself says: it passes over one that nobody has looked at, silently.
//!
//! `codex app-server` answers `hooks/list` with each hook's `trustStatus` (its own schema: `codex app-server generate-ts`). What Codex
//! makes of a hook to know it again is its own affair: nothing here computes it, nothing here trusts.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use countersign_agents::hook::Agent;
use countersign_agents::settings::our_program;
use countersign_model::{Finding, Outcome};
use serde::Deserialize;
use serde_json::{Value, json};

use super::child::end;

/// How long Codex may take; its first start makes databases.
const TIME: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
struct Answer {
    data: Vec<Folder>,
}

#[derive(Deserialize)]
struct Folder {
    hooks: Vec<Hook>,
    #[serde(default)]
    warnings: Vec<Value>,
    #[serde(default)]
    errors: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hook {
    #[serde(default)]
    command: String,
    #[serde(default)]
    event_name: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    trust_status: String,
}

fn yes() -> bool {
    true
}

/// What Codex says of our hooks in this folder, which may be a project's, and of the files that they are in.
pub(super) fn ask(codex: &Path, folder: &Path, project: bool) -> Vec<Finding> {
    match list(codex, folder) {
        Ok(answer) => judge(&answer, project),
        Err(error) => vec![Finding::warn(
            "trust",
            format!("Codex did not say whether it trusts the hooks ({error})"),
            "Type /hooks in codex: each hook of Countersign must be trusted and on.",
        )],
    }
}

/// Characters of what Codex says that are shown.
const MOST: usize = 400;

/// What Codex complains of, in its own words: as text, or as `{path, message}`.
fn complaints(folder: &Folder) -> impl Iterator<Item = Finding> {
    let words = |said: &Value| {
        let text = said.as_str().or_else(|| said.get("message")?.as_str());
        let text = text.map_or_else(|| said.to_string(), str::to_owned);
        let line: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(MOST)
            .collect();
        line
    };
    let found = move |said: &Value, fails: bool| {
        let what = format!("Codex complains: {}", words(said));
        let advice = "Put that right in the file that it names; Codex passes over what it cannot read, hooks and all.";
        if fails {
            Finding::fail("codex-says", what, advice)
        } else {
            Finding::warn("codex-says", what, advice)
        }
    };
    let errors = folder.errors.iter().map(move |said| found(said, true));
    errors.chain(folder.warnings.iter().map(move |said| found(said, false)))
}

fn judge(answer: &Answer, project: bool) -> Vec<Finding> {
    let mut said: Vec<Finding> = answer.data.iter().flat_map(complaints).collect();
    let trust = trust(answer, project, said.is_empty());
    if let Some(trust) = trust {
        said.push(trust);
    } else {
        // That it sees no hook is what these lead to.
        for finding in &mut said {
            finding.state = Outcome::Fail;
        }
    }
    said
}

/// What Codex makes of our hooks; nothing when it sees none and has said why.
fn trust(answer: &Answer, project: bool, silent: bool) -> Option<Finding> {
    let ours: Vec<&Hook> = answer
        .data
        .iter()
        .flat_map(|folder| &folder.hooks)
        .filter(|hook| our_program(&hook.command, Agent::Codex).is_some())
        .collect();
    let names = |chosen: &dyn Fn(&Hook) -> bool| -> Vec<&str> {
        ours.iter()
            .filter(|hook| chosen(hook))
            .map(|hook| hook.event_name.as_str())
            .collect()
    };
    let untrusted = names(&|hook| !matches!(hook.trust_status.as_str(), "trusted" | "managed"));
    let off = names(&|hook| !hook.enabled);
    let found = if ours.is_empty() {
        if !silent {
            return None;
        }
        let advice = if project {
            "Codex reads a project's hooks only once you have trusted the project: start codex there and say so."
        } else {
            "Start codex, type /hooks, and see which files it reads; it may have another CODEX_HOME than this."
        };
        Finding::fail("trust", "Codex sees no hook of Countersign here", advice)
    } else if !untrusted.is_empty() {
        Finding::fail(
            "trust",
            format!(
                "Codex does not trust {} of {} hooks yet, and skips them silently: {}",
                untrusted.len(),
                ours.len(),
                untrusted.join(", ")
            ),
            "Start codex: it asks whether to trust them; or type /hooks there. Each change of a hook has to be trusted again.",
        )
    } else if !off.is_empty() {
        Finding::fail(
            "trust",
            format!("hooks are switched off in Codex: {}", off.join(", ")),
            "Start codex, type /hooks, and switch them on.",
        )
    } else {
        Finding::ok("trust", format!("Codex trusts all {} hooks", ours.len()))
    };
    Some(found)
}

fn list(codex: &Path, folder: &Path) -> io::Result<Answer> {
    let mut child = Command::new(codex)
        .arg("app-server")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let requests = [
        json!({ "id": 1, "method": "initialize", "params": {
            "clientInfo": { "name": "countersign", "title": "Countersign", "version": crate::VERSION } } }),
        json!({ "method": "initialized" }),
        json!({ "id": 2, "method": "hooks/list", "params": { "cwds": [folder] } }),
    ];
    let mut stdin = child.stdin.take();
    let asked = stdin.as_mut().map_or(Ok(()), |stdin| {
        requests.iter().try_for_each(|request| writeln!(stdin, "{request}"))
    });
    let (sender, lines) = sync_channel(16);
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            for line in lines {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    let answer = asked.and_then(|()| wait(|left| lines.recv_timeout(left)));
    end(&mut child);
    answer
}

fn wait(mut next: impl FnMut(Duration) -> Result<String, RecvTimeoutError>) -> io::Result<Answer> {
    let until = Instant::now() + TIME;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let line = next(left).map_err(|error| match error {
            RecvTimeoutError::Timeout => io::Error::from(io::ErrorKind::TimedOut),
            RecvTimeoutError::Disconnected => io::Error::other("it ended without an answer"),
        })?;
        let Ok(mut message) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        if message.get("id") != Some(&json!(2)) {
            continue;
        }
        if let Some(error) = message.get("error") {
            let says = error.get("message").and_then(Value::as_str).unwrap_or("an error");
            return Err(io::Error::other(says.to_owned()));
        }
        return serde_json::from_value(message["result"].take()).map_err(io::Error::other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hooks: &Value, expect: Outcome, says: &str) {
        let line =
            json!({ "id": 2, "result": { "data": [{ "cwd": "/x", "hooks": hooks, "warnings": [], "errors": [] }] } });
        let mut lines = vec![
            json!({ "id": 1, "result": {} }).to_string(),
            "noise".to_owned(),
            line.to_string(),
        ]
        .into_iter();
        let answer = wait(|_| lines.next().ok_or(RecvTimeoutError::Disconnected)).expect("an answer");
        let findings = judge(&answer, true);
        let [finding] = &findings[..] else {
            panic!("{findings:?}")
        };
        assert_eq!(finding.state, expect, "{finding:?}");
        assert!(finding.what.contains(says), "{finding:?}");
    }

    #[test]
    fn what_codex_complains_of_is_the_reason_why_it_sees_no_hook() {
        let answer = json!({"data": [{"hooks": [], "warnings": ["failed to parse hooks config"],
            "errors": [{"path": "/x", "message": "unknown variant"}]}]});
        let findings = judge(&serde_json::from_value(answer).expect("an answer"), false);
        let said: Vec<_> = findings
            .iter()
            .map(|finding| (finding.check.as_str(), finding.state))
            .collect();
        assert_eq!(
            said,
            [("codex-says", Outcome::Fail), ("codex-says", Outcome::Fail)],
            "{findings:?}"
        );
        assert!(findings[0].what.contains("unknown variant"));
        let answer = json!({"data": [{"warnings": ["two places"],
            "hooks": [{"eventName": "stop", "command": "/x/countersign hook codex", "trustStatus": "trusted"}]}]});
        let findings = judge(&serde_json::from_value(answer).expect("an answer"), false);
        let said: Vec<_> = findings
            .iter()
            .map(|finding| (finding.check.as_str(), finding.state))
            .collect();
        assert_eq!(
            said,
            [("codex-says", Outcome::Warn), ("trust", Outcome::Ok)],
            "{findings:?}"
        );
    }

    #[test]
    fn what_codex_says_of_trust_is_told_in_words() {
        let hook = |trust: &str, enabled: bool| json!({ "eventName": "stop", "command": "/x/countersign hook codex", "enabled": enabled, "trustStatus": trust });
        check(&json!([]), Outcome::Fail, "no hook");
        check(
            &json!([hook("trusted", true), hook("untrusted", true)]),
            Outcome::Fail,
            "1 of 2",
        );
        check(&json!([hook("modified", true)]), Outcome::Fail, "1 of 1");
        check(&json!([hook("trusted", false)]), Outcome::Fail, "switched off");
        check(
            &json!([hook("trusted", true), hook("managed", true)]),
            Outcome::Ok,
            "all 2",
        );
        check(
            &json!([{ "eventName": "stop", "command": "other", "trustStatus": "trusted" }]),
            Outcome::Fail,
            "no hook",
        );
    }

    #[test]
    fn an_older_codex_that_knows_no_hooks_list_is_no_answer() {
        let mut lines =
            vec![json!({ "id": 2, "error": { "code": -32601, "message": "unknown method" } }).to_string()].into_iter();
        let error = wait(|_| lines.next().ok_or(RecvTimeoutError::Disconnected))
            .err()
            .expect("an error");
        assert_eq!(error.to_string(), "unknown method");
    }
}
