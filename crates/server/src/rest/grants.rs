//! How a local program gets the approver's right: with the approver token, or by the person at the desktop allowing it.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_model::{Millis, Verdict};
use serde::Deserialize;
use serde_json::json as value;

use super::{Text, json};
use crate::app::App;
use crate::auth::{Access, ConfirmAsk, Lack, MAX_TTL, Role, Roles, Standing, TokenWish};
use crate::problem::Problem;

#[derive(Deserialize)]
#[serde(tag = "for", rename_all = "lowercase", deny_unknown_fields)]
enum Wish {
    Dashboard,
    Token(TokenWish),
    Answer { approval: String, decision: Verdict },
}

/// A code for a web monitor that may answer, or a token for one answer.
pub(crate) async fn grant(
    State(app): State<App>,
    Extension(access): Extension<Access>,
    Text(body): Text,
) -> Result<Response, Problem> {
    let wish: Wish = serde_json::from_str(&body).map_err(|error| {
        Problem::bad_request(format!(
            "the body is {{\"for\":\"dashboard\"}} or {{\"for\":\"answer\",\"approval\":ID,\"decision\":…}}: {error}"
        ))
    })?;
    let keys = &app.door.keys;
    match wish {
        Wish::Dashboard => {
            let access = allowed(&app, access, ConfirmAsk::Dashboard).await?;
            let now = app.door.hub.now();
            let mut grant = value!({ "code": keys.new_code(access, now) });
            if keys.required() {
                // The page itself is guarded, too: this opens it and does nothing else.
                grant["page"] = keys.sign(&PAGE, now).into();
            }
            Ok(json(StatusCode::OK, &grant))
        }
        Wish::Token(wish) => {
            let giver = allowed(&app, access, ConfirmAsk::Token(wish.clone())).await?;
            let now = app.door.hub.now();
            let wish = within(wish, &giver, now)?;
            Ok(json(StatusCode::OK, &value!({ "token": keys.sign(&wish, now) })))
        }
        Wish::Answer { approval, decision } => {
            let approval = super::approvals::visible(&app, &access, &approval).await?;
            let id = approval.id.clone();
            let ask = ConfirmAsk::Answer {
                approval: Box::new(approval),
                decision,
            };
            allowed(&app, access, ask).await?;
            let token = keys.new_answer(id, decision, app.door.hub.now());
            Ok(json(StatusCode::OK, &value!({ "token": token })))
        }
    }
}

/// What opens the page where everything needs a credential.
const PAGE: TokenWish = TokenWish {
    roles: Vec::new(),
    streams: Vec::new(),
    subject: None,
    ttl: 7 * 24 * 60 * 60,
};

/// The wish, if it is in the giver's own bounds: nobody hands on more than they have.
fn within(mut wish: TokenWish, giver: &Access, now: Millis) -> Result<TokenWish, Problem> {
    if !(1..=MAX_TTL).contains(&wish.ttl) {
        return Err(Problem::bad_request("`ttl` is a number of seconds from 1").with("field", "ttl".into()));
    }
    let has = |role: &Role| match role {
        Role::Agent => giver.roles.agent,
        Role::Monitor => giver.roles.monitor,
        Role::Approver => giver.roles.approver,
    };
    let streams =
        giver.sees_all() || (!wish.streams.is_empty() && wish.streams.iter().all(|stream| giver.sees(Some(stream))));
    if !streams || !wish.roles.iter().all(has) {
        return Err(Problem::forbidden(
            "a token can allow no more than the one that it is made with",
        ));
    }
    if let Some(expires) = giver.expires {
        wish.ttl = wish.ttl.min((expires.0 - now.0).div_euclid(1000));
    }
    Ok(wish)
}

/// What may be handed on: an approver's own access, no more; or, when the person allows it, all of it.
async fn allowed(app: &App, access: Access, ask: ConfirmAsk) -> Result<Access, Problem> {
    if access.may_answer() {
        return Ok(access);
    }
    let Some(confirm) = app.door.keys.confirm() else {
        return Err(access.lacks(Lack::Answer));
    };
    if confirm.confirm(ask).await {
        return Ok(Access::of(Roles::ALL, Standing::Known));
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "it was refused at the desktop"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    code: String,
}

/// Exchanges a one-time code for a bearer.
pub(crate) async fn exchange(State(app): State<App>, Text(body): Text) -> Result<Response, Problem> {
    let given: Exchange = serde_json::from_str(&body)
        .map_err(|error| Problem::bad_request(format!("the body is {{\"code\": …}}: {error}")))?;
    match app.door.keys.exchange(&given.code, app.door.hub.now()) {
        Some(token) => Ok(json(StatusCode::OK, &value!({ "token": token }))),
        None => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "this code was used, or is too old; `countersign dashboard` makes a new one",
        )),
    }
}
