//! A client's message before the library reads it: what it would refuse in its own words, or read as something else, is refused in
//! those of JSON-RPC 2.0.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_model::canonical::{CanonicalError, digest};
use serde_json::value::RawValue;
use serde_json::{Value, json};

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const INVALID_PARAMS: i32 = -32602;

/// Why a message is not taken.
#[derive(Debug, PartialEq)]
pub(super) struct Refused {
    /// What the answer names; null where the message does not say.
    id: Value,
    code: i32,
    message: String,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        // A call that is understood is answered; what is no call is a bad request.
        let status = if self.code == INVALID_PARAMS {
            StatusCode::OK
        } else {
            StatusCode::BAD_REQUEST
        };
        let error = json!({ "code": self.code, "message": self.message });
        let body = json!({ "jsonrpc": "2.0", "id": self.id, "error": error });
        let headers = [(header::CONTENT_TYPE, "application/json")];
        (status, headers, body.to_string()).into_response()
    }
}

/// Judges one message.
pub(super) fn judge(body: &[u8]) -> Result<(), Refused> {
    let refused = |id: &Value, code, message: &str| {
        Err(Refused {
            id: id.clone(),
            code,
            message: message.to_owned(),
        })
    };
    let raw: &RawValue = match serde_json::from_slice(body) {
        Ok(raw) => raw,
        Err(error) => return refused(&Value::Null, PARSE_ERROR, &format!("not JSON: {error}")),
    };
    let message: Value = match serde_json::from_str(raw.get()) {
        Ok(message) => message,
        Err(error) => {
            return refused(
                &Value::Null,
                PARSE_ERROR,
                &format!("not JSON that can be read: {error}"),
            );
        }
    };
    let Some(fields) = message.as_object() else {
        let why = "a message is one JSON object; batches are no part of MCP any more";
        return refused(&Value::Null, INVALID_REQUEST, why);
    };
    let id = match fields.get("id") {
        Some(id @ (Value::String(_) | Value::Number(_))) => id,
        None => &Value::Null,
        Some(_) => return refused(&Value::Null, INVALID_REQUEST, "`id` is a string or a number"),
    };
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return refused(id, INVALID_REQUEST, "`jsonrpc` must be \"2.0\"");
    }
    let is_answer = fields.contains_key("result") || fields.contains_key("error");
    let method = match fields.get("method") {
        Some(Value::String(method)) => method.as_str(),
        None if is_answer => "",
        _ => {
            return refused(
                id,
                INVALID_REQUEST,
                "`method` is missing: a string such as \"tools/call\"",
            );
        }
    };
    match digest("", raw, None) {
        Ok(_) | Err(CanonicalError::Unreadable(_)) => {}
        Err(error) => return refused(id, INVALID_REQUEST, &error.to_string()),
    }
    if method == "tools/call" {
        let params = &message["params"];
        if !params["name"].is_string() {
            return refused(id, INVALID_PARAMS, "`params.name` is missing: the tool's name");
        }
        if !matches!(params.get("arguments"), None | Some(Value::Object(_))) {
            return refused(id, INVALID_PARAMS, "`params.arguments` must be an object");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &str) -> Option<(i32, Value)> {
        judge(body.as_bytes()).err().map(|refused| (refused.code, refused.id))
    }

    #[test]
    fn what_is_no_message_is_told_so_in_json_rpcs_words() {
        let null = Value::Null;
        for body in ["{nope", "", "\"\\ud800\""] {
            assert_eq!(code(body), Some((PARSE_ERROR, null.clone())), "{body}");
        }
        for body in [
            "[]",
            "5",
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":[],"method":"ping"}"#,
        ] {
            assert_eq!(code(body), Some((INVALID_REQUEST, null.clone())), "{body}");
        }
        for body in [
            r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            r#"{"id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":1,"a":2}}}"#,
        ] {
            assert_eq!(code(body), Some((INVALID_REQUEST, json!(1))), "{body}");
        }
        for params in ["null", "{}", r#"{"name":5}"#, r#"{"name":"x","arguments":"y"}"#] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{params}}}"#);
            assert_eq!(code(&body), Some((INVALID_PARAMS, json!("a"))), "{body}");
        }
    }

    #[test]
    fn what_is_a_message_goes_on() {
        for body in [
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":1}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
        ] {
            assert_eq!(code(body), None, "{body}");
        }
    }
}
