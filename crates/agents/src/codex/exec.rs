//! The lines of `codex exec --json` (developers.openai.com/codex/noninteractive; the shapes as in version 0.169.0) as events for the
//! log: for runs without hooks.

use std::sync::Arc;

use countersign_model::Json;

use crate::hook::HookError;

/// An event that a line made, for the session that it belongs to.
#[derive(Clone, Debug)]
pub struct EventDraft {
    /// What happened.
    pub kind: Arc<str>,
    /// The session: the thread, once the run has named it.
    pub session: Arc<str>,
    /// The payload, an object.
    pub data: Json,
}

/// A run that is read line by line.
#[derive(Debug)]
pub struct Exec {
    session: Arc<str>,
}

impl Exec {
    /// A run that is called so until it names its thread.
    pub fn new(session: impl Into<Arc<str>>) -> Self {
        Self {
            session: session.into(),
        }
    }

    /// Reads one line; most make one event, some none.
    ///
    /// # Errors
    /// When the line is not a JSON object with a `type`.
    pub fn line(&mut self, line: &str) -> Result<Vec<EventDraft>, HookError> {
        let fields = crate::hook::object(line)?;
        let Some(kind) = crate::hook::text_of(&fields, "type")? else {
            return Err(crate::hook::wrong("type", "`type` is missing"));
        };
        Ok(vec![EventDraft {
            kind: kind.replace('.', "_").into(),
            session: self.session.clone(),
            data: serde_json::value::RawValue::from_string(line.trim().to_owned()).map_err(|error| HookError {
                error: error.to_string(),
                field: None,
            })?,
        }])
    }
}
