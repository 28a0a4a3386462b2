//! Where things are on this machine: the agents' programs and settings, and the program of ours that their hooks run.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_agents::hook::Agent;
use countersign_agents::settings::registered;
use countersign_model::Finding;

use super::child;

/// How long a program may take to say its version.
const VERSION: Duration = Duration::from_secs(10);

/// The surroundings that decide where things are.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The person's home folder.
    pub home: PathBuf,
    /// `CLAUDE_CONFIG_DIR`.
    pub claude: Option<PathBuf>,
    /// `CODEX_HOME`.
    pub codex: Option<PathBuf>,
    /// `PATH`.
    pub path: OsString,
    /// The program that runs this.
    pub running: Option<PathBuf>,
    /// The folder that a person asks from, whose project may have a say; `None` where nobody is in one.
    pub here: Option<PathBuf>,
    /// The folder with what an administrator settles for Claude Code (code.claude.com/docs/en/settings).
    pub managed: PathBuf,
    /// The file with what an administrator demands of Codex (developers.openai.com/codex/enterprise/managed-configuration).
    pub requirements: PathBuf,
    /// Versions that programs have said.
    pub(super) versions: Arc<Mutex<HashMap<PathBuf, Option<String>>>>,
}

impl Surroundings {
    /// Those of this process; `None` when it has no home.
    #[must_use]
    pub fn here() -> Option<Self> {
        let folder = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Some(Self {
            home: std::env::home_dir().filter(|home| !home.as_os_str().is_empty())?,
            claude: folder("CLAUDE_CONFIG_DIR"),
            codex: folder("CODEX_HOME"),
            path: std::env::var_os("PATH").unwrap_or_default(),
            running: std::env::current_exe().ok(),
            here: None,
            managed: managed(),
            requirements: requirements(),
            versions: Arc::default(),
        })
    }

    /// The same, asked from this process's folder.
    #[must_use]
    pub fn from_here(mut self) -> Self {
        self.here = std::env::current_dir().ok();
        self
    }

    /// The folder with an agent's settings: the person's own, or a project's.
    pub(super) fn folder(&self, agent: Agent, project: Option<&Path>) -> PathBuf {
        let name = match agent {
            Agent::ClaudeCode => ".claude",
            Agent::Codex => ".codex",
        };
        let own = match agent {
            Agent::ClaudeCode => &self.claude,
            Agent::Codex => &self.codex,
        };
        match (project, own) {
            (Some(project), _) => project.join(name),
            (None, Some(folder)) => folder.clone(),
            (None, None) => self.home.join(name),
        }
    }

    /// An agent's program: on the path, or where its installers put it.
    #[must_use]
    pub fn agent(&self, agent: Agent) -> Option<PathBuf> {
        let usual = [
            ".local/bin",
            ".claude/local",
            ".npm-global/bin",
            ".bun/bin",
            ".volta/bin",
        ]
        .map(|folder| self.home.join(folder));
        let system = ["/opt/homebrew/bin", "/usr/local/bin"].map(PathBuf::from);
        self.find(agent.program(), usual.into_iter().chain(system))
    }

    /// The version of an agent's program, where it is there and says one.
    pub(super) fn agent_version(&self, agent: Agent) -> Option<String> {
        self.version(&self.agent(agent)?)
    }

    /// Said when an agent is connected that is not there, or that does not know all events.
    pub(super) fn not_installed(&self, agent: Agent, version: Option<&str>) -> Option<Finding> {
        if self.agent(agent).is_none() {
            return Some(Finding::warn(
                "agent",
                format!("`{}` is not on the path", agent.program()),
                format!("Install {}, or look whether the path leads to it.", agent.title()),
            ));
        }
        let left_out: Vec<&str> = registered(agent, None)
            .filter(|event| !registered(agent, version).any(|known| known == *event))
            .collect();
        (!left_out.is_empty()).then(|| {
            Finding::warn(
                "version",
                format!(
                    "{} {} is older than some events, which were left out: {}",
                    agent.title(),
                    version.unwrap_or_default(),
                    left_out.join(", ")
                ),
                format!("Update {}, and connect again.", agent.title()),
            )
        })
    }

    fn find(&self, name: &str, more: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
        let names = if cfg!(windows) {
            vec![format!("{name}.exe"), format!("{name}.cmd")]
        } else {
            vec![name.to_owned()]
        };
        std::env::split_paths(&self.path)
            .filter(|folder| folder.is_absolute())
            .chain(more)
            .flat_map(|folder| names.iter().map(move |name| folder.join(name)).collect::<Vec<_>>())
            .find(|path| is_program(path))
    }

    /// The `countersign` that hooks run: this very program, the one beside the desktop app, or the one on the path.
    #[must_use]
    pub fn own(&self) -> Option<PathBuf> {
        let name = if cfg!(windows) {
            "countersign.exe"
        } else {
            "countersign"
        };
        let running = self.running.as_ref().and_then(|path| path.canonicalize().ok());
        let beside = running.and_then(|path| {
            let beside = path.with_file_name(name);
            is_program(&beside).then_some(beside)
        });
        beside.or_else(|| self.find("countersign", []).and_then(|path| path.canonicalize().ok()))
    }

    /// Said when what runs has another name than hooks are known by, and so another program is what they run.
    pub(super) fn other_name(&self, program: &Path) -> Option<Finding> {
        let running = self.running.as_ref()?;
        let name = running.file_stem()?.to_string_lossy().to_ascii_lowercase();
        if matches!(name.as_str(), "countersign" | "countersign-desktop") {
            return None;
        }
        Some(Finding::warn(
            "program",
            format!("the hooks run {}, not {}", program.display(), running.display()),
            "Hooks are known as Countersign's by the program's name: give it the name countersign, and connect again with it.",
        ))
    }

    /// The version that an agent's program says: the first word of digits and dots.
    #[must_use]
    pub fn version(&self, program: &Path) -> Option<String> {
        let mut known = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        // One that hangs is waited for once.
        known.entry(program.to_owned()).or_insert_with(|| said(program)).clone()
    }
}

fn said(program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    let text = child::output(command, &[], VERSION).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut words = text.split_whitespace();
    let version = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))?;
    Some(version.chars().take(40).collect())
}

fn managed() -> PathBuf {
    PathBuf::from(if cfg!(target_os = "macos") {
        "/Library/Application Support/ClaudeCode"
    } else if cfg!(windows) {
        r"C:\Program Files\ClaudeCode"
    } else {
        "/etc/claude-code"
    })
}

fn requirements() -> PathBuf {
    if cfg!(windows) {
        let data = std::env::var_os("ProgramData").unwrap_or_else(|| r"C:\ProgramData".into());
        PathBuf::from(data).join(r"OpenAI\Codex\requirements.toml")
    } else {
        PathBuf::from("/etc/codex/requirements.toml")
    }
}

/// Whether a file is there that can be run.
pub(super) fn is_program(path: &Path) -> bool {
    let Ok(file) = path.metadata() else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.is_file() && file.permissions().mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    file.is_file()
}

/// Why a program's path will not be there for long, if so.
pub(super) fn short_lived(program: &Path) -> Option<&'static str> {
    let parts: Vec<_> = program
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    let built = parts
        .windows(2)
        .any(|pair| pair[0] == "target" && matches!(&*pair[1], "debug" | "release"));
    if built {
        Some("it is in a build folder, which the next build or clean-up changes")
    } else if program.starts_with(std::env::temp_dir()) || program.starts_with("/tmp") {
        Some("it is in a folder for temporary files")
    } else {
        None
    }
}
