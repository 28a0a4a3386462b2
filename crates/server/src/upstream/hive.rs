//! Hive, spoken as a client of its event stream (seed 002): authentication where there is a token, one subscription to everything.
//! Hive's own servers have no words for a question; a Countersign is asked for its questions too, and given their answers.

use std::sync::Arc;

use countersign_dialects::fields::beside;
use countersign_dialects::hive::{self, Action};
use countersign_dialects::sam::{Inbound, Peer};
use countersign_model::{Approval, Epoch, NewEvent, Origin, Seq, kind};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::settings::UpstreamSettings;
use super::tongue::{Heard, NOBODY, Resume, Tongue, answered, asked_here, settled_there, under};

pub(crate) struct Hive {
    name: String,
    countersign: bool,
}

impl Hive {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            countersign: false,
        }
    }

    fn event(&self, event: &Event<'_>, whole: &str) -> Option<Heard> {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let kind = text(&event.r#type)?.to_ascii_lowercase();
        if kind::is_reserved(&kind) {
            return self.countersign.then(|| self.of_countersign(&kind, event, whole))?;
        }
        let stream = text(&event.stream_id);
        let agent = text(&event.agent).or_else(|| stream.clone());
        let agent = under(&self.name, agent.as_deref());
        let data = event.data.filter(|data| data.get().starts_with('{'));
        Some(Heard::Event {
            event: NewEvent {
                origin: Origin::Hive,
                session: Some(text(&event.execution_id).map_or_else(|| agent.clone(), Arc::from)),
                agent,
                stream: stream.map(Arc::from),
                kind: kind.into(),
                timestamp: event
                    .timestamp
                    .filter(|time| {
                        time.get()
                            .starts_with(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
                    })
                    .map(RawValue::to_owned),
                data: data.map_or_else(countersign_model::empty_object, RawValue::to_owned),
                extra: beside(whole, &FIELDS),
            },
            via: event.via.clone(),
            seq: event.seq,
        })
    }

    /// A question, or what became of one.
    fn of_countersign(&self, kind: &str, event: &Event<'_>, whole: &str) -> Option<Heard> {
        match kind {
            kind::APPROVAL_REQUEST => {
                let peer = Peer {
                    origin: Origin::Hive,
                    agent: NOBODY.into(),
                    session: Some(NOBODY.into()),
                };
                match hive::decode(&format!("{{\"action\":\"publish\",\"event\":{whole}}}"), &peer) {
                    Ok(Action::Publish(decoded)) => match decoded.inbound {
                        Inbound::Ask(ask) => Some(asked_here(&self.name, ask, event.via.clone(), event.seq)),
                        Inbound::Event(_) | Inbound::Answer(_) => None,
                    },
                    Ok(_) => None,
                    Err(error) => Some(Heard::Trouble {
                        error: error.to_string(),
                        refused: false,
                    }),
                }
            }
            kind::APPROVAL_RESOLVED => {
                let data = serde_json::from_str(event.data?.get()).ok()?;
                settled_there(&self.name, &data, event.agent.as_str())
            }
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(default)]
    r#type: Value,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    field: Value,
    #[serde(default)]
    epoch: Value,
    #[serde(default)]
    seq: Option<Seq>,
    #[serde(default)]
    last: Option<Seq>,
    #[serde(default)]
    oldest: Option<Seq>,
}

/// The fields of an event.
const FIELDS: [&str; 6] = ["type", "stream_id", "execution_id", "agent", "data", "timestamp"];

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(default)]
    r#type: Value,
    #[serde(default)]
    stream_id: Value,
    #[serde(default)]
    execution_id: Value,
    #[serde(default)]
    agent: Value,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
    #[serde(default)]
    seq: Option<Seq>,
    #[serde(default)]
    via: Vec<Arc<str>>,
}

impl Tongue for Hive {
    fn open(&mut self, settings: &UpstreamSettings, resume: &Resume) -> Vec<String> {
        self.countersign = resume.countersign;
        let mut subscribe = json!({ "action": "subscribe" });
        if self.countersign {
            // Its own kinds too: they say what became of a question.
            subscribe["event_types"] = json!(["*"]);
        }
        if let Some(since) = &resume.since {
            subscribe["since"] = since.as_str().into();
        }
        let token = settings.token.as_ref();
        let auth = token.map(|token| json!({ "action": "auth", "token": token }).to_string());
        auth.into_iter().chain([subscribe.to_string()]).collect()
    }

    fn hear(&mut self, text: &str) -> Vec<Heard> {
        let trouble = |error: serde_json::Error| {
            vec![Heard::Trouble {
                error: format!("a frame that cannot be read: {error}"),
                refused: false,
            }]
        };
        let frame: Frame<'_> = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => return trouble(error),
        };
        match (frame.r#type.as_str(), frame.event) {
            (Some("event"), Some(whole)) => match serde_json::from_str(whole.get()) {
                Ok(event) => self.event(&event, whole.get()).into_iter().collect(),
                Err(error) => trouble(error),
            },
            // A Countersign says from where on it tells.
            (Some("subscribed"), _) => match (frame.epoch.as_str(), frame.seq) {
                (Some(epoch), Some(head)) => vec![Heard::Place {
                    epoch: Epoch::new(epoch),
                    head,
                }],
                _ => Vec::new(),
            },
            (Some(kind::HISTORY_LOST), _) => vec![Heard::Lost {
                last: frame.last,
                oldest: frame.oldest.unwrap_or(1),
            }],
            (Some("error"), _) => vec![Heard::Trouble {
                error: frame.error.as_str().map_or_else(|| text.to_owned(), str::to_owned),
                refused: matches!(frame.field.as_str(), Some("event.type" | "event.data.request_id")),
            }],
            _ => Vec::new(),
        }
    }

    fn answer(&mut self, approval: &Approval) -> Option<String> {
        if !self.countersign {
            return None;
        }
        let mut event = json!({ "type": kind::APPROVAL_RESPONSE, "data": answered(approval)? });
        if let Some(agent) = approval.agent.strip_prefix(&format!("{}/", self.name)) {
            event["agent"] = agent.into();
        }
        Some(json!({ "action": "publish", "event": event }).to_string())
    }
}
