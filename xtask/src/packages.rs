//! What the system must provide: which packages, under which name on which distribution, and how to see that they are there.
//! What is there is found by looking for the thing itself, not for a package, so a hand-built one counts. Installing is in
//! `apt`.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{apt, program};

/// How far a verb goes, each step including the ones before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Need {
    /// Compile the hub and the command line.
    Headless,
    /// Compile and run the desktop app.
    Desktop,
    /// Drive the programs with foreign clients and a browser.
    Clients,
    /// Drive the desktop app on a display of its own.
    Screen,
}

/// A system package and the sign that it is there.
pub(crate) struct Package {
    for_need: Need,
    found_by: Sign,
    pub(crate) debian: &'static str,
    fedora: &'static str,
    arch: &'static str,
}

enum Sign {
    /// One of these programs is on the PATH.
    Program(&'static [&'static str]),
    /// pkg-config knows this library.
    Library(&'static str),
    /// Python can import these.
    PythonModules(&'static str),
    /// The session bus can start this.
    BusService(&'static str),
}

/// The browsers that the tests can drive, in the order of preference.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const fn package(
    for_need: Need,
    found_by: Sign,
    debian: &'static str,
    fedora: &'static str,
    arch: &'static str,
) -> Package {
    Package {
        for_need,
        found_by,
        debian,
        fedora,
        arch,
    }
}

#[rustfmt::skip]
const PACKAGES: &[Package] = {
    use Need::{Clients, Desktop, Headless, Screen};
    use Sign::{BusService, Library, Program, PythonModules};
    &[
        package(Headless, Program(&["cc"]), "build-essential", "gcc gcc-c++ make", "base-devel"),
        package(Desktop, Program(&["pkg-config"]), "pkg-config", "pkgconf-pkg-config", "pkgconf"),
        package(Desktop, Library("webkit2gtk-4.1"), "libwebkit2gtk-4.1-dev", "webkit2gtk4.1-devel", "webkit2gtk-4.1"),
        package(Desktop, Library("gtk+-3.0"), "libgtk-3-dev", "gtk3-devel", "gtk3"),
        package(Desktop, Library("librsvg-2.0"), "librsvg2-dev", "librsvg2-devel", "librsvg"),
        package(Desktop, Library("ayatana-appindicator3-0.1"), "libayatana-appindicator3-dev",
            "libayatana-appindicator-gtk3-devel", "libayatana-appindicator"),
        package(Clients, Program(&["curl"]), "curl", "curl", "curl"),
        package(Clients, Program(&["openssl"]), "openssl", "openssl", "openssl"),
        package(Clients, PythonModules("venv, ensurepip"), "python3-venv", "python3", "python"),
        package(Clients, Program(BROWSERS), "chromium", "chromium", "chromium"),
        package(Screen, Program(&["xvfb-run"]), "xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb"),
        package(Screen, Program(&["xauth"]), "xauth", "xorg-x11-xauth", "xorg-xauth"),
        package(Screen, Program(&["openbox"]), "openbox", "openbox", "openbox"),
        package(Screen, Program(&["xdotool"]), "xdotool", "xdotool", "xdotool"),
        package(Screen, Program(&["xwininfo"]), "x11-utils", "xwininfo", "xorg-xwininfo"),
        package(Screen, Program(&["import"]), "imagemagick", "ImageMagick", "imagemagick"),
        package(Screen, Program(&["dbus-run-session"]), "dbus", "dbus-daemon", "dbus"),
        package(Screen, BusService("org.a11y.Bus"), "at-spi2-core", "at-spi2-core", "at-spi2-core"),
        package(Screen, Program(&["gdbus"]), "libglib2.0-bin", "glib2", "glib2"),
        package(Screen, Program(&["dunstctl"]), "dunst", "dunst", "dunst"),
        package(Screen, Program(&["WebKitWebDriver"]), "webkit2gtk-driver", "webkitgtk6.0", "webkitgtk-6.0"),
    ]
};

/// The browser that is there.
pub(crate) fn browser() -> Option<std::path::PathBuf> {
    BROWSERS.iter().find_map(|name| program::find(name))
}

/// Makes sure that everything up to `need` is there: installs it where apt is, otherwise lists it and stops.
pub(crate) fn ensure(need: Need) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let missing = missing(need);
    if missing.is_empty() {
        return Ok(());
    }
    if program::find("apt-get").is_none() {
        bail!("{}", by_hand(&missing));
    }
    apt::install(&missing)?;
    let still: Vec<_> = self::missing(need).into_iter().map(|package| package.debian).collect();
    if !still.is_empty() {
        bail!(
            "apt-get went well, but what these packages should bring is still not found: {}. Is PATH or PKG_CONFIG_PATH changed?",
            still.join(" ")
        );
    }
    Ok(())
}

