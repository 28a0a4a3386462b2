//! How a local program gets the approver's right: with the approver token, or by the person at the desktop allowing it.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_model::Verdict;
use serde::Deserialize;
use serde_json::json as value;

use super::{Text, json};
use crate::auth::{Access, ConfirmAsk, Lack, Roles, Standing};
use crate::problem::Problem;
use crate::router::App;

#[derive(Deserialize)]
#[serde(tag = "for", rename_all = "lowercase", deny_unknown_fields)]
enum Wish {
    Dashboard,
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
            Ok(json(
                StatusCode::OK,
                &value!({ "code": keys.new_code(access, app.door.hub.now()) }),
            ))
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
