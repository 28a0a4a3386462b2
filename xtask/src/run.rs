//! `cargo xtask run`: from a fresh clone to the app on the screen, or to the headless hub where there is no screen.

use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;

use crate::cargo::{SHELL, binary, cargo};
use crate::packages::{self, Need};
use crate::step::Steps;
use crate::{node, program, ui};

#[derive(Args)]
pub(crate) struct Options {
    /// Start the hub without a window, even where there is a display
    #[arg(long)]
    headless: bool,
    /// Build with optimisation: a faster app, and a first build of ten minutes and more
    #[arg(long)]
    release: bool,
    /// Passed on to the program that is started
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// The verb `run`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::new("run");
    let mut windowed = !options.headless;
    if windowed && !has_display() {
        eprintln!(
            "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set): starting the hub without a window."
        );
        windowed = false;
    }
    let node = node::check();
    if let Err(unusable) = &node {
        eprintln!("{unusable}\n");
        if ui::is_built() {
            eprintln!("Going on with the page that was built earlier (ui/dist).");
        } else if windowed {
            eprintln!("Without it there is no window: starting the hub without one. Its web monitor is a plain page.");
            windowed = false;
        }
    }

    let need = if windowed { Need::Desktop } else { Need::Headless };
    steps.step("System packages", "cargo xtask run", || packages::ensure(need))?;
    if node.is_ok() {
        let page = steps.step("The window's page", "npm --prefix ui run build", ui::ensure_built);
        match page {
            Err(error) if !windowed => eprintln!("{error:#}\nGoing on without it: the web monitor is a plain page."),
            built => built?,
        }
    }

    let profile = if options.release { "release" } else { "debug" };
    let (what, mut build) = (if windowed { SHELL } else { "countersign" }, cargo("build"));
    build.args(["--bin", what]);
    if windowed {
        build.args(["--package", SHELL]);
    }
    if options.release {
        build.arg("--release");
    }
    let note = if options.release {
        "optimised"
    } else {
        "development profile; --release for the optimised one"
    };
    let heading = format!("Building {what} ({note}); the first build takes some minutes");
    steps.step(&heading, "cargo xtask run", || {
        program::run(&mut build).context("the build failed; the compiler's lines above say where")
    })?;
    launch(&binary(what, profile)?, windowed, &options.arguments)
}

fn launch(binary: &Path, windowed: bool, arguments: &[String]) -> Result<()> {
    let mut command = program::command(binary);
    if windowed {
        eprintln!("\n==> Launching Countersign");
    } else {
        eprintln!(
            "\n==> Starting the hub. Its web monitor is at the address in the line \"listening on ...\" (http://127.0.0.1:8765 \
             unless set otherwise): open it in a browser. To answer approvals there, take the address that \
             `{} dashboard` prints. Ctrl-C ends the hub.",
            crate::place::from_root(binary)
        );
        command.arg("serve");
    }
    program::become_program(command.args(arguments))
}

/// Whether a window can be shown. Only on Linux is that not a matter of course.
fn has_display() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}
