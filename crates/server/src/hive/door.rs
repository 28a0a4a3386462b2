//! From a request to a Hive connection: where it reads from, what it may do.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use countersign_hub::random_hex;
use countersign_model::Since;
use countersign_model::cursor::SinceError;
use tokio::sync::Notify;

use super::conversation::{HiveConversation, Setting};
use crate::auth::Door;
use crate::census::Speaks;
use crate::problem::Problem;
use crate::socket::{Feed, Intake, Settings, query, run, upgrade};

/// Upgrades the request. The cursor is taken now, and nothing flows until the client subscribes: the first subscription misses
/// nothing. The query may say `since`, as SAM's does.
pub(crate) fn open(request: Request, door: Door, settings: &Settings) -> Result<Response, Problem> {
    let since = query(request.uri().query().unwrap_or_default())
        .into_iter()
        .find(|(name, _)| name == "since")
        .map(|(_, value)| value.parse::<Since>())
        .transpose()
        .map_err(|error: SinceError| Problem::bad_request(error.to_string()))?;
    let (cursor, lost) = match door.hub.cursor(since.as_ref()) {
        Ok(cursor) => (cursor, None),
        Err(lost) => (door.hub.from_head(), Some(lost)),
    };
    let census = settings.census.clone();
    let (closing, timeout, switches) = (settings.closing.clone(), settings.approval_timeout, settings.switches);
    upgrade(request, settings, async move |line| {
        let (hub, badge) = (door.hub.clone(), line.badge.clone());
        let setting = Setting {
            opened: Some(cursor.seen()),
            lost,
            door,
            badge,
            name: format!("c-{}", random_hex(6)),
            timeout,
            switches,
            present: Arc::new(census.enter(Speaks::Hive)),
        };
        let feed = Feed::new(cursor, None, None, Arc::new(Notify::new()));
        run(line, Intake::MONITOR, Some(feed), &hub, closing, |direct| {
            let conversation = HiveConversation::new(setting, direct);
            conversation.count();
            conversation
        })
        .await;
    })
}
