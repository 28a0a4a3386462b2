//! Records out of JSON: protobuf's JSON mapping as OTLP narrows it (ids in hex, 64-bit integers as text), read leniently, since
//! exporters write snake case, names of enums and plain numbers, too.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::attributes::{Attributes, count, double};
use super::records::{CUMULATIVE, Log, Point, Records, Source, Span};
use super::{Signal, Unreadable};

type Object = Map<String, Value>;

pub(super) fn decode(signal: Signal, body: &[u8]) -> Result<Records, Unreadable> {
    let request: Value = serde_json::from_slice(body).map_err(|error| Unreadable::Malformed(error.to_string()))?;
    let Value::Object(request) = request else {
        return Err(Unreadable::Malformed("it is not a JSON object".into()));
    };
    let (resources, scopes, list) = match signal {
        Signal::Logs => ("resourceLogs", "scopeLogs", "logRecords"),
        Signal::Traces => ("resourceSpans", "scopeSpans", "spans"),
        Signal::Metrics => ("resourceMetrics", "scopeMetrics", "metrics"),
    };
    let mut records = Records::default();
    for each in objects(&request, resources)? {
        let resource = object(each, "resource").map_or_else(|| Ok(Attributes::default()), attributes)?;
        for each in objects(each, scopes)? {
            let scope = object(each, "scope").map_or_else(String::new, |scope| text(scope, "name"));
            let source = Arc::new(Source {
                resource: resource.clone(),
                scope,
            });
            for each in objects(each, list)? {
                match signal {
                    Signal::Logs => records.logs.push(log(&source, each)?),
                    Signal::Traces => records.spans.push(span(&source, each)?),
                    Signal::Metrics => points(&source, each, &mut records.points)?,
                }
            }
        }
    }
    Ok(records)
}

/// A field under its name, or under that name in snake case.
fn field<'a>(from: &'a Object, name: &str) -> Option<&'a Value> {
    let found = from.get(name).or_else(|| {
        let mut snake = String::with_capacity(name.len() + 4);
        for c in name.chars() {
            if c.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
        }
        from.get(&snake)
    });
    found.filter(|value| !value.is_null())
}

fn object<'a>(from: &'a Object, name: &str) -> Option<&'a Object> {
    field(from, name)?.as_object()
}

fn objects<'a>(from: &'a Object, name: &str) -> Result<Vec<&'a Object>, Unreadable> {
    let Some(list) = field(from, name) else {
        return Ok(Vec::new());
    };
    let wrong = || Unreadable::Malformed(format!("`{name}` is not a list of objects"));
    let list = list.as_array().ok_or_else(wrong)?;
    list.iter().map(|each| each.as_object().ok_or_else(wrong)).collect()
}

fn text(from: &Object, name: &str) -> String {
    field(from, name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A time; 0, which is unknown, where there is none that makes sense: the other records of the batch are not refused for it.
fn nanos(from: &Object, name: &str) -> u64 {
    match field(from, name) {
        Some(Value::String(text)) => text.trim().parse().unwrap_or_default(),
        Some(Value::Number(number)) if number.is_u64() => number.as_u64().unwrap_or_default(),
        Some(other) => count(other).unwrap_or_default(),
        None => 0,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            text => text.trim().parse().ok(),
        },
        _ => None,
    }
}

/// An enum by its number, or by the end of its name.
fn choice(from: &Object, name: &str, names: &[(&str, i64)]) -> i64 {
    match field(from, name) {
        Some(Value::Number(number)) => number.as_i64().unwrap_or(0),
        Some(Value::String(text)) => {
            let named = names
                .iter()
                .find(|(end, _)| text.ends_with(end))
                .map(|(_, number)| *number);
            named.or_else(|| text.parse().ok()).unwrap_or(0)
        }
        _ => 0,
    }
}

/// Bytes of an id.
const MAX_ID: usize = 64;

/// Ids are hex, in either case. Others, such as the base64 of protobuf's own mapping, name the same thing by the same text.
fn id(from: &Object, name: &str) -> String {
    let id = text(from, name);
    if id.len() > MAX_ID || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        String::new()
    } else if id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        id.to_ascii_lowercase()
    } else {
        id
    }
}

fn attributes(from: &Object) -> Result<Attributes, Unreadable> {
    let pairs = objects(from, "attributes")?.into_iter();
    let pairs: Result<_, _> = pairs
        .map(|pair| Ok((text(pair, "key"), any(field(pair, "value"))?)))
        .collect();
    pairs.map(Attributes)
}

