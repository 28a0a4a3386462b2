//! How much and how deep: what is just within the bounds is read, what is just beyond them is refused or cut.

use countersign_model::canonical;
use serde_json::value::RawValue;

use super::{NOW, ask_in, event_in, frame, logged, name, read, reply_in};
use crate::limits::{MAX_KIND, MAX_MESSAGE, MAX_NAME, MAX_OUT, MAX_RESULT_KEPT, MAX_RESULT_OUT};
use crate::sam::{self, Peer, decode};

fn nested(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn sixty_four_levels_are_read_and_sixty_five_are_not() {
    // The frame and its data are two of them.
    let deep = |levels: usize| frame("x", &format!(r#"{{"a":{}}}"#, nested(levels - 2)));
    event_in(&deep(64));
    let error = read(&deep(65)).expect_err("too deep");
    assert_eq!(error.field, None);
    assert!(error.error.contains("64 levels"), "{error}");
    assert!(read(&"[".repeat(10_000_000)).is_err(), "no stack is used up");
    assert!(read(&frame("x", &"{\"a\":".repeat(1_000_000))).is_err());
    event_in(&frame("x", &format!(r#"{{"a":"{}"}}"#, "[{\\\"".repeat(200))));
}

#[test]
fn names_and_types_are_bounded_in_bytes() {
    let named = |bytes: usize| format!(r#"{{"type":"x","data":{{}},"agent":"{}"}}"#, "é".repeat(bytes / 2));
    assert_eq!(event_in(&named(MAX_NAME)).agent.len(), MAX_NAME);
    assert!(read(&named(MAX_NAME + 2)).is_err());
    // It is the value that counts and not its spelling.
    let escaped = format!(r#"{{"type":"x","data":{{}},"agent":"{}"}}"#, "\\u0061".repeat(MAX_NAME));
    assert_eq!(event_in(&escaped).agent.len(), MAX_NAME);
    event_in(&frame(&"k".repeat(MAX_KIND), "{}"));
    let error = read(&frame(&"k".repeat(MAX_KIND + 1), "{}")).expect_err("too long");
    assert_eq!(error.field, Some("type"));
}

#[test]
fn messages_and_directories_are_bounded() {
    let reply = |bytes: usize| {
        let message = "m".repeat(bytes);
        format!(r#"{{"type":"approval_response","request_id":"r","response":"deny","message":"{message}"}}"#)
    };
    assert_eq!(
        reply_in(&reply(MAX_MESSAGE)).message.map(|message| message.len()),
        Some(MAX_MESSAGE)
    );
    assert_eq!(
        read(&reply(MAX_MESSAGE + 1)).expect_err("too long").field,
        Some("message")
    );
    let request = |bytes: usize| {
        let cwd = "d".repeat(bytes);
        frame(
            "approval_request",
            &format!(r#"{{"request_id":"r","tool_name":"t","cwd":"{cwd}"}}"#),
        )
    };
    assert_eq!(ask_in(&request(4096)).cwd.map(|cwd| cwd.len()), Some(4096));
    assert_eq!(read(&request(4097)).expect_err("too long").field, Some("data.cwd"));
}

#[test]
fn of_a_result_eight_mebibytes_are_kept_and_the_first_64_kib_go_out() {
    let result = |bytes: usize| {
        frame(
            "tool_call_result",
            &format!(r#"{{"tool_name":"t","result":"{}"}}"#, "r".repeat(bytes)),
        )
    };
    let field = |data: &RawValue, name: &str| {
        let data: serde_json::Value = serde_json::from_str(data.get()).expect("JSON");
        data[name].clone()
    };
    let length = |data: &RawValue| field(data, "result").as_str().map(str::len);

    let whole = event_in(&result(MAX_RESULT_KEPT));
    assert_eq!(
        (length(&whole.data), field(&whole.data, "truncated")),
        (Some(MAX_RESULT_KEPT), serde_json::Value::Null)
    );
    let cut = event_in(&result(MAX_RESULT_KEPT + 1));
    assert_eq!(
        (length(&cut.data), field(&cut.data, "truncated")),
        (Some(MAX_RESULT_KEPT), true.into())
    );

    let out: serde_json::Value = serde_json::from_str(&sam::event(&logged(cut))).expect("JSON");
    assert_eq!(out["data"]["result"].as_str().map(str::len), Some(MAX_RESULT_OUT));
    assert_eq!(out["data"]["truncated"], true);
    assert_eq!(out["data"]["tool_name"], "t");
}

#[test]
fn no_frame_that_goes_out_is_larger_than_clients_take() {
    let strings = format!(r#"{{"a":["{}"]}}"#, vec!["s".repeat(9_000); 1_000].join("\",\""));
    let numbers = format!(r#"{{"a":[{}]}}"#, vec!["1"; 2_000_000].join(","));
    let keys: Vec<_> = (0..150_000).map(|n| format!("\"\\n{n}\":{n}")).collect();
    let keys = format!("{{{}}}", keys.join(","));
    let objects = format!(r#"{{"a":[{{"k":"{}"}}]}}"#, "v".repeat(3_000_000));
    let escapes = format!(r#"{{"a":"{}"}}"#, "\\u0001".repeat(600_000));
    for data in [strings, numbers, keys, objects, escapes] {
        let mut event = logged(event_in(&frame(&"\\n".repeat(MAX_KIND), &data)));
        // The longest names there can be, each byte escaped at worst.
        event.agent = "\"".repeat(MAX_NAME).into();
        event.session = name(&"\\".repeat(MAX_NAME));
        let out = sam::event(&event);
        assert!(out.len() < MAX_OUT, "{} bytes go out", out.len());
        let out: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(out["data"]["truncated"], true);
        assert_eq!(out["seq"], 12);
    }
}

#[test]
fn a_time_limit_is_whole_seconds_rounded_up() {
    for (given, seconds) in [
        ("1", 1),
        ("0.2", 1),
        ("1e2", 100),
        ("59.001", 60),
        ("31536000", 31_536_000),
    ] {
        let data = format!(r#"{{"request_id":"r","tool_name":"t","timeout":{given}}}"#);
        assert_eq!(
            ask_in(&frame("approval_request", &data)).timeout,
            Some(seconds),
            "{given}"
        );
    }
    assert_eq!(
        ask_in(&frame(
            "approval_request",
            r#"{"request_id":"r","tool_name":"t","timeout":null}"#
        ))
        .timeout,
        None
    );
}

#[test]
fn arguments_that_readers_would_understand_differently_cannot_be_bound() {
    let bound = |arguments: &str| {
        let data = format!(r#"{{"request_id":"r","tool_name":"t","arguments":{arguments}}}"#);
        let ask = ask_in(&frame("approval_request", &data));
        assert_eq!(ask.arguments.get(), arguments, "kept to the letter");
        canonical::digest(&ask.tool_name, &ask.arguments, ask.cwd.as_deref())
    };
    assert!(bound(r#"{"code":"ls","code":"rm"}"#).is_err());
    assert!(bound(r#"{"a":[{"code":"ls","cod\u0065":"rm"}]}"#).is_err());
    assert!(bound(r#"{"code":"\ud800"}"#).is_err());
    assert!(bound(r#"{"\udfff":1}"#).is_err());
    for fine in [
        r#"{"n":1e999}"#,
        r#"{"n":-0.0}"#,
        r#"{"n":123456789012345678901234567890}"#,
        "[]",
        "\"ls\"",
        "7",
    ] {
        bound(fine).expect("one meaning");
    }
    let apart = [
        r#"{"n":1}"#,
        r#"{"n":1.0}"#,
        r#"{"n":"1"}"#,
        r#"{"n":9007199254740993}"#,
        r#"{"n":9007199254740992}"#,
    ];
    let digests: std::collections::HashSet<_> = apart.iter().map(|text| bound(text).expect("bound")).collect();
    assert_eq!(digests.len(), apart.len());
}

#[test]
fn what_a_frame_does_not_say_its_connection_says() {
    let plain = event_in(&frame("x", "{}"));
    assert_eq!(
        (&*plain.agent, plain.session, plain.stream),
        ("sam", name("connection 7"), None)
    );
    let said = event_in(r#"{"type":"x","data":{},"agent":"a","session":"s","stream":"t"}"#);
    assert_eq!((&*said.agent, said.session, said.stream), ("a", name("s"), name("t")));
    let nulls = event_in(r#"{"type":"x","data":{},"agent":null,"session":null,"stream":null,"timestamp":null}"#);
    assert_eq!(
        (&*nulls.agent, nulls.session, nulls.stream),
        ("sam", name("connection 7"), None)
    );
    assert!(nulls.timestamp.is_none());
    let nobody = Peer {
        session: None,
        ..super::peer()
    };
    let decoded = decode(r#"{"type":"x","data":{},"agent":"a"}"#, &nobody).expect("well-formed");
    let sam::Inbound::Event(event) = decoded.inbound else {
        panic!("not an event")
    };
    assert_eq!(event.session, name("a"), "an agent without a session is its own");
    let frame = sam::event(&logged(nulls_of_time()));
    assert!(
        frame.contains(&format!(r#""timestamp":"{}""#, NOW.to_rfc3339())),
        "{frame}"
    );
}

fn nulls_of_time() -> countersign_model::NewEvent {
    event_in(r#"{"type":"x","data":{},"timestamp":null}"#)
}

#[test]
fn only_true_itself_says_that_an_agent_takes_edits() {
    for (given, edits) in [
        ("true", true),
        ("false", false),
        ("1", false),
        ("\"true\"", false),
        ("null", false),
    ] {
        let data = format!(r#"{{"request_id":"r","tool_name":"t","accepts_edits":{given}}}"#);
        assert_eq!(ask_in(&frame("approval_request", &data)).edits, edits, "{given}");
    }
    assert!(!ask_in(&frame("approval_request", r#"{"request_id":"r","tool_name":"t"}"#)).edits);
}
