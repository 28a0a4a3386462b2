//! Hive, spoken as a client of its event stream (seed 002): authentication where there is a token, one subscription to everything.

use std::sync::Arc;

use countersign_dialects::fields::beside;
use countersign_model::{Epoch, NewEvent, Origin, Seq, kind};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::settings::UpstreamSettings;
use super::tongue::{Heard, Resume, Tongue, under};

pub(crate) struct Hive {
    name: String,
}

impl Hive {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    fn event(&self, event: &Event<'_>, whole: &str) -> Option<Heard> {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let kind = text(&event.r#type)?.to_ascii_lowercase();
        if kind::is_reserved(&kind) {
            return None;
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
        let mut subscribe = json!({ "action": "subscribe" });
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
                refused: false,
            }],
            _ => Vec::new(),
        }
    }
}
