//! The events that are published: three kinds in turn, 350 bytes each, numbered and stamped inside `data`, where every server
//! hands them on as they came.

use std::sync::LazyLock;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::wire;

/// Bytes of an event's JSON.
pub(crate) const EVENT: usize = 350;

const NUMBER: &str = "0000000000";
const STAMP: &str = "000000000000000";

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds since this program first asked.
pub(crate) fn now() -> u64 {
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Makes frames.
pub(crate) struct Traffic {
    kinds: Vec<(Vec<u8>, usize, usize)>,
    next: u64,
}

impl Traffic {
    pub(crate) fn new() -> Self {
        let kinds = [
            (
                "tool_call_start",
                r#""tool_name":"execute_command","arguments":{"command":"cargo test --workspace -- --nocapture","cwd":"/home/sam/project","note":""#,
                r#""}"#,
            ),
            (
                "tool_call_result",
                r#""tool_name":"execute_command","truncated":false,"result":"running 12 tests\ntest codec::round_trip ... ok\n\"quoted\"\n"#,
                r#"""#,
            ),
            (
                "tool_call_end",
                r#""tool_name":"execute_command","success":true,"duration":1.25,"error":null,"note":""#,
                r#"""#,
            ),
        ];
        let kinds = kinds.map(|(kind, data, close)| {
            let head = format!(r#"{{"type":"{kind}","timestamp":"2026-01-17T10:30:00.000Z","data":{{"n":""#);
            let middle = r#"","sent":""#;
            let used = head.len() + NUMBER.len() + middle.len() + STAMP.len() + 2 + data.len() + close.len() + 2;
            let filler = "x".repeat(EVENT - used);
            let event = format!(r#"{head}{NUMBER}{middle}{STAMP}",{data}{filler}{close}}}}}"#);
            let stamp = head.len() + NUMBER.len() + middle.len();
            (event.into_bytes(), head.len(), stamp)
        });
        Self {
            kinds: kinds.into(),
            next: 0,
        }
    }

    /// How many were made.
    pub(crate) fn made(&self) -> u64 {
        self.next
    }

    /// Appends the next event as a masked frame; `ack` asks for an acknowledgement.
    pub(crate) fn push(&mut self, out: &mut Vec<u8>, ack: bool) {
        let (event, number, stamp) = &self.kinds[(self.next % 3) as usize];
        let mut bytes = [0; EVENT + 16];
        bytes[..EVENT].copy_from_slice(event);
        digits(&mut bytes[*number..number + NUMBER.len()], self.next);
        digits(&mut bytes[*stamp..stamp + STAMP.len()], now());
        let mut length = EVENT;
        if ack {
            const ACK: &[u8] = br#","ack":1}"#;
            length = EVENT - 1 + ACK.len();
            bytes[EVENT - 1..length].copy_from_slice(ACK);
        }
        wire::push_masked(out, wire::TEXT, &bytes[..length]);
        self.next += 1;
    }
}

fn digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The number and the stamp of an event that came back.
pub(crate) fn read(event: &[u8]) -> Result<(u64, u64)> {
    let after = |from: usize, field: &[u8]| {
        let end = (from + 100).min(event.len());
        event[from..end]
            .windows(field.len())
            .position(|window| window == field)
            .map(|place| from + place + field.len())
    };
    let parse = |from: usize, length: usize| {
        event.get(from..from + length)?.iter().try_fold(0, |sum, digit| {
            digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0'))
        })
    };
    // The shortest kind's number stands here at the earliest.
    let found = after(62, br#"{"n":""#).and_then(|number| {
        let stamp = number + NUMBER.len() + br#"","sent":""#.len();
        Some((parse(number, NUMBER.len())?, parse(stamp, STAMP.len())?))
    });
    found.with_context(|| format!("this is not what was published: {}", String::from_utf8_lossy(event)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_their_size_and_carry_their_number() {
        let mut traffic = Traffic::new();
        for number in 0..3 {
            let mut frame = Vec::new();
            traffic.push(&mut frame, false);
            assert_eq!(frame.len(), 8 + EVENT);
            let mut event = Vec::new();
            wire::push_masked(&mut event, wire::TEXT, &frame[8..]);
            assert_eq!(read(&event[8..]).expect("an event").0, number);
        }
    }
}
