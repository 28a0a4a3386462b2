//! Who may do what: the roles and streams of a request or connection, and the credentials that give them.

mod access;
mod badge;
mod confirm;
mod jwt;
mod keys;
mod need;
mod refusal;
mod token;

use std::sync::Arc;

use axum::http::HeaderMap;
use countersign_hub::Hub;

pub(crate) use access::{Access, Lack, Roles, Standing, StreamError};
pub(crate) use badge::Badge;
pub use confirm::{Confirm, ConfirmAsk};
pub(crate) use keys::{ApproverGuard, BadToken, Keys, Lock, Secrets};
pub(crate) use need::Need;
pub use token::{MAX_TTL, Role, SecretError, TokenWish, sign_in_folder};
pub(crate) use token::{folder_secret, foreign_secret};

use crate::problem::Problem;
use crate::socket::{bearers, query};

/// The hub and the keys, as every route has them.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) hub: Arc<Hub>,
    pub(crate) keys: Arc<Keys>,
}

impl Door {
    /// What a request may do, by its `Authorization: Bearer` header, its `X-Countersign-Token` header or its `token`
    /// parameter (RFC 6750, section 2).
    ///
    /// # Errors
    /// 401 when the credential is not valid, or none was given where one is needed; 400 when two differ.
    pub(crate) fn access(&self, headers: &HeaderMap, text: Option<&str>) -> Result<Access, Problem> {
        self.access_of(given(headers, text)?.as_deref())
    }

    /// What a token allows now.
    ///
    /// # Errors
    /// Why it allows nothing.
    pub(crate) fn authenticate(&self, token: &str) -> Result<Access, BadToken> {
        self.keys.access(token, self.hub.now())
    }

    /// What a token allows now, wherever it came from: Hive's `auth` message, Socket.IO's auth payload.
    ///
    /// # Errors
    /// 401, as [`Door::access`].
    pub(crate) fn access_of(&self, token: Option<&str>) -> Result<Access, Problem> {
        match token {
            Some(token) => self.authenticate(token).map_err(Problem::from),
            None => self.keys.local().ok_or_else(|| Problem::from(Lack::Token)),
        }
    }
}

/// A token for programs that cannot set `Authorization`, such as an agent's HTTP hooks. Like one in an address it carries no right
/// to answer.
const TOKEN: &str = "x-countersign-token";

/// The token that a request carries.
///
/// # Errors
/// 400 when it carries two that differ: RFC 6750, section 3.1.
pub(crate) fn given(headers: &HeaderMap, text: Option<&str>) -> Result<Option<String>, Problem> {
    let mut given: Option<String> = None;
    let queried = query(text.unwrap_or_default());
    let queried = queried.into_iter().filter(|(name, _)| name == "token");
    let named = headers.get_all(TOKEN).iter().filter_map(|value| value.to_str().ok());
    for value in bearers(headers)
        .chain(named)
        .map(str::to_owned)
        .chain(queried.map(|(_, value)| value))
    {
        if given.as_ref().is_some_and(|first| *first != value) {
            return Err(Problem::bad_request("the request carries two different tokens"));
        }
        given = Some(value);
    }
    Ok(given)
}
