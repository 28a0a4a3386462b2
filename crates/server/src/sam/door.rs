//! From a request to a SAM connection: what its query asks for, where it reads from, what it hears first.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use countersign_dialects::sam;
use countersign_hub::{Cursor, HistoryLost, random_hex};
use countersign_model::cursor::SinceError;
use countersign_model::{Origin, Since};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::conversation::SamConversation;
use super::filter::{Filter, names};
use crate::VERSION;
use crate::auth::Door;
use crate::census::Speaks;
use crate::hive::{Root, Setting};
use crate::problem::Problem;
use crate::socket::{Direct, Feed, Intake, Settings, query, run, upgrade};

/// A client that does not ask for anything gets events so long after the upgrade, or at its first message: until then it
/// may still turn out to speak another dialect.
const DELAY: Duration = Duration::from_millis(250);

/// Which door a connection came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `/`: reads, and may publish.
    Monitor,
    /// `/publish`: publishes, and hears only what concerns it.
    Publisher,
    /// `/publish?run=1`: the same for `countersign run`, whose events are a program's and no dialect's.
    Run,
}

impl Role {
    /// Who publishes by this request.
    pub(crate) fn of_publisher(request: &Request) -> Self {
        let asked = query(request.uri().query().unwrap_or_default());
        let run = asked.iter().any(|(name, value)| name == "run" && value == "1");
        if run { Self::Run } else { Self::Publisher }
    }
}

/// What the request asks for.
struct Opening {
    cursor: Cursor,
    filter: Filter,
    /// Whether it used a query, and so is told where it is.
    greeted: bool,
    lost: Option<HistoryLost>,
}

/// Upgrades the request. The cursor is taken now: from here on nothing is missed.
pub(crate) fn open(request: Request, role: Role, door: Door, settings: &Settings) -> Result<Response, Problem> {
    let opening = opening(&request, &door, settings)?;
    let who = (role != Role::Monitor).then(|| who(&request)).flatten();
    let closing = settings.closing.clone();
    let (timeout, switches) = (settings.approval_timeout, settings.switches);
    let opened = opening.cursor.seen();
    let census = settings.census.clone();
    upgrade(request, settings, async move |line| {
        let present = Arc::new(census.enter(Speaks::Sam));
        let started = Arc::new(Notify::new());
        let start_at = (!opening.greeted).then(|| Instant::now() + DELAY);
        let feed = (role == Role::Monitor).then(|| {
            Feed::new(
                opening.cursor,
                Some(Arc::new(opening.filter)),
                start_at,
                started.clone(),
            )
        });
        let intake = match role {
            Role::Monitor => Intake::MONITOR,
            Role::Publisher | Role::Run => Intake::PUBLISHER,
        };
        let origin = if role == Role::Run { Origin::Run } else { Origin::Sam };
        let (hub, badge) = (door.hub.clone(), line.badge.clone());
        run(line, intake, feed, &hub, closing, |direct| {
            greet(opening.greeted, opening.lost.as_ref(), &door, &direct);
            let setting = Setting {
                door: door.clone(),
                badge: badge.clone(),
                name: format!("c-{}", random_hex(6)),
                timeout,
                switches,
                opened: (role == Role::Monitor).then_some(opened),
                lost: None,
                present,
            };
            let name = setting.name.clone();
            let sam = SamConversation::new(origin, door, badge, name, timeout, started, direct.clone());
            if let Some((agent, session)) = &who {
                sam.enters(agent, session);
            }
            Root::new(sam, setting, direct)
        })
        .await;
    })
}

/// The agent and the session that a publisher says it is: `/publish?agent=NAME&session=ID`.
fn who(request: &Request) -> Option<(String, String)> {
    let asked = query(request.uri().query().unwrap_or_default());
    let named = |wanted: &str| {
        let found = asked.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.to_string())
    };
    Some((named("agent")?, named("session")?))
}

/// Says where in the log the connection is. The channel is new, so there is room.
fn greet(greeted: bool, lost: Option<&HistoryLost>, door: &Door, direct: &mpsc::Sender<Direct>) {
    let hub = &door.hub;
    if greeted {
        let hello = sam::hello(hub.epoch(), hub.head(), VERSION, hub.now());
        let _ = direct.try_send(Direct::text(&hello));
    }
    if let Some(lost) = lost {
        let lost = sam::history_lost(&lost.epoch, lost.oldest, lost.head, lost.last, hub.now());
        let _ = direct.try_send(Direct::text(&lost));
    }
}

/// Reads the query and takes the cursor.
fn opening(request: &Request, door: &Door, settings: &Settings) -> Result<Opening, Problem> {
    let (mut since, mut types, mut agents) = (None, None, None);
    let (mut greeted, mut origin) = (false, false);
    for (name, value) in query(request.uri().query().unwrap_or_default()) {
        // An empty list names nobody in particular, as in REST.
        let list = |value: &str| {
            let names = names(value).map_err(Problem::bad_request)?;
            Ok::<_, Problem>((!names.is_empty()).then_some(names))
        };
        greeted |= matches!(&*name, "since" | "types" | "agents");
        match &*name {
            "since" => {
                let place: Since = value
                    .parse()
                    .map_err(|error: SinceError| Problem::bad_request(error.to_string()))?;
                since = Some(place);
            }
            "types" => types = list(&value)?,
            "agents" => agents = list(&value)?,
            "origin" => origin = matches!(&*value, "1" | "true"),
            _ => {}
        }
    }
    let (cursor, lost) = match door.hub.cursor(since.as_ref()) {
        Ok(cursor) => (cursor, None),
        Err(lost) => (door.hub.from_head(), Some(lost)),
    };
    Ok(Opening {
        cursor,
        filter: Filter::new(types, agents, origin, settings.switches),
        greeted,
        lost,
    })
}
