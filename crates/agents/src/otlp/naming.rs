//! Whose a record is: agent, session, and what an event in a log is called.

use std::sync::Arc;

use countersign_model::Millis;

use super::attributes::Attributes;
use super::codex;
use super::records::{Log, Source};

/// Bytes of the name of an agent or a session.
const MAX_NAME: usize = 256;

pub(super) fn clip(name: &str) -> Arc<str> {
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].into()
}

pub(super) fn agent(source: &Source, attributes: &Attributes) -> Arc<str> {
    let service = source.resource.text(&["service.name"]);
    // An SDK that was told no name makes this one up.
    let service = service.filter(|name| !name.starts_with("unknown_service"));
    match service {
        Some(name) if codex::is_service(&name) => "codex".into(),
        Some(name) => clip(&name),
        None => {
            let named = attributes.text(&["gen_ai.agent.name"]);
            let named = named.or_else(|| Some(source.scope.clone()).filter(|scope| !scope.is_empty()));
            clip(named.as_deref().unwrap_or("opentelemetry"))
        }
    }
}

/// The session that a record, or what it came from, names.
pub(super) fn named_session(attributes: &Attributes, source: &Source) -> Option<Arc<str>> {
    let names = [
        "gen_ai.conversation.id",
        "conversation.id",
        "session.id",
        "langfuse.session.id",
        "traceloop.association.properties.session_id",
    ];
    let named = attributes.text(&names).or_else(|| source.resource.text(&names))?;
    Some(clip(&named))
}

pub(super) fn millis(nanos: u64) -> Option<Millis> {
    (nanos > 0).then(|| Millis(i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX)))
}

/// What a log record is called: by its attribute, by its field, or by a body that is a name.
pub(super) fn name_of(log: &Log) -> String {
    let body = log.body.as_str().filter(|body| {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        body.contains('.') && body.len() < 128 && body.chars().all(word)
    });
    log.attributes
        .text(&["event.name"])
        .or_else(|| Some(log.event_name.clone()).filter(|name| !name.is_empty()))
        .or_else(|| body.map(str::to_owned))
        .unwrap_or_default()
}
