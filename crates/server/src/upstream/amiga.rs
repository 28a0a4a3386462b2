//! AMIGA, spoken as a subscriber (seed 001): Socket.IO protocol 5 over Engine.IO protocol 4, on a WebSocket from the start.

use countersign_model::{Extra, NewEvent, Origin, to_json};
use serde_json::{Value, json};

use super::settings::UpstreamSettings;
use super::tongue::{Heard, Resume, Tongue, under, with_parameter};

/// What is asked for: a day's figures, every two seconds at most (the seed's own defaults).
const HOURS: u32 = 24;
const INTERVAL: u32 = 2;

pub(crate) struct Amiga {
    name: String,
    token: Option<String>,
}

impl Amiga {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            token: None,
        }
    }

    /// A Socket.IO packet: its type, the namespace if it is another than `/`, and JSON.
    fn packet(&mut self, packet: &str) -> Vec<Heard> {
        let (kind, rest) = packet.split_at_checked(1).unwrap_or_default();
        let rest = match rest.split_once(',') {
            Some((space, rest)) if space.starts_with('/') => rest,
            _ => rest,
        };
        match kind {
            "0" => {
                let subscribe = json!(["subscribe", { "hours": HOURS, "update_interval": INTERVAL }]);
                vec![Heard::Say(format!("42{subscribe}"))]
            }
            "1" => vec![Heard::End("it ended the Socket.IO connection".into())],
            "4" => {
                let why: Value = serde_json::from_str(rest).unwrap_or_default();
                let why = why["message"].as_str().map_or_else(|| rest.to_owned(), str::to_owned);
                vec![Heard::End(format!("it refused the Socket.IO connection: {why}"))]
            }
            "2" => self.event(rest.trim_start_matches(|c: char| c.is_ascii_digit())),
            _ => Vec::new(),
        }
    }

    fn event(&self, text: &str) -> Vec<Heard> {
        let Ok(Value::Array(mut parts)) = serde_json::from_str::<Value>(text) else {
            return vec![Heard::Trouble {
                error: "an event that is no JSON array".into(),
                refused: false,
            }];
        };
        let data = if parts.len() > 1 {
            parts.swap_remove(1)
        } else {
            Value::Null
        };
        match parts[..].first().and_then(Value::as_str) {
            Some("metrics_update") if data.is_object() => {
                let agent = under(&self.name, None);
                vec![Heard::Event {
                    event: NewEvent {
                        origin: Origin::Amiga,
                        session: Some(agent.clone()),
                        agent,
                        stream: None,
                        kind: "metrics_update".into(),
                        timestamp: data["timestamp"].is_number().then(|| to_json(&data["timestamp"])),
                        data: to_json(&data),
                        extra: Extra::default(),
                    },
                    via: Vec::new(),
                    seq: None,
                }]
            }
            Some("error") => vec![Heard::Trouble {
                error: data["error"].as_str().map_or_else(|| data.to_string(), str::to_owned),
                refused: false,
            }],
            _ => Vec::new(),
        }
    }
}

impl Tongue for Amiga {
    fn address(&self, settings: &UpstreamSettings, _: &Resume) -> String {
        let url = with_parameter(&settings.url.to_string(), "EIO", "4");
        with_parameter(&url, "transport", "websocket")
    }

    fn open(&mut self, settings: &UpstreamSettings, _: &Resume) -> Vec<String> {
        self.token.clone_from(&settings.token);
        Vec::new()
    }

    fn hear(&mut self, text: &str) -> Vec<Heard> {
        let (kind, rest) = text.split_at_checked(1).unwrap_or_default();
        match kind {
            "0" => {
                let auth = self
                    .token
                    .as_ref()
                    .map_or(String::new(), |token| json!({ "token": token }).to_string());
                vec![Heard::Say(format!("40{auth}"))]
            }
            "1" => vec![Heard::End("it closed the Engine.IO connection".into())],
            "2" => vec![Heard::Say(format!("3{rest}"))],
            "4" => self.packet(rest),
            _ => Vec::new(),
        }
    }
}
