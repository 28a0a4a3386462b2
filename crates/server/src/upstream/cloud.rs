//! Cloud Agents, spoken as a client (seed 004): a token in the address, pings both ways, four kinds of messages.

use std::sync::Arc;

use countersign_dialects::fields::beside;
use countersign_model::{NewEvent, Origin, kind};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::settings::UpstreamSettings;
use super::tongue::{Heard, Resume, Tongue, under, with_parameter};

pub(crate) struct Cloud {
    name: String,
}

impl Cloud {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

/// The fields of a message, and those that a Countersign adds.
const FIELDS: [&str; 5] = ["type", "data", "timestamp", "agent", "session"];

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(default)]
    r#type: Value,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
    #[serde(default)]
    agent: Value,
    #[serde(default)]
    via: Vec<Arc<str>>,
}

impl Tongue for Cloud {
    fn address(&self, settings: &UpstreamSettings, _: &Resume) -> String {
        let url = settings.url.to_string();
        match &settings.token {
            Some(token) => with_parameter(&url, "token", token),
            None => url,
        }
    }

    fn hear(&mut self, text: &str) -> Vec<Heard> {
        let trouble = |error: String| vec![Heard::Trouble { error, refused: false }];
        let frame: Frame<'_> = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => return trouble(format!("a frame that cannot be read: {error}")),
        };
        let kind = frame.r#type.as_str().unwrap_or_default();
        let value = || {
            frame
                .data
                .map_or(Value::Null, |data| serde_json::from_str(data.get()).unwrap_or_default())
        };
        match kind {
            "ping" => return vec![Heard::Say(r#"{"type":"pong"}"#.into())],
            "auth" => {
                return if value()["success"] == true {
                    Vec::new()
                } else {
                    trouble("the token was not accepted: only notifications and presence come in".into())
                };
            }
            "error" => {
                let error = value()["error"].as_str().map(str::to_owned);
                return trouble(error.unwrap_or_else(|| text.to_owned()));
            }
            kind::AGENT_STATUS | kind::CHAT_MESSAGE | kind::NOTIFICATION | kind::USER_PRESENCE => {}
            _ => return Vec::new(),
        }
        let Some(data) = frame.data.filter(|data| data.get().starts_with('{')) else {
            return trouble(format!("`{kind}` without `data`"));
        };
        let value = value();
        let field = |name: &str| value[name].as_str().filter(|text| !text.is_empty());
        let said = match kind {
            kind::AGENT_STATUS => field("agentName"),
            kind::CHAT_MESSAGE => field("sender"),
            _ => None,
        };
        let agent = under(&self.name, frame.agent.as_str().or(said));
        let session = if kind == kind::CHAT_MESSAGE {
            field("conversationId")
        } else {
            None
        };
        vec![Heard::Event {
            event: NewEvent {
                origin: Origin::Cloud,
                session: Some(session.map_or_else(|| agent.clone(), Arc::from)),
                agent,
                stream: None,
                kind: kind.into(),
                timestamp: frame
                    .timestamp
                    .filter(|time| time.get().starts_with('"'))
                    .map(RawValue::to_owned),
                data: data.to_owned(),
                extra: beside(text, &FIELDS),
            },
            via: frame.via,
            seq: None,
        }]
    }

    fn alive(&self) -> Option<String> {
        Some(r#"{"type":"ping"}"#.into())
    }
}
