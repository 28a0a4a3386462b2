//! What the link must know of a dialect when the hub is its client: what to say at first, what a frame means, how an answer is told.
//! No IO here, nor in what implements it.

use std::sync::Arc;

use countersign_dialects::limits::MAX_NAME;
use countersign_model::{Approval, Ask, Epoch, NewEvent, Seq, fields, kind};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::settings::UpstreamSettings;

/// What a frame means.
#[derive(Debug)]
pub(crate) enum Heard {
    /// An event, the hubs that it came through before, and its place there.
    Event {
        event: NewEvent,
        via: Vec<Arc<str>>,
        seq: Option<Seq>,
    },
    /// A question.
    Ask {
        ask: Box<Ask>,
        via: Vec<Arc<str>>,
        seq: Option<Seq>,
    },
    /// A question was answered there, or is no more: by its request's id, and its agent's name here where that is said.
    Settled {
        request_id: String,
        agent: Option<Arc<str>>,
        how: String,
    },
    /// It is a Countersign: its epoch, and its newest event.
    Place { epoch: Epoch, head: Seq },
    /// What was asked for is no longer there; how far its epoch goes, where that is known.
    Lost { last: Option<Seq>, oldest: Seq },
    /// To be said in return.
    Say(String),
    /// Something is wrong, and the connection goes on.
    Trouble { error: String, refused: bool },
    /// Something is wrong, and the connection is of no use.
    End(String),
}

/// Where the connection is in the upstream's log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resume {
    /// `EPOCH:SEQ`.
    pub(crate) since: Option<String>,
    /// It is a Countersign, which knows words that the dialect's own servers do not; known once it is connected.
    pub(crate) countersign: bool,
}

/// A dialect, spoken as a client. One for each connection.
pub(crate) trait Tongue: Send {
    /// The address to connect to.
    fn address(&self, settings: &UpstreamSettings, resume: &Resume) -> String {
        let _ = resume;
        settings.url.to_string()
    }

    /// What is said first.
    fn open(&mut self, settings: &UpstreamSettings, resume: &Resume) -> Vec<String> {
        let _ = (settings, resume);
        Vec::new()
    }

    /// What a frame means.
    fn hear(&mut self, text: &str) -> Vec<Heard>;

    /// An answer, in the dialect's words; `None` where it has none.
    fn answer(&mut self, approval: &Approval) -> Option<String> {
        let _ = approval;
        None
    }

    /// What is said now and then to show that we are there.
    fn alive(&self) -> Option<String> {
        None
    }

    /// Whether a question ends with the connection that it came by.
    fn questions_end(&self) -> bool {
        false
    }
}

/// Stands for the agent and session of a frame that names none: no peer can be called so.
pub(crate) const NOBODY: &str = "\u{0}";

/// A question in a frame, as it is asked here; the other hub's answer shows no edited arguments.
pub(crate) fn asked_here(name: &str, mut ask: Box<Ask>, via: Vec<Arc<str>>, seq: Option<Seq>) -> Heard {
    ask.agent = under(name, Some(&*ask.agent).filter(|agent| *agent != NOBODY));
    if *ask.session == *NOBODY {
        ask.session = ask.agent.clone();
    }
    ask.edits = false;
    Heard::Ask { ask, via, seq }
}

/// What a Countersign says of a question that was resolved there.
pub(crate) fn settled_there(name: &str, data: &Value, agent: Option<&str>) -> Option<Heard> {
    let text = |name: &str| data[name].as_str().map(str::to_owned);
    Some(Heard::Settled {
        request_id: text("request_id")?,
        agent: agent.map(|agent| under(name, Some(agent))),
        how: text("status")
            .or_else(|| text("decision"))
            .unwrap_or_else(|| "resolved".into()),
    })
}

/// The data of an answer to a Countersign: the request, the verdict, and a word to the agent.
pub(crate) fn answered(approval: &Approval) -> Option<Value> {
    let mut data = json!({ "request_id": approval.request_id, "response": approval.status.verdict()? });
    let message = approval
        .decision
        .as_ref()
        .and_then(|decision| decision.message.as_deref());
    if let Some(message) = message {
        data["message"] = message.into();
    }
    Some(data)
}

/// The name that an upstream's agent has here: `NAME/AGENT`, or `NAME` when it named none.
pub(crate) fn under(name: &str, agent: Option<&str>) -> Arc<str> {
    let Some(agent) = agent.filter(|agent| !agent.is_empty()) else {
        return name.into();
    };
    let mut full = format!("{name}/{agent}");
    full.retain(|c| !c.is_control());
    let mut end = full.len().min(MAX_NAME);
    while !full.is_char_boundary(end) {
        end -= 1;
    }
    full.truncate(end);
    full.into()
}

/// An upstream's people are its own: where an event names one, that is `NAME/USER` here, and nobody of this hub's.
pub(crate) fn their_people(name: &str, event: &mut NewEvent) {
    if !matches!(&*event.kind, kind::USER_PRESENCE | kind::NOTIFICATION) {
        return;
    }
    let Ok(mut fields) = fields::read(event.data.get()) else {
        return;
    };
    let mut named = false;
    for (field, value) in &mut fields {
        if let ("userId" | "user_id", Ok(user)) = (field.as_str(), serde_json::from_str::<String>(value)) {
            *value = Value::from(&*under(name, Some(&user))).to_string().into();
            named = true;
        }
    }
    if named {
        event.data = RawValue::from_string(fields::write(&fields)).expect("fields of JSON make a JSON object");
    }
}

/// An address with one more parameter in its query.
pub(crate) fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    let mut text = format!("{url}{mark}{name}=");
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
