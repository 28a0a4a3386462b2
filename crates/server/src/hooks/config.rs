//! The configuration's part `[hooks]`.

use countersign_agents::absent::WhenAbsent;
use countersign_agents::gate::Rule;
use serde::Deserialize;

/// How hooks of agents are treated.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HooksConfig {
    /// What `countersign hook` answers to a question while no hub is there.
    pub when_absent: WhenAbsent,
    /// The policy for calls that are about to run.
    pub gate: Vec<Rule>,
}
