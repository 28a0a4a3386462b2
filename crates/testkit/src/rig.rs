//! A hub in the process, with a clock and a store that do nothing unless the test says so.

use std::sync::Arc;

use countersign_hub::{Config, Hub};

use crate::{Drained, ManualClock, MemoryArchive};

/// One run of a hub over a store in memory.
pub struct Rig {
    /// The hub.
    pub hub: Arc<Hub>,
    /// Its store.
    pub archive: Arc<MemoryArchive>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    config: Config,
}

impl Rig {
    /// A new hub in the epoch `e1`, with nothing in its past.
    pub fn new(config: Config) -> Self {
        Self::over(config, MemoryArchive::new(), ManualClock::new())
    }

    fn over(config: Config, archive: Arc<MemoryArchive>, clock: Arc<ManualClock>) -> Self {
        let restored = archive.restore();
        let hub = Hub::new(config, restored, archive.clone(), clock.clone());
        Self {
            hub,
            archive,
            clock,
            config,
        }
    }

    /// The next run, in the next epoch, as after `kill -9`: what was not committed is gone.
    #[must_use]
    pub fn crash(self) -> Self {
        Self::over(self.config, self.archive, self.clock)
    }

    /// Commits all that is in the log, or fails to.
    pub fn drain(&self) -> Drained {
        self.archive.drain(&self.hub)
    }
}
