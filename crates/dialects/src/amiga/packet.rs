//! Socket.IO protocol 5, as far as a server of figures needs it: `<type>[<attachments>-][<namespace>,][<ack id>][JSON]`, each packet
//! the text of one Engine.IO message. JSON is kept as text: what a handler makes of it is not the packet's.

use serde_json::json;

/// Attachments that one packet may announce.
const MAX_ATTACHMENTS: usize = 16;

/// A namespace: one of seed 001's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// `/`.
    Main = 0,
    /// `/metrics` (seed 001, "Namespace support").
    Metrics = 1,
}

impl Namespace {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Main, Self::Metrics];

    fn parse(name: &str) -> Option<Self> {
        // What stands behind a question mark was a query once, and is not part of the name.
        match name.split('?').next() {
            Some("/") => Some(Self::Main),
            Some("/metrics") => Some(Self::Metrics),
            _ => None,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Metrics => "/metrics,",
        }
    }
}

/// A packet that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Wants into a namespace, with an auth payload.
    Connect(Namespace, &'a str),
    /// Wants into a namespace that is not here, by its name as it stands.
    Stray(&'a str),
    /// Leaves a namespace.
    Disconnect(Namespace),
    /// An event.
    Event {
        /// In which namespace.
        namespace: Namespace,
        /// Whoever sent it wants a receipt of this number.
        ack: Option<u64>,
        /// So many binary messages follow.
        attachments: usize,
        /// `["name", ...arguments]`, if it is JSON.
        text: &'a str,
    },
    /// A receipt, or something for a namespace that is not here.
    Ignored,
}

/// Not a packet of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a packet of Socket.IO 5")]
pub struct NoPacket;

/// Reads the text of one message.
///
/// # Errors
/// When it is no packet, or one that only servers send.
pub fn read(text: &str) -> Result<Packet<'_>, NoPacket> {
    let mut rest = text.get(1..).ok_or(NoPacket)?;
    let kind = text.as_bytes()[0];
    let binary = matches!(kind, b'5' | b'6');
    let mut attachments = 0;
    if binary {
        let (count, after) = rest.split_once('-').ok_or(NoPacket)?;
        attachments = count.parse().map_err(|_| NoPacket)?;
        if attachments > MAX_ATTACHMENTS {
            return Err(NoPacket);
        }
        rest = after;
    }
    let mut name = "/";
    if rest.starts_with('/') {
        // Without a comma the name is all there is.
        (name, rest) = rest.split_once(',').unwrap_or((rest, ""));
    }
    let namespace = Namespace::parse(name);
    match (kind, namespace) {
        (b'0', Some(namespace)) => Ok(Packet::Connect(namespace, rest)),
        (b'0', None) => Ok(Packet::Stray(name)),
        (b'1', Some(namespace)) => Ok(Packet::Disconnect(namespace)),
        (b'2' | b'5', Some(namespace)) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let ack = match &rest[..digits] {
                "" => None,
                number => Some(number.parse().map_err(|_| NoPacket)?),
            };
            Ok(Packet::Event {
                namespace,
                ack,
                attachments,
                text: &rest[digits..],
            })
        }
        (b'1'..=b'3' | b'5' | b'6', _) => Ok(Packet::Ignored),
        _ => Err(NoPacket),
    }
}

/// Into the namespace, as `sid`.
pub fn connect(namespace: Namespace, sid: &str) -> String {
    format!("0{}{}", namespace.prefix(), json!({ "sid": sid }))
}

/// Not into the namespace of that name.
pub fn connect_error(namespace: &str, message: &str) -> String {
    let prefix = if namespace == "/" {
        String::new()
    } else {
        format!("{namespace},")
    };
    format!("4{prefix}{}", json!({ "message": message }))
}

/// Not into the namespace.
pub fn refusal(namespace: Namespace, message: &str) -> String {
    format!("4{}{}", namespace.prefix(), json!({ "message": message }))
}

/// Out of the namespace.
pub fn disconnect(namespace: Namespace) -> String {
    format!("1{}", namespace.prefix())
}

/// An event with one argument, which is JSON text.
pub fn event(namespace: Namespace, name: &str, argument: &str) -> String {
    format!("2{}[{},{argument}]", namespace.prefix(), json!(name))
}

/// An event whose one argument is the binary message that follows.
pub fn binary_event(namespace: Namespace, name: &str) -> String {
    let placeholder = r#"{"_placeholder":true,"num":0}"#;
    format!("51-{}[{},{placeholder}]", namespace.prefix(), json!(name))
}

/// An empty receipt of that number.
pub fn receipt(namespace: Namespace, ack: u64) -> String {
    format!("3{}{ack}[]", namespace.prefix())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_the_protocol_writes_them() {
        let event = |namespace, ack, attachments, text| {
            Ok(Packet::Event {
                namespace,
                ack,
                attachments,
                text,
            })
        };
        for (text, expect) in [
            ("0", Ok(Packet::Connect(Namespace::Main, ""))),
            (
                r#"0{"token":"t"}"#,
                Ok(Packet::Connect(Namespace::Main, r#"{"token":"t"}"#)),
            ),
            ("0/metrics,", Ok(Packet::Connect(Namespace::Metrics, ""))),
            ("0/metrics", Ok(Packet::Connect(Namespace::Metrics, ""))),
            ("0/metrics?a=b,{}", Ok(Packet::Connect(Namespace::Metrics, "{}"))),
            ("0/other,{}", Ok(Packet::Stray("/other"))),
            ("1", Ok(Packet::Disconnect(Namespace::Main))),
            ("1/metrics,", Ok(Packet::Disconnect(Namespace::Metrics))),
            (r#"2["a"]"#, event(Namespace::Main, None, 0, r#"["a"]"#)),
            (
                r#"2/metrics,12["a"]"#,
                event(Namespace::Metrics, Some(12), 0, r#"["a"]"#),
            ),
            (r#"52-3["a",{}]"#, event(Namespace::Main, Some(3), 2, r#"["a",{}]"#)),
            (r#"51-/metrics,["a"]"#, event(Namespace::Metrics, None, 1, r#"["a"]"#)),
            ("2[NaN", event(Namespace::Main, None, 0, "[NaN")),
            ("37[]", Ok(Packet::Ignored)),
            (r#"2/other,["a"]"#, Ok(Packet::Ignored)),
            ("", Err(NoPacket)),
            ("4{}", Err(NoPacket)),
            ("9", Err(NoPacket)),
            ("5[]", Err(NoPacket)),
            ("517-[]", Err(NoPacket)),
            ("299999999999999999999[]", Err(NoPacket)),
            ("é", Err(NoPacket)),
        ] {
            assert_eq!(read(text), expect, "{text}");
        }
    }

    #[test]
    fn packets_are_written_as_the_protocol_reads_them() {
        assert_eq!(connect(Namespace::Main, "s"), r#"0{"sid":"s"}"#);
        assert_eq!(connect(Namespace::Metrics, "s"), r#"0/metrics,{"sid":"s"}"#);
        assert_eq!(connect_error("/x", "no"), r#"4/x,{"message":"no"}"#);
        assert_eq!(refusal(Namespace::Main, "no"), r#"4{"message":"no"}"#);
        assert_eq!(disconnect(Namespace::Metrics), "1/metrics,");
        assert_eq!(event(Namespace::Main, "a", "{}"), r#"2["a",{}]"#);
        assert_eq!(
            binary_event(Namespace::Metrics, "a"),
            r#"51-/metrics,["a",{"_placeholder":true,"num":0}]"#
        );
        assert_eq!(receipt(Namespace::Metrics, 7), "3/metrics,7[]");
    }
}
