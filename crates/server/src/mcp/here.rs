//! The tools' way to the hub in the same process: a client's question lives as long as the request that it waits with.

use std::sync::Arc;

use axum::http::request::Parts;
use countersign_dialects::limits::MAX_NAME;
use countersign_hub::{AskError, Hub, Waiter};
use countersign_model::{Approval, Ask, Extra, NewEvent, Origin, kind, to_json};
use rmcp::model::Extensions;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::desk::{Caller, Desk, Note, Question, Trouble};
use crate::auth::Access;
use crate::socket::query;

/// Who calls, when nobody says.
const AGENT: &str = "mcp";
/// Why a question was taken back.
const GONE: &str = "its MCP client cancelled the call, or is gone";

/// Ends with the connection that its request came by.
#[derive(Clone, Debug)]
pub(super) struct Line(pub(super) watch::Receiver<()>);

#[derive(Clone)]
pub(crate) struct Here {
    pub(super) hub: Arc<Hub>,
    /// Expires questions that do not say themselves, in seconds.
    pub(super) timeout: Option<i64>,
}

/// Takes its question back, unless it was answered.
struct Asked(Option<Waiter>);

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(waiter) = self.0.take() {
            waiter.withdraw(GONE);
        }
    }
}

/// A question in the hub's words.
pub(super) fn ask_of(question: Question, stream: Option<Arc<str>>, timeout: Option<i64>) -> Ask {
    let mut data = json!({
        "request_id": question.request_id,
        "tool_name": question.tool_name,
        "arguments": question.arguments,
        "tool_info": question.tool_info,
    });
    for (name, value) in [("reason", &question.reason), ("cwd", &question.cwd)] {
        if let Some(value) = value {
            data[name] = Value::from(value.as_str());
        }
    }
    if let Some(timeout) = question.timeout {
        data["timeout"] = timeout.into();
    }
    Ask {
        origin: Origin::Mcp,
        agent: question.agent.into(),
        session: question.session.into(),
        stream,
        request_id: question.request_id.into(),
        tool_name: question.tool_name,
        arguments: question.arguments,
        tool_info: Some(question.tool_info),
        cwd: question.cwd,
        timeout: question.timeout.or(timeout),
        // Every tool gives back what may run.
        edits: true,
        stops: question.stops,
        grants: Vec::new(),
        timestamp: None,
        data: to_json(&data),
        extra: Extra::default(),
    }
}

/// A note in the hub's words.
pub(super) fn event_of(note: Note, stream: Option<Arc<str>>) -> NewEvent {
    NewEvent {
        origin: Origin::Mcp,
        agent: note.agent.into(),
        session: Some(note.session.into()),
        stream,
        kind: kind::NOTIFICATION.into(),
        timestamp: None,
        data: to_json(&json!({ "message": note.message, "level": note.level })),
        extra: Extra::default(),
    }
}

/// A name as the hub takes it, or nothing where there is none in it.
pub fn named(text: &str) -> Option<String> {
    let mut name: String = text.chars().filter(|c| !c.is_control()).collect();
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    (!name.trim().is_empty()).then_some(name)
}

fn stream_of(request: &Extensions) -> Result<Option<Arc<str>>, Trouble> {
    let access = request
        .get::<Parts>()
        .and_then(|parts| parts.extensions.get::<Access>());
    match access {
        Some(access) => access.stream(None).map_err(|error| Trouble::Refused(error.to_string())),
        None => Err(Trouble::Refused("this connection may not ask".to_owned())),
    }
}

impl Desk for Here {
    /// By the address's `agent` and `session`, else by the client's name and the session that it was given.
    fn caller(&self, client: Option<&str>, request: &Extensions) -> Caller {
        let parts = request.get::<Parts>();
        let given = |name: &str| {
            let pairs = query(parts?.uri.query()?);
            pairs
                .into_iter()
                .find_map(|(key, value)| if key == name { named(&value) } else { None })
        };
        let agent = given("agent")
            .or_else(|| client.and_then(named))
            .unwrap_or_else(|| AGENT.to_owned());
        let own = || {
            let id = parts?.headers.get("mcp-session-id")?.to_str().ok()?;
            named(&format!("mcp-{id}"))
        };
        Caller {
            session: given("session").or_else(own).unwrap_or_else(|| agent.clone()),
            agent,
        }
    }

    async fn ask(&self, question: Question, request: &Extensions) -> Result<Approval, Trouble> {
        let ask = ask_of(question, stream_of(request)?, self.timeout);
        let asked = self.hub.ask(ask).await.map_err(|error| match error {
            AskError::Refused(refused) => Trouble::Refused(refused.to_string()),
            AskError::Archive(error) => Trouble::Absent(error.to_string()),
        })?;
        let mut asked = Asked(Some(asked.waiter));
        let Some(waiter) = &mut asked.0 else {
            return Err(Trouble::Absent("it is closing".to_owned()));
        };
        let approval = waiter.answer().await;
        if let Some(waiter) = asked.0.take() {
            waiter.delivered();
        }
        Ok(approval)
    }

    async fn tell(&self, note: Note, request: &Extensions) -> Result<(), Trouble> {
        let event = event_of(note, stream_of(request)?);
        let published = self.hub.publish(vec![event]).await;
        let published = published.map_err(|error| Trouble::Refused(error.to_string()))?;
        let committed = self.hub.committed(published.last).await;
        committed.map_err(|error| Trouble::Absent(error.to_string()))
    }

    fn gone(&self, request: &Extensions) -> impl Future<Output = ()> + Send + 'static {
        let line = request
            .get::<Parts>()
            .and_then(|parts| parts.extensions.get::<Line>().cloned());
        async move {
            match line {
                Some(mut line) => while line.0.changed().await.is_ok() {},
                None => std::future::pending().await,
            }
        }
    }
}
