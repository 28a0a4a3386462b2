//! One run with one server: full speed, then a moderate rate; or idle clients. Every run has a fresh process.

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use crate::audience::Audience;
use crate::process;
use crate::publisher::Publisher;
use crate::server::{Programs, Server, Subject};

/// How long the parts of a run take, and how much goes through.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Plan {
    /// Seconds at full speed
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Events that may be on their way at full speed: the publisher is never further ahead of the slowest monitor
    #[arg(long, default_value_t = 8192)]
    window: u64,
    /// Events a second where latency is measured
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// Seconds at that rate; 0 leaves it out
    #[arg(long, default_value_t = 3.0)]
    rate_seconds: f64,
    /// Events before anything is measured
    #[arg(long, default_value_t = 3000)]
    warm_up: u64,
    /// Idle clients where memory is measured; 0 leaves it out
    #[arg(long, default_value_t = 500)]
    pub(crate) idle: usize,
}

/// What one run showed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    /// Delivered events per second of the server on a core, at full speed.
    pub(crate) per_core_second: f64,
    /// Delivered events per second, at full speed.
    pub(crate) per_second: f64,
    /// Microseconds from publishing to receiving, at the moderate rate.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Delivered events per second of the server on a core, at the moderate rate.
    pub(crate) quiet_per_core_second: f64,
}

/// Runs one server with so many monitors.
pub(crate) async fn run(subject: Subject, monitors: usize, programs: &Programs, plan: &Plan) -> Result<Sample> {
    let server = Server::start(subject, programs)?;
    let audience = Audience::connect(server.address, monitors).await?;
    let mut publisher = Publisher::connect(server.address, subject.acks()).await?;
    publisher.burst(plan.warm_up).await?;
    publisher.settle(&audience).await?;

    let mut sample = Sample::default();
    let (before, start, cores) = (
        publisher.published(),
        Instant::now(),
        process::core_seconds(server.pid())?,
    );
    publisher
        .at_full_speed(Duration::from_secs_f64(plan.seconds), plan.window, &audience)
        .await?;
    publisher.settle(&audience).await?;
    let delivered = ((publisher.published() - before) * audience.len() as u64) as f64;
    sample.per_second = delivered / start.elapsed().as_secs_f64();
    sample.per_core_second = delivered / (process::core_seconds(server.pid())? - cores);

    if plan.rate_seconds > 0.0 {
        let (before, cores) = (publisher.published(), process::core_seconds(server.pid())?);
        audience.record();
        publisher
            .at_rate(plan.rate, Duration::from_secs_f64(plan.rate_seconds))
            .await?;
        publisher.settle(&audience).await?;
        let delivered = ((publisher.published() - before) * audience.len() as u64) as f64;
        sample.quiet_per_core_second = delivered / (process::core_seconds(server.pid())? - cores);
        let mut latencies = audience.recorded();
        latencies.sort_unstable();
        sample.p50 = quantile(&latencies, 0.5) / 1e3;
        sample.p99 = quantile(&latencies, 0.99) / 1e3;
    }
    Ok(sample)
}

/// Bytes of memory that each of many idle monitors costs, once it has had a few events.
pub(crate) async fn idle(subject: Subject, programs: &Programs, plan: &Plan) -> Result<f64> {
    let server = Server::start(subject, programs)?;
    let mut publisher = Publisher::connect(server.address, subject.acks()).await?;
    // One monitor before the count starts, so that what is set up once is not counted.
    let first = Audience::connect(server.address, 1).await?;
    publisher.burst(64).await?;
    publisher.settle(&first).await?;
    drop(first);
    let before = settled(server.pid()).await?;
    drop(publisher);
    let audience = Audience::connect(server.address, plan.idle).await?;
    let mut publisher = Publisher::connect(server.address, subject.acks()).await?;
    publisher.burst(64).await?;
    publisher.settle(&audience).await?;
    let after = settled(server.pid()).await?;
    Ok((after as f64 - before as f64) / plan.idle as f64)
}

/// The memory once it has stayed the same for a while.
async fn settled(pid: u32) -> Result<u64> {
    let mut last = process::resident(pid)?;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = process::resident(pid)?;
        if now == last {
            break;
        }
        last = now;
    }
    Ok(last)
}

/// The value below which `part` of the sorted values are.
pub(crate) fn quantile(sorted: &[u64], part: f64) -> f64 {
    let place = (sorted.len() as f64 * part) as usize;
    sorted
        .get(place.min(sorted.len().saturating_sub(1)))
        .map_or(f64::NAN, |value| *value as f64)
}

/// The median.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
