//! A hook as Claude Code and Codex give it: one JSON object, whose `hook_event_name` says what happened. Both agents use the same
//! names; what only one of them does is in its own folder, and in [`crate::quirks`].

mod data;
mod read;

use std::sync::Arc;

use countersign_model::{Json, SessionKey, canonical, empty_object};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use data::About;
pub(crate) use data::snake_case;
pub use read::{HookError, PROBE_SESSIONS};
pub(crate) use read::{from_fields, object, text_of, wrong};

use crate::{claude, codex, quirks};

/// Whose hook it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agent {
    /// Claude Code.
    ClaudeCode,
    /// Codex.
    Codex,
}

impl Agent {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::ClaudeCode, Self::Codex];

    /// Its name in addresses, on the command line and in events.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
        }
    }

    /// The agent of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|agent| agent.name() == name)
    }

    /// Reads what the agent gave its hook.
    ///
    /// # Errors
    /// When it is no hook; the error says what is missing.
    pub fn decode(self, text: &str) -> Result<Hook, HookError> {
        match self {
            Self::ClaudeCode => read::hook(self, text),
            Self::Codex => codex::decode(text),
        }
    }

    /// What the hook prints, in this agent's own form; `None` where it has nothing to say.
    pub fn encode(self, answer: &Answer) -> Option<String> {
        match self {
            Self::ClaudeCode => claude::encode(answer),
            Self::Codex => codex::encode(answer),
        }
    }
}

/// What is said to an agent, in nobody's form yet.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To a `PermissionRequest`: the call may run.
    Permit {
        /// Other arguments to run with.
        arguments: Option<Json>,
        /// Entries of `permission_suggestions` that the agent keeps, as it gave them.
        grants: Vec<Json>,
    },
    /// To a `PermissionRequest`: the call may not run.
    Refuse {
        /// Why.
        message: String,
        /// Whether the run ends.
        stop: bool,
    },
    /// To a `PreToolUse`: the call may run without the agent asking for itself.
    Allow {
        /// Why.
        reason: String,
        /// Other arguments to run with.
        arguments: Option<Json>,
    },
    /// To a `PreToolUse`: the agent asks its person, whatever its own permissions say.
    Ask {
        /// Why.
        reason: String,
    },
    /// To a `PreToolUse`: the call may not run.
    Deny {
        /// Why.
        reason: String,
        /// Whether the run ends.
        stop: bool,
    },
    /// To a `UserPromptSubmit`: the session is stopped.
    Block {
        /// Why.
        reason: String,
    },
    /// To what comes after a call: the run ends here.
    Halt {
        /// Why.
        reason: String,
    },
}

/// What a hook is to the hub, beside an event for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing more.
    Tells,
    /// A person's words are about to go to the model.
    Prompt,
    /// A call is about to run.
    BeforeTool,
    /// A call needs a person's consent.
    Permission,
    /// A call has run, or failed, or was denied by the agent itself.
    AfterTool,
    /// All calls of one answer of the model are over.
    AfterBatch,
    /// The agent waits for its person again.
    TurnOver,
    /// The session is over.
    SessionOver,
}

/// A hook that was read.
#[derive(Debug)]
pub struct Hook {
    /// Whose.
    pub agent: Agent,
    /// The agent's name for what happened: `PreToolUse`.
    pub name: String,
    /// What it is to the hub.
    pub phase: Phase,
    /// The session that it is about: a subagent's is its parent's, a slash, and the subagent's id.
    pub session: Arc<str>,
    /// The session that started this subagent.
    pub parent: Option<Arc<str>>,
    /// The tool, where there is one.
    pub tool: Option<String>,
    /// What the tool runs with, where there is one.
    pub arguments: Option<Json>,
    /// The call's id; a `PermissionRequest` has none.
    pub call_id: Option<String>,
    /// Where the agent works.
    pub cwd: Option<String>,
    /// The turn, where the agent names it.
    pub turn: Option<String>,
    /// All fields, in their order.
    fields: Vec<(String, Json)>,
}

impl Hook {
    /// The session's key.
    pub fn key(&self) -> SessionKey {
        self.key_of(&self.session)
    }

    /// The key of the session that started this subagent.
    pub fn parent_key(&self) -> Option<SessionKey> {
        self.parent.as_ref().map(|parent| self.key_of(parent))
    }

    fn key_of(&self, session: &Arc<str>) -> SessionKey {
        SessionKey {
            agent: self.agent.name().into(),
            session: session.clone(),
        }
    }

    /// What the tool runs with; `{}` where nothing was said.
    pub fn input(&self) -> Json {
        self.arguments.clone().unwrap_or_else(empty_object)
    }

    /// Names the call by what it runs, wherever: a question and the call that it is about have the same, as have two calls that do the
    /// same. `None` when the arguments are ambiguous.
    pub fn call_digest(&self) -> Option<String> {
        let arguments = quirks::call_arguments(self.agent, &self.name, self.input());
        canonical::digest(self.tool.as_deref()?, &arguments, None).ok()
    }

    /// Names what a question about this call would bind, asked in that folder.
    pub fn digest_at(&self, cwd: Option<&str>) -> Option<String> {
        canonical::digest(self.tool.as_deref()?, &self.input(), cwd).ok()
    }

    /// A field as it came.
    pub fn field(&self, name: &str) -> Option<&Json> {
        self.fields
            .iter()
            .find_map(|(field, value)| (field == name).then_some(value))
    }

    /// A field that is text.
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.field(name)?.get()).ok()
    }

    /// The calls of a `PostToolBatch`: id, tool, and what the agent was told, in words.
    pub fn batch(&self) -> Vec<(String, String, Option<String>)> {
        let calls = self.field("tool_calls").map(|calls| serde_json::from_str(calls.get()));
        let Some(Ok(Value::Array(calls))) = calls else {
            return Vec::new();
        };
        let text = |call: &Value, name: &str| call.get(name)?.as_str().map(str::to_owned);
        calls
            .iter()
            .filter_map(|call| {
                let told = call.get("tool_response").filter(|told| !told.is_null());
                let told = told.map(|told| told.as_str().map_or_else(|| told.to_string(), str::to_owned));
                Some((text(call, "tool_use_id")?, text(call, "tool_name")?, told))
            })
            .collect()
    }
}
