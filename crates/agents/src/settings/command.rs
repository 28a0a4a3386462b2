//! The command that an agent runs for a hook: how it is written for a shell, and how it is known again as ours.

use crate::hook::Agent;

/// Whose rules of quoting a command is written by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// `sh`, bash, zsh.
    Posix,
    /// What runs commands on Windows: Git's bash, PowerShell or cmd.
    Windows,
}

impl Shell {
    /// The shell of the machine that this was built for.
    #[must_use]
    pub const fn here() -> Self {
        if cfg!(windows) { Self::Windows } else { Self::Posix }
    }
}

/// `PROGRAM hook AGENT MORE…` as one line for a shell.
#[must_use]
pub fn command_line(shell: Shell, program: &str, agent: Agent, more: &[String]) -> String {
    let program = match shell {
        // Slashes are understood by all three shells, and need no quotes of their own.
        Shell::Windows => program.replace('\\', "/"),
        Shell::Posix => program.to_owned(),
    };
    let words = [program.as_str(), "hook", agent.name()];
    let mut line = String::new();
    for word in words.into_iter().chain(more.iter().map(String::as_str)) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&quoted(shell, word));
    }
    line
}

fn quoted(shell: Shell, word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.:=,@%+".contains(c);
    match shell {
        _ if !word.is_empty() && word.chars().all(plain) => word.to_owned(),
        Shell::Posix => format!("'{}'", word.replace('\'', r"'\''")),
        Shell::Windows => format!("\"{word}\""),
    }
}

