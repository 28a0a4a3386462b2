//! What an exporter is answered, in the encoding in which it asked (OTLP 1.x, "OTLP/HTTP Response").

use prost::Message;
use serde_json::json;

use super::{Encoding, Signal};

/// A body with its content type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// `ExportLogsServiceResponse` and its two siblings, which have the same shape.
#[derive(Message)]
struct Response {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<Partial>,
}

#[derive(Message)]
struct Partial {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// `google.rpc.Status`.
#[derive(Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// All was taken in, but for `rejected` records, which must not come again; `why` says what was wrong with them.
pub fn success(signal: Signal, encoding: Encoding, rejected: usize, why: &str) -> Answer {
    let count = i64::try_from(rejected).unwrap_or(i64::MAX);
    let body = match encoding {
        Encoding::Protobuf => Response {
            partial_success: (rejected > 0).then(|| Partial {
                rejected: count,
                error_message: why.to_owned(),
            }),
        }
        .encode_to_vec(),
        Encoding::Json if rejected == 0 => b"{}".to_vec(),
        Encoding::Json => {
            let name = match signal {
                Signal::Logs => "rejectedLogRecords",
                Signal::Metrics => "rejectedDataPoints",
                Signal::Traces => "rejectedSpans",
            };
            let body = json!({"partialSuccess": {name: count.to_string(), "errorMessage": why}});
            body.to_string().into_bytes()
        }
    };
    Answer {
        content_type: encoding.content_type(),
        body,
    }
}

/// Nothing was taken in. `code` is one of `google.rpc.Code`.
pub fn failure(encoding: Encoding, code: i32, message: &str) -> Answer {
    let body = match encoding {
        Encoding::Protobuf => Status {
            code,
            message: message.to_owned(),
        }
        .encode_to_vec(),
        Encoding::Json => json!({ "code": code, "message": message }).to_string().into_bytes(),
    };
    Answer {
        content_type: encoding.content_type(),
        body,
    }
}
