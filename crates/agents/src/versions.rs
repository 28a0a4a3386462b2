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

/// Per agent: the first version with a `PermissionRequest` hook, and the line that was tried.
///
/// Claude Code has it since 2.0.45, Codex since 0.122 (their changelogs). Tried: Claude Code 2.1.197, Codex 0.169.0.
const fn versions(agent: Agent) -> (&'static str, &'static str) {
    match agent {
        Agent::ClaudeCode => ("2.0.45", "2.1"),
        Agent::Codex => ("0.122.0", "0.169"),
    }
}

/// The line of versions that was tried, such as `2.1`.
#[must_use]
pub const fn tried(agent: Agent) -> &'static str {
    versions(agent).1
}

/// What is known of the version that a program says.
#[must_use]
pub fn known(agent: Agent, version: &str) -> Known {
    let (first, tried) = versions(agent);
    let Some(number) = numbers(version) else {
        return Known::Odd;
    };
    if Some(&number) < numbers(first).as_ref() {
        return Known::TooOld(first);
    }
    match numbers(tried) {
        Some(line) if number.starts_with(&line) => Known::Works,
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
            (Agent::ClaudeCode, "2.1.0-beta.2", Known::Works),
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
