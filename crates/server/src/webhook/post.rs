//! One event to one target: the request, its signature, and what the answer means.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use bytes::Bytes;
use countersign_dialects::hive;
use countersign_model::{Event, Millis};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sha2::Sha256;

use super::WebhookSettings;
use crate::VERSION;
use crate::outward::tls;

/// How long a connection, and a whole request, may take.
const CONNECT: Duration = Duration::from_secs(10);
const REQUEST: Duration = Duration::from_secs(30);
/// What is read of an answer, in bytes, before its connection is given up instead of being used again.
const MAX_ANSWER: usize = 64 * 1024;
/// The longest time that a target may ask us to wait.
const MAX_WAIT: Duration = Duration::from_secs(3600);

pub(crate) type Http = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client that follows no redirects and keeps connections.
pub(crate) fn client() -> Http {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config((*tls()).clone())
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Client::builder(TokioExecutor::new()).build(connector)
}

/// What became of an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The target has it.
    Taken,
    /// Not now; and not before so long.
    Later(String, Option<Duration>),
    /// The target will not have it.
    Refused(String),
}

/// Posts an event and says what became of it.
pub(crate) async fn post(http: &Http, settings: &WebhookSettings, event: &Event, now: Millis) -> Outcome {
    let request = match request(settings, event, now) {
        Ok(request) => request,
        Err(error) => return Outcome::Refused(format!("no request can be made of it: {error}")),
    };
    let sent = async {
        let response = http.request(request).await.map_err(|error| why(&error))?;
        let (parts, body) = response.into_parts();
        // Read to its end, the connection can be used again.
        let _ = Limited::new(body, MAX_ANSWER).collect().await;
        Ok::<_, String>(parts)
    };
    match tokio::time::timeout(REQUEST, sent).await {
        Ok(Ok(parts)) => judge(parts.status, parts.headers.get(header::RETRY_AFTER), now),
        Ok(Err(error)) => Outcome::Later(error, None),
        Err(_) => Outcome::Later(format!("no answer within {} s", REQUEST.as_secs()), None),
    }
}

/// An error with what is behind it.
fn why(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

fn judge(status: StatusCode, retry_after: Option<&HeaderValue>, now: Millis) -> Outcome {
    let said = format!("the target answered {status}");
    if status.is_success() {
        return Outcome::Taken;
    }
    let transient = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY
        );
    if !transient {
        return Outcome::Refused(said);
    }
    let wait = retry_after
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_in(value, now))
        .map(|wait| wait.min(MAX_WAIT));
    Outcome::Later(said, wait)
}

/// `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
fn retry_in(value: &str, now: Millis) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value.trim()).ok()?;
    let at = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(now.0).ok()?);
    Some(at.saturating_sub(now))
}

fn request(settings: &WebhookSettings, event: &Event, now: Millis) -> Result<Request<Full<Bytes>>, axum::http::Error> {
    let body = hive::event_object(event);
    let stream = HeaderValue::from_bytes(hive::stream_id(event).as_bytes())?;
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(settings.url.clone())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, format!("countersign/{VERSION}"))
        .header(HeaderName::from_static("x-stream-id"), stream)
        .header(HeaderName::from_static("x-countersign-event-id"), event.id());
    if let Some(secret) = &settings.secret {
        let signature = signature(secret, now.0 / 1000, &body);
        request = request.header(HeaderName::from_static("x-countersign-signature"), signature);
    }
    request.body(Full::new(Bytes::from(body)))
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 over `SECONDS.BODY`.
fn signature(secret: &[u8], seconds: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length will do");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body.as_bytes());
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("t={seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_hmac_sha256_over_time_and_body() {
        // python3 -c "import hmac; print(hmac.new(b'key', b'1.{}', 'sha256').hexdigest())"
        assert_eq!(
            signature(b"key", 1, "{}"),
            "t=1,v1=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"
        );
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_cannot_is_not() {
        let judge = |status: u16, after: Option<&'static str>| {
            let after = after.map(HeaderValue::from_static);
            match judge(
                StatusCode::from_u16(status).expect("a status"),
                after.as_ref(),
                Millis(0),
            ) {
                Outcome::Taken => "taken".to_owned(),
                Outcome::Refused(_) => "refused".to_owned(),
                Outcome::Later(_, wait) => format!("{wait:?}"),
            }
        };
        for (status, after, expect) in [
            (200, None, "taken"),
            (204, None, "taken"),
            (301, None, "refused"),
            (400, None, "refused"),
            (410, None, "refused"),
            (408, None, "None"),
            (429, Some("7"), "Some(7s)"),
            (503, Some("Thu, 01 Jan 1970 00:00:09 GMT"), "Some(9s)"),
            (500, Some("soon"), "None"),
            (429, Some("999999999"), "Some(3600s)"),
        ] {
            assert_eq!(judge(status, after), expect, "{status} {after:?}");
        }
    }
}