fn any(from: Option<&Value>) -> Result<Value, Unreadable> {
    let Some(from) = from else { return Ok(Value::Null) };
    let Value::Object(from) = from else {
        // Not OTLP, but plain enough.
        return Ok(from.clone());
    };
    if let Some(value) = field(from, "stringValue").or_else(|| field(from, "boolValue")) {
        return Ok(value.clone());
    }
    if let Some(value) = field(from, "intValue") {
        let whole = match value {
            Value::Number(number) if number.is_i64() || number.is_u64() => Some(value.clone()),
            Value::String(text) => text.trim().parse::<i64>().ok().map(Value::from),
            _ => None,
        };
        return whole.ok_or_else(|| Unreadable::Malformed("`intValue` is not a whole number".into()));
    }
    if let Some(value) = field(from, "doubleValue") {
        let number = number(value).ok_or_else(|| Unreadable::Malformed("`doubleValue` is not a number".into()))?;
        return Ok(double(number));
    }
    if let Some(Value::Object(list)) = field(from, "arrayValue") {
        let values = field(list, "values").and_then(Value::as_array);
        return values.into_iter().flatten().map(|each| any(Some(each))).collect();
    }
    if let Some(Value::Object(list)) = field(from, "kvlistValue") {
        let pairs = objects(list, "values")?.into_iter();
        let pairs: Result<Object, Unreadable> = pairs
            .map(|pair| Ok((text(pair, "key"), any(field(pair, "value"))?)))
            .collect();
        return pairs.map(Value::Object);
    }
    Ok(field(from, "bytesValue").cloned().unwrap_or(Value::Null))
}

fn log(source: &Arc<Source>, from: &Object) -> Result<Log, Unreadable> {
    Ok(Log {
        source: source.clone(),
        time: nanos(from, "timeUnixNano"),
        observed: nanos(from, "observedTimeUnixNano"),
        severity: choice(
            from,
            "severityNumber",
            &[
                ("TRACE", 1),
                ("DEBUG", 5),
                ("INFO", 9),
                ("WARN", 13),
                ("ERROR", 17),
                ("FATAL", 21),
            ],
        ),
        severity_text: text(from, "severityText"),
        body: any(field(from, "body"))?,
        event_name: text(from, "eventName"),
        attributes: attributes(from)?,
        trace: id(from, "traceId"),
        span: id(from, "spanId"),
    })
}

fn span(source: &Arc<Source>, from: &Object) -> Result<Span, Unreadable> {
    let status = object(from, "status");
    let events = objects(from, "events")?.into_iter();
    let events: Result<_, Unreadable> = events.map(|each| Ok((text(each, "name"), attributes(each)?))).collect();
    Ok(Span {
        source: source.clone(),
        name: text(from, "name"),
        trace: id(from, "traceId"),
        id: id(from, "spanId"),
        parent: id(from, "parentSpanId"),
        start: nanos(from, "startTimeUnixNano"),
        end: nanos(from, "endTimeUnixNano"),
        attributes: attributes(from)?,
        status: status.map_or(0, |status| {
            choice(status, "code", &[("UNSET", 0), ("OK", 1), ("ERROR", 2)])
        }),
        message: status.map_or_else(String::new, |status| text(status, "message")),
        events: events?,
    })
}

fn points(source: &Arc<Source>, from: &Object, into: &mut Vec<Point>) -> Result<(), Unreadable> {
    let metric: Arc<str> = text(from, "name").into();
    for kind in ["sum", "histogram", "exponentialHistogram"] {
        let Some(data) = object(from, kind) else { continue };
        let temporality = choice(
            data,
            "aggregationTemporality",
            &[("DELTA", 1), ("CUMULATIVE", CUMULATIVE)],
        );
        for each in objects(data, "dataPoints")? {
            let value = ["asDouble", "asInt", "sum"].iter().find_map(|name| field(each, name));
            into.push(Point {
                source: source.clone(),
                metric: metric.clone(),
                attributes: attributes(each)?,
                start: nanos(each, "startTimeUnixNano"),
                time: nanos(each, "timeUnixNano"),
                value: value.and_then(number).unwrap_or(0.0),
                count: field(each, "count").and_then(count),
                cumulative: temporality == CUMULATIVE,
            });
        }
    }
    Ok(())
}
