//! What one request or connection may do, and in which streams. Who may have what is for `Keys` to say.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use countersign_hub::Hub;
use countersign_model::{Millis, Verdict};

use crate::problem::Problem;

/// Expiry is looked at again after so long, so that a clock that is set does no harm.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// The three roles of the design; a token may have several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Roles {
    /// Publishes and asks.
    pub(crate) agent: bool,
    /// Reads.
    pub(crate) monitor: bool,
    /// Answers, stops, writes rules; reads what is to be answered, too.
    pub(crate) approver: bool,
}

impl Roles {
    pub(crate) const ALL: Self = Self {
        agent: true,
        monitor: true,
        approver: true,
    };
    pub(crate) const PEER: Self = Self {
        agent: true,
        monitor: true,
        approver: false,
    };
    pub(crate) const MONITOR: Self = Self {
        agent: false,
        monitor: true,
        approver: false,
    };
    pub(crate) const NONE: Self = Self {
        agent: false,
        monitor: false,
        approver: false,
    };
}

/// The streams that a token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Streams {
    /// `*`: every event, those without a stream included.
    All,
    /// Events of these alone; never one without a stream.
    Named(Arc<HashSet<Arc<str>>>),
}

/// How somebody got in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Without a credential, where none is needed.
    Local,
    /// With a valid credential.
    Known,
    /// Without a credential where one is needed: it must come with the dialect's first message. Nothing may be done until then.
    Awaited,
    /// With a credential that is not valid, where the dialect lets it in without a right.
    Refused,
}

/// What a request or connection may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) roles: Roles,
    pub(crate) streams: Streams,
    /// The token's `sub`, or its alias `user_id`.
    pub(crate) subject: Option<Arc<str>>,
    /// When it ends; connections are closed then.
    pub(crate) expires: Option<Millis>,
    pub(crate) standing: Standing,
    /// May give this one answer.
    pub(crate) one_answer: Option<(Arc<str>, Verdict)>,
}

/// An event or question for a stream that is not the token's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StreamError {
    /// Another stream.
    #[error("this token may not publish to stream {0:?}")]
    Other(String),
    /// No stream, and more than one to choose from, or none.
    #[error("this token is for named streams: say which `stream` the event belongs to")]
    Unsaid,
}

impl Access {
    /// Everything, everywhere, for good.
    pub(crate) fn of(roles: Roles, standing: Standing) -> Self {
        Self {
            roles,
            streams: Streams::All,
            subject: None,
            expires: None,
            standing,
            one_answer: None,
        }
    }

    /// Whether it may publish and ask.
    pub(crate) fn may_publish(&self) -> bool {
        self.roles.agent
    }

    /// Whether it may read. Whoever answers sees what is asked.
    pub(crate) fn may_read(&self) -> bool {
        self.roles.monitor || self.roles.approver
    }

    /// Whether it may answer, stop and write rules.
    pub(crate) fn may_answer(&self) -> bool {
        self.roles.approver
    }

    /// Whether it sees what has no stream, or is drawn from all streams: figures, rules.
    pub(crate) fn sees_all(&self) -> bool {
        self.streams == Streams::All
    }

    /// Whether it sees what is labelled so.
    pub(crate) fn sees(&self, stream: Option<&str>) -> bool {
        match &self.streams {
            Streams::All => true,
            Streams::Named(named) => stream.is_some_and(|stream| named.contains(stream)),
        }
    }

    /// The names of its streams, sorted; `None` when it sees all.
    pub(crate) fn named(&self) -> Option<Vec<String>> {
        match &self.streams {
            Streams::All => None,
            Streams::Named(named) => {
                let mut names: Vec<_> = named.iter().map(ToString::to_string).collect();
                names.sort_unstable();
                Some(names)
            }
        }
    }

    /// The stream that an event or a question of this peer belongs to: the one it says, else the token's only one.
    ///
    /// # Errors
    /// When that is none of the token's.
    pub(crate) fn stream(&self, said: Option<Arc<str>>) -> Result<Option<Arc<str>>, StreamError> {
        match (&self.streams, said) {
            (Streams::All, said) => Ok(said),
            (Streams::Named(named), Some(said)) if named.contains(&said) => Ok(Some(said)),
            (Streams::Named(_), Some(said)) => Err(StreamError::Other(said.to_string())),
            (Streams::Named(named), None) => match (named.len(), named.iter().next()) {
                (1, Some(only)) => Ok(Some(only.clone())),
                _ => Err(StreamError::Unsaid),
            },
        }
    }

    /// What a missing right is answered with: 401 where another credential would give it, 403 to somebody known.
    pub(crate) fn lacks(&self, right: Lack) -> Problem {
        match self.standing {
            Standing::Known if self.one_answer.is_none() => Problem::forbidden(right.to_string()),
            Standing::Known | Standing::Local | Standing::Awaited | Standing::Refused => Problem::from(right),
        }
    }

    /// The same without the right to answer, which an address does not carry: it ends up in logs.
    pub(crate) fn by_address(mut self) -> Self {
        self.roles.monitor |= self.roles.approver;
        self.roles.approver = false;
        self.one_answer = None;
        self
    }

    /// Ends when the access does; without an expiry, never.
    pub(crate) async fn expired(&self, hub: &Hub) {
        let Some(expires) = self.expires else {
            return std::future::pending().await;
        };
        loop {
            let left = u64::try_from(expires.0.saturating_sub(hub.now().0)).unwrap_or(0);
            if left == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(left).min(LOOK_AGAIN)).await;
        }
    }
}

/// A right that is missing, and who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Lack {
    #[error("publishing and asking need the agent's right: a token with the role `agent`")]
    Publish,
    #[error("reading needs the monitor's right: a token with the role `monitor`")]
    Read,
    #[error("a token for named streams does not see what is drawn from all of them")]
    ReadAll,
    #[error(
        "answering needs the approver's right: answer in the window, or give the approver token as `Authorization: Bearer`"
    )]
    Answer,
    #[error(
        "this address needs a token: `countersign token create` makes one; give it as `Authorization: Bearer` or `?token=`"
    )]
    Token,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(streams: &[&str]) -> Access {
        Access {
            streams: Streams::Named(Arc::new(streams.iter().map(|name| Arc::from(*name)).collect())),
            ..Access::of(Roles::PEER, Standing::Known)
        }
    }

    #[test]
    fn a_token_for_named_streams_never_sees_what_has_none() {
        let all = Access::of(Roles::PEER, Standing::Local);
        assert!(all.sees(None) && all.sees(Some("s")) && all.sees_all());
        let some = named(&["s", "t"]);
        assert!(some.sees(Some("s")) && some.sees(Some("t")) && !some.sees_all());
        assert!(!some.sees(None) && !some.sees(Some("u")) && !some.sees(Some("S")));
        assert!(!named(&[]).sees(None) && !named(&[]).sees(Some("")));
    }

    #[test]
    fn an_event_without_a_stream_gets_the_only_one() {
        let stream = |access: &Access, said: Option<&str>| access.stream(said.map(Arc::from));
        assert_eq!(stream(&named(&["s"]), None), Ok(Some("s".into())));
        assert_eq!(stream(&named(&["s", "t"]), None), Err(StreamError::Unsaid));
        assert_eq!(stream(&named(&[]), None), Err(StreamError::Unsaid));
        assert_eq!(stream(&named(&["s"]), Some("u")), Err(StreamError::Other("u".into())));
        assert_eq!(stream(&Access::of(Roles::PEER, Standing::Local), None), Ok(None));
    }
}
