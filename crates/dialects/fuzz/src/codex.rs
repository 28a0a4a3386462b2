//! Any message of a Codex client, any item of its agent's.

use countersign_dialects::codex::{self, Direction, Review, Said};
use countersign_dialects::limits::{MAX_MESSAGE, MAX_NAME, MAX_OUT};
use countersign_model::canonical::too_deep;
use countersign_model::{Json, Millis, Verdict, kind};
use serde_json::Value;
use serde_json::value::RawValue;

/// As a client's message, as an agent's item, as a line of a log.
pub fn fuzz_codex(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    message(text);
    holds_as_line(text);
    if let Ok(item) = serde_json::from_str::<&RawValue>(text)
        && item.get().starts_with('{')
        && !too_deep(bytes)
    {
        holds_as_item(item);
    }
}

fn message(text: &str) {
    let message = match codex::decode(text) {
        Ok(message) => message,
        Err(error) => {
            let out: Value = serde_json::from_str(&codex::refused("m", &error)).expect("an error is JSON");
            assert_eq!(out["payload"]["details"]["field"].as_str(), error.field);
            assert!(!error.message.is_empty() && error.message.len() < 1024);
            return;
        }
    };
    assert!(message.id.is_none_or(|id| id.len() <= MAX_NAME));
    match message.said {
        Said::Input(input) => {
            assert!(!input.items.is_empty());
            let facts = codex::input(&input.items, "s");
            assert!(facts.len() >= input.items.len());
            facts.into_iter().for_each(holds_as_fact);
        }
        Said::Response(response) => {
            assert!(response.deny_message.is_none_or(|message| message.len() <= MAX_MESSAGE));
            let approves = response
                .review
                .verdict()
                .is_some_and(|(verdict, _)| verdict == Verdict::Approve);
            assert_eq!(
                approves,
                matches!(response.review, Review::Yes | Review::Always),
                "nothing else approves"
            );
            if let Ok(frame) = serde_json::from_str::<Value>(text) {
                assert_eq!(frame["payload"]["review"], response.review.as_str());
            }
        }
    }
}

fn holds_as_item(item: &RawValue) {
    let out = codex::response_item("m", item);
    assert!(out.len() < MAX_OUT);
    serde_json::from_str::<&RawValue>(&out).expect("a message is JSON");
    let facts = codex::facts(item, "s", &mut |_, _| None);
    assert!(!facts.is_empty());
    facts.into_iter().for_each(holds_as_fact);
}

/// A kind that is no door of its own and not the hub's, and an object that nests no deeper than what peers send.
fn holds_as_fact((kind, data): (&'static str, Json)) {
    assert!(!kind::is_hub_only(kind) && kind != kind::APPROVAL_REQUEST && kind != kind::APPROVAL_RESPONSE);
    assert!(data.get().starts_with('{'), "{}", data.get());
    serde_json::from_str::<&RawValue>(data.get()).expect("data is JSON");
}

fn holds_as_line(text: &str) {
    let line = codex::line(Millis(0), Direction::Incoming, text);
    assert!(line.ends_with('\n') && line.matches(['\n', '\r']).count() == 1);
    let read: Value = match serde_json::from_str(&line) {
        Ok(read) => read,
        // What our parser does not take (a lone surrogate, a huge number) was in the message.
        Err(_) => return,
    };
    if let Ok(message) = serde_json::from_str::<Value>(text) {
        assert_eq!(read["message_data"], message);
    }
}
