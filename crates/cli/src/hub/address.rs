//! `http://HOST:PORT` of a hub, and queries as they stand in an address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ureq::http::Uri;

/// Where a hub answers. Plain HTTP: hubs listen on the loopback interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// `HOST:PORT`, as the Host header has it.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The name or the address, an IPv6 one in brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The address of a path, which starts with `/`.
    pub(crate) fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority())
    }

    /// The same for a WebSocket.
    pub(crate) fn ws(&self, path: &str) -> String {
        format!("ws://{}{path}", self.authority())
    }

    /// Whether both lead to the same listener: the names of the loopback interface are one.
    pub(crate) fn same_door(&self, other: &Self) -> bool {
        self.port == other.port && (self.host == other.host || (self.is_loopback() && other.is_loopback()))
    }

    fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.http(""))
    }
}

/// Why a text is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("a hub's address looks like http://127.0.0.1:8765")]
    Shape,
    #[error("a hub speaks plain http on the loopback interface; reach one elsewhere through an SSH tunnel")]
    Scheme,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let uri: Uri = with_scheme.parse().map_err(|_| AddressError::Shape)?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https" | "ws" | "wss") => return Err(AddressError::Scheme),
            _ => return Err(AddressError::Shape),
        }
        let authority = uri.authority().ok_or(AddressError::Shape)?;
        if authority.as_str().contains('@') || !matches!(uri.path_and_query().map_or("/", |rest| rest.as_str()), "/") {
            return Err(AddressError::Shape);
        }
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() {
            return Err(AddressError::Shape);
        }
        let port = match authority.as_str().get(authority.host().len()..) {
            Some("") => 80,
            _ => authority
                .port_u16()
                .filter(|port| *port > 0)
                .ok_or(AddressError::Shape)?,
        };
        Ok(Self { host, port })
    }
}

/// `?a=b&c=d`, percent-encoded; empty when there is nothing to say.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        text.push(if text.is_empty() { '?' } else { '&' });
        encode(&mut text, name);
        text.push('=');
        encode(&mut text, value);
    }
    text
}

/// One segment of a path, percent-encoded.
pub(crate) fn segment(value: &str) -> String {
    let mut text = String::new();
    encode(&mut text, value);
    text
}

/// RFC 3986: everything but the unreserved characters.
fn encode(text: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_is_read_with_and_without_its_scheme() {
        for (text, expect) in [
            ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
            ("http://LOCALHOST:8765/", "http://localhost:8765"),
            ("localhost:1", "http://localhost:1"),
            ("http://[::1]:8765", "http://[::1]:8765"),
            ("http://hub.example", "http://hub.example:80"),
        ] {
            assert_eq!(address(text).to_string(), expect, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, expect) in [
            ("", AddressError::Shape),
            ("http://", AddressError::Shape),
            ("http://a:b", AddressError::Shape),
            ("http://a:0", AddressError::Shape),
            ("http://a:99999", AddressError::Shape),
            ("http://user@a:1", AddressError::Shape),
            ("http://a:1/path", AddressError::Shape),
            ("http://a:1/?q", AddressError::Shape),
            ("ftp://a:1", AddressError::Shape),
            ("https://a:1", AddressError::Scheme),
            ("ws://a:1", AddressError::Scheme),
        ] {
            assert_eq!(text.parse::<Address>(), Err(expect), "{text}");
        }
    }

    #[test]
    fn names_of_the_loopback_interface_are_one_door() {
        let here = address("http://127.0.0.1:8765");
        assert!(here.same_door(&address("http://localhost:8765")));
        assert!(here.same_door(&address("http://[::1]:8765")));
        assert!(!here.same_door(&address("http://localhost:8766")));
        assert!(!here.same_door(&address("http://127.0.0.1.example:8765")));
        assert!(!address("http://a.example:1").same_door(&address("http://b.example:1")));
    }

    #[test]
    fn queries_are_percent_encoded() {
        assert_eq!(query(&[]), "");
        assert_eq!(
            query(&[("since", "ab:7"), ("types", "a,b&c"), ("agents", "ü *")]),
            "?since=ab%3A7&types=a%2Cb%26c&agents=%C3%BC%20%2A"
        );
    }
}
