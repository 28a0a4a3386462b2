//! Events that are sent as the hooks in the settings would send them, and looked for in the hub's log.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use countersign_agents::settings::{Entry, Http};
use countersign_hub::random_hex;
use countersign_model::{Finding, Outcome};
use serde_json::json;

use super::super::child;
use super::connected::{Connected, chosen, connect_with};
use super::posting::{self, Reply};
use super::{Examined, Wanted};

/// How long a probe may take to the log.
pub(super) const PROBE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);
/// The variable that Claude Code is told to take a token from.
const TOKEN_VARIABLE: &str = "COUNTERSIGN_TOKEN";

impl Examined<'_> {
    /// Sends an event through the program that the hooks run, and waits to see it in the log.
    pub(super) fn probe(&self, program: &str, entry: &Entry) -> Finding {
        let agent = self.doctor.scope.agent;
        let fail = |what: String| {
            let advice = format!("Run `echo '{{}}' | {} --verbose` and see what it says.", entry.runs);
            Finding::fail("probe", what, advice)
        };
        let Some(arguments) = chosen(entry, agent) else {
            return Finding::warn(
                "probe",
                "the hooks' command was changed by hand, so it is not tried",
                "Connect again if events do not arrive.",
            );
        };
        let (session, hook) = self.hook();
        let mut command = Command::new(program);
        command.args(["hook", agent.name()]).args(arguments);
        if let Err(error) = child::output(command, hook.as_bytes(), PROBE) {
            return fail(format!("{program} could not be run: {error}"));
        }
        match self.arrives(&session, PROBE) {
            Ok(true) => Finding::ok("probe", "a probe event arrived in the hub's log"),
            Ok(false) => fail("a probe event did not arrive; the hooks may speak to another hub".to_owned()),
            Err(why) => fail(why),
        }
    }

    /// A hook that tells of nothing but itself, and its session.
    fn hook(&self) -> (String, String) {
        let session = format!("countersign-probe-{}", random_hex(8));
        let cwd = &self.doctor.around.home;
        let hook = json!({ "hook_event_name": "Probe", "session_id": session, "cwd": cwd });
        (session, hook.to_string())
    }

    /// Whether something of this session comes into the log within that time.
    pub(super) fn arrives(&self, session: &str, within: Duration) -> Result<bool, String> {
        let until = Instant::now() + within;
        loop {
            match self.hub.has(self.doctor.scope.agent.name(), session) {
                Ok(true) => return Ok(true),
                Err(why) => return Err(format!("the hub did not say whether a probe event arrived: {why}")),
                Ok(false) if Instant::now() >= until => return Ok(false),
                Ok(false) => thread::sleep(LOOK),
            }
        }
    }

    /// Posts an event as the HTTP hooks do; what is wrong with the address or the token is put right where that is wanted.
    pub(super) fn posts(&self, connected: &Connected, entry: &Entry, found: &mut Vec<Finding>) {
        let first = self.post(connected, entry);
        let (Some(now), Some(http), Some(better)) = (&self.doctor.fix, entry.http(), first.better) else {
            return found.push(first.finding);
        };
        let http = Http {
            url: format!(
                "{}/hooks/{}",
                self.url.trim_end_matches('/'),
                self.doctor.scope.agent.name()
            ),
            token_variable: better.token.or(http.token_variable),
        };
        let wanted = Wanted {
            http: Some(Some(http)),
            ..connected.wanted()
        };
        match connect_with(self.doctor, &wanted, now) {
            Ok((fixed, again)) => {
                found.extend(fixed);
                match again.posted() {
                    Some(entry) => found.push(self.post(&again, entry).finding),
                    None => found.push(first.finding),
                }
            }
            Err(error) => found.extend([first.finding, super::unreadable(&error)]),
        }
    }

    fn post(&self, connected: &Connected, entry: &Entry) -> Posted {
        let url = &entry.runs;
        let moved = |what: String| Posted {
            finding: Finding::fail(
                "http",
                what,
                format!(
                    "Connect again to the hub at {}: `countersign connect {} --http`.",
                    self.url,
                    self.doctor.scope.agent.name()
                ),
            ),
            better: Some(Better { token: None }),
        };
        if !url.starts_with("http://") {
            let what = format!("HTTP hooks go to {url}; over TLS it is not tried whether they arrive");
            let advice = "Start a session and see whether it is shown.";
            return Finding::warn("http", what, advice).into();
        }
        let variable = |name: &str| connected.variable(name).or_else(|| std::env::var(name).ok());
        let (session, hook) = self.hook();
        match posting::post(url, &entry.sent(variable), &hook) {
            Err(error) => moved(format!("HTTP hooks go to {url}, where nobody answers ({error})")),
            Ok(Reply { hub: false, .. }) => moved(format!("HTTP hooks go to {url}, where another program answers")),
            Ok(Reply { status: 401 | 403, .. }) => self.refused(connected, entry),
            Ok(Reply { status: 200..300, .. }) => match self.arrives(&session, PROBE) {
                Ok(true) => Finding::ok("http", format!("a probe event arrived through {url}")).into(),
                Ok(false) => moved(format!("HTTP hooks go to {url}, which is another hub's address")),
                Err(why) => moved(why),
            },
            Ok(Reply { status, .. }) => moved(format!("the hub at {url} answers hooks with HTTP status {status}")),
        }
    }

    fn refused(&self, connected: &Connected, entry: &Entry) -> Posted {
        let how = format!(
            "Set it where you start claude: `export {TOKEN_VARIABLE}=$(countersign token create --role agent --ttl 30d | tail -n 1)`."
        );
        let variable = entry.http().and_then(|http| http.token_variable);
        let Some(name) = variable else {
            let what = "the hub refuses HTTP hooks: they bring no token, or one that is not valid";
            let advice = format!(
                "Connect again, so that they take one from {TOKEN_VARIABLE}: `countersign connect {} --http`. {how}",
                self.doctor.scope.agent.name()
            );
            let token = Some(TOKEN_VARIABLE.to_owned());
            return Posted {
                finding: Finding::fail("http", what, advice),
                better: Some(Better { token }),
            };
        };
        let how = how.replace(TOKEN_VARIABLE, &name);
        if connected.variable(&name).is_some() || std::env::var_os(&name).is_some() {
            let what = format!("the hub refuses the token in {name}, which HTTP hooks bring");
            return Finding::fail("http", what, how).into();
        }
        let what = format!("HTTP hooks bring the hub a token from {name}, which is not set here");
        // Whoever starts claude may have it set, where nobody asks from a shell.
        let state = match self.doctor.around.here {
            Some(_) => Outcome::Fail,
            None => Outcome::Warn,
        };
        Finding {
            state,
            ..Finding::fail("http", what, how)
        }
        .into()
    }
}

/// What came of a POST, and what would be better.
struct Posted {
    finding: Finding,
    better: Option<Better>,
}

struct Better {
    /// The variable to take a token from.
    token: Option<String>,
}

impl From<Finding> for Posted {
    fn from(finding: Finding) -> Self {
        Self { finding, better: None }
    }
}
