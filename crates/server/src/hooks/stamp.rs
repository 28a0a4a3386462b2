//! What comes in the headers of a hook's request: who asks, and what was sent before or comes late.

use axum::http::HeaderMap;
use countersign_hub::{Mark, random_hex};
use countersign_model::Millis;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// Names one hook process; the same again is the same question.
const REQUEST: &str = "x-countersign-request";
/// When a hook happened that could not be delivered then.
const LATE: &str = "x-countersign-late";
/// Names what was kept to be delivered later: `ID:N`.
const SPOOL: &str = "x-countersign-spool";
/// Bytes of such a name.
const MAX_ID: usize = 128;

/// A request's headers, as far as they are about the hook.
#[derive(Debug)]
pub(super) struct Stamp {
    /// Names the hook process.
    pub(super) request: String,
    /// Recognises what was taken in before; without one the sender never sends twice.
    pub(super) mark: Option<Mark>,
    /// When it happened, RFC 3339.
    pub(super) late: Option<String>,
}

impl Stamp {
    /// Of what was kept under the id of its hook.
    pub(super) fn spooled(id: &str, time: Millis) -> Self {
        Self {
            request: id.to_owned(),
            mark: Some(mark(id)),
            late: Some(time.to_rfc3339()),
        }
    }

    /// Whether it happens now, and has an id by which it is recognised if it comes again.
    pub(super) fn is_live(&self) -> bool {
        self.late.is_none() && self.mark == Some(mark(&self.request))
    }

    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let text = |name: &'static str| match headers.get(name).map(|value| value.to_str()) {
            None => Ok(None),
            Some(Ok(text))
                if !text.is_empty() && text.len() <= MAX_ID && text.bytes().all(|byte| byte.is_ascii_graphic()) =>
            {
                Ok(Some(text.to_owned()))
            }
            Some(_) => Err(
                Problem::bad_request(format!("`{name}` is {MAX_ID} visible characters at most"))
                    .with("field", name.into()),
            ),
        };
        let late = text(LATE)?;
        if late.as_deref().is_some_and(|late| Millis::parse(late).is_none()) {
            return Err(Problem::bad_request(format!("`{LATE}` is a time as in RFC 3339")).with("field", LATE.into()));
        }
        let request = text(REQUEST)?;
        // The first delivery and the one from the spool carry the same id.
        let spooled = text(SPOOL)?.map(|spool| match spool.strip_suffix(":1") {
            Some(id) => id.to_owned(),
            None => spool,
        });
        let mark = spooled.as_ref().or(request.as_ref()).map(|id| mark(id));
        Ok(Self {
            request: request.or(spooled).unwrap_or_else(|| random_hex(16)),
            mark,
            late,
        })
    }
}

fn mark(id: &str) -> Mark {
    let digest = Sha256::digest(format!("hook\n{id}"));
    let mut mark = [0; 16];
    mark.copy_from_slice(&digest[..16]);
    Mark(mark)
}
