//! Frames that are wrong in one place each: the error names the field, and says what is wrong with it.

use super::{peer, read};
use crate::sam::decode_ask;

/// Reading `text` fails at `field` with all of `words` in the error.
fn check(text: &str, field: Option<&str>, words: &str) {
    let error = match read(text) {
        Ok(decoded) => panic!("{text:.200} was read as {decoded:?}"),
        Err(error) => error,
    };
    assert_eq!(error.field, field, "{text:.200}: {error}");
    assert!(error.error.contains(words), "{text:.200}: {error}");
    if let Some(field) = field.filter(|field| *field != "data") {
        let last = field.rsplit('.').next().expect("a name");
        assert!(error.error.contains(last), "the text does not name {field}: {error}");
    }
    let frame: serde_json::Value = serde_json::from_str(&crate::sam::error(&error.error, error.field)).expect("JSON");
    assert_eq!(frame["data"]["error"], error.error);
    assert_eq!(frame["data"]["field"].as_str(), field);
}

#[test]
fn what_is_not_an_object_is_no_frame() {
    for text in [
        "",
        " ",
        "{",
        "{]",
        "hello",
        "\u{feff}{}",
        "{\"type\":\"x\",\"data\":{}} {}",
        "{\"type\":\"x\"",
        "\"\\x\"",
    ] {
        check(text, None, "not JSON");
    }
    for text in ["null", "1", "\"text\"", "true", "[]", "[\"x\",null,{}]"] {
        check(text, None, "a frame is a JSON object");
    }
}

