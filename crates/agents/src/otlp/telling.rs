//! Records on their way to being events: each vendor's words, put into the session where they belong.

use std::sync::Arc;

use countersign_model::{Extra, NewEvent, Origin, kind, to_json};

use super::claude::CallSpans;
use super::mark::Record;
use super::naming::{agent, millis, name_of, named_session};
use super::records::{Log, Point, Records, Span};
use super::telemetry::{Telemetry, Told};
use super::told::{Call, Data, Saying, Signaled};
use super::{claude, codex, gen_ai, metrics};

/// The events that the records make, in the order of the records.
pub(super) fn tell(telemetry: &mut Telemetry, records: &Records, stream: Option<&Arc<str>>) -> Vec<Told> {
    let mut telling = Telling {
        telemetry,
        stream,
        told: Vec::new(),
    };
    for log in &records.logs {
        telling.log(log);
    }
    let calls = CallSpans::of(&records.spans);
    for span in &records.spans {
        telling.span(span, &calls);
    }
    telling.points(records);
    telling.told
}

/// Records on their way to being events.
struct Telling<'a> {
    telemetry: &'a mut Telemetry,
    stream: Option<&'a Arc<str>>,
    told: Vec<Told>,
}

/// Whose a record is.
struct Whose {
    agent: Arc<str>,
    session: Option<Arc<str>>,
    /// The trace; empty where there is none.
    trace: Arc<str>,
    record: Record,
    /// Nanoseconds since 1970.
    at: u64,
    /// Which of the record's events comes next.
    place: u32,
}

