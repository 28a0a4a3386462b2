//! The figures as AMIGA's clients read them (seed 001, "Metrics Update Structure"), each group written once and put together.

use std::collections::BTreeMap;

use countersign_model::metrics::{Figures, Group, Spent};
use countersign_model::{Json, Millis, to_json};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

/// Seconds since 1970, as AMIGA's timestamps are.
#[allow(clippy::cast_precision_loss)] // 53 bits of milliseconds last for 285,000 years
pub(super) fn seconds(time: Millis) -> f64 {
    time.0 as f64 / 1000.0
}

#[allow(clippy::cast_precision_loss)] // beyond 9 million dollars the last billionths go
pub(super) fn dollars(nanodollars: u64) -> f64 {
    nanodollars as f64 / 1e9
}

#[derive(Serialize)]
struct Tasks {
    total: u64,
    running: u64,
    completed: u64,
    failed: u64,
}

#[derive(Serialize)]
struct Costs<'a> {
    total_cost: f64,
    haiku_cost: f64,
    sonnet_cost: f64,
    by_model: BTreeMap<&'a str, f64>,
    estimated: bool,
    estimated_cost: f64,
}

#[derive(Serialize)]
struct Api<'a> {
    total_requests: u64,
    total_input_tokens: u64,
    total_output_tokens: u64,
    total_cache_read_tokens: u64,
    total_cache_write_tokens: u64,
    unpriced_requests: u64,
    by_model: BTreeMap<&'a str, Model>,
}

#[derive(Serialize)]
struct Model {
    requests: u64,
    input_tokens: u64,
    output_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    cost: f64,
    estimated: bool,
}

impl From<&Spent> for Model {
    fn from(spent: &Spent) -> Self {
        Self {
            requests: spent.requests,
            input_tokens: spent.input_tokens,
            output_tokens: spent.output_tokens,
            cache_read_tokens: spent.cache_read_tokens,
            cache_write_tokens: spent.cache_write_tokens,
            cost: dollars(spent.nanodollars),
            estimated: spent.estimated_nanodollars > 0,
        }
    }
}

/// An object in the order given: the most called tool first.
struct ByTool<'a>(&'a Figures);

impl Serialize for ByTool<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.tools.len()))?;
        for (tool, calls) in &self.0.tools {
            map.serialize_entry(&**tool, calls)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Tools<'a> {
    total_calls: u64,
    by_type: ByTool<'a>,
}

#[derive(Serialize)]
struct Sessions<'a> {
    total_sessions: u64,
    total_tools: u64,
    tools_by_type: ByTool<'a>,
}

#[derive(Serialize)]
struct Item<'a> {
    description: &'a str,
    timestamp: f64,
}

/// The figures, each group as JSON text.
#[derive(Debug)]
pub struct Parts([Json; Group::ALL.len()]);

impl Parts {
    /// Writes down the groups that `stale` names; the others are taken from `old`.
    pub fn write(figures: &Figures, old: Option<Self>, stale: impl Fn(Group) -> bool) -> Self {
        let mut old = old.map(|parts| parts.0.map(Some)).unwrap_or_default();
        Self(Group::ALL.map(|group| match old[group as usize].take() {
            Some(part) if !stale(group) => part,
            _ => part(group, figures),
        }))
    }

    /// One group.
    pub fn get(&self, group: Group) -> &RawValue {
        &self.0[group as usize]
    }
}

fn part(group: Group, figures: &Figures) -> Json {
    match group {
        Group::Tasks => to_json(&Tasks {
            total: figures.tasks.total(),
            running: figures.tasks.running,
            completed: figures.tasks.completed,
            failed: figures.tasks.failed,
        }),
        Group::Costs => to_json(&Costs {
            total_cost: dollars(figures.spent.nanodollars),
            haiku_cost: dollars(figures.haiku_nanodollars),
            sonnet_cost: dollars(figures.sonnet_nanodollars),
            by_model: figures
                .models
                .iter()
                .map(|each| (&*each.model, dollars(each.spent.nanodollars)))
                .collect(),
            estimated: figures.spent.estimated_nanodollars > 0,
            estimated_cost: dollars(figures.spent.estimated_nanodollars),
        }),
        Group::Api => to_json(&Api {
            total_requests: figures.spent.requests,
            total_input_tokens: figures.spent.input_tokens,
            total_output_tokens: figures.spent.output_tokens,
            total_cache_read_tokens: figures.spent.cache_read_tokens,
            total_cache_write_tokens: figures.spent.cache_write_tokens,
            unpriced_requests: figures.spent.unpriced_requests,
            by_model: figures
                .models
                .iter()
                .map(|each| (&*each.model, Model::from(&each.spent)))
                .collect(),
        }),
        Group::Tools => to_json(&Tools {
            total_calls: figures.tool_calls,
            by_type: ByTool(figures),
        }),
        Group::Sessions => to_json(&Sessions {
            total_sessions: figures.sessions,
            total_tools: figures.tool_calls,
            tools_by_type: ByTool(figures),
        }),
        Group::Activity => {
            let items = figures.activity.iter().map(|happening| Item {
                description: &happening.description,
                timestamp: seconds(happening.time),
            });
            to_json(&items.collect::<Vec<_>>())
        }
    }
}

#[derive(Serialize)]
struct Overview<'a> {
    tasks: &'a RawValue,
    costs: &'a RawValue,
    claude_api: &'a RawValue,
    tools: &'a RawValue,
}

impl<'a> From<&'a Parts> for Overview<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self {
            tasks: parts.get(Group::Tasks),
            costs: parts.get(Group::Costs),
            claude_api: parts.get(Group::Api),
            tools: parts.get(Group::Tools),
        }
    }
}

/// The `overview` object.
pub fn overview(parts: &Parts) -> Json {
    to_json(&Overview::from(parts))
}

/// `metrics_update`.
pub fn metrics_update(parts: &Parts, now: Millis) -> Json {
    #[derive(Serialize)]
    struct Update<'a> {
        overview: Overview<'a>,
        sessions: &'a RawValue,
        activity: &'a RawValue,
        timestamp: f64,
    }
    to_json(&Update {
        overview: parts.into(),
        sessions: parts.get(Group::Sessions),
        activity: parts.get(Group::Activity),
        timestamp: seconds(now),
    })
}

/// What a group's room gets: the group under its name, the hours that it is about, a timestamp.
pub fn group_update(group: Group, parts: &Parts, hours: u32, now: Millis) -> Json {
    struct Update<'a>(Group, &'a Parts, u32, Millis);
    impl Serialize for Update<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(3))?;
            map.serialize_entry(super::Room::Group(self.0).as_str(), self.1.get(self.0))?;
            map.serialize_entry("hours", &self.2)?;
            map.serialize_entry("timestamp", &seconds(self.3))?;
            map.end()
        }
    }
    to_json(&Update(group, parts, hours, now))
}
