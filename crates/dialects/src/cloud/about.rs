//! Whom Cloud Agents' own kinds are about, where the envelope around them does not say.

use std::sync::Arc;

use countersign_model::fields::{self, Field};
use countersign_model::kind;
use serde_json::value::RawValue;

use crate::hive::said;

/// What the data of one of Cloud's kinds names.
pub(crate) struct About {
    pub(crate) agent: Option<Arc<str>>,
    pub(crate) session: Option<Arc<str>>,
}

/// Reads an event of Cloud's: `None` when it is of another dialect. An `agent_status` is Cloud's when it names its agent.
pub(crate) fn about(kind: &str, data: &RawValue) -> Option<About> {
    let fields = match kind {
        kind::AGENT_STATUS | kind::CHAT_MESSAGE => fields::read(data.get()).ok()?,
        kind::NOTIFICATION | kind::USER_PRESENCE => Vec::new(),
        _ => return None,
    };
    let named = |name| field(&fields, name);
    let about = match kind {
        kind::AGENT_STATUS => About {
            agent: Some(named("agentName")?),
            session: None,
        },
        _ => About {
            agent: named("sender"),
            session: named("conversationId"),
        },
    };
    Some(about)
}

fn field(fields: &[Field<'_>], name: &str) -> Option<Arc<str>> {
    let (_, value) = fields.iter().find(|(field, _)| field == name)?;
    said(&serde_json::from_str::<String>(value).ok()?)
}