#[test]
fn a_field_of_the_frame_given_twice_is_refused() {
    for field in ["type", "data", "agent", "session", "stream", "timestamp", "ack"] {
        let text = format!(r#"{{"type":"x","data":{{}},"{field}":"a","{field}":"b"}}"#);
        check(&text, None, "duplicate field");
    }
    check(r#"{"type":"x","data":{},"\u0074ype":"y"}"#, None, "duplicate field");
}

#[test]
fn the_type() {
    check(r#"{"data":{}}"#, Some("type"), "missing");
    check(r#"{"type":null,"data":{}}"#, Some("type"), "missing");
    check(r#"{"type":"","data":{}}"#, Some("type"), "empty");
    for value in ["1", "true", "[]", "{}", "[\"x\"]"] {
        check(
            &format!(r#"{{"type":{value},"data":{{}}}}"#),
            Some("type"),
            "must be a string",
        );
    }
    check(r#"{"type":"\ud800","data":{}}"#, Some("type"), "must be a string");
}

#[test]
fn the_data() {
    check(r#"{"type":"x"}"#, Some("data"), "missing");
    check(r#"{"type":"x","data":null}"#, Some("data"), "missing");
    for value in ["1", "\"{}\"", "true", "[]", "[{}]"] {
        check(
            &format!(r#"{{"type":"x","data":{value}}}"#),
            Some("data"),
            "must be an object",
        );
    }
}

#[test]
fn names() {
    let long = format!("\"{}\"", "x".repeat(257));
    for field in ["agent", "session", "stream"] {
        for (value, words) in [
            ("1", "must be a string"),
            ("{}", "must be a string"),
            ("[\"x\"]", "must be a string"),
            ("\"\"", "empty"),
            ("\"a\\nb\"", "control characters"),
            ("\"\\u0000\"", "control characters"),
            ("\"\u{7f}\"", "control characters"),
            ("\"\\u0085\"", "control characters"),
            ("\"\\udc00\"", "must be a string"),
            (&long, "longer than 256 bytes"),
        ] {
            check(
                &format!(r#"{{"type":"x","data":{{}},"{field}":{value}}}"#),
                Some(field_name(field)),
                words,
            );
        }
    }
}

fn field_name(field: &str) -> &'static str {
    ["agent", "session", "stream"]
        .into_iter()
        .find(|known| *known == field)
        .expect("known")
}

#[test]
fn timestamps_and_receipts() {
    let long = format!("\"{}\"", "9".repeat(255));
    for field in ["timestamp", "ack"] {
        for (value, words) in [
            ("{}", "must be a string or a number"),
            ("[1]", "must be a string or a number"),
            ("true", "must be a string or a number"),
            ("false", "must be a string or a number"),
            (&*long, "longer than 256 bytes"),
        ] {
            check(
                &format!(r#"{{"type":"x","data":{{}},"{field}":{value}}}"#),
                Some(field),
                words,
            );
        }
    }
}

fn request(data: &str) -> String {
    super::frame("approval_request", data)
}

#[test]
fn questions() {
    for (data, field, words) in [
        (r#"{}"#, "data.request_id", "missing"),
        (r#"{"request_id":null,"tool_name":"t"}"#, "data.request_id", "missing"),
        (
            r#"{"request_id":7,"tool_name":"t"}"#,
            "data.request_id",
            "must be a string",
        ),
        (r#"{"request_id":"","tool_name":"t"}"#, "data.request_id", "empty"),
        (
            r#"{"request_id":"a\u0007","tool_name":"t"}"#,
            "data.request_id",
            "control characters",
        ),
        (
            r#"{"request_id":"\ud83d","tool_name":"t"}"#,
            "data.request_id",
            "must be a string",
        ),
        (r#"{"request_id":"r"}"#, "data.tool_name", "missing"),
        (
            r#"{"request_id":"r","tool_name":["t"]}"#,
            "data.tool_name",
            "must be a string",
        ),
        (
            r#"{"request_id":"r","tool_name":"a\tb"}"#,
            "data.tool_name",
            "control characters",
        ),
        (
            r#"{"request_id":"r","tool_name":"t","cwd":1}"#,
            "data.cwd",
            "must be a string",
        ),
        (
            r#"{"request_id":"r","tool_name":"t","timeout":0}"#,
            "data.timeout",
            "number of seconds",
        ),
        (
            r#"{"request_id":"r","tool_name":"t","timeout":-1}"#,
            "data.timeout",
            "number of seconds",
        ),
        (
            r#"{"request_id":"r","tool_name":"t","timeout":"60"}"#,
            "data.timeout",
            "number of seconds",
        ),
        (
            r#"{"request_id":"r","tool_name":"t","timeout":1e999}"#,
            "data.timeout",
            "number of seconds",
        ),
        (
            r#"{"request_id":"r","tool_name":"t","timeout":31536001}"#,
            "data.timeout",
            "number of seconds",
        ),
        (
            r#"{"request_id":"r","tool_name":"t","timeout":{}}"#,
            "data.timeout",
            "number of seconds",
        ),
        (
            r#"{"request_id":"r","request_id":"s","tool_name":"t"}"#,
            "data",
            "duplicate field",
        ),
        (
            r#"{"request_id":"r","tool_name":"t","tool_name":"u"}"#,
            "data",
            "duplicate field",
        ),
        (
            r#"{"request_id":"r","tool_name":"t","arguments":{},"arguments":{}}"#,
            "data",
            "duplicate field",
        ),
        (
            r#"{"request_id":"r","tool_name":"t","arguments":{},"argument\u0073":{}}"#,
            "data",
            "duplicate field",
        ),
        (
            r#"{"request_id":"r","tool_name":"t","cwd":"/a","cwd":"/b"}"#,
            "data",
            "duplicate field",
        ),
    ] {
        check(&request(data), Some(field), words);
    }
}

#[test]
fn answers() {
    for (rest, field, words) in [
        (r#""response":"approve""#, "request_id", "missing"),
        (r#""request_id":null,"response":"approve""#, "request_id", "missing"),
        (r#""request_id":"","response":"approve""#, "request_id", "empty"),
        (
            r#""request_id":1,"response":"approve""#,
            "request_id",
            "must be a string",
        ),
        (r#""request_id":"r""#, "response", "\"approve\", \"deny\" or \"stop\""),
        (r#""request_id":"r","response":null"#, "response", "\"approve\""),
        (r#""request_id":"r","response":"""#, "response", "\"approve\""),
        (r#""request_id":"r","response":"Approve""#, "response", "\"approve\""),
        (r#""request_id":"r","response":"approve ""#, "response", "\"approve\""),
        (r#""request_id":"r","response":"yes""#, "response", "\"approve\""),
        (r#""request_id":"r","response":true"#, "response", "must be a string"),
        (
            r#""request_id":"r","response":["approve"]"#,
            "response",
            "must be a string",
        ),
        (
            r#""request_id":"r","response":{"approve":1}"#,
            "response",
            "must be a string",
        ),
        (
            r#""request_id":"r","response":"deny","message":5"#,
            "message",
            "must be a string",
        ),
        (
            r#""request_id":"r","response":"deny","agent":"\n""#,
            "agent",
            "control characters",
        ),
    ] {
        check(&format!(r#"{{"type":"approval_response",{rest}}}"#), Some(field), words);
    }
    let twice = r#"{"type":"approval_response","request_id":"r","response":"deny","response":"approve"}"#;
    check(twice, None, "duplicate field");
}

#[test]
fn a_question_without_an_envelope_has_its_fields_named_as_they_stand() {
    for (body, field, words) in [
        (r#"{}"#, "tool_name", "`tool_name` is missing"),
        (r#"{"tool_name":7}"#, "tool_name", "`tool_name` must be a string"),
        (
            r#"{"tool_name":"t","request_id":""}"#,
            "request_id",
            "`request_id` is empty",
        ),
        (r#"{"tool_name":"t","timeout":-1}"#, "timeout", "`timeout`"),
        (r#"{"tool_name":"t","cwd":{}}"#, "cwd", "`cwd` must be a string"),
        (r#"{"tool_name":"t","agent":7}"#, "agent", "`agent` must be a string"),
    ] {
        let error = decode_ask(body, &peer(), "new").expect_err(body);
        assert_eq!(error.field, Some(field), "{error}");
        assert!(error.error.contains(words), "{error}");
    }
}

#[test]
fn a_question_without_an_envelope_may_be_nested_as_deeply_as_one_with() {
    let body = |levels: usize| {
        let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        format!(r#"{{"tool_name":"t","arguments":{open}{close}}}"#)
    };
    decode_ask(&body(64), &peer(), "new").expect("64 levels");
    let error = decode_ask(&body(65), &peer(), "new").expect_err("one more");
    assert!(error.error.contains("64 levels"), "{error}");
}
