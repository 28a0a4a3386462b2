//! Records out of protobuf.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{metric, number_data_point};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use serde_json::Value;

use super::attributes::{Attributes, double};
use super::records::{CUMULATIVE, Log, Point, Records, Source, Span, hex};
use super::{Signal, Unreadable};

fn read<M: Message + Default>(body: &[u8]) -> Result<M, Unreadable> {
    M::decode(body).map_err(|error| Unreadable::Malformed(error.to_string()))
}

pub(super) fn decode(signal: Signal, body: &[u8]) -> Result<Records, Unreadable> {
    Ok(match signal {
        Signal::Logs => logs(read(body)?),
        Signal::Traces => spans(read(body)?),
        Signal::Metrics => points(read(body)?),
    })
}

fn source(resource: &Arc<Attributes>, scope: Option<InstrumentationScope>) -> Arc<Source> {
    Arc::new(Source {
        resource: (**resource).clone(),
        scope: scope.map_or_else(String::new, |scope| scope.name),
    })
}

fn resource(resource: Option<Resource>) -> Arc<Attributes> {
    Arc::new(attributes(
        resource.map_or_else(Vec::new, |resource| resource.attributes),
    ))
}

fn attributes(list: Vec<KeyValue>) -> Attributes {
    Attributes(list.into_iter().map(|pair| (pair.key, value(pair.value))).collect())
}

fn value(from: Option<AnyValue>) -> Value {
    use any_value::Value as V;
    match from.and_then(|any| any.value) {
        None => Value::Null,
        Some(V::StringValue(text)) => text.into(),
        Some(V::BoolValue(truth)) => truth.into(),
        Some(V::IntValue(number)) => number.into(),
        Some(V::DoubleValue(number)) => double(number),
        Some(V::ArrayValue(list)) => list.values.into_iter().map(|each| value(Some(each))).collect(),
        Some(V::KvlistValue(list)) => {
            let pairs = list.values.into_iter().map(|pair| (pair.key, value(pair.value)));
            Value::Object(pairs.collect())
        }
        Some(V::BytesValue(bytes)) => hex(&bytes).into(),
        // An index into a table that only profiles have.
        Some(V::StringValueStrindex(_)) => Value::Null,
    }
}

fn logs(request: ExportLogsServiceRequest) -> Records {
    let mut records = Records::default();
    for each in request.resource_logs {
        let resource = resource(each.resource);
        for each in each.scope_logs {
            let source = source(&resource, each.scope);
            records.logs.extend(each.log_records.into_iter().map(|log| Log {
                source: source.clone(),
                time: log.time_unix_nano,
                observed: log.observed_time_unix_nano,
                severity: log.severity_number.into(),
                severity_text: log.severity_text,
                body: value(log.body),
                event_name: log.event_name,
                attributes: attributes(log.attributes),
                trace: hex(&log.trace_id),
                span: hex(&log.span_id),
            }));
        }
    }
    records
}

fn spans(request: ExportTraceServiceRequest) -> Records {
    let mut records = Records::default();
    for each in request.resource_spans {
        let resource = resource(each.resource);
        for each in each.scope_spans {
            let source = source(&resource, each.scope);
            records.spans.extend(each.spans.into_iter().map(|span| {
                let (status, message) = span
                    .status
                    .map_or((0, String::new()), |status| (status.code, status.message));
                let events = span.events.into_iter();
                Span {
                    source: source.clone(),
                    name: span.name,
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    start: span.start_time_unix_nano,
                    end: span.end_time_unix_nano,
                    attributes: attributes(span.attributes),
                    status: status.into(),
                    message,
                    events: events.map(|event| (event.name, attributes(event.attributes))).collect(),
                }
            }));
        }
    }
    records
}

fn points(request: ExportMetricsServiceRequest) -> Records {
    let mut records = Records::default();
    for each in request.resource_metrics {
        let resource = resource(each.resource);
        for each in each.scope_metrics {
            let source = source(&resource, each.scope);
            for each in each.metrics {
                let metric: Arc<str> = each.name.into();
                let point = |from: Vec<KeyValue>, (start, time), value, count, temporality: i32| Point {
                    source: source.clone(),
                    metric: metric.clone(),
                    attributes: attributes(from),
                    start,
                    time,
                    value,
                    count,
                    cumulative: i64::from(temporality) == CUMULATIVE,
                };
                match each.data {
                    Some(metric::Data::Sum(sum)) => records.points.extend(sum.data_points.into_iter().map(|from| {
                        let value = match from.value {
                            Some(number_data_point::Value::AsDouble(number)) => number,
                            #[expect(clippy::cast_precision_loss, reason = "counts of tokens are far below 2^53")]
                            Some(number_data_point::Value::AsInt(number)) => number as f64,
                            None => 0.0,
                        };
                        let times = (from.start_time_unix_nano, from.time_unix_nano);
                        point(from.attributes, times, value, None, sum.aggregation_temporality)
                    })),
                    Some(metric::Data::Histogram(histogram)) => {
                        records.points.extend(histogram.data_points.into_iter().map(|from| {
                            let times = (from.start_time_unix_nano, from.time_unix_nano);
                            let (sum, count) = (from.sum.unwrap_or(0.0), Some(from.count));
                            point(from.attributes, times, sum, count, histogram.aggregation_temporality)
                        }));
                    }
                    Some(metric::Data::ExponentialHistogram(histogram)) => {
                        records.points.extend(histogram.data_points.into_iter().map(|from| {
                            let times = (from.start_time_unix_nano, from.time_unix_nano);
                            let (sum, count) = (from.sum.unwrap_or(0.0), Some(from.count));
                            point(from.attributes, times, sum, count, histogram.aggregation_temporality)
                        }));
                    }
                    // Neither says how much was used.
                    Some(metric::Data::Gauge(_) | metric::Data::Summary(_)) | None => {}
                }
            }
        }
    }
    records
}
