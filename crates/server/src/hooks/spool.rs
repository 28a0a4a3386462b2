//! Takes up what hooks could not deliver: when the hub starts, and whenever something lies there. The hub alone does that, for only
//! one at a time may read the spool in order; a letter is removed once its event is committed, and recognised if it comes again.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign_agents::hook::Agent;
use countersign_hub::Mark;
use countersign_model::{Extra, Millis, NewEvent, Origin, kind, to_json};
use countersign_store::spool::{self, Dropped};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::door::take_late;
use super::journal;
use crate::app::App;
use crate::problem::Problem;

/// How often it is looked whether something lies there.
const LOOK: Duration = Duration::from_secs(2);
/// The same while something is wrong.
const RETRY: Duration = Duration::from_secs(10);

/// Runs as long as the hub.
pub(crate) async fn deliver(app: App, data_dir: PathBuf) {
    let folder = spool::folder(&data_dir);
    let mut closing = app.settings.closing.clone();
    let delivering = async {
        let mut wait = LOOK;
        let mut left = true;
        loop {
            let mut round = async || {
                if left {
                    take_left(&app, &data_dir).await?;
                    left = false;
                }
                round(&app, &folder).await
            };
            let done = round().await;
            // What cannot be taken up now keeps nobody waiting.
            app.hooks.taken_up.send_replace(true);
            match done {
                Ok(()) => wait = LOOK,
                Err(why) => {
                    if wait == LOOK {
                        let folder = folder.display();
                        tracing::warn!(%folder, why, "what hooks left could not be taken up; it stays there");
                    }
                    wait = RETRY;
                }
            }
            tokio::time::sleep(wait).await;
        }
    };
    tokio::select! {
        _ = closing.wait_for(|closing| *closing) => {}
        () = delivering => {}
    }
}

/// Runs what reads and removes files where it holds nobody up.
async fn files<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Takes in what the last hub answered and may not have committed.
async fn take_left(app: &App, data_dir: &Path) -> Result<(), String> {
    let at = data_dir.to_owned();
    for record in files(move || journal::left(&at)).await? {
        take_in(app, &record.agent, &record.id, record.time, record.body.as_bytes()).await?;
    }
    let at = data_dir.to_owned();
    files(move || journal::forget_left(&at)).await
}

/// Delivers what there is, oldest first, and says what was dropped.
async fn round(app: &App, folder: &Path) -> Result<(), String> {
    let at = folder.to_owned();
    let (letters, dropped) = files(move || {
        spool::clear_drafts(&at)?;
        Ok((spool::list(&at)?, spool::drops(&at)?))
    })
    .await?;
    if let Some(dropped) = dropped {
        tell(app, &dropped).await.map_err(|problem| format!("{problem:?}"))?;
        let at = folder.to_owned();
        files(move || spool::forget_drops(&at)).await?;
    }
    for letter in letters {
        let (at, which) = (folder.to_owned(), letter.clone());
        match files(move || spool::read(&at, &which)).await? {
            Some((agent, body)) => take_in(app, &agent, letter.id(), letter.time(), &body).await?,
            None => tracing::warn!(id = letter.id(), "what a hook left is not whole, and thrown away"),
        }
        let at = folder.to_owned();
        files(move || spool::remove(&at, &letter)).await?;
    }
    Ok(())
}

/// Puts one event into the log, and waits for its commit. What the hub does not understand is not tried again.
async fn take_in(app: &App, agent: &str, id: &str, time: Millis, body: &[u8]) -> Result<(), String> {
    let (Some(agent), Ok(body)) = (Agent::parse(agent), std::str::from_utf8(body)) else {
        tracing::warn!(id, agent, "what a hook left cannot be read");
        return Ok(());
    };
    match take_late(app.clone(), agent, id, time, body).await {
        Err(problem) if problem.status().is_client_error() => {
            tracing::warn!(id, ?problem, "what a hook left is not taken in");
            Ok(())
        }
        taken => taken.map_err(|problem| format!("{problem:?}")),
    }
}

/// One word for all that was dropped.
async fn tell(app: &App, dropped: &Dropped) -> Result<(), Problem> {
    let data = to_json(&json!({
        "message": format!(
            "{} events of agents' hooks are lost: they happened while Countersign was not there, and there were more than it keeps",
            dropped.count
        ),
        "level": "warning",
        "dropped": dropped.count,
        "first": dropped.first,
        "last": dropped.last,
    }));
    let mut mark = [0; 16];
    mark.copy_from_slice(&Sha256::digest(format!("dropped\n{}", data.get()))[..16]);
    let event = NewEvent {
        origin: Origin::Hub,
        agent: "countersign".into(),
        session: None,
        stream: None,
        kind: kind::NOTIFICATION.into(),
        timestamp: None,
        data,
        extra: Extra::default(),
    };
    let hub = &app.door.hub;
    let once = hub.publish_once(vec![(event, Mark(mark))]).await?;
    Ok(hub.committed(once.last).await?)
}
