//! `/api/events`: publish without a socket, and read the history.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use countersign_dialects::sam::{self, Inbound, Peer};
use countersign_hub::{BatchError, EventQuery, Item, Page, Published};
use countersign_model::{EventRow, Origin, Seq, Since};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Text, json, reply};
use crate::app::App;
use crate::auth::Access;
use crate::cloud;
use crate::problem::Problem;
use crate::sam::names;
use crate::socket::query;

/// Events that one request may bring.
const MAX_BATCH: usize = 100_000;
/// Rows of a page at most, and when not said.
const MAX_LIMIT: usize = 1000;
const LIMIT: usize = 100;
/// Bytes of data of a page, about.
const MAX_PAGE: usize = 16 * 1024 * 1024;
const NDJSON: &str = "application/x-ndjson";

/// Who publishes, when the event does not say.
pub(crate) fn peer() -> Peer {
    Peer {
        origin: Origin::Rest,
        agent: "rest".into(),
        session: None,
    }
}

#[derive(Serialize)]
struct Receipt<'a> {
    epoch: &'a str,
    first: Seq,
    last: Seq,
}

/// Takes an object, an array or NDJSON; all of it or nothing. Answers once it is committed.
pub(crate) async fn publish(
    State(app): State<App>,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
    Text(body): Text,
) -> Result<Response, Problem> {
    let mut items = items(&body, is_ndjson(&headers))?;
    for (index, item) in items.iter_mut().enumerate() {
        let stream = match item {
            Item::Event(event) => &mut event.stream,
            Item::Ask(ask) => &mut ask.stream,
        };
        *stream = access
            .stream(stream.take())
            .map_err(|error| Problem::from(error).with("index", index.into()))?;
    }
    let hub = &app.door.hub;
    if items.is_empty() {
        return Err(Problem::bad_request("there is no event to publish"));
    }
    for item in &mut items {
        if let Item::Ask(ask) = item {
            ask.timeout = ask.timeout.or(app.settings.approval_timeout);
        }
    }
    let Published { first, last } = hub.publish_all(items).await.map_err(|error| match error {
        BatchError::Event(error) => error.into(),
        BatchError::Ask(place, error) => Problem::from(error).in_data().with("index", place.into()),
    })?;
    hub.committed(last).await?;
    let receipt = Receipt {
        epoch: hub.epoch().as_str(),
        first,
        last,
    };
    Ok(json(StatusCode::OK, &receipt))
}

fn is_ndjson(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    kind.starts_with(NDJSON) || kind.starts_with("application/jsonl") || kind.starts_with("application/ndjson")
}

fn items(body: &str, ndjson: bool) -> Result<Vec<Item>, Problem> {
    let trimmed = body.trim();
    let texts: Vec<&str> = if trimmed.starts_with('[') && !ndjson {
        // How deep each event is nested is judged by itself.
        serde_json::from_str::<Vec<&RawValue>>(trimmed)
            .map_err(|error| Problem::bad_request(format!("not a JSON array: {error}")))?
            .into_iter()
            .map(RawValue::get)
            .collect()
    } else if !ndjson && serde_json::from_str::<&RawValue>(trimmed).is_ok() {
        vec![trimmed]
    } else {
        trimmed.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
    };
    if texts.len() > MAX_BATCH {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("more than {MAX_BATCH} events in one request"),
        ));
    }
    let peer = peer();
    texts
        .iter()
        .enumerate()
        .map(|(index, text)| item(text, &peer, index))
        .collect()
}

