//! The lines of `codex exec --json` (developers.openai.com/codex/noninteractive; the shapes as in version 0.169.0) as events for the
//! log: for runs without hooks.

use std::collections::HashSet;
use std::sync::Arc;

use countersign_model::{Json, kind, to_json};
use serde_json::{Map, Value, json};

use crate::hook::{self, HookError};

/// Calls of a run whose start is remembered.
const MAX_STARTED: usize = 1024;
/// Bytes of the name of a thread.
const MAX_NAME: usize = 256;

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
    started: HashSet<String>,
    said: Option<String>,
}

type Made = Vec<(&'static str, Value)>;

impl Exec {
    /// A run that is called so until it names its thread.
    pub fn new(session: impl Into<Arc<str>>) -> Self {
        Self {
            session: session.into(),
            started: HashSet::new(),
            said: None,
        }
    }

    /// The session that the next line belongs to.
    pub fn session(&self) -> &Arc<str> {
        &self.session
    }

    /// Reads one line: an event, or a few, or none where a line only repeats what was told.
    ///
    /// # Errors
    /// When the line is not a JSON object with a `type`.
    pub fn line(&mut self, line: &str) -> Result<Vec<EventDraft>, HookError> {
        let fields = hook::object(line.trim())?;
        let name = hook::text_of(&fields, "type")?
            .filter(|name| !name.is_empty())
            .ok_or_else(|| {
                hook::wrong(
                    "type",
                    "`type` is missing: a line of `codex exec --json` says what happened",
                )
            })?;
        let whole: Map<String, Value> = fields
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), serde_json::from_str(value.get()).ok()?)))
            .collect();
        if let Some(unknown) = self.known(&name, &whole) {
            let drafts = unknown.into_iter().map(|(kind, data)| self.draft(kind, &data));
            return Ok(drafts.collect());
        }
        let kind = hook::snake_case(&name);
        Ok(vec![self.draft(&kind, &Value::Object(whole))])
    }

    fn draft(&self, kind: &str, data: &Value) -> EventDraft {
        EventDraft {
            kind: kind.into(),
            session: self.session.clone(),
            data: to_json(data),
        }
    }

    /// What a line says whose type is known.
    fn known(&mut self, name: &str, line: &Map<String, Value>) -> Option<Made> {
        Some(match name {
            "thread.started" => {
                let thread = line.get("thread_id").and_then(Value::as_str);
                if let Some(thread) = thread.filter(|thread| is_name(thread)) {
                    self.session = thread.into();
                }
                vec![(kind::SESSION_STARTED, without_type(line))]
            }
            "turn.completed" => {
                let mut made: Made = line.get("usage").map(usage).into_iter().collect();
                let said = self.said.take();
                made.push((kind::TURN_COMPLETED, json!({ "content": said })));
                made
            }
            "turn.failed" => {
                let error = line.get("error").map(words);
                vec![(kind::TURN_FAILED, json!({ "error": error }))]
            }
            "error" => vec![(kind::NOTIFICATION, notice("error", line))],
            "item.started" | "item.updated" | "item.completed" => {
                let item = line.get("item")?.as_object()?;
                self.item(name, item)?
            }
            _ => return None,
        })
    }

    fn item(&mut self, name: &str, item: &Map<String, Value>) -> Option<Made> {
        let over = name == "item.completed";
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let (tool, arguments) = match text("type")? {
            "agent_message" => {
                if !over {
                    return Some(Vec::new());
                }
                self.said = text("text").map(str::to_owned);
                return Some(vec![(
                    kind::CHAT_MESSAGE,
                    json!({"sender": "assistant", "content": text("text")?, "id": text("id")}),
                )]);
            }
            "reasoning" if over => return Some(vec![(kind::REASONING, Value::Object(item.clone()))]),
            "error" if over => return Some(vec![(kind::NOTIFICATION, notice("warning", item))]),
            "command_execution" => ("Bash".to_owned(), json!({"command": item.get("command")})),
            "file_change" => ("apply_patch".to_owned(), json!({"changes": item.get("changes")})),
            "web_search" => ("web_search".to_owned(), json!({"query": item.get("query")})),
            "mcp_tool_call" => {
                let tool = format!("mcp__{}__{}", text("server")?, text("tool")?);
                (tool, item.get("arguments").cloned().unwrap_or_else(|| json!({})))
            }
            _ => return None,
        };
        let id = text("id")?;
        let mut made = Vec::new();
        if !self.started.contains(id) {
            if self.started.len() >= MAX_STARTED {
                self.started.clear();
            }
            self.started.insert(id.to_owned());
            made.push((
                kind::TOOL_CALL_START,
                json!({"tool_name": tool, "arguments": arguments, "call_id": id}),
            ));
        }
        if over {
            self.started.remove(id);
            made.push((kind::TOOL_CALL_END, end(tool, id, item)));
        }
        Some(made)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control)
}

