//! The publisher: one connection, at full speed or at a rate. At full speed it keeps a bounded number of events on their way, so
//! that what is measured can be kept up for ever.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::audience::Audience;
use crate::traffic::Traffic;
use crate::wire;

/// Events that go out in one write at full speed.
const CHUNK: u64 = 64;

/// Which events ask for an acknowledgement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Acks {
    /// The server has none.
    Never,
    /// The last one of a run: a run is over when everything is stored.
    Last,
    /// Each one.
    Each,
}

pub(crate) struct Publisher {
    stream: Arc<TcpStream>,
    traffic: Traffic,
    acks: Acks,
    asked: u64,
    acknowledged: watch::Receiver<u64>,
    reading: JoinHandle<Result<()>>,
}

impl Publisher {
    pub(crate) async fn connect(address: SocketAddr, acks: Acks) -> Result<Self> {
        let (stream, mut reader) = wire::connect(address, "/publish").await.context("the publisher")?;
        let stream = Arc::new(stream);
        let (tell, acknowledged) = watch::channel(0);
        let ear = stream.clone();
        let reading = tokio::spawn(async move {
            loop {
                let mut acks = 0;
                reader
                    .read(&ear, |frame| {
                        ensure!(
                            frame.starts_with(br#"{"type":"ack""#),
                            "the publisher was told: {}",
                            String::from_utf8_lossy(frame)
                        );
                        acks += 1;
                        Ok(())
                    })
                    .await?;
                tell.send_modify(|count| *count += acks);
            }
        });
        Ok(Self {
            stream,
            traffic: Traffic::new(),
            acks,
            asked: 0,
            acknowledged,
            reading,
        })
    }

    /// How many events were published.
    pub(crate) fn published(&self) -> u64 {
        self.traffic.made()
    }

    fn push(&mut self, out: &mut Vec<u8>) {
        let ack = self.acks == Acks::Each;
        self.asked += u64::from(ack);
        self.traffic.push(out, ack);
    }

    async fn write(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Publishes for `time`, never more than `window` events ahead of the slowest monitor.
    pub(crate) async fn at_full_speed(&mut self, time: Duration, window: u64, audience: &Audience) -> Result<()> {
        let end = Instant::now() + time;
        let mut out = Vec::new();
        while Instant::now() < end {
            audience.have((self.published() + CHUNK).saturating_sub(window)).await?;
            out.clear();
            for _ in 0..CHUNK {
                self.push(&mut out);
            }
            self.write(&out).await?;
        }
        Ok(())
    }

    /// Publishes `count` events, whatever the monitors do.
    pub(crate) async fn burst(&mut self, count: u64) -> Result<()> {
        let mut out = Vec::new();
        for _ in 0..count.div_ceil(CHUNK) {
            out.clear();
            for _ in 0..CHUNK {
                self.push(&mut out);
            }
            self.write(&out).await?;
        }
        Ok(())
    }

    /// Publishes `rate` events a second for `time`, evenly.
    pub(crate) async fn at_rate(&mut self, rate: u32, time: Duration) -> Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let end = Instant::now() + time;
        let mut out = Vec::new();
        while Instant::now() < end {
            ticks.tick().await;
            out.clear();
            self.push(&mut out);
            self.write(&out).await?;
        }
        Ok(())
    }

    /// Waits until all monitors have everything and, where there are acknowledgements, until all is stored.
    pub(crate) async fn settle(&mut self, audience: &Audience) -> Result<()> {
        self.stored().await?;
        audience.have(self.published()).await
    }

    /// Waits for the acknowledgements that are asked for.
    pub(crate) async fn stored(&mut self) -> Result<()> {
        if self.acks == Acks::Last {
            let mut out = Vec::new();
            self.asked += 1;
            self.traffic.push(&mut out, true);
            self.write(&out).await?;
        }
        let asked = self.asked;
        let acknowledged = self.acknowledged.wait_for(|count| *count >= asked);
        match tokio::time::timeout(Duration::from_secs(60), acknowledged).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => match (&mut self.reading).await? {
                Err(error) => Err(error.context("the publisher")),
                Ok(()) => bail!("the publisher's connection ended"),
            },
            Err(_) => bail!("acknowledgements are missing"),
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.reading.abort();
    }
}
