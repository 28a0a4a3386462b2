//! The GenAI conventions (opentelemetry.io/docs/specs/semconv/gen-ai), as they are and as they were, with those of OpenInference
//! (`llm.*`) and OpenLLMetry (`traceloop.*`): spans of tool calls, requests to models and agents, and the events beside them.

use serde_json::Value;

use super::attributes::{Attributes, text};
use super::records::{Log, Span};
use super::told::{Call, Data, Saying, Signaled, seconds};

const OPERATION: [&str; 1] = ["gen_ai.operation.name"];
const MODEL: [&str; 5] = [
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.model_name",
    "embedding.model_name",
    "llm.request.model",
];
const INPUT: [&str; 5] = [
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "llm.usage.prompt_tokens",
    "gen_ai.usage.input_token_count",
];
const OUTPUT: [&str; 5] = [
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
    "llm.usage.completion_tokens",
    "gen_ai.usage.output_token_count",
];
const READ: [&str; 6] = [
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.cached_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "llm.token_count.prompt_details.cache_read",
    "gen_ai.usage.input_tokens.cached",
];
const WRITTEN: [&str; 5] = [
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.details.cache_write_tokens",
    "llm.token_count.prompt_details.cache_write",
];
const COST: [&str; 5] = [
    "gen_ai.usage.cost",
    "gen_ai.usage.total_cost",
    "gen_ai.usage.cost_usd",
    "llm.cost.total",
    "operation.cost",
];
const TOOL: [&str; 3] = ["gen_ai.tool.name", "tool.name", "traceloop.entity.name"];
const CALL: [&str; 3] = ["gen_ai.tool.call.id", "tool_call.id", "tool.id"];
const ARGUMENTS: [&str; 5] = [
    "gen_ai.tool.call.arguments",
    "tool_arguments",
    "tool.parameters",
    "input.value",
    "traceloop.entity.input",
];
const RESULT: [&str; 4] = [
    "gen_ai.tool.call.result",
    "tool_response",
    "output.value",
    "traceloop.entity.output",
];
const SAID: [&str; 2] = ["gen_ai.output.messages", "gen_ai.input.messages"];
/// Who it is that is sent, or is said elsewhere in the event.
const COMMON: [&str; 4] = [
    "session.id",
    "gen_ai.conversation.id",
    "event.name",
    "gen_ai.operation.name",
];

/// What a span is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Tool,
    Model,
    Agent,
    Other,
}

fn operation(from: &Attributes, name: &str) -> Option<Operation> {
    if let Some(word) = from.text(&OPERATION) {
        return Some(match word.as_str() {
            "execute_tool" => Operation::Tool,
            "chat" | "text_completion" | "generate_content" | "embeddings" => Operation::Model,
            "invoke_agent" | "create_agent" | "invoke_workflow" => Operation::Agent,
            _ => Operation::Other,
        });
    }
    let word = from
        .text(&["openinference.span.kind", "traceloop.span.kind"])
        .map(|kind| kind.to_ascii_lowercase());
    match word.as_deref() {
        Some("tool") => return Some(Operation::Tool),
        Some("llm" | "embedding") => return Some(Operation::Model),
        Some("agent" | "workflow" | "chain" | "task") => return Some(Operation::Agent),
        _ => {}
    }
    if from.get(&["gen_ai.tool.call.id"]).is_some() || name.starts_with("execute_tool ") {
        return Some(Operation::Tool);
    }
    let tokens = from.get(&INPUT).is_some() || from.get(&OUTPUT).is_some();
    if tokens
        || from
            .get(&["gen_ai.system", "gen_ai.provider.name", "llm.request.type"])
            .is_some()
    {
        return Some(Operation::Model);
    }
    None
}

/// Whether a span tells of an agent's work, session named or not.
pub(super) fn is_about_agents(span: &Span) -> bool {
    operation(&span.attributes, &span.name).is_some()
}

