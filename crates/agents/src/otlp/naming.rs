//! Whose a record is: agent, session, and what an event in a log is called.

use std::sync::Arc;

use countersign_model::Millis;

use super::attributes::Attributes;
use super::codex;
use super::records::{Log, Source};

/// Bytes of the name of an agent or a session.
const MAX_NAME: usize = 256;

/// A name as all dialects take it: without control characters, of bounded length; nothing when nothing is left.
fn clip(name: &str) -> Option<Arc<str>> {
    let plain: String = name.chars().filter(|c| !c.is_control()).collect();
    let mut end = plain.len().min(MAX_NAME);
    while !plain.is_char_boundary(end) {
        end -= 1;
    }
    (end > 0).then(|| plain[..end].into())
}

/// Whose a record of this name is. Claude Code and Codex are known by what they say, whatever service they were named: their
/// hooks know no such name.
pub(super) fn agent(source: &Source, attributes: &Attributes, name: &str) -> Arc<str> {
    let service = source.resource.text(&["service.name"]).unwrap_or_default();
    if name.starts_with("claude_code.") || source.scope.starts_with("com.anthropic.claude_code") {
        return "claude-code".into();
    }
    if name.starts_with("codex.") || codex::is_service(&service) {
        return "codex".into();
    }
    // An SDK that was told no name makes one up.
    let service = clip(&service).filter(|name| !name.starts_with("unknown_service"));
    let named = || clip(&attributes.text(&["gen_ai.agent.name"])?);
    let found = service.or_else(named).or_else(|| clip(&source.scope));
    found.unwrap_or_else(|| "opentelemetry".into())
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
    clip(&named)
}

pub(super) fn millis(nanos: u64) -> Option<Millis> {
    (nanos > 0).then(|| Millis(i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX)))
}

/// What a log record is called: by its attribute, by its field, or by a body that is a name. Claude Code's body has its prefix,
/// which its attribute lacks; Codex's field names a line of its source.
pub(super) fn name_of(log: &Log) -> String {
    let body = log.body.as_str().filter(|body| {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        body.contains('.') && body.len() < 128 && body.chars().all(word)
    });
    let said = log.attributes.text(&["event.name"]);
    if let (Some(body), Some(said)) = (body, &said)
        && body
            .strip_suffix(said.as_str())
            .is_some_and(|prefix| prefix.ends_with('.'))
    {
        return body.to_owned();
    }
    said.or_else(|| Some(log.event_name.clone()).filter(|name| !name.is_empty()))
        .or_else(|| body.map(str::to_owned))
        .unwrap_or_default()
}
