//! The script that the configuration names: read once, when the hub starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_hub::agent_loop::{AgentLoop, Script, ScriptedAgent};

/// A script that cannot be played.
#[derive(Debug, thiserror::Error)]
#[error("the script {path} of `[codex]` cannot be played: {why}")]
pub struct ScriptProblem {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub why: String,
}

/// An agent that plays the script in that file, `.json` or `.toml`.
pub(crate) fn scripted(path: &Path) -> Result<Arc<dyn AgentLoop>, ScriptProblem> {
    let problem = |why: String| ScriptProblem {
        path: path.to_owned(),
        why,
    };
    let text = std::fs::read_to_string(path).map_err(|error| problem(error.to_string()))?;
    let script: Script = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => serde_json::from_str(&text).map_err(|error| problem(error.to_string()))?,
        Some("toml") => toml::from_str(&text).map_err(|error| problem(error.to_string()))?,
        _ => return Err(problem("it must be .json or .toml".to_owned())),
    };
    let agent = ScriptedAgent::new(script).map_err(|error| problem(error.to_string()))?;
    Ok(Arc::new(agent))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../docs/protocols/codex.md");

    fn play(name: &str, text: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("written");
        scripted(&file).map(drop).map_err(|problem| problem.to_string())
    }

    #[test]
    fn the_pages_example_can_be_played() {
        let example = PAGE.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
        assert_eq!(play("turns.toml", example.expect("an example")), Ok(()));
    }

    #[test]
    fn what_cannot_be_played_is_named() {
        for (name, text, word) in [
            ("a.json", r#"{"turns": []}"#, "no turns"),
            ("a.json", r#"{"turns": [{"steps": [{"dance": true}]}]}"#, "dance"),
            ("a.json", r#"{"turns": [{"steps": [{"ask": {}}]}]}"#, "command"),
            ("a.toml", "turn = 1", "turn"),
            ("a.txt", "", ".toml"),
        ] {
            let problem = play(name, text).expect_err(text);
            assert!(problem.contains(word) && problem.contains(name), "{problem}");
        }
    }
}
