//! OpenTelemetry's protocol over HTTP (OTLP 1.x, opentelemetry.io/docs/specs/otlp): what agents export, from bytes to events.
//! Bodies are read here and turned into events; who listens, what was seen before and what becomes of it is others'.

mod answer;
mod attributes;
mod bounds;
mod claims;
mod claude;
mod codex;
mod gen_ai;
mod json;
mod mark;
mod memory;
mod metrics;
mod naming;
mod protobuf;
mod records;
mod requests;
mod telemetry;
mod telling;
#[cfg(test)]
mod tests;
mod told;

pub use answer::{Answer, failure, success};
pub use bounds::{MAX_RECORDS, MAX_VALUES};
pub use claims::{Claims, Teller};
pub use records::Records;
pub use telemetry::{Answered, Telemetry, Told};

/// The three signals, each with its own address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `/v1/logs`
    Logs,
    /// `/v1/metrics`
    Metrics,
    /// `/v1/traces`
    Traces,
}

/// How a body is written; the answer is written in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`
    Protobuf,
    /// `application/json`
    Json,
}

impl Encoding {
    /// From a content type, parameters and letter case aside.
    pub fn of(content_type: &str) -> Option<Self> {
        let name = content_type.split(';').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("application/x-protobuf") || name.eq_ignore_ascii_case("application/protobuf") {
            Some(Self::Protobuf)
        } else if name.eq_ignore_ascii_case("application/json") {
            Some(Self::Json)
        } else {
            None
        }
    }

    /// The content type of answers.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// Why a body cannot be read. The exporter must not send it again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not what its content type says.
    #[error("the body is not an OTLP export request: {0}")]
    Malformed(String),
    /// It is nested too deeply.
    #[error("the body is nested more than {0} deep")]
    TooDeep(usize),
    /// It has too many parts.
    #[error("the body has more than {0}; export smaller batches")]
    TooMany(String),
}

/// Reads the body of an export request.
///
/// # Errors
/// When it is not one, or is out of bounds.
pub fn decode(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<Records, Unreadable> {
    match encoding {
        Encoding::Protobuf => {
            bounds::check_protobuf(signal, body)?;
            protobuf::decode(signal, body)
        }
        Encoding::Json => {
            bounds::check_json(body)?;
            json::decode(signal, body)
        }
    }
}
