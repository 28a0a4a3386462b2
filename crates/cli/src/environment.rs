//! The environment that a server starts in: the process's own, and behind it a file of `NAME=value` lines, read only when asked for.

use std::collections::HashMap;
use std::path::Path;

use crate::failure::Failure;

/// A variable of the process; one that is empty counts as not set.
pub(crate) fn from_env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Names and values.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    file: HashMap<String, String>,
}

impl Environment {
    /// The process's environment, and this file behind it.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::Other(format!("--env-file {} cannot be read: {error}", path.display())))?;
        let file = parse(&text).map_err(|line| {
            let line = line + 1;
            Failure::Other(format!(
                "--env-file {}, line {line}: it must be NAME=value",
                path.display()
            ))
        })?;
        Ok(Self { file })
    }

    /// A value; one that is empty counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        from_env(name).or_else(|| self.file.get(name).filter(|value| !value.is_empty()).cloned())
    }

    /// A switch.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Failure> {
        let Some(value) = self.get(name) else { return Ok(false) };
        match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(Failure::Other(format!("{name} must be true or false, not {value:?}"))),
        }
    }
}

/// Lines as in a `.env` file: comments, `export`, quotes around a value; nothing is expanded. Gives the line that is none.
fn parse(text: &str) -> Result<HashMap<String, String>, usize> {
    let mut values = HashMap::new();
    for (place, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(place)?;
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(place);
        }
        let value = value.trim();
        let quoted = ['"', '\'']
            .into_iter()
            .find_map(|quote| value.strip_prefix(quote)?.split_once(quote).map(|(inside, _)| inside));
        let bare = || value.split(" #").next().unwrap_or(value).trim_end();
        values.insert(name.to_owned(), quoted.unwrap_or_else(bare).to_owned());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_names_and_values_is_read_as_others_read_it() {
        let text = "# AMIGA's\nFLASK_SECRET_KEY=your-secret-key-here\nMONITORING_HOST = 127.0.0.1 # loopback\n\n\
                    export MONITORING_PORT=\"3000\"\nMONITORING_DEBUG='false' # later\nEMPTY=\n";
        let values = parse(text).expect("valid");
        for (name, value) in [
            ("FLASK_SECRET_KEY", "your-secret-key-here"),
            ("MONITORING_HOST", "127.0.0.1"),
            ("MONITORING_PORT", "3000"),
            ("MONITORING_DEBUG", "false"),
            ("EMPTY", ""),
        ] {
            assert_eq!(values.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!(parse("A=1\nnonsense\n"), Err(1));
        assert_eq!(parse("=1"), Err(0));
    }

    #[test]
    fn a_switch_is_on_or_off() {
        let flag = |value: &str| {
            let file = HashMap::from([("A_SWITCH_OF_THE_TEST".to_owned(), value.to_owned())]);
            Environment { file }.flag("A_SWITCH_OF_THE_TEST")
        };
        assert!(flag("True").expect("valid") && !flag("0").expect("valid") && !flag("").expect("valid"));
        assert!(flag("maybe").is_err());
    }
}
