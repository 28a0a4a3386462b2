//! Installs packages on Debian and Ubuntu, having named them first. Which ones is decided in `packages`.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::packages::Package;
use crate::program;

/// Installs what is missing, as root or through sudo.
pub(crate) fn install(missing: &[&Package]) -> Result<()> {
    let ubuntu = std::fs::read_to_string("/etc/os-release").is_ok_and(|text| is_ubuntu(&text));
    let names: Vec<_> = missing.iter().map(|package| name_for(package.debian, ubuntu)).collect();
    eprintln!("    system packages to install: {}", names.join(" "));

    let typed = format!("apt-get install --no-install-recommends {}", names.join(" "));
    let Some(prefix) = prefix() else {
        bail!("installing them needs root, and there is no sudo here; as root, run `{typed}`, then run this again");
    };
    // Old lists name files that the mirror no longer has. A mirror that cannot be reached may still have left a full cache.
    if let Err(error) = program::run(apt_get(prefix).arg("update")) {
        eprintln!("    {error}; going on with the package lists that are here");
    }
    program::run(
        apt_get(prefix)
            .args(["install", "-y", "--no-install-recommends"])
            .args(&names),
    )
    .with_context(|| {
        format!(
            "the packages were not installed; if the lines above name an unknown package, enable the distribution's \
             full archive (\"universe\" on Ubuntu), otherwise check the network; then try `{typed}` as root"
        )
    })
}

fn apt_get(prefix: &[&str]) -> Command {
    // `env` so that the variable also reaches apt-get through sudo, which clears the environment.
    let words: Vec<_> = prefix
        .iter()
        .chain(&[
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "-o",
            "DPkg::Lock::Timeout=300",
        ])
        .collect();
    let mut command = program::command(words[0]);
    command.args(&words[1..]);
    command
}

/// What goes before a command that only root may run; nothing when we are root, none when there is no way.
fn prefix() -> Option<&'static [&'static str]> {
    let root = program::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if root {
        Some(&[])
    } else {
        program::find("sudo").map(|_| ["sudo"].as_slice())
    }
}

fn is_ubuntu(os_release: &str) -> bool {
    os_release
        .lines()
        .any(|line| matches!(line.split_once('='), Some(("ID" | "ID_LIKE", value)) if value.contains("ubuntu")))
}

/// Ubuntu's Chromium goes by another name.
fn name_for(debian: &'static str, ubuntu: bool) -> &'static str {
    match debian {
        "chromium" if ubuntu => "chromium-browser",
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ubuntu_and_its_relatives_are_known() {
        assert!(is_ubuntu("NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n"));
        assert!(is_ubuntu("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!is_ubuntu("ID=debian\nHOME_URL=\"https://ubuntu.example\"\n"));
    }

    #[test]
    fn only_chromium_changes_its_name() {
        assert_eq!(name_for("chromium", true), "chromium-browser");
        assert_eq!(name_for("chromium", false), "chromium");
        assert_eq!(name_for("xvfb", true), "xvfb");
    }

    #[test]
    fn the_front_end_is_set_behind_sudo_too() {
        let command = apt_get(&["sudo"]);
        let words: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        assert_eq!(command.get_program(), "sudo");
        assert_eq!(words[..2], ["env", "DEBIAN_FRONTEND=noninteractive"]);
    }
}
