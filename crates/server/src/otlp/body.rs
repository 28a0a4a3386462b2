//! A request's body: what comes over the wire first, then what it unpacks to, each within its bounds.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, Request as Message, Response, StatusCode, header};
use countersign_dialects::limits::MAX_PUBLISH;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tower::{Layer, ServiceExt, service_fn};
use tower_http::decompression::{DecompressionBody, RequestDecompressionLayer};

use super::{Refusal, code};

/// How long a body may take to come in.
const BODY: Duration = Duration::from_secs(60);

/// A whole body as it came.
pub(super) struct Packed {
    bytes: Bytes,
    /// `gzip`, or not packed.
    gzip: bool,
}

fn too_large() -> Refusal {
    let message = format!("a body may have {MAX_PUBLISH} bytes, unpacked; export smaller batches");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, code::RESOURCE_EXHAUSTED, message)
}

/// Reads the body off the wire.
pub(super) async fn read(request: Request) -> Result<Packed, Refusal> {
    let gzip = is_gzip(&request)?;
    let body = Limited::new(request.into_body(), MAX_PUBLISH).collect();
    match tokio::time::timeout(BODY, body).await {
        Ok(Ok(body)) => Ok(Packed {
            bytes: body.to_bytes(),
            gzip,
        }),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(Refusal::bad_request(format!("the body cannot be read: {error}"))),
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            code::UNAVAILABLE,
            "the body took too long",
        )),
    }
}

fn is_gzip(request: &Request) -> Result<bool, Refusal> {
    let mut gzip = false;
    for coding in request.headers().get_all(header::CONTENT_ENCODING) {
        let coding = coding.to_str().unwrap_or("?").trim().to_ascii_lowercase();
        match coding.as_str() {
            "" | "identity" => {}
            "gzip" | "x-gzip" if !gzip => gzip = true,
            _ => {
                let message = "a body is packed with gzip, once, or not at all";
                return Err(Refusal::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    code::INVALID_ARGUMENT,
                    message,
                ));
            }
        }
    }
    Ok(gzip)
}

/// The plain bytes as a response. A function with a name: as an async closure it makes rustc 1.95 fail when it compiles a second time
/// (unstable fingerprints for `evaluate_obligation`).
async fn unpacked(packed: Message<DecompressionBody<Full<Bytes>>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut unpacked = Response::new(Full::default());
    match Limited::new(packed.into_body(), MAX_PUBLISH).collect().await {
        Ok(whole) => *unpacked.body_mut() = Full::new(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => *unpacked.status_mut() = StatusCode::PAYLOAD_TOO_LARGE,
        Err(_) => *unpacked.status_mut() = StatusCode::BAD_REQUEST,
    }
    Ok(unpacked)
}

impl Packed {
    /// Unpacks it. A few bytes may stand for very many: whoever calls this sees to it that few do so at once.
    pub(super) async fn unpack(self) -> Result<Bytes, Refusal> {
        if !self.gzip {
            return Ok(self.bytes);
        }
        let mut packed = Message::new(Full::new(self.bytes));
        let headers = packed.headers_mut();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let reply = match RequestDecompressionLayer::new()
            .layer(service_fn(unpacked))
            .oneshot(packed)
            .await
        {
            Ok(reply) => reply,
            Err(never) => match never {},
        };
        let status = reply.status();
        match (status, reply.into_body().collect().await) {
            (StatusCode::OK, Ok(body)) => Ok(body.to_bytes()),
            (StatusCode::PAYLOAD_TOO_LARGE, _) => Err(too_large()),
            _ => Err(Refusal::bad_request("the body is not gzip, or is broken off")),
        }
    }
}
