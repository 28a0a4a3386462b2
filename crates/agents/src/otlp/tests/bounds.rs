//! Bodies that would unfold into much are refused before they do.

use super::super::{MAX_RECORDS, MAX_VALUES, Unreadable};
use super::*;

fn refused(signal: Signal, encoding: Encoding, body: &[u8]) -> Unreadable {
    decode(signal, encoding, body).expect_err("out of bounds")
}

/// A protobuf field that holds bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).expect("seven bits"));
    bytes.extend(content);
    bytes
}

#[test]
fn records_of_two_bytes_are_counted_before_they_are_made() {
    let empty = field(2, &[]).repeat(MAX_RECORDS + 1);
    let body = field(1, &field(2, &empty));
    for signal in [Signal::Logs, Signal::Traces, Signal::Metrics] {
        assert!(matches!(
            refused(signal, Encoding::Protobuf, &body),
            Unreadable::TooMany(_)
        ));
    }
    let attributes = field(6, &[]).repeat(MAX_VALUES + 1);
    let body = field(1, &field(2, &field(2, &attributes)));
    assert!(matches!(
        refused(Signal::Logs, Encoding::Protobuf, &body),
        Unreadable::TooMany(_)
    ));
    let points = field(7, &field(1, &[]).repeat(MAX_RECORDS + 1));
    let body = field(1, &field(2, &field(2, &points)));
    assert!(matches!(
        refused(Signal::Metrics, Encoding::Protobuf, &body),
        Unreadable::TooMany(_)
    ));
}

#[test]
fn what_is_hidden_behind_bytes_that_are_no_message_is_counted_all_the_same() {
    // A scope's name where a message would be, broken off, then the bomb.
    let resource = field(1, &[0x0a, 0x7f]);
    let empty = field(2, &[]).repeat(MAX_RECORDS + 1);
    let body = field(1, &[resource, field(2, &empty)].concat());
    assert!(matches!(
        refused(Signal::Logs, Encoding::Protobuf, &body),
        Unreadable::TooMany(_)
    ));
}

#[test]
fn nesting_has_an_end() {
    let mut value = field(1, b"x");
    for _ in 0..60 {
        value = field(5, &field(1, &value));
    }
    let body = field(1, &field(2, &field(2, &field(5, &value))));
    assert!(matches!(
        refused(Signal::Logs, Encoding::Protobuf, &body),
        Unreadable::TooDeep(_)
    ));
    let deep = format!("{{\"resourceLogs\":{}{}}}", "[".repeat(200), "]".repeat(200));
    assert!(matches!(
        refused(Signal::Logs, Encoding::Json, deep.as_bytes()),
        Unreadable::TooDeep(_)
    ));
}

#[test]
fn json_values_are_counted_before_they_are_made_and_text_is_not_one() {
    let many = format!("{{\"resourceLogs\":[{}0]}}", "0,".repeat(MAX_VALUES));
    assert!(matches!(
        refused(Signal::Logs, Encoding::Json, many.as_bytes()),
        Unreadable::TooMany(_)
    ));
    let text = format!("{{\"other\":\"{}\\\"\"}}", "[,".repeat(MAX_VALUES));
    assert!(
        decode(Signal::Logs, Encoding::Json, text.as_bytes())
            .expect("text")
            .is_empty()
    );
}

#[test]
fn what_is_not_otlp_is_refused() {
    for body in ["", "[]", "null", "{\"resourceLogs\":1}", "{\"resourceLogs\":[1]}", "{"] {
        assert!(
            matches!(
                refused(Signal::Logs, Encoding::Json, body.as_bytes()),
                Unreadable::Malformed(_)
            ),
            "{body}"
        );
    }
    assert!(matches!(
        refused(Signal::Logs, Encoding::Protobuf, b"\x0a\x05ab"),
        Unreadable::Malformed(_)
    ));
    // An empty protobuf body is a valid, empty request, and so is an empty object.
    assert!(decode(Signal::Logs, Encoding::Protobuf, b"").expect("empty").is_empty());
    assert!(decode(Signal::Logs, Encoding::Json, b"{}").expect("empty").is_empty());
}
