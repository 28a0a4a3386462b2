//! HTTP hooks of ours as they stand in settings: what is sent with them, and how they were chosen.

use super::{Entry, Http};

/// The header that a hub takes a token from.
pub(super) const TOKEN: &str = "X-Countersign-Token";

impl Entry {
    /// The choice that led to this entry, where it is an HTTP hook of ours.
    #[must_use]
    pub fn http(&self) -> Option<Http> {
        let token = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(TOKEN));
        let variable = token.and_then(|(_, value)| {
            let name = value.strip_prefix('$')?;
            let name = name
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
                .unwrap_or(name);
            self.variables.iter().find(|known| *known == name)
        });
        (self.ours && self.program.is_none()).then(|| Http {
            url: self.runs.clone(),
            token_variable: variable.cloned(),
        })
    }

    /// The headers that Claude Code sends: variables of those names that are allowed are put in, others are empty, line breaks fall out
    /// (code.claude.com/docs/en/hooks, "HTTP hook fields"; Claude Code 2.1.197).
    #[must_use]
    pub fn sent(&self, variable: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
        let mut value = |name: &str| {
            let allowed = self.variables.iter().any(|known| known == name);
            allowed.then(|| variable(name)).flatten().unwrap_or_default()
        };
        let headers = self.headers.iter();
        headers
            .map(|(name, text)| (name.clone(), put_in(text, &mut value)))
            .collect()
    }

    /// The variables that its headers name.
    #[must_use]
    pub fn named(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (_, text) in &self.headers {
            put_in(text, &mut |name| {
                names.push(name.to_owned());
                String::new()
            });
        }
        names
    }
}

fn put_in(text: &str, value: &mut dyn FnMut(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(place) = rest.find('$') {
        out.push_str(&rest[..place]);
        let after = &rest[place + 1..];
        let braced = after.strip_prefix('{');
        let body = braced.unwrap_or(after);
        let first = body.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
        let length = body
            .find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
            .unwrap_or(body.len());
        let (name, behind) = body.split_at(length);
        let behind = if braced.is_some() {
            behind.strip_prefix('}')
        } else {
            Some(behind)
        };
        match behind.filter(|_| first) {
            Some(behind) => {
                out.push_str(&value(name));
                rest = behind;
            }
            None => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out.retain(|c| !matches!(c, '\r' | '\n' | '\0'));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: &str) -> Entry {
        Entry {
            ours: true,
            runs: "http://127.0.0.1:8765/hooks/claude-code".to_owned(),
            headers: vec![("x-countersign-token".to_owned(), value.to_owned())],
            variables: vec!["TOKEN".to_owned()],
            ..Entry::default()
        }
    }

    fn check(value: &str, sent: &str, variable: Option<&str>) {
        let entry = entry(value);
        let headers = entry.sent(|name| Some(format!("<{name}>\n")));
        assert_eq!(headers[0].1, sent, "{value}");
        let http = entry.http().expect("ours");
        assert_eq!(http.token_variable.as_deref(), variable, "{value}");
    }

    #[test]
    fn variables_are_put_in_as_claude_does() {
        check("$TOKEN", "<TOKEN>", Some("TOKEN"));
        check("${TOKEN}", "<TOKEN>", Some("TOKEN"));
        check("Bearer ${TOKEN}x$TOKEN-", "Bearer <TOKEN>x<TOKEN>-", None);
        check("$OTHER", "", None);
        check("literal$", "literal$", None);
        check("${TOKEN $x $1", "${TOKEN $x $1", None);
        assert_eq!(entry("a$TOKEN${B}").named(), ["TOKEN", "B"]);
    }
}
