//! Batches with bytes changed, cut and doubled: read or refused, never a panic, and what is read can be told.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index, prop::sample::Index),
    Double(prop::sample::Index, prop::sample::Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let place = any::<prop::sample::Index>;
    let change = prop_oneof![
        3 => (place(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => (place(), place()).prop_map(|(a, b)| Change::Cut(a, b)),
        1 => (place(), place()).prop_map(|(a, b)| Change::Double(a, b)),
    ];
    prop::collection::vec(change, 1..8)
}

fn apply(mut body: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if body.is_empty() {
            break;
        }
        let range = |a: &prop::sample::Index, b: &prop::sample::Index, length: usize| {
            let (a, b) = (a.index(length), b.index(length));
            (a.min(b), a.max(b).min(a.min(b) + 400))
        };
        match change {
            Change::Set(at, byte) => {
                let at = at.index(body.len());
                body[at] = *byte;
            }
            Change::Cut(a, b) => {
                let (a, b) = range(a, b, body.len());
                body.drain(a..b);
            }
            Change::Double(a, b) => {
                let (a, b) = range(a, b, body.len());
                let part = body[a..b].to_vec();
                body.splice(a..a, part);
            }
        }
    }
    body
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_batches_are_read_or_refused(which in 0..FIXTURES.len(), changes in changes()) {
        let name = FIXTURES[which];
        let json = apply(fixture(name).into_bytes(), &changes);
        let protobuf = apply(as_protobuf(name), &changes);
        for (encoding, body) in [(Encoding::Json, json), (Encoding::Protobuf, protobuf)] {
            if let Ok(records) = decode(signal(name), encoding, &body) {
                for told in Telemetry::default().tell(&records, None) {
                    prop_assert!(told.event.agent.len() <= 256);
                    prop_assert!(serde_json::from_str::<serde_json::Map<String, Value>>(told.event.data.get()).is_ok());
                }
            }
        }
    }
}