/// Whether a span tells of a request's tokens.
pub(super) fn is_request(span: &Span) -> bool {
    let from = &span.attributes;
    operation(from, &span.name) == Some(Operation::Model) && (from.get(&INPUT).is_some() || from.get(&OUTPUT).is_some())
}

/// The provider's name for the response, which all that tell of the request have in common.
pub(super) fn response(span: &Span) -> Option<String> {
    span.attributes.text(&["gen_ai.response.id", "llm.response.id"])
}

/// Whether a span follows the conventions to the letter.
pub(super) fn names_its_operation(span: &Span) -> bool {
    span.attributes.get(&OPERATION).is_some()
}

fn took(span: &Span) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a span's length in nanoseconds, shown in milliseconds"
    )]
    (span.end >= span.start && span.start > 0).then(|| seconds((span.end - span.start) as f64 / 1_000_000.0))
}

/// What went wrong, in the span's own words or those of its exception.
fn error(span: &Span) -> Option<String> {
    if span.status != 2 {
        return None;
    }
    let exception = span.events.iter().find(|(name, _)| name == "exception");
    let said = [
        Some(span.message.clone()),
        exception.and_then(|(_, from)| from.text(&["exception.message", "exception.type"])),
        span.attributes
            .text(&["error.message", "exception.message", "error.type"]),
    ];
    let said = said.into_iter().flatten().find(|said| !said.is_empty());
    Some(said.unwrap_or_else(|| "failed, without a reason".to_owned()))
}

/// Tokens under the names of all conventions; nothing when there are none. The cache's are among those that go in.
fn usage(from: &Attributes, signaled: Signaled, duration: Option<f64>) -> Option<Saying> {
    let (input, output) = (from.count(&INPUT), from.count(&OUTPUT));
    if input.is_none() && output.is_none() {
        return None;
    }
    let (read, written) = (from.count(&READ), from.count(&WRITTEN));
    let cached = read.unwrap_or(0) + written.unwrap_or(0);
    // Some instrumentations count them apart, against the conventions: then there may be more of them than of all.
    let fresh = input.map(|all| if cached <= all { all - cached } else { all });
    let told: Vec<&str> = [&MODEL[..], &INPUT, &OUTPUT, &READ, &WRITTEN, &COST, &SAID, &COMMON].concat();
    let data = Data::default()
        .put("model", from.text(&MODEL))
        .put("input_tokens", fresh)
        .put("output_tokens", output)
        .put("cache_read_tokens", read)
        .put("cache_write_tokens", written)
        .put("cost", from.number(&COST))
        .put("duration", duration)
        .rest(from, &told);
    Some(Saying::Usage(signaled, data))
}

fn call(span: &Span) -> Call {
    let from = &span.attributes;
    let error = error(span);
    let named = span.name.strip_prefix("execute_tool ").unwrap_or(&span.name);
    let told: Vec<&str> = [&TOOL[..], &CALL, &ARGUMENTS, &RESULT, &COMMON].concat();
    Call {
        tool: from.text(&TOOL).or_else(|| Some(named.to_owned())),
        id: from
            .text(&CALL)
            .or_else(|| (!span.id.is_empty()).then(|| span.id.clone())),
        arguments: from.nested(&ARGUMENTS),
        result: from.nested(&RESULT),
        success: Some(error.is_none()),
        error,
        duration: took(span),
        start: span.start,
        end: span.end,
        data: Data::default().rest(from, &told),
    }
}

fn whole(span: &Span) -> Saying {
    let data = Data::default()
        .put("name", Some(span.name.as_str()))
        .put("operation", span.attributes.text(&OPERATION))
        .put("duration", took(span))
        .put("error", error(span))
        .rest(&span.attributes, &COMMON);
    Saying::Other("otel_span", data)
}

