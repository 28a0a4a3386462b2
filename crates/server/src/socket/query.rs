//! What a request says beside its path: the bearer, and the query.

use axum::extract::Query;
use axum::http::{HeaderMap, HeaderValue, header};

/// The bearer of an `Authorization` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION).and_then(token_of)
}

/// The bearers of all `Authorization` headers.
pub(crate) fn bearers(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(header::AUTHORIZATION).iter().filter_map(token_of)
}

/// An empty one is one, too: it is not valid.
fn token_of(value: &HeaderValue) -> Option<&str> {
    let value = value.to_str().ok()?.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Name and value pairs of a query, percent-decoded; what cannot be decoded counts as none.
pub(crate) fn query(text: &str) -> Vec<(String, String)> {
    let Ok(uri) = format!("/?{text}").parse() else {
        return Vec::new();
    };
    Query::<Vec<(String, String)>>::try_from_uri(&uri).map_or_else(|_| Vec::new(), |Query(pairs)| pairs)
}
