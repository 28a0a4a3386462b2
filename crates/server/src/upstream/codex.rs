//! Codex AgentLoop, spoken as a client (seed 003): its session's items as the hub's kinds, its requests as questions, our answers as
//! its reviews. Nothing of a session outlives its connection.

use std::sync::Arc;

use countersign_hub::random_hex;
use countersign_model::{Approval, Ask, Extra, NewEvent, Origin, Scope, Status, kind, to_json};
use serde_json::{Value, json};

use super::tongue::{Heard, Tongue, under};

pub(crate) struct Codex {
    agent: Arc<str>,
    session: Arc<str>,
    /// The tools of calls whose output has not come: the output does not name them.
    calls: Vec<(String, String)>,
    /// The newest request: what is answered is that one, whatever the answer's id.
    asked: Option<Arc<str>>,
}

/// Calls without output that are remembered.
const MAX_CALLS: usize = 256;

impl Codex {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            agent: under(name, None),
            session: random_hex(16).into(),
            calls: Vec::new(),
            asked: None,
        }
    }

    fn event(&self, kind: &str, data: &Value) -> Heard {
        Heard::Event {
            event: NewEvent {
                origin: Origin::Codex,
                agent: self.agent.clone(),
                session: Some(self.session.clone()),
                stream: None,
                kind: kind.into(),
                timestamp: None,
                data: to_json(data),
                extra: Extra::default(),
            },
            via: Vec::new(),
            seq: None,
        }
    }

    fn item(&mut self, item: &Value) -> Vec<Heard> {
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        let call = item["call_id"]
            .as_str()
            .or(item["id"].as_str())
            .unwrap_or_default()
            .to_owned();
        match item["type"].as_str() {
            Some("function_call") => {
                let tool = text("name");
                if self.calls.len() >= MAX_CALLS {
                    self.calls.remove(0);
                }
                self.calls.push((call.clone(), tool.clone()));
                // Arguments are JSON in a string.
                let arguments = match &item["arguments"] {
                    Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str())),
                    other => other.clone(),
                };
                let data = json!({ "tool_name": tool, "arguments": arguments, "call_id": call });
                vec![self.event(kind::TOOL_CALL_START, &data)]
            }
            Some("function_call_output") => {
                let place = self.calls.iter().position(|(id, _)| *id == call);
                let tool = place.map_or(String::new(), |place| self.calls.remove(place).1);
                let output = match &item["output"] {
                    Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
                    other => other.clone(),
                };
                let code = output["metadata"]["exit_code"].as_i64();
                let success = code.is_none_or(|code| code == 0) && output["success"] != false;
                let result = json!({ "tool_name": tool, "call_id": call, "result": item["output"] });
                let end = json!({ "tool_name": tool, "call_id": call, "success": success });
                vec![
                    self.event(kind::TOOL_CALL_RESULT, &result),
                    self.event(kind::TOOL_CALL_END, &end),
                ]
            }
            Some("message") => {
                let data = json!({
                    "sender": item["role"],
                    "content": words(&item["content"]),
                    "conversationId": &*self.session,
                });
                vec![self.event(kind::CHAT_MESSAGE, &data)]
            }
            Some("reasoning") => vec![self.event(kind::REASONING, item)],
            _ if item.is_object() => vec![self.event("response_item", item)],
            _ => Vec::new(),
        }
    }

    fn ask(&mut self, id: &str, payload: &Value) -> Heard {
        // One request waits at a time; its id is the frame's, which is unique within its session alone.
        let request_id = format!(
            "{}:{}",
            self.session,
            if id.is_empty() {
                random_hex(6)
            } else {
                id.chars().take(128).collect()
            }
        );
        self.asked = Some(request_id.as_str().into());
        let patch = &payload["applyPatch"];
        let command = &payload["command"];
        let mut arguments = json!({ "command": command });
        if !patch.is_null() {
            arguments["applyPatch"] = patch.clone();
        }
        let tool_name = if patch.is_null() { "shell" } else { "apply_patch" };
        let data = json!({ "request_id": request_id, "tool_name": tool_name, "arguments": arguments });
        Heard::Ask {
            ask: Box::new(Ask {
                origin: Origin::Codex,
                agent: self.agent.clone(),
                session: self.session.clone(),
                stream: None,
                request_id: request_id.into(),
                tool_name: tool_name.to_owned(),
                arguments: to_json(&arguments),
                tool_info: None,
                cwd: None,
                timeout: None,
                edits: false,
                stops: true,
                grants: Vec::new(),
                timestamp: None,
                data: to_json(&data),
                extra: Extra::default(),
            }),
            via: Vec::new(),
            seq: None,
        }
    }

    /// The outstanding request is no more.
    fn settled(&mut self, how: &str) -> Option<Heard> {
        self.asked.take().map(|request_id| Heard::Settled {
            request_id: request_id.to_string(),
            agent: Some(self.agent.clone()),
            how: how.to_owned(),
        })
    }
}

/// The text of a message's parts.
fn words(content: &Value) -> Value {
    match content {
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
            texts.join("\n").into()
        }
        other => other.clone(),
    }
}

impl Tongue for Codex {
    fn hear(&mut self, text: &str) -> Vec<Heard> {
        let frame: Value = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => {
                return vec![Heard::Trouble {
                    error: format!("a frame that cannot be read: {error}"),
                    refused: false,
                }];
            }
        };
        let payload = &frame["payload"];
        match frame["type"].as_str() {
            Some("response_item") => self.item(payload),
            Some("loading_state") => {
                let status = if payload["loading"] == true { "working" } else { "idle" };
                vec![self.event(kind::AGENT_STATUS, &json!({ "status": status }))]
            }
            Some("approval_request") => {
                let before = self.settled("followed by another request");
                let ask = self.ask(frame["id"].as_str().unwrap_or_default(), payload);
                before.into_iter().chain([ask]).collect()
            }
            Some("approval_resolved") => self.settled("answered there").into_iter().collect(),
            Some("agent_finished") => {
                let over = self.settled("over: its agent has finished");
                let data = json!({ "responseId": payload["responseId"] });
                over.into_iter()
                    .chain([self.event(kind::EXECUTION_COMPLETED, &data)])
                    .collect()
            }
            Some("error") => {
                let error = payload["message"]
                    .as_str()
                    .map_or_else(|| payload.to_string(), str::to_owned);
                vec![
                    self.event(
                        kind::EXECUTION_FAILED,
                        &json!({ "error": error, "details": payload["details"] }),
                    ),
                    Heard::Trouble { error, refused: true },
                ]
            }
            _ => Vec::new(),
        }
    }

    fn answer(&mut self, approval: &Approval) -> Option<String> {
        // Whatever its id, an answer is taken for the newest request: an older one must not be sent.
        self.asked.take_if(|asked| *asked == approval.request_id)?;
        let decision = approval.decision.as_ref();
        let review = match approval.status {
            Status::Pending => return None,
            Status::Approved if decision.is_some_and(|decision| decision.scope == Scope::Always) => "ALWAYS",
            Status::Approved => "YES",
            Status::Stopped => "NO",
            Status::Denied | Status::Expired | Status::Cancelled => "NO_CONTINUE",
        };
        let mut payload = json!({ "review": review });
        if let Some(message) = decision.and_then(|decision| decision.message.as_deref())
            && review != "YES"
            && review != "ALWAYS"
        {
            payload["customDenyMessage"] = message.into();
        }
        Some(json!({ "id": random_hex(16), "type": "approval_response", "payload": payload }).to_string())
    }

    fn questions_end(&self) -> bool {
        true
    }
}
