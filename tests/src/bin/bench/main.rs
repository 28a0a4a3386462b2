//! `cargo xtask bench`: the hub beside two servers that people would write instead, under one load generator, in turns. This file
//! owns the options and the order of the runs.

mod audience;
mod hook;
mod measure;
mod process;
mod publisher;
mod report;
mod server;
mod soak;
mod traffic;
mod wire;

use std::io::Write as _;

use anyhow::Result;
use clap::{Parser, Subcommand};

use measure::Plan;
use report::Report;
use server::{Programs, Subject};

/// Publishes events of 350 bytes to 1, 10 and 100 monitors through Countersign, Python's websockets and Node's ws, and prints
/// delivered events per core-second of the server, latency, and memory per idle monitor.
#[derive(Parser)]
#[command(
    name = "cargo xtask bench --",
    bin_name = "cargo xtask bench --",
    disable_version_flag = true
)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    instead: Option<Instead>,
    /// How many monitors
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100])]
    monitors: Vec<usize>,
    /// Runs of each, in turns; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only these servers
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Subject::ALL)]
    only: Vec<Subject>,
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    programs: Programs,
}

#[derive(Subcommand)]
enum Instead {
    /// Publishes at a steady rate to a hub that runs already, and prints the memory of processes every 10 seconds
    Soak(soak::Options),
    /// Times the whole process of `countersign hook` beside /bin/true, in turns
    Hook(hook::Options),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match &arguments.instead {
            Some(Instead::Soak(options)) => soak::run(options, say).await,
            Some(Instead::Hook(options)) => hook::run(options, say),
            None => compare(&arguments).await,
        }
    })
}

async fn compare(arguments: &Arguments) -> Result<()> {
    let mut report = Report::default();
    for round in 1..=arguments.rounds {
        for &monitors in &arguments.monitors {
            for &subject in &arguments.only {
                let sample = measure::run(subject, monitors, &arguments.programs, &arguments.plan).await?;
                report.add(subject, monitors, sample);
                say(&format!(
                    "round {round}, {monitors} monitors, {}: {:.0} per core-second, {:.0} per second, p50 {:.0} us, p99 {:.0} us",
                    subject.name(),
                    sample.per_core_second,
                    sample.per_second,
                    sample.p50,
                    sample.p99
                ))?;
            }
        }
        for &subject in &arguments.only {
            // Acknowledgements make no difference to who only listens.
            if arguments.plan.idle > 0 && subject != Subject::Acked {
                let bytes = measure::idle(subject, &arguments.programs, &arguments.plan).await?;
                report.add_idle(subject, bytes);
                say(&format!(
                    "round {round}, {}: {:.1} KiB per idle monitor",
                    subject.name(),
                    bytes / 1024.0
                ))?;
            }
        }
    }
    say(&format!("\n{}", report.text()))
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
