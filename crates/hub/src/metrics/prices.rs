//! What requests to models cost when the agent does not say: Anthropic's list prices, as published on
//! platform.claude.com/docs/en/about-claude/pricing, read on 2026-11-01. Discounts (batches, one's own contract) are not known here.

use countersign_model::Usage;

/// The day that the table was read.
pub const PRICES_OF: &str = "2026-11-01";

/// A model's prices in billionths of a US dollar a token, which is thousandths of a dollar a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Price {
    input: u64,
    output: u64,
    cache_write: u64,
    cache_read: u64,
}

const fn price(input: u64, output: u64, cache_write: u64, cache_read: u64) -> Price {
    Price {
        input,
        output,
        cache_write,
        cache_read,
    }
}

/// Families and versions, the first that fits counts. Cache writes are those that last five minutes.
const TABLE: &[(&str, &[&str], Price)] = &[
    ("fable", &["5.1"], price(10_000, 50_000, 12_500, 250)),
    ("fable", &[], price(10_000, 50_000, 12_500, 1_000)),
    ("mythos", &["5.1"], price(10_000, 50_000, 12_500, 250)),
    ("mythos", &[], price(10_000, 50_000, 12_500, 1_000)),
    ("opus", &["5.5"], price(4_000, 20_000, 5_000, 200)),
    ("opus", &["3", "4", "4.0", "4.1"], price(15_000, 75_000, 18_750, 1_500)),
    ("opus", &[], price(5_000, 25_000, 6_250, 500)),
    ("sonnet", &["5.5"], price(2_000, 10_000, 2_500, 100)),
    ("sonnet", &["5"], price(2_000, 10_000, 2_500, 200)),
    ("sonnet", &[], price(3_000, 15_000, 3_750, 300)),
    ("haiku", &["5.5"], price(100, 500, 125, 10)),
    ("haiku", &["3.5"], price(800, 4_000, 1_000, 80)),
    ("haiku", &["3"], price(250, 1_250, 300, 30)),
    ("haiku", &[], price(1_000, 5_000, 1_250, 100)),
];

/// Haiku 5.5 costs five times as much when the prompt is longer than this.
const LONG_PROMPT: u64 = 100_000;

/// A cost beyond this is a mistake, in US dollars.
const MAX_COST: f64 = 1e6;
/// Tokens beyond this are a mistake.
pub(super) const MAX_TOKENS: u64 = 10_000_000_000;

/// What a request cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// The agent said so, in billionths of a US dollar.
    Said(u64),
    /// By the table, in billionths of a US dollar.
    Estimated(u64),
    /// Nobody knows.
    Unknown,
}

pub(super) fn cost(usage: &Usage) -> Cost {
    if let Some(said) = usage.cost.filter(|cost| (0.0..=MAX_COST).contains(cost)) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the bounds above
        return Cost::Said((said * 1e9).round() as u64);
    }
    let Some(mut price) = usage.model.as_deref().and_then(of_model) else {
        return Cost::Unknown;
    };
    let tokens = |count: Option<u64>| count.unwrap_or(0).min(MAX_TOKENS);
    let (input, output) = (tokens(usage.input_tokens), tokens(usage.output_tokens));
    let (read, write) = (tokens(usage.cache_read_tokens), tokens(usage.cache_write_tokens));
    if price.input == 100 && input + read + write > LONG_PROMPT {
        price = self::price(500, 2_500, 625, 50);
    }
    let of = |tokens: u64, each: u64| tokens.saturating_mul(each);
    Cost::Estimated(
        of(input, price.input)
            .saturating_add(of(output, price.output))
            .saturating_add(of(read, price.cache_read))
            .saturating_add(of(write, price.cache_write)),
    )
}

/// The family that a model's name speaks of.
pub(super) fn is_of(model: &str, family: &str) -> bool {
    words(model).any(|word| word.eq_ignore_ascii_case(family))
}

fn words(model: &str) -> impl Iterator<Item = &str> {
    model
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .filter(|word| !word.is_empty())
}

fn of_model(model: &str) -> Option<Price> {
    let version = version(model);
    TABLE
        .iter()
        .find(|(family, versions, _)| {
            is_of(model, family) && (versions.is_empty() || versions.contains(&version.as_str()))
        })
        .map(|(.., price)| *price)
}

/// `claude-3-5-haiku-20241022` and `claude-haiku-4.5` name their versions each in its way; a date is none.
fn version(model: &str) -> String {
    let numbers: Vec<&str> = words(model)
        .filter(|word| word.len() <= 3 && word.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        .collect();
    numbers.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(model: &str, tokens: [u64; 4]) -> Usage {
        Usage {
            model: Some(model.into()),
            input_tokens: Some(tokens[0]),
            output_tokens: Some(tokens[1]),
            cache_read_tokens: Some(tokens[2]),
            cache_write_tokens: Some(tokens[3]),
            ..Usage::default()
        }
    }

    #[test]
    fn models_cost_what_the_table_says_under_the_names_that_they_have() {
        let million = [1_000_000; 4];
        for (model, dollars) in [
            ("claude-haiku-4-5-20251001", 1.0 + 5.0 + 0.1 + 1.25),
            ("claude-3-5-haiku-20241022", 0.8 + 4.0 + 0.08 + 1.0),
            ("claude-3-haiku-20240307", 0.25 + 1.25 + 0.03 + 0.3),
            ("claude-sonnet-4-20250514", 3.0 + 15.0 + 0.3 + 3.75),
            ("anthropic.claude-sonnet-4.5", 3.0 + 15.0 + 0.3 + 3.75),
            ("claude-sonnet-5-5", 2.0 + 10.0 + 0.1 + 2.5),
            ("claude-opus-4-1-20250805", 15.0 + 75.0 + 1.5 + 18.75),
            ("claude-opus-4-5", 5.0 + 25.0 + 0.5 + 6.25),
            ("Claude Opus 5.5", 4.0 + 20.0 + 0.2 + 5.0),
            ("sonnet", 3.0 + 15.0 + 0.3 + 3.75),
        ] {
            let Cost::Estimated(nanodollars) = cost(&usage(model, million)) else {
                panic!("{model} has no price")
            };
            assert_eq!(nanodollars as f64 / 1e9, dollars, "{model}");
        }
        assert_eq!(cost(&usage("gpt-5", million)), Cost::Unknown);
    }

    #[test]
    fn a_long_prompt_of_haiku_5_5_costs_more() {
        assert_eq!(
            cost(&usage("claude-haiku-5-5", [1000, 0, 0, 0])),
            Cost::Estimated(100_000)
        );
        assert_eq!(
            cost(&usage("claude-haiku-5-5", [100_001, 0, 0, 0])),
            Cost::Estimated(50_000_500)
        );
    }

    #[test]
    fn what_the_agent_says_counts_unless_it_cannot_be() {
        let mut said = usage("claude-haiku-4-5", [1000, 0, 0, 0]);
        said.cost = Some(0.5);
        assert_eq!(cost(&said), Cost::Said(500_000_000));
        for odd in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            said.cost = Some(odd);
            assert_eq!(cost(&said), Cost::Estimated(1_000_000), "{odd}");
        }
    }
}
