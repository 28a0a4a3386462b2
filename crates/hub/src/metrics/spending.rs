//! What requests to models took. Several signals of telemetry may tell the same: of each session the best one counts, and what a
//! lesser one told before is taken away again.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::BuildHasher;

use countersign_model::metrics::{Group, Spent};
use countersign_model::{Event, Usage};

use super::Metrics;
use super::prices::{self, Cost, MAX_TOKENS};

/// Sessions that are followed; the oldest are forgotten first.
const MOST_ACCOUNTS: usize = 10_000;
/// Minutes and models of a session that can be taken away again.
const MOST_COUNTED: usize = 1_000;
/// Series of a session whose sums are known.
const MOST_SERIES: usize = 64;

/// The signals, the best one last. An event tells of one request, and comes soon; a metric of all that there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Signal {
    Metric,
    AgentSpan,
    Span,
    Log,
}

impl Signal {
    fn of(source: &str) -> Option<Self> {
        Some(match source {
            "metric" => Self::Metric,
            "agent_span" => Self::AgentSpan,
            "span" => Self::Span,
            "log" => Self::Log,
            _ => return None,
        })
    }
}

/// Where something was counted. A model keeps its number for as long as a minute mentions it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    minute: i64,
    model: u16,
    haiku: bool,
    sonnet: bool,
}

/// What was counted of a session.
#[derive(Debug, Default)]
struct Account {
    best: Option<Signal>,
    counted: BTreeMap<At, Spent>,
    /// The last sums of series that only grow.
    sums: HashMap<u64, Usage>,
    /// Metrics tell the cost beside the tokens, so tokens alone are not priced.
    costs_told: bool,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    accounts: HashMap<u64, Account>,
    order: VecDeque<u64>,
}

impl Ledger {
    fn account(&mut self, key: u64) -> &mut Account {
        if !self.accounts.contains_key(&key) {
            self.order.push_back(key);
            if self.order.len() > MOST_ACCOUNTS
                && let Some(old) = self.order.pop_front()
            {
                self.accounts.remove(&old);
            }
        }
        self.accounts.entry(key).or_default()
    }
}

impl Account {
    /// From now on this signal tells of the session, if it is the best so far; gives what lesser ones told.
    fn raise(&mut self, signal: Signal) -> BTreeMap<At, Spent> {
        if self.best.is_some_and(|best| best >= signal) {
            return BTreeMap::new();
        }
        self.best = Some(signal);
        std::mem::take(&mut self.counted)
    }

    /// Metrics tell tokens and cost apart: where there is a cost of their own, gives what was estimated for tokens until now, each
    /// with nothing but that.
    fn costs(&mut self, usage: &mut Usage) -> Vec<(At, Spent)> {
        let tokens = [
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
        ];
        let tokens = tokens.iter().any(Option::is_some);
        if usage.cost.is_none() {
            usage.cost = (self.costs_told && tokens).then_some(0.0);
            return Vec::new();
        }
        if tokens || std::mem::replace(&mut self.costs_told, true) {
            return Vec::new();
        }
        let mut estimated = Vec::new();
        for (at, spent) in &mut self.counted {
            let nanodollars = std::mem::take(&mut spent.estimated_nanodollars);
            if nanodollars > 0 {
                spent.nanodollars = spent.nanodollars.saturating_sub(nanodollars);
                let only = Spent {
                    nanodollars,
                    estimated_nanodollars: nanodollars,
                    ..Spent::default()
                };
                estimated.push((*at, only));
            }
        }
        estimated
    }

    fn note(&mut self, signal: Signal, at: At, spent: Spent) {
        // Nothing is better than the best signal.
        if signal == Signal::Log {
            return;
        }
        super::sums::plus(self.counted.entry(at).or_default(), spent);
        if self.counted.len() > MOST_COUNTED {
            self.counted.pop_first();
        }
    }