fn item(text: &str, peer: &Peer, index: usize) -> Result<Item, Problem> {
    let at = |problem: Problem| problem.with("index", index.into());
    let decoded = sam::decode(text, peer).map_err(|error| at(error.into()))?;
    match decoded.inbound {
        Inbound::Event(event) if countersign_model::kind::is_reserved(&event.kind) => {
            Err(at(countersign_hub::PublishError::HubOnly(event.kind.to_string()).into()))
        }
        Inbound::Event(event) => match cloud::forged(&event.kind) {
            Some(why) => Err(at(Problem::new(StatusCode::FORBIDDEN, why).with("field", "type".into()))),
            None => Ok(Item::Event(event)),
        },
        Inbound::Ask(ask) => Ok(Item::Ask(ask)),
        Inbound::Answer(_) => Err(at(Problem::new(
            StatusCode::FORBIDDEN,
            "an answer is no event: POST /api/approvals/{id}/decision",
        )
        .with("field", "type".into()))),
    }
}

/// Reads a page of the history, oldest first.
pub(crate) async fn read(
    State(app): State<App>,
    RawQuery(text): RawQuery,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let hub = &app.door.hub;
    let mut query = event_query(text.as_deref().unwrap_or_default(), |since| {
        // A bare number asks for what is kept after it, and is a place that never was only when it is past the head.
        if since.epoch.is_none() && since.seq <= hub.tail() {
            return Ok(());
        }
        hub.cursor(Some(since)).map(drop).map_err(|lost| {
            Problem::new(StatusCode::GONE, "the events after this place are not kept")
                .with("epoch", lost.epoch.as_str().into())
                .with("oldest", lost.oldest.into())
                .with("head", lost.head.into())
        })
    })?;
    query.streams = access.named();
    // What was broadcast before this request is in the store before it is read.
    hub.flush().await;
    let page = hub.archive().events(query).await?;
    let ndjson = headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|accept| accept.to_str().is_ok_and(|accept| accept.contains(NDJSON)));
    if ndjson {
        return lines(&page);
    }
    #[derive(Serialize)]
    struct Rows<'a> {
        events: Vec<EventRow<'a>>,
        next: Option<Seq>,
    }
    let rows = Rows {
        events: page.events.iter().map(EventRow::from).collect(),
        next: page.next,
    };
    Ok(json(StatusCode::OK, &rows))
}

fn lines(page: &Page) -> Result<Response, Problem> {
    let mut text = String::new();
    for event in &page.events {
        let line = serde_json::to_string(&EventRow::from(event))
            .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
        // Data is kept as it came, and may have line breaks between its tokens; within strings they are always escaped.
        text.extend(line.chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }));
        text.push('\n');
    }
    let mut response = reply(StatusCode::OK, NDJSON, text);
    if let Some(next) = page.next {
        // NDJSON has no place for it beside the rows.
        response.headers_mut().insert("x-next", HeaderValue::from(next));
    }
    Ok(response)
}

fn event_query(text: &str, check: impl Fn(&Since) -> Result<(), Problem>) -> Result<EventQuery, Problem> {
    let mut query_ = EventQuery {
        limit: LIMIT,
        max_bytes: MAX_PAGE,
        ..EventQuery::default()
    };
    for (name, value) in query(text) {
        let field = |problem: Problem| problem.with("field", name.clone().into());
        let list = |value: &str| names(value).map_err(|error| field(Problem::bad_request(error)));
        match &*name {
            "since" => {
                let since: Since = value.parse().map_err(|error: countersign_model::cursor::SinceError| {
                    field(Problem::bad_request(error.to_string()))
                })?;
                check(&since)?;
                query_.since = since.seq;
            }
            "until" => {
                let until = value
                    .parse()
                    .map_err(|_| field(Problem::bad_request("`until` is a whole number")))?;
                query_.until = Some(until);
            }
            "types" => query_.kinds = list(&value)?,
            "agents" => query_.agents = list(&value)?,
            "sessions" => query_.sessions = list(&value)?,
            "limit" => {
                query_.limit = value
                    .parse()
                    .ok()
                    .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                    .ok_or_else(|| field(Problem::bad_request(format!("`limit` is 1 to {MAX_LIMIT}"))))?;
            }
            _ => {}
        }
    }
    query_.kinds.retain(|kind| kind != "*");
    Ok(query_)
}