fn without_type(line: &Map<String, Value>) -> Value {
    let rest = line.iter().filter(|(name, _)| *name != "type");
    Value::Object(rest.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn words(value: &Value) -> String {
    let message = value.get("message").and_then(Value::as_str).or_else(|| value.as_str());
    message.map_or_else(|| value.to_string(), str::to_owned)
}

fn notice(level: &str, said: &Map<String, Value>) -> Value {
    let message = said.get("message").map_or_else(String::new, words);
    json!({"level": level, "message": message})
}

/// What a turn took. Codex counts tokens of the cache among those that go in, the log beside them.
fn usage(said: &Value) -> (&'static str, Value) {
    let count = |name: &str| said.get(name).and_then(Value::as_u64);
    let (cached, written) = (count("cached_input_tokens"), count("cache_write_input_tokens"));
    let beside = cached.unwrap_or(0).saturating_add(written.unwrap_or(0));
    let data = json!({
        "input_tokens": count("input_tokens").map(|all| all.saturating_sub(beside)),
        "cache_read_tokens": cached,
        "cache_write_tokens": written,
        "output_tokens": count("output_tokens"),
        "reasoning_output_tokens": count("reasoning_output_tokens"),
    });
    (kind::USAGE, data)
}

/// The end of a call; what it was called with is in its start.
fn end(tool: String, id: &str, item: &Map<String, Value>) -> Value {
    let status = item.get("status").and_then(Value::as_str);
    let exit = item.get("exit_code").and_then(Value::as_i64);
    let failed = matches!(status, Some("failed" | "declined")) || exit.is_some_and(|code| code != 0);
    let mut data = Map::new();
    data.insert("tool_name".into(), tool.into());
    data.insert("call_id".into(), id.into());
    data.insert("success".into(), (!failed).into());
    let taken = [
        "id",
        "type",
        "command",
        "changes",
        "query",
        "server",
        "tool",
        "arguments",
    ];
    for (name, value) in item {
        match &**name {
            "aggregated_output" => drop(data.insert("result".into(), value.clone())),
            "error" if !value.is_null() => drop(data.insert("error".into(), words(value).into())),
            "error" => {}
            name if taken.contains(&name) => {}
            _ => drop(data.insert(name.clone(), value.clone())),
        }
    }
    if failed && !data.contains_key("error") {
        let error = exit.map_or_else(|| "failed".to_owned(), |code| format!("exit code {code}"));
        data.insert("error".into(), error.into());
    }
    Value::Object(data)
}

#[cfg(test)]
mod tests {
    use countersign_model::Fact;

    use super::*;

    fn told(lines: &str) -> Vec<EventDraft> {
        let mut exec = Exec::new("before");
        let drafts = lines.lines().map(|line| exec.line(line).expect("a line"));
        drafts.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    #[test]
    fn a_recorded_run_is_told_in_order() {
        let drafts = told(include_str!("../../fixtures/codex/exec.jsonl"));
        let kinds: Vec<_> = drafts.iter().map(|draft| &*draft.kind).collect();
        let expected = [
            "session_started",
            "notification",
            "turn_started",
            "chat_message",
            "tool_call_start",
            "tool_call_end",
            "chat_message",
            "usage",
            "turn_completed",
        ];
        assert_eq!(kinds, expected);
        let thread = &*drafts[0].session;
        assert!(thread.starts_with("01a1fdc2") && drafts.iter().all(|draft| &*draft.session == thread));
        let facts: Vec<_> = drafts
            .iter()
            .map(|draft| Fact::read(&draft.kind, &draft.data))
            .collect();
        let ended = Fact::ToolEnded {
            tool: "Bash".into(),
            call: Some("item_2".into()),
            success: false,
            seconds: None,
            error: Some("exit code 3".into()),
        };
        assert_eq!(facts[5], Some(ended));
        let Some(Fact::Usage(usage)) = &facts[7] else {
            panic!("{:?}", facts[7])
        };
        let counts = (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens);
        assert_eq!(counts, (Some(1600), Some(3200), Some(180)));
        assert!(drafts[8].data.get().contains("All done."));
    }

    #[test]
    fn an_item_that_was_not_begun_begins_with_its_end() {
        let line = r#"{"type":"item.completed","item":{"id":"i","type":"file_change","changes":[{"path":"a","kind":"add"}],"status":"completed"}}"#;
        let kinds: Vec<_> = told(line).iter().map(|draft| draft.kind.to_string()).collect();
        assert_eq!(kinds, ["tool_call_start", "tool_call_end"]);
    }

    #[test]
    fn what_is_not_known_is_kept_whole() {
        let drafts = told(concat!(
            r#"{"type":"item.completed","item":{"id":"i","type":"moon_phase","phase":3}}"#,
            "\n",
            r#"{"type":"session.stopped","x":1}"#
        ));
        assert_eq!(&*drafts[0].kind, "item_completed");
        assert!(drafts[0].data.get().contains("moon_phase"));
        assert_eq!(
            &*drafts[1].kind, "hook_session_stopped",
            "no line passes for the hub's word"
        );
        for bad in ["", "x", "[]", "{}", r#"{"type":5}"#] {
            assert!(Exec::new("s").line(bad).is_err(), "{bad}");
        }
    }
}
