//! The settings files through which agents are connected, as text in and text out: what is not ours stays byte for byte, twice is
//! once, and connecting and disconnecting gives the file back. Files, backups and the programs' whereabouts are others'.

mod address;
mod claude;
mod command;
mod conflicts;
mod env;
mod hooks;
mod shape;
#[cfg(test)]
mod tests;
mod text;
mod toml;

pub use claude::{Level, Rank};
pub use command::{Shell, command_line, our_arguments, our_program};
pub use conflicts::{Beside, look};
pub use hooks::Entry;

use text::{Text, newline, parse};

use crate::hook::Agent;

impl Agent {
    /// Its name as its makers write it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::ClaudeCode => "Claude Code",
            Self::Codex => "Codex",
        }
    }

    /// The program that a person starts.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude",
            Self::Codex => "codex",
        }
    }
}

/// Bytes of a settings file at most; a larger one is left alone.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
const BOM: char = '\u{feff}';

/// What a connection is to be like.
#[derive(Clone, Debug)]
pub struct Wish {
    /// What the agent runs: [`command_line`].
    pub command: String,
    /// HTTP hooks instead, for the events that may have one (Claude Code).
    pub http: Option<Http>,
    /// Usage and cost: `Some(Some(URL))` tells them to the hub there, `Some(None)` stops that, `None` leaves it.
    pub telemetry: Option<Option<String>>,
    /// The agent's version, which decides what events it knows.
    pub version: Option<String>,
}

/// An address that takes hooks.
#[derive(Clone, Debug)]
pub struct Http {
    /// `http://127.0.0.1:8765/hooks/claude-code`.
    pub url: String,
    /// The environment variable that has the token, where one is needed. The token itself is not written into settings.
    pub token_variable: Option<String>,
}

/// A settings file; which kind decides how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `settings.json` of Claude Code: hooks and environment.
    ClaudeSettings,
    /// `hooks.json` of Codex: hooks alone.
    CodexHooks,
    /// `config.toml` of Codex; `true` when its hooks belong there.
    CodexConfig(bool),
}

/// A place in a settings file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct Unreadable {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong there.
    pub what: String,
}

impl Unreadable {
    pub(crate) fn at(text: &str, place: usize, what: String) -> Self {
        let before = text.get(..place).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            what,
        }
    }
}

/// Why a file is left alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It cannot be read as settings.
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    /// It is not text, or too long to be settings.
    #[error("{0}")]
    NoText(&'static str),
    /// It has more entries of ours than anybody registers.
    #[error("it has more entries of Countersign's than there are events many times over")]
    TooMany,
    /// Telemetry goes elsewhere; these settings say so.
    #[error("telemetry is set up already ({}); Countersign leaves it as it is", .0.join(", "))]
    OtherTelemetry(Vec<String>),
    /// What was put in could not be taken out again to the byte.
    #[error("the file is laid out in a way that Countersign could not restore")]
    NotReversible,
}

/// A settings file as text.
///
/// # Errors
/// When it is no UTF-8 or too long.
pub fn text_of(bytes: &[u8]) -> Result<&str, Trouble> {
    if bytes.len() > MAX_BYTES {
        return Err(Trouble::NoText("it is too long for a settings file"));
    }
    std::str::from_utf8(bytes).map_err(|_| Trouble::NoText("it is not UTF-8 text"))
}

/// The file with our entries; `None` stands for no file.
///
/// # Errors
/// When it is to be left alone.
pub fn connect(kind: Kind, file: Option<&str>, wish: &Wish) -> Result<Option<String>, Trouble> {
    let clean = disconnect(kind, file)?;
    // A file that was made for what is put in now is made anew: so it can go again.
    let made = clean.is_none() && matches!((kind, &wish.telemetry), (Kind::CodexConfig(_), Some(Some(_))));
    let connected = put_in(kind, file.filter(|_| !made), wish)?;
    // A promise that is checked each time: what we put in, we can take out.
    if disconnect(kind, connected.as_deref())? != clean {
        return Err(Trouble::NotReversible);
    }
    Ok(connected)
}

