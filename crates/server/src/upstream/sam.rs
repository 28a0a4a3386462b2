//! SAM, spoken as a monitor of its server (seed 000). A Countersign there says its place, and takes answers with a token.

use std::sync::Arc;

use countersign_dialects::sam::{self, Inbound, Peer};
use countersign_model::{Approval, Epoch, Origin, Seq, kind};
use serde::Deserialize;
use serde_json::Value;

use super::settings::UpstreamSettings;
use super::tongue::{Heard, NOBODY, Resume, Tongue, answered, asked_here, settled_there, under, with_parameter};

pub(crate) struct Sam {
    name: String,
}

impl Sam {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// What is the upstream's own affair: greetings, and its hub's events.
    fn own(&self, kind: &str, data: &Value, agent: Option<&str>) -> Vec<Heard> {
        let text = |name: &str| data[name].as_str().map(str::to_owned);
        let number = |name: &str| data[name].as_u64();
        match kind {
            kind::HELLO => match (text("epoch"), number("head")) {
                (Some(epoch), Some(head)) => vec![Heard::Place {
                    epoch: Epoch::new(&epoch),
                    head,
                }],
                _ => Vec::new(),
            },
            kind::HISTORY_LOST => vec![Heard::Lost {
                last: number("last"),
                oldest: number("oldest").unwrap_or(1),
            }],
            kind::APPROVAL_RESOLVED => settled_there(&self.name, data, agent).into_iter().collect(),
            "error" => vec![Heard::Trouble {
                refused: matches!(data["field"].as_str(), Some("type" | "request_id")),
                error: text("error").unwrap_or_else(|| data.to_string()),
            }],
            _ => Vec::new(),
        }
    }
}

#[derive(Deserialize)]
struct More {
    #[serde(default)]
    r#type: Value,
    #[serde(default)]
    agent: Value,
    #[serde(default)]
    seq: Option<Seq>,
    #[serde(default)]
    via: Vec<Arc<str>>,
}

impl Tongue for Sam {
    fn address(&self, settings: &UpstreamSettings, resume: &Resume) -> String {
        // A Countersign says with `types` where it is, and names the approvals that others answered; SAM itself looks at no query.
        let mut url = with_parameter(&settings.url.to_string(), "types", "*").replace("%2A", "*");
        if let Some(since) = &resume.since {
            url = with_parameter(&url, "since", since);
        }
        if let Some(token) = &settings.token {
            url = with_parameter(&url, "token", token);
        }
        url
    }

    fn hear(&mut self, text: &str) -> Vec<Heard> {
        let trouble = |error: String| vec![Heard::Trouble { error, refused: false }];
        let more: More = match serde_json::from_str(text) {
            Ok(more) => more,
            Err(error) => return trouble(format!("a frame that is no event: {error}")),
        };
        let kind = more.r#type.as_str().unwrap_or_default();
        if kind::is_hub_only(kind) || matches!(kind, "error" | "stop") {
            let data = serde_json::from_str::<Value>(text).map_or(Value::Null, |mut frame| frame["data"].take());
            return self.own(kind, &data, more.agent.as_str());
        }
        let peer = Peer {
            origin: Origin::Sam,
            agent: NOBODY.into(),
            session: None,
        };
        let here = |agent: &str| under(&self.name, Some(agent).filter(|agent| *agent != NOBODY));
        match sam::decode(text, &peer).map(|decoded| decoded.inbound) {
            Ok(Inbound::Event(mut event)) => {
                event.agent = here(&event.agent);
                event.session = event
                    .session
                    .map(|session| if *session == *NOBODY { here(NOBODY) } else { session });
                vec![Heard::Event {
                    event,
                    via: more.via,
                    seq: more.seq,
                }]
            }
            Ok(Inbound::Ask(ask)) => vec![asked_here(&self.name, ask, more.via, more.seq)],
            Ok(Inbound::Answer(reply)) => vec![Heard::Settled {
                request_id: reply.request_id,
                agent: None,
                how: reply.response.as_str().to_owned(),
            }],
            Err(error) => trouble(error.to_string()),
        }
    }

    fn answer(&mut self, approval: &Approval) -> Option<String> {
        let mut frame = answered(approval)?;
        frame["type"] = kind::APPROVAL_RESPONSE.into();
        // Narrows it down where a request's id is not unique; SAM's own server passes over it.
        if let Some(agent) = approval.agent.strip_prefix(&format!("{}/", self.name)) {
            frame["agent"] = agent.into();
        }
        Some(frame.to_string())
    }
}
