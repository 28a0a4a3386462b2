//! What hooks and telemetry, or several signals of telemetry, tell of the same is counted once, in whatever order it comes.

use super::*;

fn of(origin: Origin, kind: &str, data: &Value) -> Event {
    Event {
        origin,
        ..event(1, Some("s"), kind, data)
    }
}

fn calls(events: &[Event]) -> (u64, TaskCounts) {
    let mut metrics = Metrics::new(Millis(0));
    for event in events {
        metrics.observe(event);
    }
    let figures = metrics.figures(1);
    (figures.tool_calls, figures.tasks)
}

#[test]
fn a_call_that_hooks_and_telemetry_tell_of_is_one_in_any_order() {
    let call = json!({"tool_name": "Bash", "call_id": "c1", "success": true, "duration": 0.1});
    let start = || of(Origin::Hook, "tool_call_start", &call);
    let end = || of(Origin::Hook, "tool_call_end", &call);
    let about = || of(Origin::Otlp, "tool_telemetry", &call);
    let start_again = || of(Origin::Otlp, "tool_call_start", &call);
    let end_again = || of(Origin::Otlp, "tool_call_end", &call);
    let decided = || {
        of(
            Origin::Otlp,
            "tool_telemetry",
            &json!({"tool_name": "Bash", "call_id": "c1", "decision": "accept"}),
        )
    };
    let one = TaskCounts {
        completed: 1,
        ..TaskCounts::default()
    };
    for events in [
        vec![start(), end(), about()],
        vec![start(), about(), end()],
        vec![about(), start(), end()],
        vec![decided(), start(), end(), about()],
        vec![start_again(), end_again(), start(), end()],
        vec![start(), end(), start_again(), end_again()],
        vec![start(), start_again(), end_again(), end()],
        vec![decided(), about()],
        vec![start_again(), end_again()],
    ] {
        assert_eq!(calls(&events), (1, one), "{events:?}");
    }
    let running = TaskCounts {
        running: 1,
        ..TaskCounts::default()
    };
    assert_eq!(calls(&[decided(), start()]), (1, running));
    assert_eq!(calls(&[decided()]), (0, TaskCounts::default()));
}

#[test]
fn agents_that_use_an_id_again_have_as_many_calls_as_they_say() {
    let call = json!({"tool_name": "Bash", "call_id": "c1", "success": true});
    let start = || of(Origin::Sam, "tool_call_start", &call);
    let end = || of(Origin::Sam, "tool_call_end", &call);
    let two = TaskCounts {
        completed: 2,
        ..TaskCounts::default()
    };
    assert_eq!(calls(&[start(), end(), start(), end()]), (2, two));
}

fn spent(events: &[Event]) -> (u64, u64, u64) {
    let mut metrics = Metrics::new(Millis(0));
    // Somebody watches: what is taken away must leave the sums that are kept up to date, too.
    metrics.figures(1);
    for event in events {
        metrics.observe(event);
    }
    let figures = metrics.figures(1);
    let again = metrics.figures(2);
    assert_eq!((&figures.models, figures.spent), (&again.models, again.spent));
    (
        figures.spent.requests,
        figures.spent.input_tokens,
        figures.spent.nanodollars,
    )
}

fn usage(minute: i64, source: &str, data: &Value) -> Event {
    let mut data = data.clone();
    data["source"] = source.into();
    Event {
        origin: Origin::Otlp,
        ..event(minute, Some("s"), "usage", &data)
    }
}

#[test]
fn tokens_are_counted_from_the_best_signal_in_any_order() {
    let request = json!({"model": "claude-sonnet-4-5", "input_tokens": 10, "cost": 0.001});
    let sum = json!({"model": "claude-sonnet-4-5", "input_tokens": 20, "cost": 0.002, "requests": 0});
    let (logs, spans) = (
        || [usage(1, "log", &request), usage(2, "log", &request)],
        || usage(1, "span", &request),
    );
    let metric = || usage(2, "metric", &sum);
    let two = (2, 20, 2_000_000);
    let [first, second] = logs();
    assert_eq!(spent(&[metric(), spans(), first, second]), two);
    let [first, second] = logs();
    assert_eq!(spent(&[first, metric(), second, spans()]), two);
    let [first, second] = logs();
    assert_eq!(spent(&[spans(), spans(), first, metric(), second]), two);
    assert_eq!(spent(&[metric()]), (0, 20, 2_000_000));
    assert_eq!(
        spent(&[usage(1, "agent_span", &request), spans(), metric()]),
        (1, 10, 1_000_000)
    );
}

#[test]
fn metrics_without_a_session_give_way_to_any_event_of_their_agent() {
    let request = json!({"model": "m", "input_tokens": 10, "cost": 0.001});
    let sum = |minute| Event {
        session: None,
        ..usage(
            minute,
            "metric",
            &json!({"model": "m", "input_tokens": 10, "cost": 0.001, "requests": 1}),
        )
    };
    assert_eq!(spent(&[sum(1), usage(1, "log", &request), sum(2)]), (1, 10, 1_000_000));
    assert_eq!(spent(&[sum(1), sum(2)]), (2, 20, 2_000_000));
}

#[test]
fn of_sums_that_only_grow_the_growth_is_counted() {
    let sum = |tokens: u64, series: &str| {
        usage(
            1,
            "metric",
            &json!({"model": "m", "input_tokens": tokens, "cost": 0, "requests": tokens / 10, "cumulative": series}),
        )
    };
    assert_eq!(spent(&[sum(10, "a"), sum(30, "a"), sum(30, "a")]), (3, 30, 0));
    assert_eq!(spent(&[sum(10, "a"), sum(10, "b")]), (2, 20, 0));
}

#[test]
fn an_agents_own_word_stands_beside_telemetry() {
    let request = json!({"model": "m", "input_tokens": 10, "cost": 0.001});
    let own = event(1, Some("s"), "usage", &request);
    assert_eq!(spent(&[own, usage(1, "log", &request)]), (2, 20, 2_000_000));
}

#[test]
fn a_cost_that_metrics_tell_beside_the_tokens_is_the_cost() {
    let tokens = |input: u64| {
        usage(
            1,
            "metric",
            &json!({"model": "claude-sonnet-4-5", "input_tokens": input, "requests": 0}),
        )
    };
    let cost = |cost: f64| {
        usage(
            2,
            "metric",
            &json!({"model": "claude-sonnet-4-5", "cost": cost, "requests": 0}),
        )
    };
    assert_eq!(spent(&[tokens(1000)]), (0, 1000, 3_000_000), "by the table");
    assert_eq!(spent(&[tokens(1000), cost(0.5), tokens(1000)]), (0, 2000, 500_000_000));
    assert_eq!(spent(&[cost(0.5), tokens(1000), cost(0.25)]), (0, 1000, 750_000_000));
    let request = json!({"model": "claude-sonnet-4-5", "input_tokens": 10, "cost": 0.001});
    let events = [tokens(1000), cost(0.5), usage(2, "log", &request)];
    assert_eq!(spent(&events), (1, 10, 1_000_000), "and an event tells it better");
}
