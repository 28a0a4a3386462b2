//! Places in the log: an epoch names a run of the hub, a sequence number the place.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Seq;

/// Names one run of the hub. Opaque; never contains `:`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export, type = "string"))]
#[serde(transparent)]
pub struct Epoch(Arc<str>);

impl Epoch {
    /// An epoch from its text. `:` is not part of an epoch and is left out.
    pub fn new(text: &str) -> Self {
        Self(text.chars().filter(|c| *c != ':').collect::<String>().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A resume point as clients write it: `SEQ`, or `EPOCH:SEQ`. Exclusive: the first event wanted is the one after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// The epoch the client saw `seq` in; without one, the current epoch is meant.
    pub epoch: Option<Epoch>,
    /// The last event the client has.
    pub seq: Seq,
}

/// Why a resume point could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`since` is SEQ or EPOCH:SEQ with SEQ a whole number, such as 120 or 5f0c1d2e:120")]
pub struct SinceError;

impl FromStr for Since {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, SinceError> {
        let (epoch, seq) = match text.rsplit_once(':') {
            Some(("", _)) => return Err(SinceError),
            Some((epoch, _)) if epoch.contains(':') => return Err(SinceError),
            Some((epoch, seq)) => (Some(Epoch::new(epoch)), seq),
            None => (None, text),
        };
        if seq.is_empty() || !seq.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SinceError);
        }
        Ok(Self {
            epoch,
            seq: seq.parse().map_err(|_| SinceError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_seq_with_or_without_its_epoch() {
        assert_eq!("7".parse(), Ok(Since { epoch: None, seq: 7 }));
        assert_eq!(
            "ab12:7".parse(),
            Ok(Since {
                epoch: Some(Epoch::new("ab12")),
                seq: 7
            })
        );
        for bad in ["", ":7", "a:", "a:b:7", "-1", "+1", "7 ", "99999999999999999999"] {
            assert_eq!(bad.parse::<Since>(), Err(SinceError), "{bad:?}");
        }
    }
}
