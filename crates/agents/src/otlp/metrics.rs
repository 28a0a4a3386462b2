//! Metrics that say how many tokens were used, and at what cost. All others are left out: what they count is in the events.

use std::collections::BTreeMap;

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use super::claude;
use super::records::{Point, hex};
use super::told::Data;

/// Points of one source, model and stretch of time, as one event.
#[derive(Debug)]
pub(super) struct Usage<'a> {
    /// What it was made of; they all have the same source.
    pub(super) points: Vec<&'a Point>,
    pub(super) data: Data,
}

/// What a point adds to.
fn field(point: &Point) -> Option<&'static str> {
    let kind = |names: &[&str]| point.attributes.text(names).unwrap_or_default();
    Some(match &*point.metric {
        "claude_code.cost.usage" => "cost",
        "claude_code.token.usage" => match kind(&["type"]).as_str() {
            "input" => "input_tokens",
            "output" => "output_tokens",
            "cacheRead" => "cache_read_tokens",
            "cacheCreation" => "cache_write_tokens",
            _ => return None,
        },
        "gen_ai.client.token.usage" => match kind(&["gen_ai.token.type"]).as_str() {
            "input" => "input_tokens",
            "output" | "completion" => "output_tokens",
            _ => return None,
        },
        // `total` and `reasoning_output` are in the others; `input` holds the cache's.
        "codex.turn.token_usage" => match kind(&["token_type"]).as_str() {
            "input" => "input_tokens",
            "output" => "output_tokens",
            "cached_input" => "cache_read_tokens",
            "cache_write_input" => "cache_write_tokens",
            _ => return None,
        },
        _ => return None,
    })
}

/// The points' sums, by where they came from, session, model and stretch of time.
pub(super) fn usages<'a>(points: &'a [Point], session: impl Fn(&Point) -> Option<String>) -> Vec<Usage<'a>> {
    let mut sorted: BTreeMap<_, Vec<(&'static str, &Point)>> = BTreeMap::new();
    for point in points {
        let Some(field) = field(point).filter(|_| point.value.is_finite() && point.value >= 0.0) else {
            continue;
        };
        let model = point
            .attributes
            .text(&["gen_ai.response.model", "gen_ai.request.model", "model"]);
        let model = model.map(|name| claude::model(&name).to_owned());
        // A series is known by all of its attributes but what kind of tokens it counts.
        let kinds = ["type", "gen_ai.token.type", "token_type"];
        let mut series = point.attributes.rest(&kinds).unwrap_or_default().to_string();
        // Two processes of one program count each for itself.
        series.extend(point.source.resource.text(&["service.instance.id", "process.pid"]));
        let source = std::sync::Arc::as_ptr(&point.source) as usize;
        // Starts differ a little between the instruments of one stretch; what is cumulative keeps its own.
        let start = if point.cumulative { point.start } else { 0 };
        let key = (
            source,
            session(point),
            model,
            point.cumulative,
            start,
            point.time,
            series,
        );
        sorted.entry(key).or_default().push((field, point));
    }
    sorted
        .into_iter()
        .map(|((.., model, cumulative, start, _, series), each)| {
            usage(model, cumulative.then_some((start, series)), each)
        })
        .collect()
}

fn usage<'a>(
    model: Option<String>,
    cumulative: Option<(u64, String)>,
    each: Vec<(&'static str, &'a Point)>,
) -> Usage<'a> {
    let mut data = Data::default().put("model", model);
    let mut requests = 0;
    for (field, point) in &each {
        let before = data.0.get(*field).and_then(Value::as_f64).unwrap_or(0.0);
        let sum = before + point.value;
        let value = if *field == "cost" {
            Number::from_f64(sum).map_or(Value::Null, Value::Number)
        } else {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clipped to be in range"
            )]
            Value::from(sum.min(9e15).round() as u64)
        };
        data.0.insert((*field).to_owned(), value);
        // One measurement a request, of each kind of token.
        requests = requests.max(point.count.unwrap_or(0));
    }
    let of_codex = each.iter().any(|(_, point)| &*point.metric == "codex.turn.token_usage");
    if of_codex && let Some(all) = data.0.get("input_tokens").and_then(Value::as_u64) {
        let cached = |name: &str| data.0.get(name).and_then(Value::as_u64).unwrap_or(0);
        let fresh = all.saturating_sub(cached("cache_read_tokens") + cached("cache_write_tokens"));
        data.0.insert("input_tokens".to_owned(), fresh.into());
    }
    data = data.put("requests", Some(requests));
    if let Some((start, series)) = cumulative {
        // Names the series from which what was counted before is taken.
        let series = hex(&Sha256::digest(series)[..8]);
        data = data.put("cumulative", Some(format!("{start}:{series}")));
    }
    Usage {
        points: each.into_iter().map(|(_, point)| point).collect(),
        data,
    }
}
