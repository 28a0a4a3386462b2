//! Codex's events (developers.openai.com/codex/config-advanced, "Observability and telemetry"; seen from 0.169).

use serde_json::Value;

use super::attributes::Attributes;
use super::records::Log;
use super::told::{Call, Data, Saying, Signaled, seconds};

/// Attributes that every record has, or that are said elsewhere in the event.
const COMMON: [&str; 10] = [
    "event.name",
    "event.timestamp",
    "conversation.id",
    "terminal.type",
    "app.version",
    "auth_mode",
    "originator",
    "slug",
    "user.account_id",
    "user.email",
];

/// Whether a service is one of Codex's programs: `codex_cli_rs`, `codex_exec`, `codex-app-server`, `codex_vscode`, ...
pub(super) fn is_service(name: &str) -> bool {
    name.strip_prefix("codex")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '-']))
}

fn told(more: &[&'static str]) -> Vec<&'static str> {
    COMMON.iter().chain(more).copied().collect()
}

fn duration(attributes: &Attributes) -> Option<f64> {
    attributes.number(&["duration_ms"]).map(seconds)
}

fn error(from: &Attributes, message: String) -> Saying {
    let data = Data::default()
        .put("message", Some(message))
        .put("model", from.text(&["model"]))
        .put("status_code", from.text(&["http.response.status_code"]))
        .put("attempt", from.count(&["attempt"]))
        .put("duration", duration(from))
        .put("endpoint", from.text(&["endpoint"]));
    Saying::Other("error", data)
}

/// The tokens of a response. OpenAI counts those of the cache among those that go in.
fn usage(from: &Attributes) -> Saying {
    let read = from.count(&["cached_token_count"]);
    let written = from.count(&["cache_write_token_count"]);
    let input = from.count(&["input_token_count"]);
    let fresh = input.map(|all| {
        all.saturating_sub(read.unwrap_or(0))
            .saturating_sub(written.unwrap_or(0))
    });
    let more = [
        "event.kind",
        "model",
        "input_token_count",
        "output_token_count",
        "cached_token_count",
        "cache_write_token_count",
        "reasoning_token_count",
        "tool_token_count",
        "duration_ms",
    ];
    let data = Data::default()
        .put("model", from.text(&["model"]))
        .put("input_tokens", fresh)
        .put("output_tokens", from.count(&["output_token_count"]))
        .put("cache_read_tokens", read)
        .put("cache_write_tokens", written)
        .put("reasoning_tokens", from.count(&["reasoning_token_count"]))
        .put("duration", duration(from))
        .rest(from, &told(&more));
    Saying::Usage(Signaled::Log, data)
}

fn call(from: &Attributes) -> Call {
    let success = from.truth(&["success"]);
    let output = from.text(&["output"]);
    let failed = success == Some(false);
    let more = [
        "tool_name",
        "call_id",
        "arguments",
        "output",
        "success",
        "duration_ms",
        "decision",
        "source",
        "model",
    ];
    Call {
        tool: from.text(&["tool_name"]),
        id: from.text(&["call_id"]),
        arguments: from.nested(&["arguments"]),
        error: output.clone().filter(|_| failed),
        result: output.filter(|_| !failed).map(Value::String),
        success,
        duration: duration(from),
        data: Data::default()
            .put("decision", from.text(&["decision"]))
            .put("decision_source", from.text(&["source"]))
            .rest(from, &told(&more)),
        ..Call::default()
    }
}

/// What an event says; nothing for the many that only time things.
pub(super) fn log(name: &str, log: &Log) -> Option<Saying> {
    let from = &log.attributes;
    let message = from.text(&["error.message"]);
    Some(match name.strip_prefix("codex.")? {
        "conversation_starts" => Saying::Hinted(whole("conversation_starts", from)),
        "user_prompt" => match from.text(&["prompt"]).filter(|text| text != "[REDACTED]") {
            Some(content) => Saying::Chat {
                sender: "user",
                content,
                data: Data::default(),
            },
            None => Saying::Hinted(whole("user_prompt", from)),
        },
        "sse_event" if message.is_none() && from.count(&["input_token_count"]).is_some() => usage(from),
        "api_request" | "sse_event" | "websocket_request" | "websocket_connect" | "websocket_event" => {
            error(from, message?)
        }
        "tool_decision" => Saying::AboutCall(call(from)),
        "tool_result" => {
            let mut call = call(from);
            call.end = if log.time == 0 { log.observed } else { log.time };
            Saying::Call(call)
        }
        "startup_phase" | "turn_ttft" | "turn_ttfm" => return None,
        name => Saying::Other("otel_log", whole(name, from)),
    })
}

fn whole(name: &str, from: &Attributes) -> Data {
    Data::default().put("name", Some(name)).rest(from, &COMMON)
}
