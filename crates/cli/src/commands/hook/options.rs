//! How `countersign hook` is called. Agents run it at every tool call, so what they write is read here by hand; whatever is not
//! understood at once (help and mistakes among it) is left to the command line's own parser.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use countersign_agents::absent::WhenAbsent;
use countersign_agents::hook::Agent;

use crate::environment::from_env;
use crate::hub::{Address, Place};

const HELP: &str = "\
Agents run this at their hooks: it reads the hook's JSON on standard input, hands it to the hub, waits where a person decides, and
prints what the agent expects. `countersign connect` writes it into an agent's settings.

While no hub is there, a question is answered as --when-absent says:
  ask    nothing is printed, so that the agent asks in its own way (the default)
  deny   no
  allow  yes, with nobody asked
Without --when-absent, COUNTERSIGN_WHEN_ABSENT counts, then `when_absent` under [hooks] in the configuration of the hub that ran last on
the data folder. What only tells something never fails and prints nothing; it is kept in the data folder's `spool` until a hub is there.

Exit code: 0, whatever was decided; 64 when the command line makes no sense.

Examples:
  countersign hook claude-code < hook.json
  countersign hook codex --when-absent deny
  countersign hook codex notify '{\"type\":\"agent-turn-complete\"}'";

/// Reads the name of an agent.
pub(crate) fn agent() -> impl TypedValueParser<Value = Agent> {
    let names = PossibleValuesParser::new(Agent::ALL.map(Agent::name));
    names.map(|name| Agent::parse(&name).unwrap_or(Agent::ClaudeCode))
}

/// Hand a hook of Claude Code or Codex to the hub, and print the answer (agents run this)
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Whose hook it is
    #[arg(value_parser = agent())]
    agent: Agent,
    /// Codex's `notify`: what happened is the last argument, not on standard input
    #[arg(value_parser = ["notify"], requires = "json")]
    notify: Option<String>,
    /// What Codex appends to the command of its `notify`
    #[arg(value_name = "JSON", allow_hyphen_values = true)]
    json: Option<String>,
    /// The hub's address, as with --url [env: COUNTERSIGN_HUB]
    #[arg(long, value_name = "URL", conflicts_with = "url", help_heading = "The hub")]
    hub: Option<Address>,
    /// A file with a token to show the hub
    #[arg(long, value_name = "FILE", conflicts_with = "token", help_heading = "The hub")]
    token_file: Option<PathBuf>,
    /// How a question is answered while no hub is there: ask, deny or allow [env: COUNTERSIGN_WHEN_ABSENT]
    #[arg(long, value_name = "POLICY")]
    when_absent: Option<WhenAbsent>,
    /// Say on standard error what went wrong
    #[arg(long)]
    verbose: bool,
}

/// How it is called.
#[derive(Debug)]
pub(crate) struct Options {
    pub(super) agent: Agent,
    pub(super) notify: Option<String>,
    pub(super) place: Place,
    pub(super) token_file: Option<PathBuf>,
    pub(super) when_absent: Option<WhenAbsent>,
    pub(super) verbose: bool,
}

impl Arguments {
    /// The same, with the hub that the command line as a whole names.
    pub(crate) fn options(self, mut place: Place) -> Options {
        place.url = self.hub.or(place.url);
        Options {
            agent: self.agent,
            notify: self.json,
            place,
            token_file: self.token_file,
            when_absent: self.when_absent,
            verbose: self.verbose,
        }
        .with_environment()
    }
}

impl Options {
    /// What stands behind `countersign hook`; `None` when that is not plain.
    pub(crate) fn quick(words: &[OsString]) -> Option<Self> {
        let mut words = words.iter().map(|word| word.to_str());
        let agent = Agent::parse(words.next()??)?;
        let mut options = Self {
            agent,
            notify: None,
            place: Place {
                url: None,
                data_dir: PathBuf::new(),
                data_dir_given: false,
                token: None,
            },
            token_file: None,
            when_absent: None,
            verbose: false,
        };
        while let Some(word) = words.next() {
            let word = word?;
            let (name, mut joined) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value)),
                _ => (word, None),
            };
            let mut value = || joined.take().or_else(|| words.next().flatten());
            match name {
                "--hub" | "--url" if options.place.url.is_none() => options.place.url = Some(value()?.parse().ok()?),
                "--data-dir" if !options.place.data_dir_given => {
                    options.place.data_dir = value()?.into();
                    options.place.data_dir_given = true;
                }
                "--token" if options.place.token.is_none() => options.place.token = Some(value()?.to_owned()),
                "--token-file" if options.token_file.is_none() => options.token_file = Some(value()?.into()),
                "--when-absent" if options.when_absent.is_none() => {
                    options.when_absent = Some(value()?.parse().ok()?);
                }
                "--verbose" if joined.is_none() => options.verbose = true,
                "notify" if options.notify.is_none() => options.notify = Some(words.next()??.to_owned()),
                _ => return None,
            }
        }
        let ambiguous = options.place.token.is_some() && options.token_file.is_some();
        (!ambiguous).then(|| options.with_environment())
    }

    /// What the command line does not say.
    fn with_environment(mut self) -> Self {
        let place = &mut self.place;
        let mut odd = Vec::new();
        for name in ["COUNTERSIGN_HUB", "COUNTERSIGN_URL"] {
            if place.url.is_none()
                && let Some(text) = from_env(name)
            {
                match text.parse() {
                    Ok(url) => place.url = Some(url),
                    Err(error) => odd.push(format!("{name}: {error}, not {text:?}")),
                }
            }
        }
        if !place.data_dir_given {
            place.data_dir = countersign_server::default_data_dir();
        }
        if place.token.is_none() && self.token_file.is_none() {
            place.token = from_env("COUNTERSIGN_TOKEN");
        }
        if self.when_absent.is_none()
            && let Some(text) = from_env("COUNTERSIGN_WHEN_ABSENT")
        {
            // A person is asked, then: by the agent.
            self.when_absent = Some(text.parse().unwrap_or_else(|error| {
                odd.push(format!("COUNTERSIGN_WHEN_ABSENT {error}"));
                WhenAbsent::Ask
            }));
        }
        for line in odd {
            // An agent goes on whatever its environment says.
            crate::output::say(&format!("countersign: {line}"));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quick(line: &str) -> Option<Options> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Options::quick(&words)
    }

    #[test]
    fn what_agents_are_given_is_read_at_once() {
        let options = quick("claude-code").expect("plain");
        assert_eq!((options.agent, options.when_absent), (Agent::ClaudeCode, None));
        let options =
            quick("codex --hub http://127.0.0.1:9 --data-dir /d --when-absent=deny --verbose").expect("plain");
        assert_eq!(options.agent, Agent::Codex);
        assert_eq!(options.place.url.expect("given").authority(), "127.0.0.1:9");
        assert_eq!(options.place.data_dir, PathBuf::from("/d"));
        assert!(options.verbose && options.place.data_dir_given);
        assert_eq!(options.when_absent, Some(WhenAbsent::Deny));
        let options = quick("codex notify {\"type\":\"x\"}").expect("plain");
        assert_eq!(options.notify.as_deref(), Some("{\"type\":\"x\"}"));
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_parser_that_explains() {
        for line in [
            "",
            "cursor",
            "claude-code --help",
            "claude-code extra",
            "claude-code --hub",
            "claude-code --hub https://x",
            "claude-code --when-absent maybe",
            "claude-code --verbose=yes",
            "claude-code --token a --token b",
            "claude-code --token a --token-file b",
            "codex notify",
        ] {
            assert!(quick(line).is_none(), "{line}");
        }
    }
}