    /// What a sum has grown by since it was told last.
    fn growth(&mut self, series: u64, sum: &Usage) -> Usage {
        let grown = |now: Option<u64>, before: Option<u64>| now.map(|now| now.saturating_sub(before.unwrap_or(0)));
        let before = self.sums.get(&series).cloned().unwrap_or_default();
        let growth = Usage {
            input_tokens: grown(sum.input_tokens, before.input_tokens),
            output_tokens: grown(sum.output_tokens, before.output_tokens),
            cache_read_tokens: grown(sum.cache_read_tokens, before.cache_read_tokens),
            cache_write_tokens: grown(sum.cache_write_tokens, before.cache_write_tokens),
            requests: grown(sum.requests, before.requests),
            cost: sum.cost.map(|now| (now - before.cost.unwrap_or(0.0)).max(0.0)),
            ..sum.clone()
        };
        if self.sums.len() < MOST_SERIES || self.sums.contains_key(&series) {
            let counts = Usage {
                model: None,
                source: None,
                cumulative: None,
                ..sum.clone()
            };
            self.sums.insert(series, counts);
        }
        growth
    }
}

impl Metrics {
    pub(super) fn spend(&mut self, event: &Event, minute: i64, usage: Usage) {
        let Some(signal) = usage.source.as_deref().and_then(Signal::of) else {
            // An agent's own word stands by itself.
            self.count(minute, &usage);
            return;
        };
        let of_agent = self.hasher.hash_one((&*event.agent, None::<&str>));
        let key = self.hasher.hash_one((&*event.agent, event.session.as_deref()));
        let mut usage = match &usage.cumulative {
            Some(series) => {
                let series = self.hasher.hash_one(series);
                self.ledger.account(key).growth(series, &usage)
            }
            None => usage,
        };
        if self.ledger.account(key).best.is_some_and(|best| signal < best) {
            return;
        }
        let mut told_better: Vec<_> = self.ledger.account(key).raise(signal).into_iter().collect();
        if signal > Signal::Metric {
            // Metrics that name no session tell of all of the agent's.
            told_better.extend(self.ledger.account(of_agent).raise(signal));
        }
        if signal == Signal::Metric {
            told_better.extend(self.ledger.account(key).costs(&mut usage));
        }
        for (at, spent) in told_better {
            self.count_no_more(at, spent);
        }
        let (at, spent) = self.count(minute, &usage);
        self.ledger.account(key).note(signal, at, spent);
    }

    /// Adds it to the figures.
    fn count(&mut self, minute: i64, usage: &Usage) -> (At, Spent) {
        let name = usage
            .model
            .as_deref()
            .filter(|model| !model.is_empty())
            .unwrap_or("unknown");
        let model = self.models.number(name);
        if !self.minutes.entry(minute).or_default().models.contains_key(&model) {
            self.models.used(model);
        }
        let tokens = |count: Option<u64>| count.unwrap_or(0).min(MAX_TOKENS);
        let requests = usage.requests.unwrap_or(1).min(MAX_TOKENS);
        let (nanodollars, estimated, unpriced) = match prices::cost(usage) {
            Cost::Said(cost) => (cost, 0, 0),
            Cost::Estimated(cost) => (cost, cost, 0),
            Cost::Unknown => (0, 0, requests),
        };
        let spent = Spent {
            requests,
            input_tokens: tokens(usage.input_tokens),
            output_tokens: tokens(usage.output_tokens),
            cache_read_tokens: tokens(usage.cache_read_tokens),
            cache_write_tokens: tokens(usage.cache_write_tokens),
            nanodollars,
            estimated_nanodollars: estimated,
            unpriced_requests: unpriced,
        };
        let at = At {
            minute,
            model,
            haiku: prices::is_of(name, "haiku"),
            sonnet: prices::is_of(name, "sonnet"),
        };
        self.add(minute, &[Group::Api, Group::Costs], |sums| {
            sums.request(model, spent, at.haiku, at.sonnet);
        });
        (at, spent)
    }

    /// Takes it away from the figures, unless it has left them.
    fn count_no_more(&mut self, at: At, spent: Spent) {
        if self.minutes.contains_key(&at.minute) {
            self.add(at.minute, &[Group::Api, Group::Costs], |sums| {
                sums.no_request(at.model, spent, at.haiku, at.sonnet);
            });
        }
    }
}
