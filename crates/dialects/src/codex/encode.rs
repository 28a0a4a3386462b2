//! What the hub says to a client (seed 003, "Server to Client"): a message each, with an id of the caller's choice.

use countersign_model::{Approval, Json, Scope, Surface, Verdict};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Review, WireError};
use crate::shrink;

#[derive(Serialize)]
struct Envelope<'a, T> {
    id: &'a str,
    r#type: &'a str,
    payload: T,
}

fn message<T: Serialize>(id: &str, kind: &str, payload: T) -> String {
    let envelope = Envelope {
        id,
        r#type: kind,
        payload,
    };
    serde_json::to_string(&envelope).expect("the dialect's messages serialise")
}

/// What an agent wants to run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The files that it would change, as the agent says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply_patch: Option<Json>,
}

/// One item of the agent's response, an object, as the agent made it. One that is larger than clients take is cut, string by
/// string, and says `"truncated": true`.
pub fn response_item(id: &str, item: &RawValue) -> String {
    let item = shrink::outgoing("response_item", item);
    let mut out = String::with_capacity(item.len() + 80);
    out.push_str("{\"id\":");
    out.push_str(&serde_json::to_string(id).expect("a string serialises"));
    out.push_str(",\"type\":\"response_item\",\"payload\":");
    out.push_str(&item);
    out.push('}');
    out
}

/// A response item that the hub says itself: a message of the role `system`, which the seed has.
pub fn system_message(id: &str, text: &str) -> String {
    #[derive(Serialize)]
    struct Content<'a> {
        r#type: &'a str,
        text: &'a str,
    }
    #[derive(Serialize)]
    struct Item<'a> {
        r#type: &'a str,
        role: &'a str,
        content: [Content<'a>; 1],
    }
    let item = Item {
        r#type: "message",
        role: "system",
        content: [Content {
            r#type: "input_text",
            text,
        }],
    };
    message(id, "response_item", item)
}

/// Whether the agent is at work.
pub fn loading_state(id: &str, loading: bool) -> String {
    #[derive(Serialize)]
    struct Payload {
        loading: bool,
    }
    message(id, "loading_state", Payload { loading })
}

/// The agent asks whether it may. The message's id is the request's id in the hub.
pub fn approval_request(id: &str, question: &Question) -> String {
    message(id, "approval_request", question)
}

/// Additive: the request was answered, and not by this client.
pub fn approval_resolved(id: &str, approval: &Approval) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Payload<'a> {
        request_id: &'a str,
        review: &'a str,
        status: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<Surface>,
        #[serde(skip_serializing_if = "Option::is_none")]
        custom_deny_message: Option<&'a str>,
    }
    let decision = approval.decision.as_ref();
    let verdict = approval.status.verdict().unwrap_or(Verdict::Deny);
    let payload = Payload {
        request_id: &approval.request_id,
        review: Review::of(verdict, decision.map_or(Scope::Once, |decision| decision.scope)).as_str(),
        status: approval.status.as_str(),
        by: decision.map(|decision| decision.by),
        custom_deny_message: decision.and_then(|decision| decision.message.as_deref()),
    };
    message(id, "approval_resolved", payload)
}

/// The agent is done; the user's turn.
pub fn agent_finished(id: &str, response_id: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Payload<'a> {
        response_id: &'a str,
    }
    message(id, "agent_finished", Payload { response_id })
}

/// Something went wrong.
pub fn error(id: &str, text: &str, details: Option<&RawValue>) -> String {
    #[derive(Serialize)]
    struct Payload<'a> {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        details: Option<&'a RawValue>,
    }
    message(id, "error", Payload { message: text, details })
}

/// A message that was not understood. Its details name the message and the field.
pub fn refused(id: &str, wrong: &WireError) -> String {
    #[derive(Serialize)]
    struct Details<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<&'a str>,
    }
    let details = Details {
        id: wrong.id.as_deref(),
        field: wrong.field,
    };
    error(id, &wrong.message, Some(&countersign_model::to_json(&details)))
}