impl Telling<'_> {
    fn log(&mut self, log: &Log) {
        let name = name_of(log);
        let agent = agent(&log.source, &log.attributes, &name);
        let named = named_session(&log.attributes, &log.source);
        let session = named.or_else(|| self.telemetry.of_trace(&agent, &log.trace));
        let sayings = match &*agent {
            "claude-code" => claude::log(&name, log).into_iter().collect(),
            "codex" => codex::log(&name, log).into_iter().collect(),
            _ => match gen_ai::log(&name, log) {
                Some(sayings) => sayings,
                // Whatever else a program writes into its log is an agent's only where it says so.
                None if session.is_none() => return,
                None => vec![Saying::Other("otel_log", whole(&name, log))],
            },
        };
        if session.is_none() && matches!(&*agent, "claude-code" | "codex") {
            return;
        }
        let mut whose = Whose {
            session: session.or_else(|| (!log.trace.is_empty()).then(|| log.trace.as_str().into())),
            agent,
            trace: log.trace.as_str().into(),
            record: Record::log(log),
            at: if log.time == 0 { log.observed } else { log.time },
            place: 0,
        };
        self.say(&mut whose, sayings);
    }

    fn span(&mut self, span: &Span, calls: &CallSpans<'_>) {
        let agent = agent(&span.source, &span.attributes, &span.name);
        let named = named_session(&span.attributes, &span.source);
        let belongs = named.is_some();
        let session = named.or_else(|| self.telemetry.of_trace(&agent, &span.trace));
        let sayings = match &*agent {
            "claude-code" if span.name.starts_with("claude_code.") => claude::span(span, calls).into_iter().collect(),
            // Hundreds a turn, and what they know of tokens is in the events.
            "codex" if !gen_ai::names_its_operation(span) => return,
            _ if belongs || gen_ai::is_about_agents(span) => {
                let counts = gen_ai::is_request(span) && self.telemetry.requests.tells(&agent, span);
                gen_ai::span(span, counts)
            }
            _ => return,
        };
        let mut whose = Whose {
            session: session.or_else(|| (!span.trace.is_empty()).then(|| span.trace.as_str().into())),
            agent,
            trace: span.trace.as_str().into(),
            record: Record::span(span),
            at: span.end,
            place: 0,
        };
        self.say(&mut whose, sayings);
    }

    fn points(&mut self, records: &Records) {
        let session = |point: &Point| named_session(&point.attributes, &point.source);
        let session_text = |point: &Point| session(point).map(|session| session.to_string());
        for usage in metrics::usages(&records.points, session_text) {
            let first = usage.points[0];
            let agent = agent(&first.source, &first.attributes, &first.metric);
            // A sum that has not grown is sent again and again.
            if let Some(series) = usage.data.0.get("cumulative")
                && !self.telemetry.has_grown(&agent, &series.to_string(), &usage.data)
            {
                continue;
            }
            let mut whose = Whose {
                agent,
                trace: Arc::default(),
                session: session(first),
                record: Record::points(&usage.points),
                at: first.time,
                place: 0,
            };
            self.say(&mut whose, vec![Saying::Usage(Signaled::Metric, usage.data)]);
        }
    }

    fn say(&mut self, whose: &mut Whose, sayings: Vec<Saying>) {
        for saying in sayings {
            let hooked = self.telemetry.is_hooked(&whose.agent, whose.session.as_ref());
            match saying {
                Saying::Usage(signaled, data) => {
                    let session = whose.session.as_ref();
                    if self.telemetry.counts(&whose.agent, session, &whose.trace, signaled) {
                        let data = data.put("source", Some(signaled.as_str()));
                        self.event(whose, kind::USAGE, &data, whose.at);
                    } else {
                        whose.place += 1;
                    }
                }
                Saying::Call(call) => {
                    let id = call.id.as_deref();
                    if self.telemetry.tells(&whose.agent, whose.session.as_ref(), id) {
                        self.call(whose, call);
                    } else {
                        self.about(whose, call);
                    }
                }
                Saying::AboutCall(call) => self.about(whose, call),
                // The hooks' words are whole, and came first.
                Saying::Chat { .. } | Saying::Again { .. } | Saying::Hinted(_) if hooked => whose.place += 1,
                Saying::Chat { sender, content, data } => self.chat(whose, sender, content, data),
                Saying::Again { sender, content, data } => {
                    let session = whose.session.clone().unwrap_or_default();
                    let record = Record::said(&whose.agent, &session, sender, &content);
                    let own = std::mem::replace(&mut whose.record, record);
                    let place = std::mem::replace(&mut whose.place, 0);
                    self.chat(whose, sender, content, data);
                    (whose.record, whose.place) = (own, place + 1);
                }
                Saying::Hinted(data) => self.event(whose, "otel_log", &data, whose.at),
                Saying::Other(kind, data) => self.event(whose, kind, &data, whose.at),
            }
        }
    }

    fn chat(&mut self, whose: &mut Whose, sender: &str, content: String, data: Data) {
        let data = Data::default()
            .put("sender", Some(sender))
            .put("content", Some(content))
            .merge(data);
        self.event(whose, kind::CHAT_MESSAGE, &data, whose.at);
    }

    /// A call that only telemetry tells of: its beginning and its end.
    fn call(&mut self, whose: &mut Whose, call: Call) {
        let named = |data: Data| data.put("tool_name", call.tool.clone()).put("call_id", call.id.clone());
        let end = if call.end == 0 { whose.at } else { call.end };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clipped to be in range"
        )]
        let took = (call.duration.unwrap_or(0.0).clamp(0.0, 1e9) * 1e9) as u64;
        let start = if call.start == 0 {
            end.saturating_sub(took)
        } else {
            call.start
        };
        let begins = named(Data::default()).put("arguments", call.arguments.clone());
        self.event(whose, kind::TOOL_CALL_START, &begins, start);
        let ends = named(Data::default())
            .put("success", Some(call.success.unwrap_or(call.error.is_none())))
            .put("result", call.result)
            .put("error", call.error)
            .put("duration", call.duration)
            .merge(call.data);
        self.event(whose, kind::TOOL_CALL_END, &ends, end);
    }

    /// More about a call that something else tells of.
    fn about(&mut self, whose: &mut Whose, mut call: Call) {
        let own = whose.session.clone();
        if let (None, Some(session)) = (&call.id, &own) {
            let key = (whose.agent.clone(), session.clone());
            let end = if call.end == 0 { whose.at } else { call.end };
            let found = self.telemetry.call_near(&key, call.tool.as_deref(), end);
            call.id = found.map(|id| id.to_string());
        }
        if let Some(id) = &call.id {
            // A subagent's call: the hooks know whose it is, telemetry names the whole session.
            whose.session = self.telemetry.of_call(&whose.agent, id).or(whose.session.take());
        }
        let data = Data::default()
            .put("tool_name", call.tool)
            .put("call_id", call.id)
            .put("success", call.success)
            .put("duration", call.duration)
            .put("error", call.error)
            .put("arguments", call.arguments)
            .merge(call.data);
        self.event(whose, kind::TOOL_TELEMETRY, &data, whose.at);
        whose.session = own;
    }

    fn event(&mut self, whose: &mut Whose, kind: &str, data: &Data, at: u64) {
        let timestamp = millis(at).map(|time| to_json(&time));
        self.told.push(Told {
            event: NewEvent {
                origin: Origin::Otlp,
                agent: whose.agent.clone(),
                session: whose.session.clone(),
                stream: self.stream.cloned(),
                kind: kind.into(),
                timestamp,
                data: to_json(&data.0),
                extra: Extra::default(),
            },
            mark: whose.record.mark(whose.place),
        });
        whose.place += 1;
    }
}

/// A log record that no convention explains, as it is.
fn whole(name: &str, log: &Log) -> Data {
    let body = Some(&log.body).filter(|body| !body.is_null() && body.as_str() != Some(name));
    let severity = Some(log.severity_text.as_str()).filter(|text| !text.is_empty());
    Data::default()
        .put("name", Some(name).filter(|name| !name.is_empty()))
        .put("severity", severity)
        .put("body", body.cloned())
        .rest(&log.attributes, &["event.name"])
}
