//! What whoever lacks a right is told over HTTP.

use serde_json::json;

use super::{BadToken, Lack, StreamError};
use crate::problem::Problem;

impl From<BadToken> for Problem {
    fn from(error: BadToken) -> Self {
        Self::unauthorized(error.to_string())
    }
}

impl From<Lack> for Problem {
    fn from(lack: Lack) -> Self {
        Self::unauthorized(lack.to_string())
    }
}

impl From<StreamError> for Problem {
    fn from(error: StreamError) -> Self {
        Self::forbidden(error.to_string()).with("field", json!("stream"))
    }
}