fn missing(need: Need) -> Vec<&'static Package> {
    PACKAGES
        .iter()
        .filter(|package| package.for_need <= need && !package.found_by.is_there())
        .collect()
}

/// What to type on the best-known distributions without apt.
fn by_hand(missing: &[&Package]) -> String {
    let names = |name: fn(&Package) -> &str| {
        missing
            .iter()
            .map(|package| name(package))
            .collect::<Vec<_>>()
            .join(" ")
    };
    format!(
        "these system packages are missing, and there is no apt-get here to install them. Install them, then run this again:\n\
         \x20 Debian, Ubuntu:  apt-get install --no-install-recommends {}\n\
         \x20 Fedora:          dnf install {}\n\
         \x20 Arch:            pacman -S --needed {}\n\
         On another system, look for packages with similar names. `cargo xtask run --headless` needs only a C compiler, and \
         `cargo xtask test --no-desktop` needs nothing of WebKit.",
        names(|package| package.debian),
        names(|package| package.fedora),
        names(|package| package.arch),
    )
}

impl Sign {
    fn is_there(&self) -> bool {
        match self {
            Self::Program(names) => names.iter().any(|name| program::find(name).is_some()),
            Self::Library(name) => program::succeeds(Command::new("pkg-config").args(["--exists", name])),
            Self::PythonModules(names) => {
                program::succeeds(Command::new("python3").args(["-c", &format!("import {names}")]))
            }
            Self::BusService(name) => {
                let folders = std::env::var("XDG_DATA_DIRS").unwrap_or_default();
                let folders = folders.split(':').filter(|folder| !folder.is_empty());
                let mut folders = folders
                    .chain(["/usr/local/share", "/usr/share"])
                    .map(std::path::Path::new);
                folders.any(|folder| folder.join(format!("dbus-1/services/{name}.service")).exists())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up_to(need: Need) -> Vec<&'static Package> {
        PACKAGES.iter().filter(|package| package.for_need <= need).collect()
    }

    #[test]
    fn the_headless_hub_needs_no_webkit() {
        assert!(
            up_to(Need::Headless)
                .iter()
                .all(|package| !package.debian.contains("webkit"))
        );
        assert!(
            up_to(Need::Desktop)
                .iter()
                .any(|package| package.debian.contains("webkit"))
        );
    }

    #[test]
    fn running_the_app_installs_no_test_tools() {
        assert!(
            up_to(Need::Desktop)
                .iter()
                .all(|package| package.debian != "xvfb" && package.debian != "chromium")
        );
    }

    #[test]
    fn without_apt_each_distribution_gets_its_own_names_and_a_way_on() {
        let said = by_hand(&up_to(Need::Desktop));
        for name in [
            "libwebkit2gtk-4.1-dev",
            "dnf install gcc",
            "webkit2gtk4.1-devel",
            "pacman -S",
            "--headless",
        ] {
            assert!(said.contains(name), "{name} is not in:\n{said}");
        }
    }

    #[test]
    fn a_program_on_the_path_is_found_whatever_package_it_is_from() {
        assert!(Sign::Program(&["no-such-program", "cargo"]).is_there());
        assert!(!Sign::Program(&["no-such-program"]).is_there());
        assert!(!Sign::Library("no-such-library").is_there());
    }
}
