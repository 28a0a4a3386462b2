//! The hooks of Claude Code and Codex: one address an agent, whatever brings the hook there (`countersign hook`, or the agent itself
//! over HTTP). A hook that only tells is answered once its event outlives the hub; one that asks is held until somebody has decided.

mod asking;
mod calling;
mod calls;
mod config;
mod door;
mod elsewhere;
mod journal;
mod ruling;
mod spool;
mod stamp;
mod waiting;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use calls::Calls;
use countersign_agents::gate::Rule;
use journal::Journal;

pub use config::HooksConfig;
pub(crate) use door::{claude_code, codex};
pub(crate) use spool::deliver;
pub(crate) use waiting::{Asker, hold};

/// What the routes remember between hooks, for as long as the hub runs.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    gate: Arc<[Rule]>,
    calls: Arc<Mutex<Calls>>,
    /// The call that an approval is about, where only one can be meant.
    asked: Arc<Mutex<HashMap<Arc<str>, String>>>,
    journal: Arc<Journal>,
}

/// Approvals whose call is remembered at once; as many as may wait.
const MAX_ASKED: usize = 1000;

impl Hooks {
    pub(crate) fn new(gate: Vec<Rule>, data_dir: &Path) -> Self {
        Self {
            gate: gate.into(),
            journal: Arc::new(Journal::open(data_dir)),
            ..Self::default()
        }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn about(&self) -> MutexGuard<'_, HashMap<Arc<str>, String>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This approval is about that call.
    fn asks(&self, approval: &Arc<str>, call: String) {
        let mut asked = self.about();
        if asked.len() < MAX_ASKED {
            asked.insert(approval.clone(), call);
        }
    }

    /// The call that an approval is about.
    fn asked(&self, approval: &str) -> Option<String> {
        self.about().get(approval).cloned()
    }

    /// The approval waits no longer.
    fn answered(&self, approval: &str) {
        self.about().remove(approval);
    }
}
