//! What a hook costs its agent: the whole process of `countersign hook` beside `/bin/true`, in turns, from start to end.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::server::{Programs, Server, Subject};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often each is run
    #[arg(long, default_value_t = 500)]
    runs: usize,
    /// The whole process may take so many milliseconds more than /bin/true, by their medians; more is a failure
    #[arg(long, default_value_t = 3.0)]
    at_most: f64,
    #[command(flatten)]
    programs: Programs,
}

/// An observing hook as Claude Code gives it, with a result of two kilobytes.
fn input(n: usize) -> String {
    let result = "x".repeat(2048);
    format!(
        r#"{{"session_id":"bench","transcript_path":"/t","cwd":"/","hook_event_name":"PostToolUse","tool_name":"Bash","tool_input":{{"command":"ls -la"}},"tool_use_id":"t{n}","tool_response":{{"stdout":"{result}"}}}}"#
    )
}

/// Milliseconds from the start of the process to its end.
fn time(program: &Path, arguments: &[&str], input: &str) -> Result<f64> {
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    // `true` reads nothing, and may be gone by now.
    let _ = child.stdin.take().context("piped")?.write_all(input.as_bytes());
    ensure!(child.wait()?.success(), "{} failed", program.display());
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

/// Measures and prints.
pub(crate) fn run(options: &Options, mut say: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let server = Server::start(Subject::Countersign, &options.programs)?;
    let url = format!("http://{}", server.address);
    let hook = ["hook", "claude-code", "--hub", &url];
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for n in 0..options.runs {
        let input = input(n);
        without.push(time(Path::new("/bin/true"), &[], &input)?);
        with.push(time(options.programs.countersign(), &hook, &input)?);
    }
    let (with, without) = (spread(with)?, spread(without)?);
    say(&format!(
        "/bin/true:        median {:.2} ms, p90 {:.2} ms",
        without.0, without.1
    ))?;
    say(&format!(
        "countersign hook: median {:.2} ms, p90 {:.2} ms",
        with.0, with.1
    ))?;
    let more = with.0 - without.0;
    say(&format!("a hook costs {more:.2} ms more than /bin/true"))?;
    ensure!(more < options.at_most, "that is more than {} ms", options.at_most);
    Ok(())
}

/// Median and ninth decile.
fn spread(mut times: Vec<f64>) -> Result<(f64, f64)> {
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(times.len() * part / 10).copied();
    at(5).zip(at(9)).context("no runs")
}
