//! Claude Code's events, spans and metrics (code.claude.com/docs/en/monitoring-usage; seen from 2.1.197).

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::attributes::{Attributes, unfold};
use super::records::{Log, Span};
use super::told::{Call, Data, Saying, Signaled, seconds};

/// Attributes that every record has, or that are said elsewhere in the event.
const COMMON: [&str; 10] = [
    "event.name",
    "event.timestamp",
    "session.id",
    "terminal.type",
    "span.type",
    "user.id",
    "user.email",
    "user.account_id",
    "user.account_uuid",
    "organization.id",
];

/// A model without what is said of its context window: `claude-opus-4-8[1m]`, as metrics and spans have it, is the same model.
pub(super) fn model(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

fn told(more: &[&'static str]) -> Vec<&'static str> {
    COMMON.iter().chain(more).copied().collect()
}

fn duration(attributes: &Attributes) -> Option<f64> {
    attributes.number(&["duration_ms"]).map(seconds)
}

fn usage(from: &Attributes, signaled: Signaled) -> Saying {
    let data = Data::default()
        .put("model", from.text(&["model"]).map(|name| model(&name).to_owned()))
        .put("input_tokens", from.count(&["input_tokens"]))
        .put("output_tokens", from.count(&["output_tokens"]))
        .put("cache_read_tokens", from.count(&["cache_read_tokens"]))
        .put("cache_write_tokens", from.count(&["cache_creation_tokens"]))
        .put("cost", from.number(&["cost_usd"]))
        .put("duration", duration(from))
        .rest(
            from,
            &told(&[
                "model",
                "input_tokens",
                "output_tokens",
                "cache_read_tokens",
                "cache_creation_tokens",
                "cost_usd",
                "cost_usd_micros",
                "duration_ms",
            ]),
        );
    Saying::Usage(signaled, data)
}

/// What tells the call and no more; the rest of the attributes goes with it.
fn call(from: &Attributes) -> Call {
    let arguments = from.text(&["tool_input"]).map(|text| unfold(&text));
    // Without OTEL_LOG_TOOL_DETAILS there are only excerpts, of a few tools.
    let excerpt = || {
        from.text(&["full_command"])
            .map(|command| json!({ "command": command }))
    };
    let parameters = || match from.nested(&["tool_parameters"])? {
        Value::Object(mut excerpt) => {
            excerpt.shift_remove("bash_command");
            if let Some(command) = excerpt.shift_remove("full_command") {
                excerpt.shift_insert(0, "command".to_owned(), command);
            }
            Some(Value::Object(excerpt))
        }
        other => Some(other),
    };
    let more = [
        "tool_name",
        "tool_use_id",
        "gen_ai.tool.call.id",
        "success",
        "error",
        "duration_ms",
        "tool_input",
        "tool_parameters",
        "full_command",
        "decision",
        "source",
        "decision_source",
        "decision_type",
    ];
    Call {
        tool: from.text(&["tool_name"]),
        id: from.text(&["tool_use_id", "gen_ai.tool.call.id"]),
        arguments: arguments.or_else(parameters).or_else(excerpt),
        success: from.truth(&["success"]),
        error: from.text(&["error"]),
        duration: duration(from),
        data: Data::default()
            .put("decision", from.text(&["decision", "decision_type"]))
            .put("decision_source", from.text(&["source", "decision_source"]))
            .rest(from, &told(&more)),
        ..Call::default()
    }
}

/// What an event says; nothing when others say it better.
pub(super) fn log(name: &str, log: &Log) -> Option<Saying> {
    let from = &log.attributes;
    Some(match name.strip_prefix("claude_code.").unwrap_or(name) {
        "api_request" => usage(from, Signaled::Log),
        "api_error" => Saying::Other(
            "error",
            Data::default()
                .put("message", from.text(&["error"]))
                .put("model", from.text(&["model"]))
                .put("status_code", from.text(&["status_code"]))
                .put("attempt", from.count(&["attempt"]))
                .put("duration", duration(from))
                .rest(
                    from,
                    &told(&["error", "model", "status_code", "attempt", "duration_ms"]),
                ),
        ),
        "tool_result" => {
            let mut call = call(from);
            call.end = log.time;
            Saying::Call(call)
        }
        // The result brings the arguments.
        "tool_decision" => Saying::AboutCall(Call {
            arguments: None,
            ..call(from)
        }),
        "user_prompt" => match content(from, "prompt") {
            Some(content) => Saying::Chat {
                sender: "user",
                content,
                data: Data::default().rest(from, &told(&["prompt", "prompt_length"])),
            },
            None => Saying::Hinted(whole("user_prompt", from)),
        },
        // Titles and summaries are asked for beside the conversation, and belong to no prompt.
        "assistant_response" => Saying::Chat {
            sender: "assistant",
            content: from.text(&["prompt.id"]).and(content(from, "response"))?,
            data: Data::default().rest(from, &told(&["response", "response_length"])),
        },
        // The hub's own hooks are among them, twice for each of their calls.
        name if name.starts_with("hook_") => return None,
        name => Saying::Other("otel_log", whole(name, from)),
    })
}

fn whole(name: &str, from: &Attributes) -> Data {
    Data::default().put("name", Some(name)).rest(from, &COMMON)
}

/// Text that was not held back.
fn content(from: &Attributes, name: &str) -> Option<String> {
    from.text(&[name]).filter(|text| text != "<REDACTED>")
}

/// A call's span has its name; how it went is in the one within, which ends first.
#[derive(Debug, Default)]
pub(super) struct CallSpans<'a> {
    calls: HashSet<&'a str>,
    /// By the call's span.
    within: HashMap<&'a str, &'a Span>,
}

impl<'a> CallSpans<'a> {
    pub(super) fn of(spans: &'a [Span]) -> Self {
        let mut found = Self::default();
        for span in spans {
            match span.name.as_str() {
                "claude_code.tool" => drop(found.calls.insert(&span.id)),
                "claude_code.tool.execution" => drop(found.within.insert(&span.parent, span)),
                _ => {}
            }
        }
        found
    }
}

/// What a span says (`CLAUDE_CODE_ENHANCED_TELEMETRY_BETA`).
pub(super) fn span(span: &Span, calls: &CallSpans<'_>) -> Option<Saying> {
    let from = &span.attributes;
    Some(match span.name.strip_prefix("claude_code.")? {
        "llm_request" => usage(from, Signaled::Span),
        "tool.execution" if calls.calls.contains(span.parent.as_str()) => return None,
        "tool" | "tool.execution" => {
            let mut about = call(from);
            if let Some(within) = calls.within.get(span.id.as_str()) {
                about.success = within.attributes.truth(&["success"]);
                about.error = within.attributes.text(&["error"]);
            }
            (about.start, about.end) = (span.start, span.end);
            Saying::AboutCall(about)
        }
        // Prompts, waiting and hooks are known from the events.
        _ => return None,
    })
}
