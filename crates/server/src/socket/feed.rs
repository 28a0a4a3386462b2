//! Events for one connection: a place in the log, and a view that says which of them go out and in which form. It holds no
//! queue of events, so a slow client costs nobody anything.

use std::sync::Arc;

use bytes::Bytes;
use countersign_hub::{ArchiveError, Batch, Cursor, Dialect};
use countersign_model::Event;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::auth::Badge;

/// Events and bytes of data that one write takes from the cursor, about.
const MAX_EVENTS: usize = 1024;
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// Which events a connection gets, and how they are written.
pub(crate) trait View: Send + Sync {
    /// Under which the frames are kept, for all connections that write alike.
    fn dialect(&self) -> Dialect;

    /// Whether this connection gets the event. The frame that others share must not depend on it.
    fn passes(&self, event: &Event) -> bool;

    /// The whole WebSocket frame; empty when the dialect cannot say it.
    fn frame(&self, event: &Event) -> Bytes;
}

/// Another view, from the frame on that it came with.
pub(crate) struct Tune {
    /// Nothing flows without one.
    pub(crate) view: Option<Arc<dyn View>>,
    /// From there on; without one, from where the connection is.
    pub(crate) cursor: Option<Cursor>,
}

pub(crate) struct Feed {
    cursor: Cursor,
    view: Option<Arc<dyn View>>,
    /// Events wait until then, or until `started` is signalled.
    start_at: Option<Instant>,
    started: Arc<Notify>,
    /// Nobody's, until the connection puts its own there: then nothing flows.
    badge: Badge,
}

impl Feed {
    /// A feed that waits: for `start_at` or the signal, and for a view if there is none.
    pub(crate) fn new(
        cursor: Cursor,
        view: Option<Arc<dyn View>>,
        start_at: Option<Instant>,
        started: Arc<Notify>,
    ) -> Self {
        Self {
            cursor,
            view,
            start_at,
            started,
            badge: Badge::nobody(),
        }
    }

    /// Whose feed it is. What that peer may not see is passed over, whatever the view wants.
    pub(crate) fn belongs_to(&mut self, badge: Badge) {
        self.badge = badge;
    }

    pub(crate) fn tune(&mut self, tune: Tune) {
        self.view = tune.view;
        self.start_at = None;
        if let Some(cursor) = tune.cursor {
            self.cursor = cursor;
        }
    }

    /// Waits until there may be something to write.
    pub(crate) async fn ready(&mut self) {
        if self.view.is_none() {
            // Only another view changes that, and it comes by way of a frame.
            std::future::pending::<()>().await;
        }
        if let Some(at) = self.start_at {
            tokio::select! {
                () = tokio::time::sleep_until(at) => {}
                () = self.started.notified() => {}
            }
            self.start_at = None;
        }
        self.cursor.ready().await;
    }

    /// Appends the frames of what there is.
    pub(crate) async fn fill(&mut self, buffer: &mut Vec<u8>) -> Result<(), ArchiveError> {
        let Some(view) = &self.view else { return Ok(()) };
        if self.start_at.is_some_and(|at| at > Instant::now()) {
            return Ok(());
        }
        self.start_at = None;
        let batch: Batch = self.cursor.read(MAX_EVENTS, MAX_BYTES).await?;
        let access = self.badge.access();
        let allowed = |event: &Event| access.may_read() && access.sees(event.stream.as_deref());
        let wanted = batch
            .iter()
            .map(|entry| &**entry)
            .filter(|entry| allowed(&entry.event) && view.passes(&entry.event));
        self.cursor.frames(
            wanted,
            view.dialect(),
            |event| view.frame(event),
            |frame| buffer.extend_from_slice(frame),
        );
        Ok(())
    }
}
