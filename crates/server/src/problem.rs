//! Errors as RFC 9457 problem documents.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_dialects::sam::WireError;
use countersign_hub::{AnswerError, ArchiveError, AskError, CommitError, PublishError, Refusal, SessionError};
use serde_json::{Map, Value, json};

/// `application/problem+json`: what is wrong, and what to do.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    body: Map<String, Value>,
}

impl Problem {
    /// A problem without a type of its own.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let mut body = Map::new();
        body.insert("type".into(), json!("about:blank"));
        body.insert("title".into(), json!(status.canonical_reason().unwrap_or("Error")));
        body.insert("status".into(), json!(status.as_u16()));
        body.insert("detail".into(), json!(detail.into()));
        Self { status, body }
    }

    /// With one more member.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.body.insert(name.to_owned(), value);
        self
    }

    /// What is wrong, in words.
    pub(crate) fn detail(&self) -> &str {
        self.body.get("detail").and_then(Value::as_str).unwrap_or_default()
    }

    /// Names the field as it stands in an envelope: within `data`.
    pub(crate) fn in_data(mut self) -> Self {
        if let Some(Value::String(field)) = self.body.get_mut("field") {
            field.insert_str(0, "data.");
        }
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A valid credential is missing, or one with more rights.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// A right is missing, and whoever asks is known.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Value::Object(self.body).to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::PAYLOAD_TOO_LARGE {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<WireError> for Problem {
    fn from(error: WireError) -> Self {
        let problem = Self::bad_request(error.error);
        match error.field {
            Some(field) => problem.with("field", json!(field)),
            None => problem,
        }
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        let status = match error {
            PublishError::HubOnly(_) => StatusCode::FORBIDDEN,
            PublishError::Empty => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string()).with("field", json!("type"))
    }
}

impl From<CommitError> for Problem {
    fn from(error: CommitError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl From<ArchiveError> for Problem {
    fn from(error: ArchiveError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let status = match &error {
            AskError::Refused(Refusal::Conflict(_) | Refusal::TooManySessions(_)) => StatusCode::CONFLICT,
            AskError::Refused(Refusal::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            AskError::Refused(Refusal::TooMany) | AskError::Archive(_) => StatusCode::SERVICE_UNAVAILABLE,
            AskError::Refused(Refusal::Arguments(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let field = match &error {
            AskError::Refused(Refusal::Conflict(_) | Refusal::TooManySessions(_)) => json!("request_id"),
            AskError::Refused(Refusal::Arguments(_)) => json!("arguments"),
            AskError::Refused(Refusal::TooLarge { .. } | Refusal::TooMany) | AskError::Archive(_) => {
                return Self::new(status, error.to_string());
            }
        };
        Self::new(status, error.to_string()).with("field", field)
    }
}

impl From<AnswerError> for Problem {
    fn from(error: AnswerError) -> Self {
        let detail = error.to_string();
        match error {
            AnswerError::NotFound => Self::new(StatusCode::NOT_FOUND, detail),
            AnswerError::Ambiguous => Self::new(StatusCode::CONFLICT, detail),
            AnswerError::Unsupported(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail),
            AnswerError::Archive(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail),
            AnswerError::Resolved(approval) => {
                let recorded = serde_json::to_value(&*approval).unwrap_or_default();
                Self::new(StatusCode::CONFLICT, detail)
                    .with("approval_status", json!(approval.status))
                    .with("decision", serde_json::to_value(&approval.decision).unwrap_or_default())
                    .with("approval", recorded)
            }
        }
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        let status = match error {
            SessionError::NotFound => StatusCode::NOT_FOUND,
            SessionError::Ambiguous => StatusCode::CONFLICT,
            SessionError::Archive(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}
