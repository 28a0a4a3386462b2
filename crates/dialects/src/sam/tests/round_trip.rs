//! What an agent says reaches a monitor of the same dialect to the letter: type, timestamp and data.

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::{event_in, frame, logged};
use crate::sam;

/// JSON text in spellings that a parser and a printer between would change: odd spaces, escapes, numbers, keys given twice.
fn json_text() -> impl Strategy<Value = String> {
    let string = prop_oneof![
        "[a-z]{0,6}",
        "\\PC{0,8}".prop_map(|text| {
            let literal = spelled(&text);
            literal[1..literal.len() - 1].to_owned()
        }),
        prop::sample::select(vec![
            "\\ud800",
            "\\u0000",
            "\\/",
            "\\u00e9",
            "\\ud83d\\ude00",
            "\u{202e}",
            "\\\"",
            "\\\\",
            "\u{7f}",
            "\\n"
        ])
        .prop_map(str::to_owned),
    ]
    .prop_map(|inside| format!("\"{inside}\""));
    let number = prop::sample::select(vec![
        "0",
        "-0",
        "1.0",
        "1e999",
        "-1E-999",
        "9007199254740993",
        "123456789012345678901234567890",
        "0.1e+1",
    ])
    .prop_map(str::to_owned);
    let leaf = prop_oneof![
        string.clone(),
        number,
        prop::sample::select(vec!["null", "true", "false", "{}", "[]", "{ }", "[\n]"]).prop_map(str::to_owned),
    ];
    let space = prop::sample::select(vec!["", " ", "\n\t", "\r\n  "]);
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let pair = (string.clone(), space.clone(), inner.clone())
            .prop_map(|(key, space, value)| format!("{key}{space}:{value}"));
        prop_oneof![
            (prop::collection::vec(inner, 1..5), space.clone())
                .prop_map(|(items, space)| format!("[{space}{}{space}]", items.join(&format!("{space},{space}")))),
            (prop::collection::vec(pair, 1..5), space.clone())
                .prop_map(|(pairs, space)| format!("{{{space}{}{space}}}", pairs.join(&format!(",{space}")))),
        ]
    })
}

fn data() -> impl Strategy<Value = String> {
    prop::collection::vec((("[a-z_]{1,8}"), json_text()), 0..4).prop_map(|fields| {
        let fields: Vec<_> = fields
            .iter()
            .map(|(key, value)| format!("\"{key}\" : {value}"))
            .collect();
        format!("{{{}}}", fields.join(","))
    })
}

fn timestamp() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "\"2026-01-17T10:30:00.000Z\"",
        "\"yesterday, or so\"",
        "1705488610.123",
        "1.7054886101230001e9",
        "-0",
        "\"\\u0031\"",
        "\"\"",
    ])
    .prop_map(str::to_owned)
}

/// A field of a frame, as text.
fn field(text: &str, name: &str) -> String {
    let fields: std::collections::HashMap<String, &RawValue> = serde_json::from_str(text).expect("an object");
    fields[name].get().to_owned()
}

fn spelled(text: &str) -> String {
    serde_json::to_string(text).expect("JSON")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn type_timestamp_and_data_go_out_as_they_came(kind in "[^\\pC]{1,20}", timestamp in timestamp(), data in data()) {
        prop_assume!(kind != "approval_request" && kind != "approval_response");
        let text = format!("{{ \"data\":{data}, \"timestamp\" : {timestamp},\"extra\":[1], \"type\":{} }}", spelled(&kind));
        let event = event_in(&text);
        prop_assert_eq!(&*event.kind, &kind);
        let out = sam::event(&logged(event));
        prop_assert_eq!(field(&out, "type"), spelled(&kind));
        prop_assert_eq!(field(&out, "timestamp"), timestamp);
        prop_assert_eq!(field(&out, "data"), data);
    }

    #[test]
    fn what_went_out_can_come_in_again(agent in "[^\\pC]{1,20}", session in "[^\\pC]{1,20}", data in data()) {
        let text = format!(
            "{{\"type\":\"x\",\"data\":{data},\"agent\":{},\"session\":{}}}", spelled(&agent), spelled(&session)
        );
        let once = sam::event(&logged(event_in(&text)));
        let twice = sam::event(&logged(event_in(&once)));
        prop_assert_eq!(&once, &twice);
        prop_assert_eq!(field(&twice, "agent"), spelled(&agent));
        prop_assert_eq!(field(&twice, "session"), spelled(&session));
    }

    #[test]
    fn a_receipt_token_comes_back_to_the_letter(token in timestamp()) {
        let text = format!("{{\"type\":\"x\",\"data\":{{}},\"ack\":{token}}}");
        let ack = super::read(&text).expect("well-formed").ack.expect("asked for");
        let receipt = sam::ack(&ack, &countersign_model::Epoch::new("e1"), 3);
        prop_assert_eq!(field(&receipt, "ack"), token);
        prop_assert_eq!(field(&receipt, "seq"), "3");
    }

    #[test]
    fn no_text_makes_the_codec_panic(text in "\\PC{0,60}", data in json_text()) {
        let _ = super::read(&text);
        let _ = super::read(&data);
        let _ = super::read(&frame("approval_request", &data));
        let _ = super::read(&frame("approval_response", &data));
    }
}
