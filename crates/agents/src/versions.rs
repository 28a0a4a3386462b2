//! Which versions of the agents' programs are known to work with Countersign.

use crate::hook::Agent;

/// What is known of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is among those that were tried.
    Works,
    /// It is older than permission hooks; the first version that has them.
    TooOld(&'static str),
    /// Between what has the hooks and what was tried, or newer than that.
    Untried,
    /// It does not look like a version.
    Odd,
}

/// Per agent: the first version with a `PermissionRequest` hook, and the oldest and the newest that were tried.
///
/// Claude Code has it since 2.0.45, Codex since 0.122 (their changelogs).
const fn versions(agent: Agent) -> (&'static str, &'static str, &'static str) {
    match agent {
        Agent::ClaudeCode => ("2.0.45", "2.1.197", "2.1.330"),
        Agent::Codex => ("0.122.0", "0.169.0", "0.169.99"),
    }
}

/// The versions that were tried, in words.
#[must_use]
pub const fn tried(agent: Agent) -> &'static str {
    match agent {
        Agent::ClaudeCode => "2.1.197 and 2.1.330 were",
        Agent::Codex => "0.169 was",
    }
}

/// Whether a version is sure to know what came with another; one that says nothing of itself is taken for the oldest that was tried.
pub(crate) fn has(agent: Agent, version: Option<&str>, since: &str) -> bool {
    let (_, oldest, _) = versions(agent);
    let version = version.and_then(numbers).or_else(|| numbers(oldest));
    match (version, numbers(since)) {
        (Some(version), Some(since)) => version >= since,
        _ => true,
    }
}

/// What is known of the version that a program says.
#[must_use]
pub fn known(agent: Agent, version: &str) -> Known {
    let (first, oldest, newest) = versions(agent);
    let Some(number) = numbers(version) else {
        return Known::Odd;
    };
    if Some(&number) < numbers(first).as_ref() {
        return Known::TooOld(first);
    }
    match (numbers(oldest), numbers(newest)) {
        (Some(oldest), Some(newest)) if oldest <= number && number <= newest => Known::Works,
        _ => Known::Untried,
    }
}

/// The numbers of `1.2.3-beta.1` before what follows a dash.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let plain = version.split(['-', '+']).next()?;
    plain.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_told_from_older_and_untried_ones() {
        for (agent, version, expect) in [
            (Agent::ClaudeCode, "2.1.197", Known::Works),
            (Agent::ClaudeCode, "2.1.330-beta.2", Known::Works),
            (Agent::ClaudeCode, "2.1.100", Known::Untried),
            (Agent::ClaudeCode, "2.1.331", Known::Untried),
            (Agent::ClaudeCode, "2.0.44", Known::TooOld("2.0.45")),
            (Agent::ClaudeCode, "2.0.46", Known::Untried),
            (Agent::ClaudeCode, "3.0.0", Known::Untried),
            (Agent::Codex, "0.169.0", Known::Works),
            (Agent::Codex, "0.99.0", Known::TooOld("0.122.0")),
            (Agent::Codex, "0.170.1", Known::Untried),
            (Agent::Codex, "latest", Known::Odd),
            (Agent::Codex, "", Known::Odd),
        ] {
            assert_eq!(known(agent, version), expect, "{version}");
        }
    }
}
