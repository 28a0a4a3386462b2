//! Which Node.js is here, whether the window's build tools run on it, and how to get one that they run on.

use std::fmt;
use std::path::PathBuf;

use anyhow::Result;

use crate::program;

/// Why the Node that is here, if any, is of no use.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// There is no `node` on the PATH.
    Missing,
    /// There is one, and this is what it says of itself.
    TooOld { said: String, at: PathBuf },
    /// Debian packages npm apart from Node.
    NoNpm { said: String },
}

impl std::error::Error for Unusable {}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "Node.js is not installed (no `node` on the PATH)")?,
            Self::TooOld { said, at } => write!(f, "Node.js {said} at {} does not fit", at.display())?,
            Self::NoNpm { said } => write!(f, "Node.js {said} is here, but there is no `npm` on the PATH")?,
        }
        write!(
            f,
            ". The window is built with Node.js 20.19 or newer of the 20 line, or 22.12 or newer, with npm. \
             Debian 12's own package (18) is too old. Ways to get one:\n\
             \x20 nodesource:  curl -fsSL https://deb.nodesource.com/setup_22.x | sudo -E bash - && sudo apt-get install -y nodejs\n\
             \x20 nvm:         nvm install 22           (https://github.com/nvm-sh/nvm)\n\
             \x20 npm:         sudo npm install -g n && sudo n 22"
        )
    }
}

/// Fails, saying what was found and what is needed, unless the window can be built here.
pub(crate) fn check() -> Result<(), Unusable> {
    let at = program::find("node").ok_or(Unusable::Missing)?;
    let said = program::output(program::command(&at).arg("--version")).map_err(|_| Unusable::Missing)?;
    judge(said.trim(), at, program::find("npm").is_some())
}

fn judge(said: &str, at: PathBuf, npm: bool) -> Result<(), Unusable> {
    let said = said.trim_start_matches('v').to_owned();
    if !fits(&said) {
        Err(Unusable::TooOld { said, at })
    } else if !npm {
        Err(Unusable::NoNpm { said })
    } else {
        Ok(())
    }
}

/// What Vite asks for: `^20.19.0 || >=22.12.0`.
fn fits(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    matches!((major, minor), (20, 19..) | (22, 12..) | (23.., _))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_that_vite_takes_fit_and_no_others() {
        for fit in ["20.19.0", "20.20.2", "22.12.0", "23.0.0", "24.1.0"] {
            assert!(fits(fit), "{fit}");
        }
        for unfit in ["18.20.4", "20.18.3", "21.7.0", "22.11.0", "", "x"] {
            assert!(!fits(unfit), "{unfit}");
        }
    }

    #[test]
    fn an_old_one_is_told_its_version_its_place_and_a_way_to_a_newer_one() {
        let said = judge("v18.20.4", PathBuf::from("/usr/bin/node"), true)
            .unwrap_err()
            .to_string();
        for part in [
            "18.20.4",
            "/usr/bin/node",
            "20.19",
            "22.12",
            "nodesource",
            "nvm install",
            "sudo n 22",
        ] {
            assert!(said.contains(part), "{part} is not in: {said}");
        }
    }

    #[test]
    fn node_without_npm_is_not_enough() {
        let found = judge("v22.12.0", PathBuf::from("/usr/bin/node"), false);
        assert_eq!(
            found,
            Err(Unusable::NoNpm {
                said: "22.12.0".to_owned()
            })
        );
    }
}
