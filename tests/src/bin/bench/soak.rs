//! A steady stream to a hub that is running already, with the memory of the processes that are to stay flat beside it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use crate::process;
use crate::publisher::{Acks, Publisher};

/// Between two lines.
const STEP: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the hub listens
    #[arg(long, default_value = "127.0.0.1:8765")]
    address: SocketAddr,
    /// Events a second
    #[arg(long, default_value_t = 2000)]
    rate: u32,
    /// How long
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// So many events at once when the stream is over
    #[arg(long, default_value_t = 0)]
    burst: u64,
    /// Tell the memory of this process and of all that it started; may be given more than once
    #[arg(long = "pid")]
    pids: Vec<u32>,
}

/// Publishes and prints.
pub(crate) async fn run(options: &Options, mut say: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let mut publisher = Publisher::connect(options.address, Acks::Last).await?;
    let start = Instant::now();
    let end = Duration::from_secs(options.seconds);
    say("seconds events MiB of each process")?;
    loop {
        say(&line(start, &publisher, &options.pids))?;
        let left = end.saturating_sub(start.elapsed());
        if left.is_zero() {
            break;
        }
        publisher.at_rate(options.rate, left.min(STEP)).await?;
    }
    if options.burst > 0 {
        let from = Instant::now();
        publisher.burst(options.burst).await?;
        publisher.stored().await?;
        say(&format!(
            "a burst of {} was stored after {:.2} s",
            options.burst,
            from.elapsed().as_secs_f64()
        ))?;
        tokio::time::sleep(STEP).await;
        say(&line(start, &publisher, &options.pids))?;
    }
    publisher.stored().await
}

fn line(start: Instant, publisher: &Publisher, pids: &[u32]) -> String {
    let mut line = format!("{:7.0} {:7}", start.elapsed().as_secs_f64(), publisher.published());
    for pid in pids.iter().flat_map(|pid| process::tree(*pid)) {
        let mib = process::resident(pid).unwrap_or_default() as f64 / f64::from(1 << 20);
        line += &format!("  {} {pid}: {mib:.1}", process::name(pid));
    }
    line
}