/// What a span says; `counts` is false where another one tells of the same request's tokens.
pub(super) fn span(span: &Span, counts: bool) -> Vec<Saying> {
    let from = &span.attributes;
    match operation(from, &span.name) {
        Some(Operation::Tool) => vec![Saying::Call(call(span))],
        Some(Operation::Model) => {
            let mut sayings = messages(from);
            let usage = usage(from, Signaled::Span, took(span));
            match (usage, error(span)) {
                (Some(_), _) if !counts => sayings.push(whole(span)),
                (Some(usage), _) => sayings.insert(0, usage),
                (None, Some(message)) => {
                    let data = Data::default()
                        .put("message", Some(message))
                        .put("model", from.text(&MODEL))
                        .put("duration", took(span))
                        .rest(from, &[&MODEL[..], &SAID, &COMMON].concat());
                    sayings.push(Saying::Other("error", data));
                }
                (None, None) if sayings.is_empty() => sayings.push(whole(span)),
                (None, None) => {}
            }
            sayings
        }
        // What an agent's span sums up is counted where nothing says it request by request.
        Some(Operation::Agent) => std::iter::once(whole(span))
            .chain(usage(from, Signaled::AgentSpan, took(span)))
            .collect(),
        Some(Operation::Other) | None => vec![whole(span)],
    }
}

/// The last word of a person and the answers to it. What goes in is the whole conversation, each time.
fn messages(from: &Attributes) -> Vec<Saying> {
    let list = |name| match from.nested(&[name]) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    let mut sayings = Vec::new();
    let asked = list("gen_ai.input.messages").pop();
    if let Some(content) = asked.as_ref().filter(|last| role(last) == "user").and_then(words) {
        sayings.push(Saying::Again {
            sender: "user",
            content,
            data: Data::default(),
        });
    }
    let answers = list("gen_ai.output.messages");
    sayings.extend(answers.iter().filter_map(words).map(|content| Saying::Chat {
        sender: "assistant",
        content,
        data: Data::default(),
    }));
    sayings
}

fn role(message: &Value) -> &str {
    message["role"].as_str().unwrap_or_default()
}

/// The text of a message: its `content`, or its parts of text.
fn words(message: &Value) -> Option<String> {
    if let Some(content) = message.get("content").and_then(text) {
        return Some(content);
    }
    let parts = message.get("parts").or_else(|| message.get("content"))?.as_array()?;
    let texts = parts.iter().filter(|part| part["type"] == "text");
    let texts: Vec<String> = texts
        .filter_map(|part| text(part.get("content").or_else(|| part.get("text"))?))
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// What an event of the conventions says; `None` when it is none of them.
pub(super) fn log(name: &str, log: &Log) -> Option<Vec<Saying>> {
    let from = &log.attributes;
    let name = name.strip_prefix("gen_ai.")?;
    Some(match name {
        "client.inference.operation.details" => {
            let mut sayings = messages(from);
            sayings.splice(0..0, usage(from, Signaled::Log, None));
            sayings
        }
        "choice" | "assistant.message" | "user.message" => said(name, &log.body).into_iter().collect(),
        // They are in every request; calls and their results are known from elsewhere.
        "system.message" | "tool.message" => Vec::new(),
        "client.operation.exception" | "execute_tool.exception" => {
            let told = ["exception.message", "exception.type"];
            let data = Data::default()
                .put("message", from.text(&told))
                .rest(from, &[&told[..], &COMMON].concat());
            vec![Saying::Other("error", data)]
        }
        _ => return None,
    })
}

/// The older events, one a message; those of the whole conversation come with every request.
fn said(name: &str, body: &Value) -> Option<Saying> {
    let data = Data::default();
    Some(match name {
        "choice" => Saying::Chat {
            sender: "assistant",
            content: words(body.get("message")?)?,
            data,
        },
        // What was answered came as a choice before.
        "assistant.message" => return None,
        _ => Saying::Again {
            sender: "user",
            content: words(body)?,
            data,
        },
    })
}
