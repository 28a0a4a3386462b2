//! Notifications of the operating system: a reader of the log with a cursor of its own, from the newest event on. Silent
//! while a person looks at the window. It answers nothing; a click leads to the window.

mod burst;
mod notice;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use countersign_hub::{Hub, random_hex};
use countersign_model::{Event, Status, kind};
use tauri::{AppHandle, Runtime};
use tauri_plugin_notification::NotificationExt;

use burst::Burst;
use notice::{Notice, body_of};

use crate::window;

const MOST_ROWS: usize = 1_000;
const MOST_BYTES: usize = 1 << 20;
/// Notifications that are remembered, to take them back once their request is answered.
const MOST_SHOWN: usize = 256;
/// The field of a notification that names its approval.
const APPROVAL: &str = "approval";

/// Starts telling. `show` brings the window up, at an approval if one is given.
pub(crate) fn start<R: Runtime>(
    app: &AppHandle<R>,
    hub: Arc<Hub>,
    show: impl Fn(Option<&str>) + Send + Sync + 'static,
) {
    let clicked = app.notification().on_action(move |performed| {
        let extra = performed.notification().map(|notification| notification.extra());
        let approval = extra.and_then(|extra| extra.get(APPROVAL)?.as_str());
        show(approval);
    });
    if let Err(error) = clicked {
        tracing::warn!(%error, "clicks on notifications lead nowhere");
    }
    let notices = Notices {
        app: app.clone(),
        hub,
        asked: Burst::default(),
        other: Burst::default(),
        shown: HashMap::new(),
    };
    tauri::async_runtime::spawn(notices.run());
}

struct Notices<R: Runtime> {
    app: AppHandle<R>,
    hub: Arc<Hub>,
    /// Requests have a bound of their own: a flood of failures must not hide one.
    asked: Burst,
    other: Burst,
    /// The system's notifications by approval.
    shown: HashMap<Arc<str>, i32>,
}

impl<R: Runtime> Notices<R> {
    async fn run(mut self) {
        let mut cursor = self.hub.from_head();
        loop {
            let due = [self.asked.due(), self.other.due()].into_iter().flatten().min();
            tokio::select! {
                () = cursor.ready() => {}
                () = until(due) => {
                    self.sum_up();
                    continue;
                }
            }
            match cursor.read(MOST_ROWS, MOST_BYTES).await {
                Ok(batch) => batch.iter().for_each(|entry| self.take(&entry.event)),
                Err(error) => {
                    // Old news are no news: go on with what is live.
                    tracing::warn!(%error, "notifications were left out");
                    cursor.skip_to(self.hub.head());
                }
            }
        }
    }

    fn take(&mut self, event: &Event) {
        if &*event.kind == kind::APPROVAL_RESOLVED {
            self.take_back(event);
            return;
        }
        let Some(notice) = Notice::of(event) else { return };
        if window::is_watched(&self.app) {
            tracing::debug!(seq = event.seq, kind = %event.kind, "not told: the window is in front");
            return;
        }
        let now = Instant::now();
        let Some((agent, request)) = &notice.request else {
            if self.other.offer(now) {
                self.show(&notice, None);
            }
            return;
        };
        // A rule or a stop may have answered it already.
        let asked = self.hub.find_key(agent, request);
        if let Some(approval) = asked.filter(|approval| approval.status == Status::Pending)
            && self.asked.offer(now)
        {
            self.show(&notice, Some(approval.id));
        }
    }

    fn sum_up(&mut self) {
        let now = Instant::now();
        let asked = self.asked.summary(now);
        let other = self.other.summary(now);
        if window::is_watched(&self.app) {
            return;
        }
        let told = [
            (asked, "more asked", self.hub.waiting_count()),
            (other, "more events", 0),
        ];
        for (held, what, waiting) in told {
            let Some(held) = held else { continue };
            let body = if waiting > 0 {
                format!("{waiting} waiting for you")
            } else {
                "See them in the window.".into()
            };
            let notice = Notice {
                title: format!("{held} {what}"),
                body,
                request: None,
            };
            self.show(&notice, None);
        }
    }

    fn show(&mut self, notice: &Notice, approval: Option<Arc<str>>) {
        let id = i32::from_str_radix(&random_hex(3), 16).unwrap_or_default();
        let builder = self.app.notification().builder();
        let mut builder = builder
            .id(id)
            .title(&notice.title)
            .body(body_of(&notice.body))
            .auto_cancel();
        if let Some(approval) = approval {
            builder = builder.extra(APPROVAL, &*approval);
            if self.shown.len() < MOST_SHOWN {
                self.shown.insert(approval, id);
            }
        }
        // The plugin says "shown" even without anybody to show it; only an error of its own comes back.
        if let Err(error) = builder.show() {
            tracing::warn!(%error, "a notification could not be shown");
        }
    }

    /// A request that was answered needs nobody any more.
    fn take_back(&mut self, event: &Event) {
        #[derive(serde::Deserialize)]
        struct Resolved {
            approval_id: Option<String>,
        }
        let resolved = serde_json::from_str::<Resolved>(event.data.get()).ok();
        let Some(id) = resolved.and_then(|resolved| self.shown.remove(&*resolved.approval_id?)) else {
            return;
        };
        let app = self.app.clone();
        // Asks the bus, and waits for it.
        tauri::async_runtime::spawn_blocking(move || drop(app.notification().remove_active(vec![id])));
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
