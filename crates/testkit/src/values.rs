//! Values to publish, ask and answer with. Fields are public: a test changes what it is about with `..event(..)`.

use countersign_model::{Answer, Ask, Extra, Json, NewEvent, Origin, Scope, SessionKey, Surface, Verdict, to_json};
use serde_json::Value;

/// JSON text from a value.
pub fn json(value: &Value) -> Json {
    to_json(value)
}

/// The session `s1` of the agent `sam`, which [`event`] and [`ask`] come from.
pub fn session() -> SessionKey {
    SessionKey {
        agent: "sam".into(),
        session: "s1".into(),
    }
}

/// An event of that kind.
pub fn event(kind: &str, data: &Value) -> NewEvent {
    NewEvent {
        origin: Origin::Sam,
        agent: "sam".into(),
        session: Some("s1".into()),
        stream: None,
        kind: kind.into(),
        timestamp: None,
        data: json(data),
        extra: Extra::default(),
    }
}

/// A question under that request id: may `execute_code` run `code`?
pub fn ask(request_id: &str, code: &str) -> Ask {
    let arguments = serde_json::json!({ "code": code });
    Ask {
        origin: Origin::Sam,
        agent: "sam".into(),
        session: "s1".into(),
        stream: None,
        request_id: request_id.into(),
        tool_name: "execute_code".into(),
        arguments: json(&arguments),
        tool_info: None,
        cwd: None,
        timeout: None,
        edits: false,
        stops: true,
        grants: Vec::new(),
        timestamp: None,
        data: json(&serde_json::json!({
            "request_id": request_id, "tool_name": "execute_code", "arguments": arguments,
        })),
        extra: Extra::default(),
    }
}

/// A person's answer, from the window, for this once.
pub fn answer(verdict: Verdict) -> Answer {
    Answer {
        verdict,
        scope: Scope::Once,
        message: None,
        arguments: None,
        grants: Vec::new(),
        by: Surface::Window,
    }
}
