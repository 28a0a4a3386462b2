//! The first lock on the door, on every route and upgrade: a browser page is a hostile client until shown otherwise.
//! Host must be one of ours, an Origin must be one of ours, and a browser must not say that another site sent it.

use std::collections::HashSet;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};

use crate::problem::Problem;

/// The names that we answer to.
#[derive(Debug, Default)]
pub(crate) struct Names {
    hosts: HashSet<String>,
    origins: HashSet<String>,
    /// Origins that are not ours but admitted; their pages may read what they are sent.
    admitted: HashSet<String>,
}

impl Names {
    /// Our own names on these ports, and those that the configuration admits.
    pub(crate) fn new(ports: impl IntoIterator<Item = u16>, hosts: &[String], origins: &[String]) -> Self {
        let mut names = Self::default();
        for port in ports {
            for host in ["localhost", "127.0.0.1", "[::1]"] {
                let authority = format!("{host}:{port}");
                if port == 80 {
                    names.hosts.insert(host.to_owned());
                    names.origins.insert(format!("http://{host}"));
                }
                names.origins.insert(format!("http://{authority}"));
                names.hosts.insert(authority);
            }
        }
        names.hosts.extend(hosts.iter().map(|host| host.to_ascii_lowercase()));
        names
            .admitted
            .extend(origins.iter().map(|origin| origin.to_ascii_lowercase()));
        names
    }

    /// Adds an address that is listened on, 127.0.0.2 say.
    pub(crate) fn add(&mut self, authority: &str) {
        self.hosts.insert(authority.to_owned());
        self.origins.insert(format!("http://{authority}"));
    }

    /// Lets a request through, or says why not.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let host = single(headers, &header::HOST)?
            .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "the request has no Host header"))?;
        let origin = single(headers, &header::ORIGIN)?;
        let known = |host: &str| self.hosts.contains(&host.to_ascii_lowercase());
        if !known(host) || uri.authority().is_some_and(|authority| !known(authority.as_str())) {
            return Err(Problem::new(
                StatusCode::MISDIRECTED_REQUEST,
                "the Host header is not a name of this server; `allowed_hosts` in the configuration admits more",
            ));
        }
        if let Some(origin) = origin {
            let origin = origin.to_ascii_lowercase();
            if self.admitted.contains(&origin) {
                // To its browser it is another site, and that is meant.
                return Ok(());
            }
            if !self.origins.contains(&origin) {
                return Err(Problem::new(
                    StatusCode::FORBIDDEN,
                    "pages of other origins may not connect; `allowed_origins` in the configuration admits one",
                ));
            }
        }
        let site = single(headers, &HeaderName::from_static("sec-fetch-site"))?;
        if site.is_some_and(|site| site.eq_ignore_ascii_case("cross-site")) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "requests that another site starts are refused",
            ));
        }
        Ok(())
    }
}

impl Names {
    /// The origin of a page that is not ours but admitted.
    pub(crate) fn admitted<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let name = origin.to_str().ok()?.to_ascii_lowercase();
        self.admitted.contains(&name).then_some(origin)
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        let detail = format!("the request has more than one {name} header");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    value
        .to_str()
        .map(Some)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, format!("the {name} header is not readable")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expect: u16, lines: &[(&'static str, &'static str)]) {
        let names = Names::new([8765], &["proxy.example".into()], &["https://dash.example".into()]);
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a header"));
        }
        let got = names.check(&Uri::from_static("/"), &headers);
        let got = got.map_or_else(|problem| problem.status().as_u16(), |()| 200);
        assert_eq!(got, expect, "{lines:?}");
    }

    #[test]
    fn only_our_own_names_get_in() {
        check(200, &[("host", "127.0.0.1:8765")]);
        check(200, &[("host", "localhost:8765")]);
        check(200, &[("host", "LocalHost:8765")]);
        check(200, &[("host", "[::1]:8765")]);
        check(200, &[("host", "proxy.example")]);
        check(421, &[("host", "localhost")]);
        check(421, &[("host", "localhost:8766")]);
        check(421, &[("host", "evil.example:8765")]);
        check(421, &[("host", "localhost.evil.example:8765")]);
        check(400, &[]);
        check(400, &[("host", "localhost:8765"), ("host", "localhost:8765")]);
    }

    #[test]
    fn an_admitted_page_is_named_so_that_its_browser_lets_it_read() {
        let names = Names::new([8765], &[], &["https://Dash.example".into()]);
        let told = |origin: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            names.admitted(&headers).is_some()
        };
        assert!(told("https://dash.example"));
        assert!(!told("http://localhost:8765") && !told("https://other.example"));
    }

    #[test]
    fn only_our_own_pages_get_in() {
        let host = ("host", "localhost:8765");
        check(200, &[host, ("origin", "http://localhost:8765")]);
        check(
            200,
            &[
                host,
                ("origin", "http://127.0.0.1:8765"),
                ("sec-fetch-site", "same-site"),
            ],
        );
        check(
            200,
            &[
                host,
                ("origin", "https://dash.example"),
                ("sec-fetch-site", "cross-site"),
            ],
        );
        check(403, &[host, ("origin", "null")]);
        check(403, &[host, ("origin", "")]);
        check(403, &[host, ("origin", "https://localhost:8765")]);
        check(403, &[host, ("origin", "http://localhost:3000")]);
        check(403, &[host, ("origin", "http://localhost:8765.evil.example")]);
        check(403, &[host, ("sec-fetch-site", "cross-site")]);
        let own = ("origin", "http://localhost:8765");
        check(403, &[host, own, ("sec-fetch-site", "cross-site")]);
        check(200, &[host, ("sec-fetch-site", "none")]);
        check(
            400,
            &[
                host,
                ("origin", "http://localhost:8765"),
                ("origin", "http://localhost:8765"),
            ],
        );
    }
}
