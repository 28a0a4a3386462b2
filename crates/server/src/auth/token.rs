//! Making tokens: what is wished for, the secret in the data folder, and the claims that are signed.

use std::path::Path;

use countersign_hub::random_hex;
use countersign_model::Millis;
use countersign_store::{FolderError, private_file};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::jwt;

/// The file in the data folder whose content signs tokens: 64 hexadecimal digits, 256 random bits.
const SECRET_FILE: &str = "jwt.secret";
/// A token that outlives this has no use for an end: ten years, in seconds.
pub const MAX_TTL: i64 = 10 * 366 * 24 * 60 * 60;

/// A role that a token can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Publishes and asks.
    Agent,
    /// Reads.
    Monitor,
    /// Answers, stops, writes rules.
    Approver,
}

/// A token that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenWish {
    /// What it may do.
    pub roles: Vec<Role>,
    /// Where; none named means everywhere.
    #[serde(default)]
    pub streams: Vec<String>,
    /// Whose it is.
    #[serde(default)]
    pub subject: Option<String>,
    /// How long it lasts, in seconds.
    pub ttl: i64,
}

impl TokenWish {
    /// The signed token. Its claims are those of RFC 7519 and two of our own, `roles` and `streams`.
    pub(crate) fn signed(&self, secret: &[u8], now: Millis) -> String {
        let issued = now.0.div_euclid(1000);
        let mut claims = Map::new();
        if let Some(subject) = &self.subject {
            claims.insert("sub".into(), json!(subject));
        }
        claims.insert("roles".into(), json!(self.roles));
        let everywhere = vec!["*".to_owned()];
        let streams = if self.streams.is_empty() {
            &everywhere
        } else {
            &self.streams
        };
        claims.insert("streams".into(), json!(streams));
        claims.insert("iat".into(), Value::from(issued));
        claims.insert(
            "exp".into(),
            Value::from(issued.saturating_add(self.ttl.clamp(0, MAX_TTL))),
        );
        jwt::sign(secret, &claims)
    }
}

/// Why there is no secret to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The file.
    #[error("{path} cannot be read: {source}")]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// A secret that anybody can guess.
    #[error("{0} holds no secret: at least 32 random bytes are right (RFC 7518, section 3.2)")]
    Empty(std::path::PathBuf),
}

/// The secret of a data folder, made at its first use.
pub(crate) fn folder_secret(folder: &Path) -> Result<Vec<u8>, SecretError> {
    let text = private_file(folder, SECRET_FILE, || format!("{}\n", random_hex(32)))?;
    trimmed(text.as_bytes(), &folder.join(SECRET_FILE), 32)
}

/// A secret that others sign with. The line break that editors end a file with is not part of it.
pub(crate) fn foreign_secret(path: &Path) -> Result<Vec<u8>, SecretError> {
    let bytes = std::fs::read(path).map_err(|source| SecretError::Read {
        path: path.to_owned(),
        source,
    })?;
    let secret = trimmed(&bytes, path, 1)?;
    if secret.len() < 32 {
        tracing::warn!(
            path = %path.display(),
            "the secret is shorter than the 32 bytes of RFC 7518, section 3.2: tokens signed with it can be forged by guessing"
        );
    }
    Ok(secret)
}

fn trimmed(bytes: &[u8], path: &Path, least: usize) -> Result<Vec<u8>, SecretError> {
    let end = bytes
        .iter()
        .rposition(|byte| !matches!(byte, b'\n' | b'\r'))
        .map_or(0, |last| last + 1);
    if end < least {
        return Err(SecretError::Empty(path.to_owned()));
    }
    Ok(bytes[..end].to_vec())
}

/// Signs a token with the secret of a data folder, whether a hub uses it now or not.
///
/// # Errors
/// When the secret can be neither read nor made.
pub fn sign_in_folder(folder: &Path, wish: &TokenWish, now: Millis) -> Result<String, SecretError> {
    Ok(wish.signed(&folder_secret(folder)?, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_its_line_break_is_not_part_of_it() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("data");
        let first = folder_secret(&folder).expect("made");
        assert_eq!((first.len(), folder_secret(&folder).expect("read")), (64, first));
        let path = home.path().join("others");
        for (text, expect) in [
            ("s\n", Some("s")),
            ("s\r\n", Some("s")),
            (" s ", Some(" s ")),
            ("\n", None),
            ("", None),
        ] {
            std::fs::write(&path, text).expect("written");
            let got = foreign_secret(&path).ok();
            assert_eq!(got.as_deref(), expect.map(str::as_bytes), "{text:?}");
        }
        std::fs::write(folder.join(SECRET_FILE), "short\n").expect("written");
        assert!(folder_secret(&folder).is_err());
    }
}
