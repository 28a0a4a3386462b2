//! What the configuration, or a person in the window, says of an upstream, checked.

use std::path::PathBuf;

use axum::http::Uri;
use countersign_model::Origin;
use serde::{Deserialize, Serialize};

use crate::outward::{named, secret};

/// `[[upstream]]` as it is written, in the configuration and over REST.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenUpstream {
    name: String,
    dialect: String,
    url: String,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    token_file: Option<PathBuf>,
}

/// What an upstream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Speaks {
    Sam,
    Hive,
    Amiga,
    Cloud,
    Codex,
}

impl Speaks {
    pub(crate) fn origin(self) -> Origin {
        match self {
            Self::Sam => Origin::Sam,
            Self::Hive => Origin::Hive,
            Self::Amiga => Origin::Amiga,
            Self::Cloud => Origin::Cloud,
            Self::Codex => Origin::Codex,
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Sam, Self::Hive, Self::Amiga, Self::Cloud, Self::Codex]
            .into_iter()
            .find(|dialect| dialect.origin().as_str() == name)
    }
}

/// A server to attach to.
#[derive(Clone, PartialEq, Eq)]
pub struct UpstreamSettings {
    pub(crate) name: String,
    pub(crate) speaks: Speaks,
    pub(crate) url: Uri,
    pub(crate) token: Option<String>,
}

impl std::fmt::Debug for UpstreamSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamSettings")
            .field("name", &self.name)
            .field("speaks", &self.speaks)
            .finish_non_exhaustive()
    }
}

/// What is wrong with an upstream as it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("upstream {name}: {error}")]
pub struct UpstreamError {
    /// Its name.
    pub name: String,
    /// What is wrong, and what to do.
    pub error: String,
    /// Which field.
    pub field: &'static str,
}

impl UpstreamSettings {
    /// Checks what is written. A file is read only for those who may: a request over REST must not name one.
    pub(crate) fn check(written: WrittenUpstream, files: bool) -> Result<Self, UpstreamError> {
        let wrong = |field, error: String| UpstreamError {
            name: written.name.clone(),
            error,
            field,
        };
        named(&written.name).map_err(|error| wrong("name", error))?;
        let speaks = Speaks::parse(&written.dialect).ok_or_else(|| {
            let error = format!(
                "the dialect {:?} is none of sam, hive, amiga, cloud and codex",
                written.dialect
            );
            wrong("dialect", error)
        })?;
        let uri: Uri = written
            .url
            .parse()
            .map_err(|error| wrong("url", format!("`url` cannot be read: {error}")))?;
        let url = socket(&uri, speaks).map_err(|error| wrong("url", error))?;
        if !files && written.token_file.is_some() {
            return Err(wrong(
                "token_file",
                "`token_file` is for the configuration; give `token`".into(),
            ));
        }
        let token = secret("`token`", written.token.clone(), written.token_file.as_deref())
            .map_err(|error| wrong("token", error))?;
        Ok(Self {
            name: written.name,
            speaks,
            url,
            token: token.filter(|token| !token.is_empty()),
        })
    }

    /// As it is kept in the data folder.
    pub(crate) fn kept(&self) -> serde_json::Value {
        serde_json::json!({
            "name": self.name,
            "dialect": self.speaks,
            "url": self.url.to_string(),
            "token": self.token,
        })
    }
}

/// The WebSocket's address: `http` is `ws`, and what a dialect's path is when none is given.
fn socket(uri: &Uri, speaks: Speaks) -> Result<Uri, String> {
    let scheme = match uri.scheme_str() {
        Some("ws" | "http") => "ws",
        Some("wss" | "https") => "wss",
        _ => return Err("`url` must start with ws://, wss://, http:// or https://".into()),
    };
    let authority = uri.authority().filter(|authority| !authority.host().is_empty());
    let authority = authority.ok_or("`url` names no host")?.as_str();
    if authority.contains('@') {
        return Err("`url` must not hold a user or password; give a `token`".into());
    }
    let path = match (speaks, uri.path()) {
        (Speaks::Amiga, "" | "/") => "/socket.io/",
        (_, "") => "/",
        (_, path) => path,
    };
    let query = uri.query().map_or(String::new(), |query| format!("?{query}"));
    format!("{scheme}://{authority}{path}{query}")
        .parse()
        .map_err(|error| format!("`url` cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dialect: &str, url: &str) -> Result<String, String> {
        let written = WrittenUpstream {
            name: "up".into(),
            dialect: dialect.into(),
            url: url.into(),
            token: None,
            token_file: None,
        };
        UpstreamSettings::check(written, true)
            .map(|settings| settings.url.to_string())
            .map_err(|error| error.field.to_owned())
    }

    #[test]
    fn an_address_becomes_the_one_that_its_dialect_is_spoken_at() {
        assert_eq!(check("sam", "ws://localhost:8765"), Ok("ws://localhost:8765/".into()));
        assert_eq!(
            check("amiga", "http://localhost:3000"),
            Ok("ws://localhost:3000/socket.io/".into())
        );
        assert_eq!(
            check("cloud", "https://h.example/ws?a=b"),
            Ok("wss://h.example/ws?a=b".into())
        );
        for (dialect, url, field) in [
            ("smoke", "ws://h", "dialect"),
            ("sam", "ftp://h", "url"),
            ("sam", "h:1", "url"),
            ("sam", "ws://u:p@h", "url"),
        ] {
            assert_eq!(check(dialect, url), Err(field.into()), "{dialect} {url}");
        }
    }
}
