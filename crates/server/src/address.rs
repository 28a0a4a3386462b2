//! Where to listen and what the root path speaks there: `127.0.0.1:3000=cloud`.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use countersign_model::Dialect;

use crate::config::ConfigError;

/// One entry of `--listen` and of `listen` in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAt {
    /// Addresses, all on one port; never empty.
    pub hosts: Vec<IpAddr>,
    /// The port; 0 picks a free one.
    pub port: u16,
    /// What the root path speaks. Every other path speaks what it always does.
    pub dialect: Dialect,
}

impl FromStr for ListenAt {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let wrong =
            |why: String| ConfigError::Value(format!("{text:?} is not ADDRESS:PORT or ADDRESS:PORT=DIALECT: {why}"));
        let (address, dialect) = match text.split_once('=') {
            Some((address, name)) => (address, name.parse().map_err(|error| wrong(format!("{error}")))?),
            None => (text, Dialect::default()),
        };
        let (host, port) = address
            .rsplit_once(':')
            .ok_or_else(|| wrong("there is no port".into()))?;
        // `::1:80` could mean two things.
        if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
            return Err(wrong("an IPv6 address is in brackets, [::1]:8765".into()));
        }
        let port = port
            .parse()
            .map_err(|_| wrong("the port is a number up to 65535".into()))?;
        Ok(Self {
            hosts: loopback(host)?,
            port,
            dialect,
        })
    }
}

/// The addresses that a host's name stands for: `localhost` (both loopback families) or a loopback address.
///
/// # Errors
/// When other machines could reach it.
pub(crate) fn loopback(host: &str) -> Result<Vec<IpAddr>, ConfigError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.eq_ignore_ascii_case("localhost") {
        return Ok(both_loopbacks());
    }
    match bare.parse::<IpAddr>() {
        Ok(address) if address.is_loopback() => Ok(vec![address]),
        _ => Err(ConfigError::OffLoopback(host.to_owned())),
    }
}

/// An address that two of these listen on. A free port that is picked is another one each time.
pub(crate) fn twice(listen: &[ListenAt]) -> Option<SocketAddr> {
    let mut seen = HashSet::new();
    let mut all = listen
        .iter()
        .filter(|at| at.port != 0)
        .flat_map(|at| at.hosts.iter().map(|host| SocketAddr::new(*host, at.port)));
    all.find(|address| !seen.insert(*address))
}

pub(crate) fn both_loopbacks() -> Vec<IpAddr> {
    vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<(usize, u16, Dialect)>) {
        let got = text.parse::<ListenAt>();
        let got = got.as_ref().map(|at| (at.hosts.len(), at.port, at.dialect));
        assert_eq!(got.as_ref().ok(), expect.as_ref(), "{text}: {got:?}");
    }

    #[test]
    fn an_address_may_name_its_dialect() {
        check("127.0.0.1:3000=cloud", Some((1, 3000, Dialect::Cloud)));
        check("127.0.0.1:0", Some((1, 0, Dialect::Sam)));
        check("[::1]:8080=codex", Some((1, 8080, Dialect::Codex)));
        check("localhost:5000=amiga", Some((2, 5000, Dialect::Amiga)));
        for wrong in [
            "",
            "3000",
            "127.0.0.1",
            "127.0.0.1:",
            "127.0.0.1:70000",
            "127.0.0.1:80=",
            "127.0.0.1:80=Cloud",
            "127.0.0.1:80=sam=hive",
            "::1:80",
            ":80",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn addresses_off_loopback_are_refused_with_the_recipe_for_a_proxy() {
        for text in ["0.0.0.0:1=sam", "[::]:1", "192.168.1.5:80=hive", "example.com:80"] {
            let error = text.parse::<ListenAt>().expect_err(text).to_string();
            assert!(error.contains("proxy"), "{error}");
        }
    }
}
