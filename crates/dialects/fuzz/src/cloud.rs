//! What must hold of any frame of a Cloud Agents client, and of any event that is told to one.

use countersign_dialects::cloud::{self, Inbound};
use countersign_dialects::limits::MAX_OUT;
use countersign_dialects::sam::{self, Inbound as Said};
use countersign_model::Millis;
use serde_json::Value;

use super::{logged, peer};

/// Any frame on a Cloud Agents socket.
pub fn fuzz_cloud_decode(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match cloud::decode(text) {
        Ok(inbound) => {
            let frame: Value = serde_json::from_str(text).expect("what was understood is JSON");
            let kind = match inbound {
                Inbound::Ping => "ping",
                Inbound::Pong => "pong",
                Inbound::Presence(status) => {
                    assert_eq!(frame["data"], status.as_str());
                    "user_presence"
                }
            };
            assert_eq!(frame["type"], kind);
        }
        Err(why) => {
            let frame: Value = serde_json::from_str(&cloud::error(&why.to_string(), Millis(0))).expect("JSON");
            assert_eq!(frame["type"], "error");
            assert_eq!(frame["data"]["error"], why.to_string());
        }
    }
}

/// Any event that an agent publishes, as a Cloud Agents client sees it.
pub fn fuzz_cloud_encode(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(decoded) = sam::decode(text, &peer()) else {
        return;
    };
    let Said::Event(event) = decoded.inbound else { return };
    let event = logged(event);
    let address = cloud::address(&event);
    assert!(!address.includes(None) || address.includes(Some("anybody")));
    for text in cloud::messages(&event) {
        assert!(text.len() < MAX_OUT);
        let readable: Result<Value, _> = serde_json::from_str(&text);
        // Half a surrogate pair is kept as it came, and a number beyond doubles: not every reader takes them.
        if let Ok(frame) = readable {
            assert!(frame["data"].is_object() && frame["timestamp"].is_string() && frame["seq"].is_u64());
        } else {
            let raw: &serde_json::value::RawValue = serde_json::from_str(&text).expect("still JSON");
            assert!(raw.get().starts_with('{'));
        }
    }
}
