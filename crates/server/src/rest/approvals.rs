//! `/api/approvals`: ask, wait for the answer, and answer.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use countersign_dialects::limits::MAX_MESSAGE;
use countersign_dialects::sam;
use countersign_hub::{AnswerError, Waiter, random_hex};
use countersign_model::canonical::too_deep;
use countersign_model::{Answer, Approval, Delivery, Json, Origin, Scope, Status, Surface, Verdict};
use serde::{Deserialize, Serialize};

use super::{Text, json, wait};
use crate::app::App;
use crate::auth::{Access, Lack};
use crate::problem::Problem;
use crate::socket::query;

/// Approvals that a list gives at most.
const MAX_LIST: usize = 1000;

fn parameter(text: Option<&String>, name: &str) -> Option<String> {
    query(text.map_or("", String::as_str))
        .into_iter()
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// The approval of that name, if it is in the peer's streams.
pub(crate) async fn visible(app: &App, access: &Access, name: &str) -> Result<Approval, Problem> {
    let approval = app.door.hub.find(name).await?;
    if access.sees(approval.stream.as_deref()) {
        Ok(approval)
    } else {
        Err(AnswerError::NotFound.into())
    }
}

/// Takes a question in; with `?wait=` answers when it is decided, or when the time is over.
pub(crate) async fn ask(
    State(app): State<App>,
    RawQuery(text): RawQuery,
    Extension(access): Extension<Access>,
    Text(body): Text,
) -> Result<Response, Problem> {
    let time = wait(parameter(text.as_ref(), "wait").as_deref())?;
    let hub = &app.door.hub;
    let mut ask = sam::decode_ask(&body, &super::events::peer(), &random_hex(12))?;
    ask.stream = access.stream(ask.stream)?;
    ask.timeout = ask.timeout.or(app.settings.approval_timeout);
    let asked = hub.ask(ask).await?;
    // A store that fails has answered no by now; that is what is shown then.
    hub.settled(asked.waiter.id()).await;
    let approval = poll(&app, asked.waiter, time.unwrap_or_default()).await?;
    let code = if approval.status == Status::Pending {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(json(code, &approval))
}

/// Waits for the answer. Whoever gets it this way is the agent, so it counts as delivered.
async fn poll(app: &App, mut waiter: Waiter, time: Duration) -> Result<Approval, Problem> {
    match within(app, time, waiter.answer()).await {
        Some(approval) if approval.delivery == Delivery::Waiting => {
            waiter.delivered();
            Ok(Approval {
                delivery: Delivery::Delivered,
                ..approval
            })
        }
        Some(approval) => Ok(approval),
        None => Ok(app.door.hub.find(waiter.id()).await?),
    }
}

/// Waits for so long at most, and not beyond the hub's closing.
async fn within<T>(app: &App, time: Duration, wanted: impl Future<Output = T>) -> Option<T> {
    let mut closing = app.settings.closing.clone();
    tokio::select! {
        biased;
        got = tokio::time::timeout(time, wanted) => got.ok(),
        _ = closing.wait_for(|closing| *closing) => None,
    }
}

/// The newest approvals, or those of one status.
pub(crate) async fn list(
    State(app): State<App>,
    RawQuery(text): RawQuery,
    Extension(access): Extension<Access>,
) -> Result<Response, Problem> {
    let status = match parameter(text.as_ref(), "status").as_deref() {
        None | Some("" | "all") => None,
        Some(name) => Some(Status::parse(name).ok_or_else(|| {
            Problem::bad_request("`status` is pending, approved, denied, stopped, expired or cancelled")
                .with("field", "status".into())
        })?),
    };
    let mut approvals = app.door.hub.approvals(status, MAX_LIST).await?;
    approvals.retain(|approval| access.sees(approval.stream.as_deref()));
    #[derive(Serialize)]
    struct List {
        approvals: Vec<Approval>,
    }
    Ok(json(StatusCode::OK, &List { approvals }))
}

/// One approval; with `?wait=` once it is decided, or when the time is over.
pub(crate) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(text): RawQuery,
    Extension(access): Extension<Access>,
) -> Result<Response, Problem> {
    let time = wait(parameter(text.as_ref(), "wait").as_deref())?;
    let hub = &app.door.hub;
    let approval = visible(&app, &access, &id).await?;
    // An approver looks; an agent that asks for a question that came over REST is the one that asked it.
    let agent = approval.origin == Origin::Rest && access.may_publish() && !access.may_answer();
    if !agent && !access.may_read() {
        return Err(access.lacks(Lack::Read));
    }
    if agent {
        if let Some(waiter) = hub.wait_for(&approval.id) {
            return Ok(json(
                StatusCode::OK,
                &poll(&app, waiter, time.unwrap_or_default()).await?,
            ));
        }
    } else if let (Some(time), Status::Pending) = (time, approval.status) {
        let decided = async {
            let mut answers = hub.answers();
            loop {
                answers.borrow_and_update();
                let now = hub.find(&approval.id).await;
                if now.as_ref().is_ok_and(|now| now.status != Status::Pending) || answers.changed().await.is_err() {
                    return now;
                }
            }
        };
        if let Some(decided) = within(&app, time, decided).await {
            return Ok(json(StatusCode::OK, &decided?));
        }
    }
    Ok(json(StatusCode::OK, &hub.find(&approval.id).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    decision: Verdict,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    arguments: Option<Json>,
    #[serde(default)]
    grants: Vec<u32>,
}

/// Answers an approval; the first answer wins.
pub(crate) async fn decide(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(text): RawQuery,
    headers: HeaderMap,
    Extension(access): Extension<Access>,
    Text(body): Text,
) -> Result<Response, Problem> {
    if too_deep(body.as_bytes()) {
        return Err(Problem::bad_request("nested too deeply"));
    }
    let given: Given = serde_json::from_str(&body).map_err(|error| {
        Problem::bad_request(format!(
            "a decision is {{\"decision\": \"approve|deny|stop\"}}: {error}"
        ))
    })?;
    if given
        .message
        .as_ref()
        .is_some_and(|message| message.len() > MAX_MESSAGE)
    {
        return Err(
            Problem::bad_request(format!("`message` is longer than {MAX_MESSAGE} bytes"))
                .with("field", "message".into()),
        );
    }
    let hub = &app.door.hub;
    let approval = visible(&app, &access, &id).await?;
    if let Some((allowed, verdict)) = &access.one_answer {
        let plain = given.scope == Scope::Once && given.arguments.is_none() && given.grants.is_empty();
        if *allowed != approval.id || *verdict != given.decision || !plain {
            return Err(Problem::forbidden("this token allows another answer"));
        }
        if let Some(token) = crate::auth::given(&headers, text.as_deref())? {
            app.door.keys.spend(&token);
        }
    } else if given.scope != Scope::Once && !access.sees_all() {
        return Err(Problem::forbidden(
            "a rule reaches beyond the streams of this token: answer with the scope `once`",
        )
        .with("field", "scope".into()));
    }
    let answer = Answer {
        verdict: given.decision,
        scope: given.scope,
        message: given.message,
        arguments: given.arguments.filter(|arguments| arguments.get() != "null"),
        grants: given.grants,
        by: Surface::Rest,
    };
    let decided = hub.answer(&approval.id, answer).await?;
    // A store that fails turns an approval into a no, and that is what is told here.
    hub.settled(&decided.id).await;
    let recorded = hub.find(&decided.id).await.unwrap_or(decided);
    Ok(json(StatusCode::OK, &recorded))
}
