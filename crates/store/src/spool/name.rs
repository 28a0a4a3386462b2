//! A letter's file name says when it was written, which one it is and how large, so that a folder is put in order, and bounded,
//! without opening or measuring a file.

use std::fmt;

/// `MICROSECONDS-ID-BYTES.json`; names sort by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// When its hook ran, in microseconds since the Unix epoch.
    pub(super) micros: u64,
    /// Its id: 32 hex digits.
    pub(super) id: String,
    /// The file's size.
    pub(super) bytes: u64,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}-{}-{}.json", self.micros, self.id, self.bytes)
    }
}

impl Name {
    /// Whatever else lies in the folder is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_suffix(".json")?.split('-');
        let (micros, id, bytes) = (parts.next()?, parts.next()?, parts.next()?);
        let plain = micros.len() == 20 && is_id(id) && parts.next().is_none();
        plain
            .then(|| {
                Some(Self {
                    micros: micros.parse().ok()?,
                    id: id.to_owned(),
                    bytes: bytes.parse().ok()?,
                })
            })
            .flatten()
    }
}

/// 32 lower-case hex digits.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_sort_by_time() {
        let id = "0123456789abcdef0123456789abcdef".to_owned();
        let one = Name {
            micros: 999,
            id: id.clone(),
            bytes: 7,
        };
        let two = Name {
            micros: 1000,
            id: id.clone(),
            bytes: 3,
        };
        assert_eq!(Name::parse(&one.to_string()), Some(one.clone()));
        assert!(one < two && one.to_string() < two.to_string());
        for text in [
            "",
            ".json",
            "1-2-3.json",
            ".draft-1",
            "dropped",
            "../x.json",
            &format!("{:020}-{id}-1.json.old", 1),
        ] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }
}
