//! Who tells of a call: its hooks or telemetry, whichever was first. What the other says of it then adds to it and begins no second one.

use std::sync::{Mutex, PoisonError};

use super::memory::{Key, Memory};

/// Who was the first to tell of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// The agent's hooks.
    Hooks,
    /// OpenTelemetry.
    Telemetry,
}

/// The calls that were told of, bounded. Shared by those who tell: each asks before it does.
#[derive(Debug, Default)]
pub struct Claims(Mutex<Memory<Teller>>);

impl Claims {
    /// Claims an agent's call of this id, unless it is claimed already; who has it now.
    pub fn claim(&self, agent: &str, call: &str, teller: Teller) -> Teller {
        let key: Key = (agent.into(), call.into());
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = memory.get(&key) {
            return *first;
        }
        memory.put(key, teller);
        teller
    }

    /// Who told of the call, if anybody did.
    pub(super) fn of(&self, agent: &str, call: &str) -> Option<Teller> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memory.get(&(agent.into(), call.into())).copied()
    }
}
