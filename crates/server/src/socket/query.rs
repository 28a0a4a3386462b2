//! What a request says beside its path: the bearer, and the query.

use axum::extract::Query;
use axum::http::{HeaderMap, header};

/// The bearer of an `Authorization` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Name and value pairs of a query, percent-decoded; what cannot be decoded counts as none.
pub(crate) fn query(text: &str) -> Vec<(String, String)> {
    let Ok(uri) = format!("/?{text}").parse() else {
        return Vec::new();
    };
    Query::<Vec<(String, String)>>::try_from_uri(&uri).map_or_else(|_| Vec::new(), |Query(pairs)| pairs)
}
