//! What the hub itself connects to: TLS with the system's certificates, patience between tries, and addresses without secrets.

mod patience;
mod tls;

pub(crate) use patience::{Patience, jitter};
pub(crate) use tls::tls;

use axum::http::Uri;

/// An address as people may see it: without user, password, query and fragment.
pub(crate) fn shown(uri: &Uri) -> String {
    format!("{}{}", origin(uri), uri.path())
}

/// Scheme, host and port of an address.
pub(crate) fn origin(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("http");
    let host = uri.host().unwrap_or_default();
    match uri.port_u16() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

/// A name for a webhook or an upstream, or what is wrong with it.
pub(crate) fn named(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err(format!(
            "the name {name:?} must have 1 to 64 of the characters a-z, A-Z, 0-9, `-`, `_` and `.`"
        ));
    }
    Ok(())
}

/// A secret that is given, or stands in a file; a line break at its end is no part of it.
pub(crate) fn secret(
    what: &str,
    given: Option<String>,
    file: Option<&std::path::Path>,
) -> Result<Option<String>, String> {
    match (given, file) {
        (Some(_), Some(_)) => Err(format!("{what} is given twice, as itself and as a file")),
        (Some(given), None) => Ok(Some(given)),
        (None, None) => Ok(None),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
            Err(error) => Err(format!("{what} cannot be read from {}: {error}", path.display())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_see_of_an_address_has_no_secrets() {
        let uri: Uri = "https://user:word@host.example:8443/a/b?token=secret"
            .parse()
            .expect("an address");
        assert_eq!(origin(&uri), "https://host.example:8443");
        assert_eq!(shown(&uri), "https://host.example:8443/a/b");
        assert_eq!(
            shown(&"ws://[::1]:8765".parse().expect("an address")),
            "ws://[::1]:8765/"
        );
    }
}