fn put_in(kind: Kind, file: Option<&str>, wish: &Wish) -> Result<Option<String>, Trouble> {
    let (bom, body) = split(file.unwrap_or_default());
    let missing = file.is_none();
    match kind {
        Kind::ClaudeSettings | Kind::CodexHooks => {
            let mut text = Text::new(body);
            let agent = kind.agent();
            if kind == Kind::ClaudeSettings && wish.telemetry == Some(None) {
                env::take_out(&mut text)?;
            }
            hooks::put_in(&mut text, agent, wish)?;
            if let (Kind::ClaudeSettings, Some(Some(endpoint))) = (kind, &wish.telemetry) {
                env::put_in(&mut text, endpoint)?;
            }
            let mut text = text.into_string();
            if missing {
                text.push_str(newline(&text));
            }
            Ok(Some(format!("{bom}{text}")))
        }
        Kind::CodexConfig(with_hooks) => {
            let mut text = body.to_owned();
            if wish.telemetry == Some(None) {
                toml::take_out_otel(&mut text)?;
            }
            if with_hooks {
                toml::put_in_hooks(&mut text, missing, &wish.command)?;
            }
            if let Some(Some(endpoint)) = &wish.telemetry {
                toml::put_in_otel(&mut text, missing, endpoint)?;
            }
            Ok((!missing || !text.is_empty()).then(|| format!("{bom}{text}")))
        }
    }
}

/// The file without our entries; `None` when it was made for them.
///
/// # Errors
/// When it is to be left alone.
pub fn disconnect(kind: Kind, file: Option<&str>) -> Result<Option<String>, Trouble> {
    let Some(file) = file else { return Ok(None) };
    let (bom, body) = split(file);
    let left = match kind {
        Kind::ClaudeSettings | Kind::CodexHooks => {
            let mut text = Text::new(body);
            if kind == Kind::ClaudeSettings {
                env::take_out(&mut text)?;
            }
            hooks::take_out(&mut text, kind.agent())?;
            let left = text.into_string();
            // A file that was made ends in a line break behind the last bracket, one that was empty before does not.
            let made = body.starts_with('{') && (left == "\n" || left == "\r\n") && bom.is_empty();
            if made { None } else { Some(left) }
        }
        Kind::CodexConfig(_) => {
            let mut text = body.to_owned();
            toml::take_out_otel(&mut text)?;
            toml::take_out_hooks(&mut text)?;
            let made = text.is_empty() && !body.is_empty() && body.ends_with('\n') && bom.is_empty();
            if made { None } else { Some(text) }
        }
    };
    Ok(left.map(|text| format!("{bom}{text}")))
}

/// The hooks that a file has.
///
/// # Errors
/// When it cannot be read as settings.
pub fn entries(kind: Kind, file: &str) -> Result<Vec<Entry>, Unreadable> {
    let (_, body) = split(file);
    match kind {
        Kind::ClaudeSettings | Kind::CodexHooks => hooks::read(body, kind.agent()),
        Kind::CodexConfig(_) => Ok(toml::read(body)?.entries),
    }
}

/// Whether Codex's hooks are written in its `config.toml`, in a form that takes ours.
///
/// # Errors
/// When it is no TOML.
pub fn has_inline_hooks(config: &str) -> Result<bool, Unreadable> {
    let config = toml::read(split(config).1)?;
    Ok(config.inline && !config.closed)
}

/// Where a file sends telemetry, and whether that is our doing.
///
/// # Errors
/// When it cannot be read as settings.
pub fn telemetry(kind: Kind, file: &str) -> Result<Option<(String, bool)>, Unreadable> {
    let (_, body) = split(file);
    match kind {
        Kind::ClaudeSettings => env::read(body),
        Kind::CodexHooks => Ok(None),
        Kind::CodexConfig(_) => Ok(toml::read(body)?.otel),
    }
}

/// A variable that a settings file of Claude Code sets for its sessions.
#[must_use]
pub fn variable(file: &str, name: &str) -> Option<String> {
    env::variable(split(file).1, name)
}

/// The events that `connect` registers for with this version of the agent; one that is not known has all of them.
pub fn registered(agent: Agent, version: Option<&str>) -> impl Iterator<Item = &'static str> {
    hooks::registered(agent, version).map(|event| event.name)
}

impl Kind {
    /// Whose it is.
    #[must_use]
    pub fn agent(self) -> Agent {
        match self {
            Self::ClaudeSettings => Agent::ClaudeCode,
            Self::CodexHooks | Self::CodexConfig(_) => Agent::Codex,
        }
    }
}

fn split(file: &str) -> (&str, &str) {
    match file.strip_prefix(BOM) {
        Some(rest) => (&file[..BOM.len_utf8()], rest),
        None => ("", file),
    }
}
