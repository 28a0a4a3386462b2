//! An answer that comes in over a connection: who may give it, which request it is for, and what is wrong with it.

use countersign_dialects::sam::{Reply, WireError};
use countersign_hub::{AnswerError, Hub};
use countersign_model::{Answer, Approval, Scope, Seq, Surface, Verdict};

use crate::auth::{Badge, Door};

/// Gives the answer. Gives the place in the log by which it is committed.
///
/// # Errors
/// When it changes nothing: the connection has no right to it, there is no such request, or it was answered before.
pub(crate) async fn answer(door: &Door, badge: &Badge, reply: Reply) -> Result<Seq, WireError> {
    let wrong = |field, error: String| WireError {
        error,
        field: Some(field),
    };
    let access = badge.access();
    if !access.may_answer() {
        let error =
            "this connection may not answer: answer in the window, or connect with the approver token as `?token=`";
        return Err(wrong("type", error.to_owned()));
    }
    let hub = &door.hub;
    let found = find(hub, &reply).await;
    let answer = Answer {
        verdict: reply.response,
        scope: Scope::Once,
        message: reply.message,
        arguments: None,
        grants: Vec::new(),
        by: Surface::Socket,
    };
    let answered = match found {
        Ok(approval) if !access.sees(approval.stream.as_deref()) => Err(AnswerError::NotFound),
        Ok(approval) => hub.answer(&approval.id, answer).await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(_) => Ok(hub.tail()),
        Err(AnswerError::Resolved(approval)) => {
            let verdict = approval.status.verdict().map_or("pending", Verdict::as_str);
            let status = approval.status.as_str();
            Err(wrong(
                "request_id",
                format!("already {status} ({verdict}): the first answer counts"),
            ))
        }
        Err(error) => Err(wrong("request_id", error.to_string())),
    }
}

async fn find(hub: &Hub, reply: &Reply) -> Result<Approval, AnswerError> {
    let Some(agent) = &reply.agent else {
        return hub.find(&reply.request_id).await;
    };
    if let Some(approval) = hub.find_key(agent, &reply.request_id) {
        return Ok(approval);
    }
    let approval = hub.find(&reply.request_id).await?;
    if *approval.agent == **agent {
        Ok(approval)
    } else {
        Err(AnswerError::NotFound)
    }
}
