//! What a route needs of whoever comes, and what happens to those who do not have it.

use axum::extract::Request;

use super::{Access, Door, Lack, Roles, Standing};
use crate::problem::Problem;
use crate::socket::{bearer, is_upgrade};

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing; credentials are not looked at.
    Nothing,
    /// To be let in at all.
    Any,
    /// To read; what is found is narrowed to the token's streams.
    Read,
    /// To read what is drawn from all streams.
    ReadAll,
    /// To publish and ask.
    Publish,
    /// To give an answer, or at least one.
    Answer,
    /// To answer and to stop, in the token's streams.
    Approver,
    /// To decide what reaches beyond any stream: rules, and what the hub is attached to.
    ApproverOfAll,
    /// An upgrade without a credential is let in; where one is needed it has no right ([`Standing::Awaited`]) until its
    /// first message brings one. A plain request needs to be let in at all.
    Later,
    /// As `Later`, plain requests included: a dialect whose authentication is in its own messages, whatever carries them.
    Inside,
    /// A credential that is not valid gives no right ([`Standing::Refused`]) where none is needed, and 401 where one is.
    Tolerant,
}

impl Need {
    /// What the request may do, if that is enough.
    ///
    /// # Errors
    /// 401 when a valid credential is missing, 403 when there is one and it does not allow this.
    pub(crate) fn access(self, door: &Door, request: &Request) -> Result<Access, Problem> {
        if self == Self::Nothing {
            return Ok(Access::of(Roles::NONE, Standing::Local));
        }
        let mut access = match door.access(request.headers(), request.uri().query()) {
            Ok(access) => access,
            Err(problem) => return self.without(door, request).ok_or(problem),
        };
        // A browser's WebSocket has no other place for a token; a plain request has its header.
        let by_address =
            access.standing == Standing::Known && bearer(request.headers()).is_none() && !is_upgrade(request.headers());
        if by_address {
            access = access.by_address();
        }
        let lack = match self {
            Self::Nothing | Self::Any | Self::Later | Self::Inside | Self::Tolerant => None,
            Self::Read => (!access.may_read()).then_some(Lack::Read),
            Self::ReadAll if !access.may_read() => Some(Lack::Read),
            Self::ReadAll => (!access.sees_all()).then_some(Lack::ReadAll),
            Self::Publish => (!access.may_publish()).then_some(Lack::Publish),
            Self::Answer => (!access.may_answer() && access.one_answer.is_none()).then_some(Lack::Answer),
            Self::Approver => (!access.may_answer()).then_some(Lack::Answer),
            Self::ApproverOfAll if !access.may_answer() => Some(Lack::Answer),
            Self::ApproverOfAll => (!access.sees_all()).then_some(Lack::ReadAll),
        };
        match lack {
            Some(Lack::Answer) if by_address => Err(Problem::from(Lack::Answer)),
            Some(lack) => Err(access.lacks(lack)),
            None => Ok(access),
        }
    }

    /// What remains without a valid credential.
    fn without(self, door: &Door, request: &Request) -> Option<Access> {
        let nobody = |standing| Some(Access::of(Roles::NONE, standing));
        let silent = || matches!(super::given(request.headers(), request.uri().query()), Ok(None));
        match self {
            Self::Later if is_upgrade(request.headers()) && silent() => nobody(Standing::Awaited),
            Self::Inside if silent() => nobody(Standing::Awaited),
            Self::Tolerant if !door.keys.required() => nobody(Standing::Refused),
            _ => None,
        }
    }
}
