//! `cargo xtask test`: every test there is, cheap ones first. The programs are built once, by one build of one set of packages,
//! and everything after runs what that build made.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::cargo::{self, SHELL, binary, cargo, scope};
use crate::packages::{self, Need};
use crate::step::Steps;
use crate::{codegen, layering, npm, place, program, setup};

#[derive(Args)]
pub(crate) struct Options {
    /// Leave out the desktop app and its tests: nothing of WebKit is installed or built
    #[arg(long)]
    no_desktop: bool,
}

/// The verb `test`.
pub(crate) fn run(options: &Options) -> Result<()> {
    // The desktop tests press keys on an X display of their own; elsewhere than on Linux there is none.
    let desktop = !options.no_desktop && cfg!(target_os = "linux");
    let mut steps = Steps::new("test");
    setup::build(&mut steps, if desktop { Need::Screen } else { Need::Clients })?;
    setup::clients(&mut steps)?;
    steps.step("cargo-nextest", "cargo install --locked cargo-nextest", || {
        cargo::ensure_tool("nextest")
    })?;

    steps.step("Dependency directions", "cargo xtask lint", layering::check)?;
    window(&mut steps)?;
    rust(&mut steps, desktop)?;
    whole_program(&mut steps, desktop)?;
    if !desktop {
        steps.skip("The desktop app and its tests", "--no-desktop, or a system without X");
    }
    steps.finish();
    Ok(())
}

/// The page's own checks and tests.
fn window(steps: &mut Steps) -> Result<()> {
    let ui = place::ui();
    for (what, script) in [
        ("Types and markup of the window's code", "check"),
        ("Unit tests of the window's code", "test"),
        ("The built page in a browser", "e2e"),
    ] {
        steps.step(what, &format!("npm --prefix ui run {script}"), || {
            let mut npm = npm::npm(&ui);
            npm.args(["run", script]);
            if let Some(browser) = packages::browser() {
                npm.env("CHROMIUM", browser);
            }
            program::run(&mut npm)
        })?;
    }
    Ok(())
}

/// What runs inside one process: unit, property and documentation tests of every crate.
fn rust(steps: &mut Steps, desktop: bool) -> Result<()> {
    let build = || cargo_in_scope("build", desktop);
    steps.step(
        "Building the programs and their tests",
        "cargo build --workspace --bins --tests",
        || {
            program::run(build().args(["--bins", "--tests"]))
                .context("the build failed; the compiler's lines above say where")
        },
    )?;
    steps.step(
        "The window's types are those of the core",
        "cargo xtask codegen --check",
        || codegen::generate(true),
    )?;
    let again = "cargo nextest run --workspace -E 'not package(countersign-tests)'";
    steps.step("Unit and property tests", again, || {
        let mut nextest = nextest(cargo_in_scope("nextest", desktop), "not package(countersign-tests)");
        // These tests also write the window's types; not into the crate's folder.
        nextest.env("TS_RS_EXPORT_DIR", codegen::scratch("unit-tests")?);
        program::run(&mut nextest)
    })?;
    steps.step("Examples in the documentation", "cargo test --doc --workspace", || {
        program::run(cargo_in_scope("test", desktop).args(["--doc", "--quiet"]))
    })
}

/// What runs against the built programs, with clients that nobody here wrote, and on a display of its own.
fn whole_program(steps: &mut Steps, desktop: bool) -> Result<()> {
    let filter = if desktop {
        "package(countersign-tests)"
    } else {
        "package(countersign-tests) and not binary(desktop)"
    };
    let again = if desktop {
        "cargo xtask test"
    } else {
        "cargo xtask test --no-desktop"
    };
    steps.step("Whole programs, foreign clients, the desktop", again, || {
        let home = fresh_home()?;
        let mut command = nextest(on_own_display(desktop), filter);
        keep_toolchain(&mut command);
        command.env("HOME", &home).env("XDG_RUNTIME_DIR", home.join("run"));
        // A person's own session must not be reached: neither its settings, nor its display, nor its bus.
        for name in [
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_CACHE_HOME",
            "XDG_STATE_HOME",
            "WAYLAND_DISPLAY",
            "DBUS_SESSION_BUS_ADDRESS",
        ] {
            command.env_remove(name);
        }
        command.env("COUNTERSIGN_BIN", binary("countersign", "debug")?);
        if desktop {
            command
                .env("COUNTERSIGN_DESKTOP_BIN", binary(SHELL, "debug")?)
                .env("GDK_BACKEND", "x11");
        }
        if let Some(browser) = packages::browser() {
            command.env("COUNTERSIGN_CHROMIUM", browser);
        }
        program::run(&mut command)
    })
}

fn cargo_in_scope(verb: &str, desktop: bool) -> Command {
    let mut command = cargo(verb);
    if verb == "nextest" {
        command.arg("run");
    }
    command.args(scope(desktop));
    command
}

fn nextest(mut command: Command, filter: &str) -> Command {
    command.args(["-E", filter]);
    command
}

/// nextest in the scope; for the desktop on a fresh session bus and a fresh X display.
fn on_own_display(desktop: bool) -> Command {
    if !desktop {
        return cargo_in_scope("nextest", desktop);
    }
    let mut command = program::command("dbus-run-session");
    command
        .args([
            "--",
            "xvfb-run",
            "-a",
            "-s",
            "-screen 0 1280x800x24",
            "cargo",
            "nextest",
            "run",
        ])
        .args(scope(desktop));
    command
}

/// An empty home folder, so that no test meets or changes what a person has in theirs.
fn fresh_home() -> Result<PathBuf> {
    let home = codegen::scratch("home")?;
    let run = home.join("run");
    std::fs::create_dir_all(&run).with_context(|| format!("cannot make {}", run.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(home)
}

/// Cargo and rustup keep their things in the real home folder.
fn keep_toolchain(command: &mut Command) {
    let Some(home) = std::env::home_dir() else { return };
    for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let default: &Path = &home.join(folder);
        if std::env::var_os(name).is_none() && default.is_dir() {
            command.env(name, default);
        }
    }
}
