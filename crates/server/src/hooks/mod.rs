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
use std::time::Duration;

use calls::Calls;
use countersign_agents::gate::Rule;
use countersign_agents::otlp::{Claims, Teller};
use countersign_hub::Hub;
use countersign_model::{NewEvent, kind};
use journal::Journal;
use tokio::sync::watch;

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
    /// Calls that hooks or telemetry told of.
    pub(crate) claims: Arc<Claims>,
    /// Whether what hooks left to a hub that was not there is in the log.
    taken_up: Arc<watch::Sender<bool>>,
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

    /// An event about a call, as what it is beside what telemetry may have told of the same call: then it begins no second one, nor
    /// ends it twice.
    fn about_call(&self, mut event: NewEvent, call: Option<&str>) -> NewEvent {
        let tells = matches!(&*event.kind, kind::TOOL_CALL_START | kind::TOOL_CALL_END);
        if let (true, Some(call)) = (tells, call)
            && self.claims.claim(&event.agent, call, Teller::Hooks) == Teller::Telemetry
        {
            event.kind = kind::TOOL_TELEMETRY.into();
        }
        event
    }

    /// Waits, not for long, until what hooks left is in the log: it happened before whatever comes now.
    pub(crate) async fn taken_up(&self, patience: Duration) {
        let mut taken = self.taken_up.subscribe();
        let _ = tokio::time::timeout(patience, taken.wait_for(|taken| *taken)).await;
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

    /// Telemetry says that a person has answered about this call in the terminal: a question that waits for it is taken back.
    pub(crate) fn answered_elsewhere(&self, hub: &Hub, call: &str, allowed: bool) {
        let asking = self.about();
        let about: Vec<_> = asking.iter().filter(|(_, asked)| *asked == call).collect();
        let ids: Vec<_> = about.into_iter().map(|(id, _)| id.clone()).collect();
        drop(asking);
        for id in ids {
            hub.cancel(
                &id,
                if allowed {
                    elsewhere::ALLOWED
                } else {
                    elsewhere::REFUSED
                },
            );
        }
    }

    /// The approval waits no longer.
    fn answered(&self, approval: &str) {
        self.about().remove(approval);
    }
}
