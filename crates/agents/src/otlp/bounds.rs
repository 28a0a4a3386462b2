//! How much a body may unfold into, judged on its bytes before anything is made of them: two bytes can stand for a record of
//! hundreds.

use super::{Signal, Unreadable};

/// Log records, spans, metrics, data points, span events and the like of one request.
pub const MAX_RECORDS: usize = 32_768;
/// Fields (protobuf) or values (JSON) of one request.
pub const MAX_VALUES: usize = 1_000_000;
/// Levels of nesting; decoders stop at about a hundred by themselves.
const MAX_DEPTH: usize = 96;

/// The messages of OTLP that hold others (opentelemetry-proto 1.x). Those in which nothing can be hidden are `Leaf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    Request,
    OfResource,
    OfScope,
    Resource,
    Scope,
    Log,
    Span,
    SpanEvent,
    Link,
    Metric,
    Numbers,
    Number,
    Histogram,
    HistogramPoint,
    Exponential,
    ExponentialPoint,
    Exemplar,
    KeyValue,
    AnyValue,
    Array,
    KeyValues,
    Leaf,
}

/// What a length-delimited field is.
fn within(signal: Signal, message: Message, field: u64) -> Option<Message> {
    use Message as M;
    Some(match (message, field) {
        (M::Request, 1) => M::OfResource,
        (M::OfResource, 1) => M::Resource,
        (M::OfResource, 2) => M::OfScope,
        (M::OfScope, 1) => M::Scope,
        (M::OfScope, 2) => match signal {
            Signal::Logs => M::Log,
            Signal::Traces => M::Span,
            Signal::Metrics => M::Metric,
        },
        (M::Resource | M::ExponentialPoint, 1)
        | (M::Scope | M::SpanEvent, 3)
        | (M::Link, 4)
        | (M::Log, 6)
        | (M::Number | M::Exemplar, 7)
        | (M::Span | M::HistogramPoint, 9)
        | (M::Metric, 12) => M::KeyValue,
        (M::Span, 11) => M::SpanEvent,
        (M::Span, 13) => M::Link,
        (M::Log, 5) | (M::KeyValue, 2) | (M::Array, 1) => M::AnyValue,
        // A summary's points have their attributes where a number's are.
        (M::Metric, 5 | 7 | 11) => M::Numbers,
        (M::Metric, 9) => M::Histogram,
        (M::Metric, 10) => M::Exponential,
        (M::Numbers, 1) => M::Number,
        (M::Histogram, 1) => M::HistogramPoint,
        (M::Exponential, 1) => M::ExponentialPoint,
        (M::Number, 5) | (M::HistogramPoint, 8) | (M::ExponentialPoint, 11) => M::Exemplar,
        // Entities, and quantiles.
        (M::Resource, 3) | (M::Number, 6) => M::Leaf,
        (M::AnyValue, 5) => M::Array,
        (M::AnyValue, 6) => M::KeyValues,
        (M::KeyValues, 1) => M::KeyValue,
        _ => return None,
    })
}

fn is_record(message: Message) -> bool {
    use Message as M;
    !matches!(
        message,
        M::Request | M::Resource | M::Scope | M::KeyValue | M::AnyValue | M::Array | M::KeyValues
    )
}

/// Counts a protobuf body's parts without decoding them. What is not valid is left for the decoder to refuse.
pub(super) fn check_protobuf(signal: Signal, body: &[u8]) -> Result<(), Unreadable> {
    let (mut records, mut values) = (0_usize, 0_usize);
    let mut open = vec![(Message::Request, body)];
    while let Some((message, rest)) = open.last_mut() {
        let (message, from) = (*message, *rest);
        if from.is_empty() {
            open.pop();
            continue;
        }
        let field = varint(from).and_then(|(tag, after)| Some((tag, skip(tag & 7, after)?)));
        let Some((tag, (bytes, after))) = field else {
            open.pop();
            continue;
        };
        *rest = after;
        values += 1;
        if values > MAX_VALUES {
            return Err(Unreadable::TooMany(format!("{MAX_VALUES} values")));
        }
        let inner = if tag & 7 == 2 {
            within(signal, message, tag >> 3)
        } else {
            None
        };
        if let Some(inner) = inner {
            records += usize::from(is_record(inner));
            if records > MAX_RECORDS {
                return Err(Unreadable::TooMany(format!("{MAX_RECORDS} records")));
            }
            open.push((inner, bytes));
            if open.len() > MAX_DEPTH {
                return Err(Unreadable::TooDeep(MAX_DEPTH));
            }
        }
    }
    Ok(())
}

fn varint(from: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (place, byte) in from.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, &from[place + 1..]));
        }
    }
    None
}

/// The bytes of a length-delimited field, and what follows a field of this wire type.
fn skip(wire: u64, from: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = match wire {
        0 => return varint(from).map(|(_, after)| (&[][..], after)),
        1 => return from.split_at_checked(8).map(|(_, after)| (&[][..], after)),
        5 => return from.split_at_checked(4).map(|(_, after)| (&[][..], after)),
        2 => varint(from)?,
        // Groups are not in OTLP; the decoder refuses or skips them.
        _ => return None,
    };
    length.1.split_at_checked(usize::try_from(length.0).ok()?)
}

/// Counts a JSON body's values and levels without parsing it.
pub(super) fn check_json(body: &[u8]) -> Result<(), Unreadable> {
    let (mut values, mut depth) = (0_usize, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for byte in body {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b',' => values += 1,
            b'[' | b'{' => {
                values += 1;
                depth += 1;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if values > MAX_VALUES {
            return Err(Unreadable::TooMany(format!("{MAX_VALUES} values")));
        }
        if depth > MAX_DEPTH {
            return Err(Unreadable::TooDeep(MAX_DEPTH));
        }
    }
    Ok(())
}