/// The words of a command line, quotes taken away; backslashes that escape nothing stay, as Windows' paths have them.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut begun, mut quote) = (String::new(), false, None);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => {
                quote = Some(c);
                begun = true;
            }
            (Some(open), _) if c == open => quote = None,
            (None | Some('"'), '\\') if chars.peek().is_some_and(|next| " '\"\\$`".contains(*next)) => {
                word.extend(chars.next());
                begun = true;
            }
            (None, _) if c.is_whitespace() => {
                if std::mem::take(&mut begun) {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// The program of a command line of ours for this agent.
#[must_use]
pub fn our_program(line: &str, agent: Agent) -> Option<String> {
    let words = words(line);
    let program = words.iter().position(|word| is_ours(word))?;
    let before = &words[..program];
    let hooks = words[program..]
        .windows(2)
        .any(|pair| pair[0] == "hook" && pair[1] == agent.name());
    // Ours is what runs, not an argument of something else's.
    let runs = before
        .iter()
        .all(|word| matches!(word.as_str(), "&" | "exec" | "env" | "call") || word.contains('='));
    (hooks && runs).then(|| words[program].clone())
}

/// What a command line of ours for this agent says behind `hook AGENT`.
#[must_use]
pub fn our_arguments(line: &str, agent: Agent) -> Option<Vec<String>> {
    our_program(line, agent)?;
    let mut words = words(line);
    let place = words
        .windows(2)
        .position(|pair| pair[0] == "hook" && pair[1] == agent.name())?;
    Some(words.split_off(place + 2))
}

/// Whether a command line is one that [`command_line`] writes, with whatever arguments; what somebody put around or behind that is
/// theirs.
#[must_use]
pub(super) fn is_written(line: &str, agent: Agent) -> bool {
    let words = words(line);
    let Some((program, rest)) = words.split_first() else {
        return false;
    };
    let [hook, name, more @ ..] = rest else { return false };
    is_ours(program)
        && hook == "hook"
        && name == agent.name()
        && [Shell::Posix, Shell::Windows]
            .into_iter()
            .any(|shell| command_line(shell, program, agent, more) == line.trim())
}

fn is_ours(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let name = name.to_ascii_lowercase();
    name.strip_suffix(".exe").unwrap_or(&name) == "countersign"
}

/// Whether an address is the one where a hub takes this agent's hooks.
#[must_use]
pub(super) fn is_our_address(url: &str, agent: Agent) -> bool {
    let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) else {
        return false;
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once(':').map_or(host, |(host, _port)| host);
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
        && path.trim_end_matches('/') == format!("/hooks/{}", agent.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shell: Shell, program: &str, expect: &str) {
        let line = command_line(shell, program, Agent::ClaudeCode, &[]);
        assert_eq!(line, expect);
        let known = our_program(&line, Agent::ClaudeCode).expect("known again");
        assert_eq!(known.replace('\\', "/"), program.replace('\\', "/"));
        assert_eq!(our_program(&line, Agent::Codex), None);
    }

    #[test]
    fn a_command_is_quoted_for_its_shell_and_known_again() {
        check(
            Shell::Posix,
            "/usr/bin/countersign",
            "/usr/bin/countersign hook claude-code",
        );
        check(
            Shell::Posix,
            "/o d/it's/countersign",
            r"'/o d/it'\''s/countersign' hook claude-code",
        );
        check(
            Shell::Posix,
            "/$x/`y`/countersign",
            "'/$x/`y`/countersign' hook claude-code",
        );
        check(
            Shell::Windows,
            r"C:\Program Files\Countersign\countersign.exe",
            "\"C:/Program Files/Countersign/countersign.exe\" hook claude-code",
        );
        check(
            Shell::Windows,
            r"C:\bin\countersign.exe",
            "C:/bin/countersign.exe hook claude-code",
        );
    }

    #[test]
    fn what_was_chosen_is_read_back() {
        let more = ["--data-dir".to_owned(), "/a b/c".to_owned()];
        let line = command_line(Shell::Posix, "/x y/countersign", Agent::Codex, &more);
        assert_eq!(our_arguments(&line, Agent::Codex).as_deref(), Some(&more[..]));
        assert_eq!(our_arguments("echo hook codex", Agent::Codex), None);
    }

    #[test]
    fn what_others_wrote_is_ours_only_if_it_runs_our_program() {
        let ours = |line: &str| our_program(line, Agent::Codex).is_some();
        assert!(ours("countersign hook codex"));
        assert!(ours(
            "COUNTERSIGN_DATA_DIR=/x countersign hook codex --when-absent deny"
        ));
        assert!(ours(r#""C:\Program Files\Countersign\Countersign.EXE" hook codex"#));
        assert!(ours("exec '/a b/countersign' --data-dir /x hook codex"));
        assert!(!ours("echo countersign hook codex"));
        assert!(!ours("countersign-wrapper hook codex"));
        assert!(!ours("countersign hook claude-code"));
        assert!(!ours("countersign emit --type hook --data codex"));
        assert!(!ours("'countersign hook codex"));
        assert!(!ours(""));
    }

    #[test]
    fn what_somebody_added_to_a_command_is_theirs() {
        let written = |line: &str| is_written(line, Agent::Codex);
        assert!(written("/x/countersign hook codex"));
        assert!(written(
            "'/a b/countersign' hook codex --data-dir '/c d' --when-absent deny"
        ));
        assert!(written(r#""C:/Program Files/Countersign/countersign.exe" hook codex"#));
        for line in [
            "/x/countersign hook codex && notify-send hi",
            "/x/countersign hook codex --verbose 2>>/tmp/log",
            "FOO=1 /x/countersign hook codex",
            "/x/countersign hook codex # mine",
            "/x/countersign hook codex; true",
            "exec /x/countersign hook codex",
            "/x/countersign --data-dir /y hook codex",
            "/x/countersign hook claude-code",
        ] {
            assert!(!written(line), "{line}");
        }
    }

    #[test]
    fn the_address_of_a_hub_is_loopback_and_its_path() {
        assert!(is_our_address(
            "http://127.0.0.1:8765/hooks/claude-code",
            Agent::ClaudeCode
        ));
        assert!(is_our_address("http://[::1]:8765/hooks/codex", Agent::Codex));
        assert!(!is_our_address("http://127.0.0.1:8765/hooks/codex", Agent::ClaudeCode));
        assert!(!is_our_address("https://hooks.example.com/hooks/codex", Agent::Codex));
    }
}
