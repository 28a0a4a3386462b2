//! SAM's four `broadcast_*` switches: which kinds go out on the wire. The log and the window have them all the same.

use countersign_model::kind;

/// Which groups of kinds are broadcast; all, unless switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// `tool_call_start`, `tool_call_end`, `tool_call_result`.
    pub tool_calls: bool,
    /// `system2_intervention`.
    pub system2: bool,
    /// `system3_evaluation`, `system3_intervention`.
    pub system3: bool,
    /// `autonomous_activity`.
    pub autonomous: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            tool_calls: true,
            system2: true,
            system3: true,
            autonomous: true,
        }
    }
}

impl Switches {
    /// Whether events of this kind go out.
    pub fn allow(&self, kind: &str) -> bool {
        match kind {
            kind::TOOL_CALL_START | kind::TOOL_CALL_END | kind::TOOL_CALL_RESULT => self.tool_calls,
            kind::SYSTEM2_INTERVENTION => self.system2,
            kind::SYSTEM3_EVALUATION | kind::SYSTEM3_INTERVENTION => self.system3,
            kind::AUTONOMOUS_ACTIVITY => self.autonomous,
            _ => true,
        }
    }
}
